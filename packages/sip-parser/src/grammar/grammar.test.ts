import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { parametersMax } from '../limits'
import { strict, tolerant } from '../message/leniency'
import { isToken } from './chars'
import { attempt } from './failure'
import { isHost, isIpv4, isIpv6 } from './host'
import { decodeParams, encodeParams, scanParams, toParams, withParam } from './params'
import { quote, scanQuoted, unquote } from './quoted'
import { decodeText, detachText, encodeText } from './text'
import { loadWire, wireOf } from './wire'

describe('IP addresses', () => {
  it.each([
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7:8',
    '2001:db8::192.0.2.1',
    '::ffff:192.0.2.2',
    '1:2:3:4:5:6:1.2.3.4',
    '2001:db8:::192.0.2.1',
  ])('RFC 5954 §4.1: %s is an IPv6 address', (text) => expect(isIpv6(text)).toBe(true))

  it.each([
    '',
    ':',
    ':::',
    '1',
    '1:',
    ':1',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3',
    '1:::2',
    '::1.2.3.256',
    '1::2 ',
  ])('"%s" is no IPv6 address', (text) => expect(isIpv6(text)).toBe(false))

  it('knows IPv4 from names', () => {
    expect(['1.2.3.4', '255.255.255.255', '0.0.0.0'].every((text) => isIpv4(text))).toBe(true)
    expect(['1.2.3', '1.2.3.4.5', '256.1.1.1', '1..2.3', 'a.b.c.d', '1.2.3.4a', ''].some((text) => isIpv4(text))).toBe(
      false,
    )
    expect(['a', 'a.b', '10.0.0.1', '::1', 'xn--bcher-kva.example'].every((text) => isHost(text))).toBe(true)
    expect(['', 'a b', '[::1]', 'a..b', 'é', '10.0.0'].some((text) => isHost(text))).toBe(false)
  })
})

describe('quoted strings', () => {
  it('RFC 3261 §25.1: quoted pairs are resolved once', () => {
    const text = '"a\\"b\\\\c\\\0"'
    expect(scanQuoted(wireOf(text), 0, text.length)).toBe(text.length)
    expect(unquote(text, 0, text.length)).toBe('a"b\\c\0')
  })

  it('what is quoted reads back', () => {
    for (const value of ['', 'plain', '"', '\\', '\\"\\', 'é🙂', '\x07']) {
      const quoted = encodeText(quote(value))
      expect(scanQuoted(wireOf(quoted), 0, quoted.length)).toBe(quoted.length)
      expect(unquote(quoted, 0, quoted.length)).toBe(value)
    }
  })

  it.each(['"', '"a', '"a\\"', '"a\\', '"a\x07"', '"a\\é"'])('%j is refused', (text) => {
    expect(attempt(() => scanQuoted(wireOf(text), 0, text.length)).ok).toBe(false)
  })
})

describe('parameters', () => {
  const scan = (text: string, leniency = strict): string => {
    const result = attempt(() => scanParams(wireOf(text), 0, text.length, leniency))
    return result.ok ? String(result.value) : result.error.code
  }

  it('RFC 3261 §7.3.1: names, values, white space, quotes, IPv6', () => {
    const text = ';a ; b = c;D="x;,\\"y";e=[2001:db8::1];received=2001:db8::2 '
    expect(scan(text)).toBe(String(text.length))
    expect([...decodeParams(text, strict)]).toEqual([
      ['a', null],
      ['b', 'c'],
      ['d', 'x;,"y'],
      ['e', '[2001:db8::1]'],
      ['received', '2001:db8::2'],
    ])
  })

  it('a scan stops at a comma', () => expect(scan(';a=b,c')).toBe('4'))

  it.each([
    [';', 'EMPTY_PARAMETER'],
    [';;a', 'EMPTY_PARAMETER'],
    [';a=', 'PARAMETER_INVALID'],
    [';=b', 'PARAMETER_INVALID'],
    [';a=b c', 'UNEXPECTED_CHARACTER'],
    [';a="b', 'QUOTE_UNTERMINATED'],
    [';a=b/c', 'UNEXPECTED_CHARACTER'],
    [';a=[b]', 'HOST_INVALID'],
    [';a=b:c', 'PARAMETER_INVALID'],
    ['x', 'UNEXPECTED_CHARACTER'],
    [';a'.repeat(parametersMax + 1), 'TOO_MANY_PARAMETERS'],
  ])('%s is refused with %s', (text, code) => expect(scan(text)).toBe(code))

  it.each([';', ';;a', ';a=', ';a=b/c@d'])('%s is tolerated on request', (text) => {
    expect(scan(text, tolerant)).toBe(String(text.length))
  })

  it('are written so that they read back', () => {
    const params = toParams({ A: null, b: 'token', c: 'two words', d: '2001:db8::1', e: 'é"\\', f: '' })
    const text = encodeParams(params)
    expect(scan(text)).toBe(String(text.length))
    expect([...decodeParams(text, strict)]).toEqual([...params])
    expect(encodeParams(withParam(withParam(params, 'B', undefined), 'x', '1')).startsWith(';a;c=')).toBe(true)
  })

  it('refuse names that are no tokens', () => {
    expect(() => toParams({ 'a b': null })).toThrow(SipUsageError)
    expect(() => withParam(new Map(), 'a\r\nb', '1')).toThrow(SipUsageError)
  })
})

describe('text', () => {
  it('is UTF-8 on the wire, and bytes that are not UTF-8 stay as they are', () => {
    expect(decodeText(encodeText('é🙂'))).toBe('é🙂')
    expect(decodeText('\xff\xfe')).toBe('\xff\xfe')
    expect(encodeText('plain')).toBe('plain')
    expect([detachText('abc'), detachText('é🙂')]).toEqual(['abc', 'é🙂'])
  })

  it('a loaded text keeps its bytes until the next is loaded; text of its own keeps them', () => {
    const own = wireOf('own')
    const bytesOf = (wire: { text: string; bytes: Uint8Array }): string =>
      Buffer.from(wire.bytes).toString('latin1', 0, 3)
    expect([bytesOf(loadWire('one')), bytesOf(loadWire('two')), bytesOf(loadWire('one')), bytesOf(own)]).toEqual([
      'one',
      'two',
      'one',
      'own',
    ])
    const large = 'x'.repeat(70_000)
    expect(loadWire(large).bytes).toHaveLength(70_000)
    expect(bytesOf(loadWire('abc'))).toBe('abc')
  })

  it('tokens', () => {
    expect([isToken("aZ09-.!%*_+`'~"), isToken(''), isToken('a b'), isToken('é'), isToken('Ā')]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
