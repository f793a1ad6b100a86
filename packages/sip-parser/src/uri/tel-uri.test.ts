import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { parseUri } from './parse-uri'
import { SipUri } from './sip-uri'
import { TelUri } from './tel-uri'

function tel(text: string): TelUri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(`${text}: ${result.error.code}`)
  if (!(result.value instanceof TelUri)) throw new Error(`${text} is no tel URI`)
  return result.value
}

function sip(text: string): SipUri {
  const result = parseUri(text)
  if (!result.ok || !(result.value instanceof SipUri)) throw new Error(`${text} is no SIP URI`)
  return result.value
}

describe('tel URIs', () => {
  it('RFC 3966 §3: take apart number, extension, subaddress, context and the rest', () => {
    const value = tel('TEL:863-(12).34;isub=a%20b?c@d=e,f;EXT=1-2;phone-context=+1-914-555;Npdi;x=[y]%2f')
    expect(value).toMatchObject({
      number: '863-(12).34',
      digits: '8631234',
      isGlobal: false,
      extension: '1-2',
      isdnSubaddress: 'a b?c@d=e,f',
      phoneContext: '+1-914-555',
    })
    expect(value.params.get('npdi')).toBeNull()
    expect(value.params.get('x')).toBe('[y]/')
    expect(tel('tel:*72#A;phone-context=example.com').digits).toBe('*72#a')
    expect(tel('tel:+1').phoneContext).toBeUndefined()
  })

  it.each([
    ['tel:', 'URI_INVALID', 4],
    ['tel:+', 'URI_INVALID', 4],
    ['tel:+-()', 'URI_INVALID', 4],
    ['tel:+12a', 'URI_INVALID', 4],
    ['tel:12+3;phone-context=a', 'URI_INVALID', 4],
    ['tel:call;phone-context=a', 'URI_INVALID', 4],
    ['tel:7042', 'URI_INVALID', 8],
    ['tel:7042;phone-context', 'URI_INVALID', 22],
    ['tel:7042;phone-context=', 'URI_INVALID', 23],
    ['tel:7042;phone-context=+', 'URI_INVALID', 23],
    ['tel:7042;phone-context=1.2', 'URI_INVALID', 23],
    ['tel:7042;phone-context=-a', 'URI_INVALID', 23],
    ['tel:7042;phone-context=a..b', 'URI_INVALID', 23],
    ['tel:7042;phone-context=a%2Eb', 'URI_INVALID', 23],
    ['tel:+1;ext', 'URI_INVALID', 10],
    ['tel:+1;ext=', 'URI_INVALID', 11],
    ['tel:+1;ext=a', 'URI_INVALID', 11],
    ['tel:+1;ext=-', 'URI_INVALID', 11],
    ['tel:+1;isub=', 'URI_INVALID', 12],
    ['tel:+1;a_b=c', 'URI_INVALID', 7],
    ['tel:+1;%65xt=1', 'URI_INVALID', 7],
    ['tel:+1;x=', 'URI_INVALID', 9],
    ['tel:+1;x=%4', 'URI_ESCAPE_INVALID', 9],
    ['tel:+1;x=a?b', 'URI_INVALID', 10],
    ['tel:+1;', 'EMPTY_PARAMETER', 7],
    ['tel:+1;;x', 'EMPTY_PARAMETER', 7],
    ['tel:+1;=x', 'URI_INVALID', 7],
    ['tel:+1;ext=1;Ext=1', 'PARAMETER_REPEATED', 13],
    [`tel:+1${Array.from({ length: 65 }, (_, at) => `;p${at}`).join('')}`, 'TOO_MANY_PARAMETERS', 252],
    ['tel:+1 2', 'URI_INVALID', 6],
    ['tel:+1\u0000', 'URI_INVALID', 6],
  ])('%s is refused with %s at %i', (text, code, offset) => {
    const result = parseUri(text)
    expect(result.ok ? 'accepted' : [result.error.code, result.error.offset]).toEqual([code, offset])
  })

  it.each([
    ['tel:+1-201-555-0123', 'tel:+1(201)555.0123', true],
    ['tel:+1;ext=4-5;isub=X', 'TEL:+1;ISUB=x;EXT=45', true],
    ['tel:7042;phone-context=Example.COM', 'tel:70-42;phone-context=example.com', true],
    ['tel:7042;phone-context=+1-914', 'tel:7042;phone-context=+1(914)', true],
    ['tel:a5;phone-context=a', 'tel:A5;phone-context=A', true],
    ['tel:+1;x=%41', 'tel:+1;x=a', true],
    ['tel:+358-555-1234567;postd=pp22', 'tel:+358-555-1234567;POSTD=PP22', true],
    ['tel:+1', 'tel:1;phone-context=a', false],
    ['tel:1;phone-context=a', 'tel:1;phone-context=b', false],
    ['tel:1;phone-context=+1', 'tel:1;phone-context=a', false],
    ['tel:+1', 'tel:+1;x', false],
    ['tel:+1;x', 'tel:+1;y', false],
    ['tel:+1;x', 'tel:+1;x=y', false],
    ['tel:+1;x=1-2', 'tel:+1;x=12', false],
    ['tel:+1', 'tel:+2', false],
  ])('RFC 3966 §4: %s and %s: %s', (one, other, isEqual) => {
    expect(tel(one).equals(tel(other))).toBe(isEqual)
    expect(tel(other).equals(tel(one))).toBe(isEqual)
    expect(tel(one).normalised().toString() === tel(other).normalised().toString()).toBe(isEqual)
  })

  it('RFC 3966 §3: parameters are written in the prescribed order', () => {
    const params = { z: null, 'phone-context': 'a.b', EXT: '1', isub: 'a;b', a: 'c d' }
    expect(TelUri.of({ number: '70-42', params }).toString()).toBe(
      'tel:70-42;isub=a%3Bb;ext=1;phone-context=a.b;a=c%20d;z',
    )
  })

  it('are changed by copies', () => {
    const value = tel('tel:+1-201;ext=4')
    expect(value.with({ number: '+49' }).toString()).toBe('tel:+49;ext=4')
    expect(value.with({ params: undefined }).toString()).toBe('tel:+1-201')
    expect(value.withParam('ISUB', '1').withParam('Ext', undefined).toString()).toBe('tel:+1-201;isub=1')
    expect(value.toString()).toBe('tel:+1-201;ext=4')
  })

  it.each([
    { number: 'call me' },
    { number: '+1\r\nX: y' },
    { number: '+1;ext=2' },
    { number: '7042' },
    { number: '+1', params: { ext: '1\r\n' } },
    { number: '+1', params: { ext: null } },
    { number: '+1', params: { isub: '' } },
    { number: '+1', params: { x: '' } },
    { number: '+1', params: { 'x;y': '1' } },
    { number: '+1', params: { '': '1' } },
    { number: '1', params: { 'phone-context': 'a b' } },
  ])('refuse what cannot be written: %j', (init) => {
    expect(() => TelUri.of(init)).toThrow(SipUsageError)
  })

  it('escape what could end a line', () => {
    expect(TelUri.of({ number: '+1', params: { x: 'a\r\nb\0' } }).toString()).toBe('tel:+1;x=a%0D%0Ab%00')
  })
})

