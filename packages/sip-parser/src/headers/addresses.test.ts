import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { cursor } from '../grammar/cursor'
import { attempt } from '../grammar/failure'
import { encodeText } from '../grammar/text'
import { wireOf } from '../grammar/wire'
import { strict, tolerant } from '../message/leniency'
import { parseUri, SipUri, type Uri } from '../uri/index'
import { Contact, decodeContact } from './contact'
import type { Codec } from './definition'
import { decodeNameAddr, decodeOneNameAddr, NameAddr } from './name-addr'
import { decodeVia, Via } from './via'

function nameAddr(text: string, leniency = strict): NameAddr {
  const wire = wireOf(encodeText(text))
  return decodeOneNameAddr(wire, 0, wire.text.length, leniency)
}

function failure(decode: Codec<unknown>, text: string): string {
  const wire = wireOf(encodeText(text))
  const { length } = wire.text
  const result = attempt(() => {
    decode(wire, 0, length, strict)
    if (cursor.next < length) throw new Error(`stopped at ${cursor.next}`)
  })
  return result.ok ? 'accepted' : result.error.code
}

function uriOf(text: string): Uri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(text)
  return result.value
}

describe('name-addr', () => {
  it.each([
    ['"Alice" <sip:alice%40home@example.com;transport=tcp>;tag=1', 'alice@home'],
    ['<sips:+4930@example.com;user=phone>', '+4930'],
    ['<tel:+49-30-1234;ext=5>', '+49-30-1234'],
    ['<sip:example.com>', undefined],
    ['<urn:service:sos>', undefined],
  ])('RFC 3261 §20.20, RFC 3966 §3: who %s is', (text, user) => {
    expect(nameAddr(text).user).toBe(user)
  })

  it.each([
    ['sip:a@b;tag=1', undefined, 'sip:a@b', '1', '<sip:a@b>;tag=1'],
    ['<sip:a@b;x=y>;tag=1', undefined, 'sip:a@b;x=y', '1', '<sip:a@b;x=y>;tag=1'],
    ['Bob <sip:a@b>', 'Bob', 'sip:a@b', undefined, 'Bob <sip:a@b>'],
    ['T. Watson<sip:a@b>', 'T. Watson', 'sip:a@b', undefined, 'T. Watson <sip:a@b>'],
    ['"A, \\"B\\" <x>" <sip:a@b> ; tag = 1', 'A, "B" <x>', 'sip:a@b', '1', '"A, \\"B\\" <x>" <sip:a@b>; tag = 1'],
    ['"" <sip:a@b>', '', 'sip:a@b', undefined, '"" <sip:a@b>'],
    ['"é" <tel:+1>', 'é', 'tel:+1', undefined, '"é" <tel:+1>'],
    ['<http://a/?b=c,d;e>', undefined, 'http://a/?b=c,d;e', undefined, '<http://a/?b=c,d;e>'],
  ])('RFC 3261 §20.10: %s', (text, displayName, uri, tag, written) => {
    const value = nameAddr(text)
    expect([value.displayName, value.uri.toString(), value.tag, value.toString()]).toEqual([
      displayName,
      uri,
      tag,
      written,
    ])
  })

  it.each([
    ['', 'HEADER_EMPTY'],
    ['"Bob <sip:a@b>', 'QUOTE_UNTERMINATED'],
    ['"Bob" sip:a@b', 'ADDRESS_BRACKET_MISSING'],
    ['<sip:a@b', 'ADDRESS_BRACKET_MISSING'],
    ['< sip:a@b>', 'ADDRESS_SPACE'],
    ['<sip:a@b >', 'ADDRESS_SPACE'],
    ['<>', 'URI_INVALID'],
    ['<sip:a@b>x', 'UNEXPECTED_CHARACTER'],
    ['sip:a@b?x=y', 'ADDRESS_NEEDS_BRACKETS'],
    ['Bell, A <sip:a@b>', 'DISPLAY_NAME_INVALID'],
    ['Zoë <sip:a@b>', 'DISPLAY_NAME_INVALID'],
    ['<sip:a@b>;tag', 'PARAMETER_INVALID'],
    ['<sip:a@b>;tag=', 'PARAMETER_INVALID'],
    ['<sip:a@b>;tag="1"', 'PARAMETER_INVALID'],
    ['<sip:a@b>;tag=1;tag=2', 'PARAMETER_REPEATED'],
    ['<sip:a@b>;TAG=1;tag=1', 'PARAMETER_REPEATED'],
    ['<sip:a@b>,<sip:c@d>', 'UNEXPECTED_CHARACTER'],
    ['bob', 'URI_INVALID'],
    ['a@b', 'URI_INVALID'],
  ])('%s is refused with %s', (text, code) => expect(failure(decodeOneNameAddr, text)).toBe(code))

  it('tolerates on request, and writes the strict form', () => {
    expect(nameAddr('Bell, A <sip:a@b>', tolerant).toString()).toBe('"Bell, A" <sip:a@b>')
    expect(nameAddr('Zoë <sip:a@b>', tolerant).displayName).toBe('Zoë')
    expect(nameAddr('< sip:a@b >', tolerant).toString()).toBe('<sip:a@b>')
    expect(nameAddr('sip:a@b?x=y', tolerant).toString()).toBe('<sip:a@b?x=y>')
  })

  it('is made, changed and read back', () => {
    const made = NameAddr.of({ displayName: 'O"Neill é', uri: uriOf('sip:a@b'), params: { tag: 'x' } })
    expect(made.toString()).toBe('"O\\"Neill é" <sip:a@b>;tag=x')
    const read = nameAddr(made.toString())
    expect([read.displayName, read.tag]).toEqual(['O"Neill é', 'x'])
    expect(read.withParam('tag', undefined).tag).toBeUndefined()
    expect(read.withParam('tag', 'y').toString()).toBe('"O\\"Neill é" <sip:a@b>;tag=y')
    expect(read.tag).toBe('x')
    expect(JSON.stringify(read)).toContain('sip:a@b')
  })
})

