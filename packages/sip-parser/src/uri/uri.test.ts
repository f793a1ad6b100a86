import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { tolerant } from '../message/leniency'
import { parseUri, type Uri } from './parse-uri'
import { SipUri } from './sip-uri'

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
    ['sip:a@c;p=a=b', 'URI_INVALID'],
    ['sip:a@c;p=a@b', 'URI_INVALID'],
    ['sip:a@c;p="x"', 'URI_INVALID'],
    ['sip:a@c;p%3', 'URI_ESCAPE_INVALID'],
    ['sip:a@c;lr;LR', 'PARAMETER_REPEATED'],
    ['sip:a@c;maddr=d;x;maddr=e', 'PARAMETER_REPEATED'],
    ['sip:a@c;maddr=d;%6Daddr=e', 'PARAMETER_REPEATED'],
    [`sip:a@c${Array.from({ length: 65 }, (_, at) => `;p${at}`).join('')}`, 'TOO_MANY_PARAMETERS'],
    ['sip:a@c?', 'URI_INVALID'],
    ['sip:a@c?h=v&', 'URI_INVALID'],
    ['sip:a@c?h=v;w', 'URI_INVALID'],
    ['sip:a@c?h=v=w', 'URI_INVALID'],
    ['sip:a@c?h=%', 'URI_ESCAPE_INVALID'],
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
    ['sip:[fe80::1%25eth0]', 'HOST_INVALID'],
    ['sip:[fe80::1%eth0]', 'HOST_INVALID'],
    ['sip:[::ffff:192.0.2.256]', 'HOST_INVALID'],
    ['sip:[::ffff:192.0.2]', 'HOST_INVALID'],
    ['sip:[1:2:3:4:5:6:7]', 'HOST_INVALID'],
    ['sip:[1:2:3:4:5:6:7:8:9]', 'HOST_INVALID'],
    ['sip:[1:2:3:4:5:6:7::8]', 'HOST_INVALID'],
    ['sip:[1:2:3:4:5:6:7:8::]', 'HOST_INVALID'],
    ['sip:[12345::]', 'HOST_INVALID'],
    ['sip:[::1]x', 'URI_INVALID'],
    ['sip:[v1.a]', 'HOST_INVALID'],
    ['sip:a@c:0000005060', 'URI_INVALID'],
    ['sip:a\u0000@c', 'URI_INVALID'],
    ['sip:a@c\u0000', 'URI_INVALID'],
    ['sip:a@c\r\nVia: x', 'URI_INVALID'],
    ['sip:a:b:c@d', 'PORT_INVALID'],
    ['sip:%', 'URI_ESCAPE_INVALID'],
    ['sips', 'URI_INVALID'],
    ['sip', 'URI_INVALID'],
    [':', 'URI_INVALID'],
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

  it('every character that a user may hold needs no escape', () => {
    const user = "azAZ09-_.!~*'()&=+$,;?/"
    const value = sip(`sip:${user}:azAZ09-_.!~*'()&=+$,@h`)
    expect([value.user, value.password]).toEqual([user, "azAZ09-_.!~*'()&=+$,"])
    expect(SipUri.of({ user, host: 'h' }).toString()).toBe(`sip:${user}@h`)
    expect([sip('sip:;lr@host').user, sip('sip:;lr@host').isLooseRouter]).toEqual([';lr', false])
    expect(sip('sip:a?b=c@host').user).toBe('a?b=c')
  })

  it('escapes are decoded once, bytes that are no UTF-8 one by one', () => {
    expect(sip('sip:%2541@h').user).toBe('%41')
    expect(sip('sip:%C3%A9%00@h').user).toBe('é\0')
    expect(sip('sip:%E9@h').user).toBe('é')
    expect(sip('sip:h;a%3Db=%253B').params.get('a=b')).toBe('%3B')
  })

  it('ports count as numbers, zero among them', () => {
    expect(['0', '00', '05060', '65535'].map((port) => sip(`sip:h:${port}`).port)).toEqual([0, 0, 5060, 65535])
  })

  it('headers of one name become one list', () => {
    const value = sip('sip:h?Route=%3Csip:a%3E&x=&route=%3Csip:b%3E')
    expect([...value.headers]).toEqual([
      ['Route', '<sip:a>, <sip:b>'],
      ['x', ''],
    ])
  })

  it('huge ones are read, or refused, in time that grows with their length', () => {
    const size = 200_000
    const texts = [
      `sip:${'a'.repeat(size)}@h`,
      `sip:${'%41'.repeat(size / 3)}@h`,
      `sip:${'a.'.repeat(size / 2)}a`,
      `sip:h${';a'.repeat(size / 2)}`,
      `sip:h?${'a=b&'.repeat(size / 4)}a=b`,
      `sip:${'a;b?'.repeat(size / 4)}`,
      `tel:${'-'.repeat(size)}`,
      `tel:+1;isub=${'?'.repeat(size)}`,
      `tel:1;phone-context=${'a-'.repeat(size / 2)}`,
      `urn:ab:${'%41'.repeat(size / 3)}`,
      `http://${'a@'.repeat(size / 2)}`,
    ]
    const before = process.cpuUsage()
    for (const text of texts) {
      const result = parseUri(text)
      if (!result.ok) continue
      const { value } = result
      void [value.addressOfRecord, value.normalised().equals(value), value.toJSON()]
      if (value instanceof SipUri) void [value.user, value.params, value.headers, value.with({ port: 1 }).toString()]
    }
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan((texts.length * size) / 1024)
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

  it('change only what is asked to change', () => {
    const value = sip('sip:%61lice%3b:%70w@Example.com;X=%79;lr?Subject=%7A&A=b')
    expect(value.with({ port: 1 }).toString()).toBe('sip:%61lice%3b:%70w@example.com:1;X=%79;lr?Subject=%7A&A=b')
    expect(value.with({ scheme: 'sips', host: '[2001:DB8::1]' }).toString()).toBe(
      'sips:%61lice%3b:%70w@[2001:db8::1];X=%79;lr?Subject=%7A&A=b',
    )
    expect(value.with({ password: undefined, headers: undefined }).toString()).toBe(
      'sip:%61lice%3b@example.com;X=%79;lr',
    )
    expect(value.with({ user: undefined, params: undefined, headers: {} }).toString()).toBe('sip:example.com')
    expect(value.with({ user: 'bob' }).toString()).toBe('sip:bob:%70w@example.com;X=%79;lr?Subject=%7A&A=b')
    expect(value.with({ password: 'n w' }).password).toBe('n w')
    expect(value.with({ scheme: undefined }).scheme).toBe('sip')
  })

  it('set and remove single parameters and headers', () => {
    const value = sip('sip:a@b;X=%79;lr;z=1?Subject=%7A&A=b&subject=c')
    expect(value.withParam('LR', undefined).toString()).toBe('sip:a@b;X=%79;z=1?Subject=%7A&A=b&subject=c')
    expect(value.withParam('x', 'a;b').toString()).toBe('sip:a@b;x=a%3Bb;lr;z=1?Subject=%7A&A=b&subject=c')
    expect(value.withParam('ob', null).params.has('ob')).toBe(true)
    expect(value.withHeader('SUBJECT', 'n&w').toString()).toBe('sip:a@b;X=%79;lr;z=1?SUBJECT=n%26w&A=b')
    expect(value.withHeader('a', undefined).withHeader('Subject', undefined).hasHeaders).toBe(false)
    expect(sip('sip:b').withHeader('X', '\r\nY: z').toString()).toBe('sip:b?X=%0D%0AY:%20z')
    expect(value.toString()).toBe('sip:a@b;X=%79;lr;z=1?Subject=%7A&A=b&subject=c')
  })

  it('what a tolerant reader took is written so that a strict one takes it', () => {
    for (const text of ['sip:*72#@example.com', 'sip:ä{}@example.com', 'sip:a@b;;lr;', 'sip:a@b;x=;lr']) {
      const result = parseUri(text, tolerant)
      if (!result.ok || !(result.value instanceof SipUri)) throw new Error(text)
      for (const changed of [result.value.with({ port: 5070 }), result.value.withParam('y', '1').with({})])
        expect(parseUri(changed.toString()).ok, changed.toString()).toBe(true)
      expect(result.value.toString()).toBe(text)
      expect(parseUri(result.value.withParam('y', null).toString()).ok, text).toBe(true)
      expect(parseUri(result.value.withHeader('Y', 'z').toString()).ok, text).toBe(true)
      expect(result.value.normalised().user).toBe(result.value.user)
    }
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
      { host: 'a', port: 1.5 },
      { host: 'a', port: Number.NaN },
      { host: 'a', password: 'b' },
      { host: 'a', params: { '': null } },
      { host: 'a', params: { b: '' } },
      { host: 'a', headers: { '': 'b' } },
      { host: 'a', scheme: 'sip:x\r\n' as 'sip' },
    ]) {
      expect(() => SipUri.of(init)).toThrow(SipUsageError)
    }
  })

  it('a line end in a part is escaped, wherever it may stand', () => {
    const evil = 'x\r\nVia: y'
    const made = SipUri.of({
      host: 'h',
      user: evil,
      password: evil,
      params: { [evil]: evil },
      headers: { [evil]: evil },
    })
    expect(made.toString()).not.toMatch(/[\r\n ]/)
    const read = sip(made.toString())
    expect([read.user, read.password]).toEqual([evil, evil])
    expect(() => made.with({ host: evil })).toThrow(SipUsageError)
    expect(() => made.with({ host: undefined as unknown as string })).toThrow(SipUsageError)
  })

  it('hide the password, and credentials in headers, in JSON', () => {
    const value = sip('sip:a:secret@b;lr?Authorization=Digest%20hidden&x=y')
    expect(JSON.stringify({ value })).toBe('{"value":"sip:a:***@b;lr?Authorization=***&x=y"}')
    expect(value.toString()).toContain('secret')
  })
})
