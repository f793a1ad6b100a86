import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { tolerant } from '../message/leniency'
import { OpaqueUri } from './opaque-uri'
import { parseUri, type Uri } from './parse-uri'
import { SipUri } from './sip-uri'
import { TelUri } from './tel-uri'

function uri(text: string): Uri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(`${text}: ${result.error.code}`)
  return result.value
}

function sip(text: string): SipUri {
  const value = uri(text)
  if (!(value instanceof SipUri)) throw new Error(`${text} is no SIP URI`)
  return value
}

describe('SIP URIs', () => {
  it('RFC 3261 §19.1.1: take apart every component', () => {
    const value = sip(
      'sips:alice;day=tuesday:sec%3Aret@Atlanta.Example.COM:5061;Transport=TCP;lr?Subject=a%20b&priority=urgent',
    )
    expect(value).toMatchObject({
      scheme: 'sips',
      user: 'alice;day=tuesday',
      password: 'sec:ret',
      host: 'atlanta.example.com',
      port: 5061,
    })
    expect([...value.params]).toEqual([
      ['transport', 'TCP'],
      ['lr', null],
    ])
    expect([...value.headers]).toEqual([
      ['Subject', 'a b'],
      ['priority', 'urgent'],
    ])
    expect([value.transport, value.isLooseRouter, value.hasHeaders]).toEqual(['tcp', true, true])
  })

  it.each([
    'sip:example.com',
    'sip:+1-212-555-1212:1234@gateway.com;user=phone',
    'sip:alice@[2001:db8::1]:5060;maddr=239.255.255.1;ttl=15',
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
    'SIP:%00@a.b-c.d4',
    'tel:+1-201-555-0123;ext=4',
    'tel:7042;phone-context=example.com',
    'urn:service:sos',
    'http://example.com/a?b=c#d',
  ])('%s is written back as it came', (text) => {
    expect(uri(text).toString()).toBe(text)
  })

  it.each([
    ['', 'URI_INVALID'],
    ['sip:', 'HOST_INVALID'],
    ['sip:@example.com', 'URI_INVALID'],
    ['sip:a@', 'HOST_INVALID'],
    ['sip:a@b@c', 'URI_INVALID'],
    ['sip:a b@c', 'URI_INVALID'],
    ['sip:a%4@c', 'URI_ESCAPE_INVALID'],
    ['sip:a%zz@c', 'URI_ESCAPE_INVALID'],
    ['sip:a@c:', 'PORT_INVALID'],
    ['sip:a@c:65536', 'PORT_INVALID'],
    ['sip:a@c:99999999999', 'PORT_INVALID'],
    ['sip:a@c:-1', 'PORT_INVALID'],
    ['sip:a@c;', 'EMPTY_PARAMETER'],
    ['sip:a@c;;lr', 'EMPTY_PARAMETER'],
    ['sip:a@c;=x', 'URI_INVALID'],
    ['sip:a@c;p=', 'URI_INVALID'],
    ['sip:a@c?', 'URI_INVALID'],
    ['sip:a@c?h', 'URI_INVALID'],
    ['sip:a@c?=v', 'URI_INVALID'],
    ['sip:a@256.1.1.1', 'HOST_INVALID'],
    ['sip:a@1.2.3', 'HOST_INVALID'],
    ['sip:a@-b.c', 'HOST_INVALID'],
    ['sip:a@b-.c', 'HOST_INVALID'],
    ['sip:a@b..c', 'HOST_INVALID'],
    ['sip:a@.c', 'HOST_INVALID'],
    ['sip:a@a_b.c', 'URI_INVALID'],
    ['sip:a@[2001:db8::1', 'HOST_INVALID'],
    ['sip:a@[]', 'HOST_INVALID'],
    ['sip:a@[1::2::3]', 'HOST_INVALID'],
    ['sip:2001:db8::10', 'HOST_INVALID'],
    ['sip:a#b@c', 'URI_INVALID'],
    ['sip:ä@c', 'HOST_INVALID'],
    ['noscheme', 'URI_INVALID'],
    ['1x:y', 'URI_INVALID'],
    ['tel:', 'URI_INVALID'],
    ['tel:7042', 'URI_INVALID'],
    ['tel:+', 'URI_INVALID'],
    ['http:', 'URI_INVALID'],
    ['http://a b', 'URI_INVALID'],
    ['http://a<b>', 'URI_INVALID'],
  ])('%s is refused with %s', (text, code) => {
    const result = parseUri(text)
    expect(result.ok ? 'accepted' : result.error.code).toBe(code)
  })

  it('hosts keep a root dot, and IPv6 is lower-case without brackets', () => {
    expect(sip('sip:example.com.').host).toBe('example.com.')
    expect(sip('sip:[2001:DB8::A]').host).toBe('2001:db8::a')
    expect([sip('sip:[::1]').hostIsIp(), sip('sip:10.0.0.1').hostIsIp(), sip('sip:a.b').hostIsIp()]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('tolerates what phones send when asked to', () => {
    for (const text of ['sip:*72#@example.com', 'sip:ä@example.com', 'sip:a@my_host', 'sip:a@b;;lr;']) {
      expect(parseUri(text, tolerant).ok, text).toBe(true)
    }
    const result = parseUri('sip:ä#1@example.com', tolerant)
    expect(result.ok && result.value instanceof SipUri && result.value.user).toBe('ä#1')
  })

  it.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp', true],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5', true],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5', true],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
      true,
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
      true,
    ],
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp', false],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting', false],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off', false],
    ['sip:a@b', 'sips:a@b', false],
    ['sip:a@phone21.boxesbybob.com', 'sip:a@192.0.2.4', false],
  ])('RFC 3261 §19.1.4: %s and %s: %s', (one, other, isEqual) => {
    expect(sip(one).equals(uri(other))).toBe(isEqual)
    expect(sip(other).equals(uri(one))).toBe(isEqual)
  })

  it('are changed by copies and made from parts, with escapes where needed', () => {
    const value = sip('sip:alice@example.com;transport=tcp?a=b')
    expect(value.with({ port: 5070, user: 'b@b', headers: undefined }).toString()).toBe(
      'sip:b%40b@example.com:5070;transport=tcp',
    )
    expect(value.toString()).toBe('sip:alice@example.com;transport=tcp?a=b')
    expect(value.with({ user: undefined, params: { lr: null } }).toString()).toBe('sip:example.com;lr?a=b')
    expect(SipUri.of({ host: '2001:db8::1', user: 'é %', params: { x: 'a;b' } }).toString()).toBe(
      'sip:%C3%A9%20%25@[2001:db8::1];x=a%3Bb',
    )
  })

  it('a built URI reads back as itself', () => {
    const made = SipUri.of({
      scheme: 'sips',
      user: 'a:b;c?d/é',
      password: 'p@ss',
      host: 'Example.com',
      port: 1,
      params: { p: 'v w' },
      headers: { H: '<sip:x>' },
    })
    const read = sip(made.toString())
    expect(read.equals(made)).toBe(true)
    expect([read.user, read.password, read.params.get('p'), read.headers.get('H')]).toEqual([
      'a:b;c?d/é',
      'p@ss',
      'v w',
      '<sip:x>',
    ])
  })

  it('refuse parts that cannot be written', () => {
    for (const init of [
      { host: 'a b' },
      { host: '' },
      { host: 'a', port: 70000 },
      { host: 'a', user: '' },
      { host: 'a\r\nX: y' },
    ]) {
      expect(() => SipUri.of(init)).toThrow(SipUsageError)
    }
  })

  it('hide the password in JSON', () => {
    expect(JSON.stringify(sip('sip:a:secret@b'))).not.toContain('secret')
  })
})

describe('other URIs', () => {
  it('RFC 3966 §5: telephone numbers are equal whatever separates their digits', () => {
    const value = uri('tel:+1-201-555-0123')
    expect(value).toBeInstanceOf(TelUri)
    expect(value.equals(uri('tel:+1(201)5550123'))).toBe(true)
    expect(value.equals(uri('tel:+12015550124'))).toBe(false)
    expect(uri('tel:+1;ext=5').equals(uri('tel:+1'))).toBe(false)
    expect(TelUri.of({ number: '+4930', params: { ext: '7' } }).toString()).toBe('tel:+4930;ext=7')
    expect(() => TelUri.of({ number: 'call me' })).toThrow(SipUsageError)
  })

  it('unknown schemes are kept as text', () => {
    const value = uri('nobodyKnowsThisScheme:totallyopaquecontent')
    expect(value).toBeInstanceOf(OpaqueUri)
    expect(value.scheme).toBe('nobodyknowsthisscheme')
    expect(value.equals(uri('NOBODYKNOWSTHISSCHEME:totallyopaquecontent'))).toBe(true)
    expect(value.equals(uri('nobodyKnowsThisScheme:other'))).toBe(false)
  })
})