describe('Contact', () => {
  const contact = (text: string): Contact => decodeContact(wireOf(text), 0, text.length, strict)

  it('RFC 3261 §20.10, RFC 5626 §4: expires, q, instance, reg-id', () => {
    const value = contact('<sip:a@b>;expires=60;q=0.5;+sip.instance="<urn:uuid:1>";reg-id=2')
    expect([value.expires, value.q, value.instance, value.regId]).toEqual([60, 0.5, 'urn:uuid:1', 2])
    expect(value.withParam('expires', '5').expires).toBe(5)
    expect(Contact.of({ uri: SipUri.of({ host: 'b' }), params: { q: '1.0' } }).q).toBe(1)
  })

  it.each([
    ['<sip:a@b>;expires=-1', 'NUMBER_INVALID'],
    ['<sip:a@b>;expires', 'NUMBER_INVALID'],
    ['<sip:a@b>;expires=4294967296', 'NUMBER_TOO_LARGE'],
    ['<sip:a@b>;q=1.1', 'Q_INVALID'],
    ['<sip:a@b>;q=2', 'Q_INVALID'],
    ['<sip:a@b>;q=0.1234', 'Q_INVALID'],
    ['<sip:a@b>;q', 'Q_INVALID'],
    ['<sip:a@b>;q=1;q=0', 'PARAMETER_REPEATED'],
    ['<sip:a@b>;expires=1;expires=1', 'PARAMETER_REPEATED'],
    ['*', 'CONTACT_STAR_INVALID'],
  ])('%s is refused with %s', (text, code) => expect(failure(decodeContact, text)).toBe(code))

  it('a value that cannot be read is not made', () => {
    expect(() => Contact.of({ uri: uriOf('sip:a@b'), params: { q: '7' } })).toThrow(SipUsageError)
    expect(() => contact('<sip:a@b>').withParam('expires', 'soon')).toThrow(SipUsageError)
  })

  it('a comma in a name, a quote or brackets divides nothing', () => {
    const text = '"a,b" <sip:a,c@b;x=1>;p="q,r",<sip:d@e>'
    const first = decodeNameAddr(wireOf(text), 0, text.length, strict)
    expect(cursor.next).toBe(text.indexOf(',<sip:d'))
    expect(first.params.get('p')).toBe('q,r')
  })
})