describe('telephone numbers in SIP URIs', () => {
  it('RFC 3261 §19.1.6: equal numbers become equal users', () => {
    const at = { host: 'foo.com' }
    const texts = [
      'tel:+358-555-1234567;postd=pp22;isub=1411',
      'tel:+358-555-1234567;isub=1411;postd=pp22',
      'tel:+358(555)1234567;ISUB=1411;POSTD=PP22',
    ]
    for (const text of texts) {
      expect(SipUri.ofTel(tel(text), at).toString()).toBe('sip:+3585551234567;isub=1411;postd=pp22@foo.com;user=phone')
    }
    expect(
      SipUri.ofTel(tel('tel:+1'), { scheme: 'sips', host: '::1', port: 5070, params: { lr: null } }).toString(),
    ).toBe('sips:+1@[::1]:5070;lr;user=phone')
  })

  it('come back as the number they were made from', () => {
    for (const text of [
      'tel:+1-201-555-0123;ext=4',
      'tel:*72#;phone-context=a.b',
      'tel:7;phone-context=+1-914;x=[::1]%2f:;isub=a%3Bb',
    ]) {
      const made = SipUri.ofTel(tel(text), { host: 'gw.example.com' })
      expect(sip(made.toString()).equals(made)).toBe(true)
      expect(made.toTel()?.equals(tel(text)), made.toString()).toBe(true)
    }
  })

  it.each([
    ['sip:+1-201:1234@gateway.com;user=phone', 'tel:+1-201'],
    ['sip:%2B1@gateway.com', 'tel:+1'],
    ['sip:*72%23;phone-context=a@b', 'tel:*72#;phone-context=a'],
    ['sip:alice@example.com', undefined],
    ['sip:7042@example.com;user=phone', undefined],
    ['sip:+1;;x@example.com', undefined],
    ['sip:+1%3Bx@example.com', undefined],
    ['sip:example.com', undefined],
  ])('%s holds %s', (text, expected) => {
    expect(sip(text).toTel()?.toString()).toBe(expected)
  })
})
