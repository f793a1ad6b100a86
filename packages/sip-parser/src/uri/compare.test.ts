import { describe, expect, it } from 'vitest'
import { parseUri, type Uri } from './parse-uri'
import { SipUri } from './sip-uri'

function uri(text: string): Uri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(`${text}: ${result.error.code}`)
  return result.value
}

function areEqual(one: string, other: string): boolean {
  const [first, second] = [uri(one), uri(other)]
  const forward = first.equals(second)
  expect(second.equals(first), 'the same both ways').toBe(forward)
  return forward
}

function normalised(text: string): string {
  return uri(text).normalised().toString()
}

describe('RFC 3261 §19.1.4: SIP URIs are equal', () => {
  it.each([
    [
      'whatever the case of host and parameters',
      'sip:%61lice@atlanta.com;transport=TCP',
      'sip:alice@AtLanTa.CoM;Transport=tcp',
    ],
    ['when one has a parameter that decides nothing', 'sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['when each has another one', 'sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'whatever the order of parameters',
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'whatever the order of headers',
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['whatever the case of the scheme', 'SIP:a@b', 'sip:a@b'],
    ['whatever the digits of an escape', 'sip:a%c3%a9@b', 'sip:a%C3%A9@b'],
    ['when a character of the password is escaped', 'sip:a:%73ecret@b', 'sip:a:secret@b'],
    ['when a character of a parameter is escaped', 'sip:a@b;%74ransport=%75dp', 'sip:a@b;transport=udp'],
    ['when one has lr and the other has not', 'sip:a@b;lr', 'sip:a@b'],
    ['whatever the zeros of the port', 'sip:a@b:05060', 'sip:a@b:5060'],
    ['whatever the case of header names', 'sip:a@b?Subject=x', 'sip:a@b?sUBJECT=x'],
    [
      '§7.3.1: whatever the case of a header value that is a token',
      'sip:a@b?priority=URGENT',
      'sip:a@b?priority=urgent',
    ],
    ['when a character of a header is escaped', 'sip:a@b?%53ubject=%78', 'sip:a@b?Subject=x'],
    ['RFC 5954 §3.2: whatever the spelling of IPv6', 'sip:a@[2001:DB8::9:1]', 'sip:a@[2001:db8:0:0:0:0:9:01]'],
    ['RFC 5954 §3.2: when the end of IPv6 is written as IPv4', 'sip:a@[::ffff:192.0.2.1]', 'sip:a@[::ffff:c000:201]'],
    [
      'RFC 5118 §4.10: with the third colon of old writers',
      'sip:a@[2001:db8:::192.0.2.1]',
      'sip:a@[2001:db8::192.0.2.1]',
    ],
    ['when maddr is the same address', 'sip:a@b;maddr=[2001:db8::1]', 'sip:a@b;maddr=[2001:DB8:0::1]'],
  ])('%s', (_, one, other) => {
    expect(areEqual(one, other)).toBe(true)
  })
})

describe('RFC 3261 §19.1.4: SIP URIs differ', () => {
  it.each([
    ['in the case of the user', 'SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['in the case of the password', 'sip:a:Secret@b', 'sip:a:secret@b'],
    ['when one names the default port', 'sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['when one names the default transport', 'sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['in port and transport', 'sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['when one has a header', 'sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['when a name leads to an address', 'sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['in a parameter that both have', 'sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['in a parameter without a value', 'sip:a@b;p', 'sip:a@b;p=x'],
    ['in the scheme', 'sip:a@b', 'sips:a@b'],
    ['when one has no user', 'sip:b', 'sip:a@b'],
    ['when one has a password, were it empty', 'sip:a@b', 'sip:a:@b'],
    ['when one has user, were it the default', 'sip:a@b', 'sip:a@b;user=ip'],
    ['when one has ttl', 'sip:a@b;maddr=239.255.255.1', 'sip:a@b;maddr=239.255.255.1;ttl=1'],
    ['when one has method', 'sip:a@b', 'sip:a@b;method=INVITE'],
    ['when one has maddr', 'sip:a@b', 'sip:a@b;maddr=b'],
    ['§7.1: in the case of the method', 'sip:a@b;method=INVITE', 'sip:a@b;method=invite'],
    ['when a reserved character is escaped in one only', 'sip:a%3Bb@c', 'sip:a;b@c'],
    ['when a percent sign begins no escape in one only', 'sip:%2541@b', 'sip:%41@b'],
    ['in bytes that are read as the same text', 'sip:%E9@b', 'sip:%C3%A9@b'],
    ['when a letter only looks like one of ASCII', 'sip:a@b;%E2%84%AA=1', 'sip:a@b;k=2;maddr=c'],
    ['in the number of equal headers', 'sip:a@b?Route=x&Route=x', 'sip:a@b?Route=x'],
    ['in the order of headers of one name', 'sip:a@b?Route=x&Route=y', 'sip:a@b?Route=y&Route=x'],
    ['§20.8: in the case of a Call-ID', 'sip:a@b?Call-ID=X', 'sip:a@b?Call-ID=x'],
    ['in the case of a user in a header', 'sip:a@b?to=sip:Bob%40c', 'sip:a@b?to=sip:bob%40c'],
    ['in IPv6 addresses', 'sip:a@[2001:db8::1]', 'sip:a@[2001:db8::2]'],
    ['when IPv6 only maps IPv4', 'sip:a@[::ffff:192.0.2.1]', 'sip:a@192.0.2.1'],
    ['from every other scheme', 'sip:+12@b;user=phone', 'tel:+12'],
  ])('%s', (_, one, other) => {
    expect(areEqual(one, other)).toBe(false)
  })

  it('§19.1.4: equality is not transitive', () => {
    const [bare, on, off] = ['', ';security=on', ';security=off'].map((params) => `sip:carol@chicago.com${params}`)
    expect(areEqual(bare!, on!)).toBe(true)
    expect(areEqual(bare!, off!)).toBe(true)
    expect(areEqual(on!, off!)).toBe(false)
  })

  it('nothing that is no URI is equal to one', () => {
    for (const value of [undefined, null, 'sip:a@b', {}]) expect(uri('sip:a@b').equals(value)).toBe(false)
  })
})

describe('one spelling', () => {
  it.each([
    ['SIP:%61lice%3b:%70w@Example.COM:05060;Transport=TCP;LR', 'sip:alice%3B:pw@example.com:5060;lr;transport=tcp'],
    ['sip:[2001:DB8:0:0:1:0:0:1]', 'sip:[2001:db8::1:0:0:1]'],
    ['sip:[2001:db8:0:1:1:1:1:1]', 'sip:[2001:db8:0:1:1:1:1:1]'],
    ['sip:[0:0:0:0:0:0:0:0]', 'sip:[::]'],
    ['sip:[0:0:0:0:0:0:0:1]', 'sip:[::1]'],
    ['sip:[::FFFF:C000:0201]', 'sip:[::ffff:192.0.2.1]'],
    ['sip:[fe80::1:192.0.2.1]', 'sip:[fe80::1:c000:201]'],
    ['sip:a@b;maddr=[2001:DB8::0:1]', 'sip:a@b;maddr=[2001:db8::1]'],
    ['sip:a@b;Method=NEW;x=%20Y', 'sip:a@b;method=NEW;x=%20y'],
    ['sip:a@b?Subject=%41%20B&Priority=U', 'sip:a@b?priority=U&subject=A%20B'],
    ['sips:%E9%00%25@b', 'sips:%E9%00%25@b'],
    ['TEL:+1(201)555.0123;EXT=4-5;ISUB=A%20B', 'tel:+12015550123;isub=a%20b;ext=45'],
    ['tel:70-42;a;Phone-Context=Example.COM', 'tel:7042;phone-context=example.com;a'],
    ['tel:7042;phone-context=+1-914-555', 'tel:7042;phone-context=+1914555'],
    ['URN:UUID:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
    ['HTTP://User@Example.COM/A%3a?B', 'http://User@example.com/A%3A?B'],
    ['IM:Alice@Example.com', 'im:Alice@Example.com'],
  ])('%s becomes %s', (text, expected) => {
    expect(normalised(text)).toBe(expected)
    expect(normalised(expected)).toBe(expected)
    expect(areEqual(text, expected)).toBe(true)
  })
})

describe('addresses of record', () => {
  it.each([
    ['sip:alice@Example.com', 'sip:alice@example.com'],
    ['sip:%61lice:pw@example.com:5070;user=phone;transport=tcp?a=b', 'sip:alice@example.com'],
    ['sips:alice@example.com', 'sip:alice@example.com'],
    ['sip:Alice@example.com', 'sip:Alice@example.com'],
    ['sip:%2B4930@example.com', 'sip:+4930@example.com'],
    ['sip:+4930;ext=7@example.com', 'sip:+4930;ext=7@example.com'],
    ['sip:a%40b@[2001:DB8::1]', 'sip:a@b@[2001:db8::1]'],
    ['sip:%2541@b', 'sip:%41@b'],
    ['sip:example.com;lr', 'sip:example.com'],
    ['tel:+1-201-555-0123;npdi;rn=+1-202', 'tel:+12015550123'],
    ['tel:70-42;ext=1;phone-context=Example.com', 'tel:7042;ext=1;phone-context=example.com'],
    ['urn:service:SOS', 'urn:service:sos'],
  ])('RFC 3261 §10.3: %s is looked up as %s', (text, expected) => {
    expect(uri(text).addressOfRecord).toBe(expected)
  })

  it('equal URIs have the same, whatever decides between them otherwise', () => {
    const key = SipUri.of({ user: 'bob', host: 'b' }).addressOfRecord
    for (const text of ['sip:b%6Fb@B', 'sip:bob@b;x', 'sip:bob@b?y=z']) expect(uri(text).addressOfRecord).toBe(key)
    expect(uri('sip:bob%00@b').addressOfRecord).not.toBe(key)
  })
})