describe('Via', () => {
  const via = (text: string): Via => decodeVia(wireOf(text), 0, text.length, strict)

  it('RFC 3581 §4: tells whether there is a parameter, as its decoded ones do', () => {
    const texts = [
      ...['SIP/2.0/UDP a', 'SIP/2.0/UDP a;rport', 'SIP/2.0/UDP a;RPort=99;branch=b', 'SIP/2.0/UDP a ; rport ;branch=b'],
      ...['SIP/2.0/UDP a;branch=b;rport=1', 'SIP/2.0/UDP a;rportx', 'SIP/2.0/UDP a;xrport;branch=rport'],
      ...['SIP/2.0/UDP a;x=";rport"', 'SIP/2.0/UDP a;x=";rport";rport', 'SIP/2.0/UDP a;branch=b;rport\t= 7'],
    ]
    const asked = texts.map((text) => via(text).has('rport'))
    expect(asked).toEqual(texts.map((text) => via(text).params.has('rport')))
    expect(asked).toEqual([false, true, true, true, true, false, false, false, true, true])
    const decoded = via('SIP/2.0/UDP a;rport')
    expect([decoded.params.size, decoded.has('rport'), decoded.has('branch')]).toEqual([1, true, false])
  })

  it('RFC 3261 §20.42, RFC 3581: sent-by, branch, received, rport', () => {
    const value = via(
      'SIP/2.0/UDP Host.example.com:5062;branch=z9hG4bK1;rport;received=192.0.2.1;ttl=5;maddr=224.0.0.1',
    )
    expect(value).toMatchObject({
      protocol: 'SIP/2.0',
      transport: 'UDP',
      host: 'host.example.com',
      port: 5062,
      branch: 'z9hG4bK1',
    })
    expect([value.rport, value.received, value.ttl, value.maddr]).toEqual([null, '192.0.2.1', 5, '224.0.0.1'])
    expect(via('SIP/2.0/UDP a;rport=99').rport).toBe(99)
    expect([via('SIP/2.0/UDP a').rport, via('SIP/2.0/UDP a').branch]).toEqual([undefined, undefined])
  })

  it('white space around every separator', () => {
    const value = via('SIP / 2.0 / ws-x [::1] : 80 ; branch = b')
    expect([value.transport, value.host, value.port, value.branch]).toEqual(['WS-X', '::1', 80, 'b'])
  })

  it.each([
    ['', 'VIA_INVALID'],
    ['SIP/2.0/UDP', 'VIA_INVALID'],
    ['SIP/2.0 UDP a', 'VIA_INVALID'],
    ['SIP/2.0/ a', 'VIA_INVALID'],
    ['SIP/2.0/UDP ;branch=x', 'HOST_INVALID'],
    ['SIP/2.0/UDP a:b', 'PORT_INVALID'],
    ['SIP/2.0/UDP a:70000', 'PORT_INVALID'],
    ['SIP/2.0/UDP 2001:db8::1', 'HOST_INVALID'],
    ['SIP/2.0/UDP a;rport=x', 'NUMBER_INVALID'],
    ['SIP/2.0/UDP a;rport=70000', 'NUMBER_TOO_LARGE'],
    ['SIP/2.0/UDP a;ttl=256', 'NUMBER_TOO_LARGE'],
    ['SIP/2.0/UDP a;branch', 'PARAMETER_INVALID'],
    ['SIP/2.0/UDP a;branch=1;branch=2', 'PARAMETER_REPEATED'],
    ['SIP/2.0/UDP a b', 'UNEXPECTED_CHARACTER'],
  ])('%s is refused with %s', (text, code) => expect(failure(decodeVia, text)).toBe(code))

  it('is made, changed and written', () => {
    const made = Via.of({
      transport: 'udp',
      host: '2001:DB8::1',
      port: 5060,
      params: { branch: 'z9hG4bKx', rport: null },
    })
    expect(made.toString()).toBe('SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKx;rport')
    const stamped = made.withParam('rport', '1024').withParam('received', '2001:db8::2')
    expect(stamped.toString()).toBe('SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKx;rport=1024;received=2001:db8::2')
    expect([via(stamped.toString()).rport, via(stamped.toString()).received]).toEqual([1024, '2001:db8::2'])
    expect(() => Via.of({ transport: 'U DP', host: 'a' })).toThrow(SipUsageError)
    expect(() => Via.of({ transport: 'UDP', host: 'a/b' })).toThrow(SipUsageError)
  })
})
