import { describe, expect, it } from 'vitest'
import { MediaType } from '../body/media-type'
import { SipUsageError } from '../errors'
import { cursor } from '../grammar/cursor'
import { attempt } from '../grammar/failure'
import { encodeText } from '../grammar/text'
import { wireOf } from '../grammar/wire'
import { parametersMax } from '../limits'
import { strict } from '../message/leniency'
import { Challenge, Credentials, decodeAuthParams, decodeChallenge, decodeCredentials } from './auth'
import type { Codec } from './definition'
import { decodeCallIdElement, decodeTokenElement, decodeWarningElement } from './lists'
import * as scalars from './scalars'
import { decodePreference, decodeUriElement } from './values'

function decode<T>(codec: Codec<T>, text: string): T | string {
  const wire = wireOf(encodeText(text))
  const result = attempt(() => codec(wire, 0, wire.text.length, strict))
  return result.ok ? result.value : result.error.code
}

describe('numbers and words', () => {
  it.each([
    [scalars.decodeMaxForwards, '0068', 68],
    [scalars.decodeMaxForwards, '255', 255],
    [scalars.decodeMaxForwards, '256', 'NUMBER_TOO_LARGE'],
    [scalars.decodeMaxForwards, '-1', 'NUMBER_INVALID'],
    [scalars.decodeMaxForwards, '7 0', 'NUMBER_INVALID'],
    [scalars.decodeMaxForwards, '', 'HEADER_EMPTY'],
    [scalars.decodeDeltaSeconds, '4294967295', 4294967295],
    [scalars.decodeDeltaSeconds, '4294967296', 'NUMBER_TOO_LARGE'],
    [scalars.decodeDeltaSeconds, '9'.repeat(5000), 'NUMBER_TOO_LARGE'],
    [scalars.decodeDeltaSeconds, '1e3', 'NUMBER_INVALID'],
    [scalars.decodeLength, '9007199254740991', 9007199254740991],
    [scalars.decodeRSeq, '988789', 988789],
    [scalars.decodeCallId, 'a@b', 'a@b'],
    [scalars.decodeCallId, 'w()<>:\\"/[]?{}', 'w()<>:\\"/[]?{}'],
    [scalars.decodeCallId, 'a@b@c', 'CALL_ID_INVALID'],
    [scalars.decodeCallId, 'a b', 'CALL_ID_INVALID'],
    [scalars.decodeCallId, '@b', 'CALL_ID_INVALID'],
    [scalars.decodeCallId, 'a@', 'CALL_ID_INVALID'],
    [scalars.decodeCallId, '', 'HEADER_EMPTY'],
    [scalars.decodeFreeText, 'Zoë (x)', 'Zoë (x)'],
    [scalars.decodeFreeText, 'a\x07', 'HEADER_CONTROL_CHARACTER'],
    [scalars.decodeToken, 'emergency', 'emergency'],
    [scalars.decodeToken, 'not one', 'TOKEN_EXPECTED'],
    [scalars.decodeTimestamp, '54.1 0.5', '54.1 0.5'],
    [scalars.decodeTimestamp, 'now', 'NUMBER_INVALID'],
  ] as const)('%o reads %j as %j', (codec, text, expected) =>
    expect(decode(codec as Codec<unknown>, text)).toBe(expected),
  )

  it('RFC 3261 §8.1.1.5: CSeq is below 2**31', () => {
    expect(decode(scalars.decodeCSeq, '0009 \t INVITE')).toEqual({ seq: 9, method: 'INVITE' })
    expect(decode(scalars.decodeCSeq, '2147483647 X')).toEqual({ seq: 2147483647, method: 'X' })
    for (const text of [
      '2147483648 X',
      '36893488147419103232 REGISTER',
      'INVITE',
      '1',
      '1INVITE',
      '1 IN VITE',
      '-1 X',
      '',
    ]) {
      expect(decode(scalars.decodeCSeq, text), text).toBe('CSEQ_INVALID')
    }
  })

  it('RFC 3262 §7.2: RAck', () => {
    expect(decode(scalars.decodeRAck, '776656 1 INVITE')).toEqual({ rseq: 776656, seq: 1, method: 'INVITE' })
    expect(decode(scalars.decodeRAck, '1 INVITE')).toBe('CSEQ_INVALID')
  })

  it('RFC 3261 §20.17: Date is GMT in one form only', () => {
    expect(decode(scalars.decodeDate, 'Sat, 13 Nov 2010 23:29:00 GMT')).toBe(Date.UTC(2010, 10, 13, 23, 29, 0))
    for (const text of [
      'Fri, 01 Jan 2010 16:00:00 EST',
      'Sat, 31 Feb 2010 23:29:00 GMT',
      'Sat, 13 Nov 2010 24:29:00 GMT',
      'Sat, 13 Nop 2010 23:29:00 GMT',
      '',
    ]) {
      expect(decode(scalars.decodeDate, text), text).toBe('DATE_INVALID')
    }
  })

  it('RFC 3261 §20.33: values with parameters', () => {
    const retry = decode(scalars.decodeRetryAfter, '120 (in a (nested \\) ) meeting) ;duration=60')
    expect(retry).toMatchObject({ seconds: 120, comment: 'in a (nested \\) ) meeting' })
    expect(typeof retry === 'object' && retry.params.get('duration')).toBe('60')
    expect(decode(scalars.decodeRetryAfter, '18000;duration=3600')).toMatchObject({
      seconds: 18000,
      comment: undefined,
    })
    expect(decode(scalars.decodeRetryAfter, '5 (open')).toBe('UNEXPECTED_CHARACTER')
    const event = decode(scalars.decodeTokenWithParams, 'message-summary;id=1')
    expect(typeof event === 'object' && event.value).toBe('message-summary')
    expect(decode(scalars.decodeTokenWithParams, 'a b')).toBe('UNEXPECTED_CHARACTER')
  })
})

describe('list elements', () => {
  it('stop at the comma', () => {
    const text = ' 100rel , timer'
    expect(decodeTokenElement(wireOf(text), 0, text.length)).toBe('100rel')
    expect(cursor.next).toBe(8)
    expect(decode(decodeTokenElement, 'a b')).toBe('UNEXPECTED_CHARACTER')
    expect(decode(decodeCallIdElement, 'a@b, c')).toBe('a@b')
  })

  it('RFC 3261 §20.1: media ranges', () => {
    const range = decode(decodePreference, 'text / *;q=0.3;level="1,2",x')
    if (typeof range === 'string') throw new Error(range)
    expect([range.value, range.q, range.params.get('level'), range.toString()]).toEqual([
      'text/*',
      0.3,
      '1,2',
      'text/*;q=0.3;level="1,2"',
    ])
    expect(decode(decodePreference, 'text/plain;q=2')).toBe('Q_INVALID')
    expect(decode(decodePreference, 'text/')).toBe('TOKEN_EXPECTED')
    expect(decode(decodePreference, 'text/plain;level=1;level=2')).toBe('PARAMETER_REPEATED')
  })

  it('RFC 3261 §20.43: warnings', () => {
    expect(decode(decodeWarningElement, '370 devnull "Choose, please"')).toEqual({
      code: 370,
      agent: 'devnull',
      text: 'Choose, please',
    })
    for (const text of ['1812 a "b"', '99 a "b"', '370 a b', '370 "b"', '370'])
      expect(decode(decodeWarningElement, text), text).toBe('WARNING_INVALID')
  })

  it('RFC 3261 §20.9: URIs with parameters', () => {
    const info = decode(decodeUriElement, '<http://a/b,c>;purpose=icon')
    if (typeof info === 'string') throw new Error(info)
    expect([info.uri.toString(), info.params.get('purpose')]).toEqual(['http://a/b,c', 'icon'])
    expect(info.toString()).toBe('<http://a/b,c>;purpose=icon')
    expect(decode(decodeUriElement, 'http://a')).toBe('ADDRESS_BRACKET_MISSING')
    expect(decode(decodeUriElement, '<http://a')).toBe('ADDRESS_BRACKET_MISSING')
  })
})

describe('challenges and credentials', () => {
  it('RFC 7616 §3.9.1: reads a challenge and writes it with what must be quoted quoted', () => {
    const text =
      'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", stale=TRUE, opaque="x\\"y"'
    const value = decode(decodeChallenge, text)
    if (typeof value === 'string') throw new Error(value)
    expect([value.realm, value.algorithm, value.stale, value.opaque, value.qop, value.isDigest]).toEqual([
      'http-auth@example.org',
      'SHA-256',
      true,
      'x"y',
      ['auth', 'auth-int'],
      true,
    ])
    expect(value.toString()).toBe(text)
  })

  it('RFC 7616 §3.4: credentials; nothing secret in JSON', () => {
    const made = Credentials.of({
      params: {
        username: 'Jäsøn "D"',
        realm: 'r',
        nonce: 'n',
        uri: 'sip:a',
        response: 'abcdef',
        qop: 'auth',
        nc: '00000001',
        cnonce: 'c',
        algorithm: 'SHA-256',
      },
    })
    expect(made.toString()).toBe(
      'Digest username="Jäsøn \\"D\\"", realm="r", nonce="n", uri="sip:a", response="abcdef", qop=auth, nc=00000001, cnonce="c", algorithm=SHA-256',
    )
    const read = decode(decodeCredentials, made.toString())
    if (typeof read === 'string') throw new Error(read)
    expect([read.username, read.uri, read.response, read.nc, read.cnonce, read.qop]).toEqual([
      'Jäsøn "D"',
      'sip:a',
      'abcdef',
      '00000001',
      'c',
      'auth',
    ])
    expect(JSON.stringify(read)).toBe('"Digest ***"')
  })

  it('other schemes', () => {
    const bearer = decode(decodeCredentials, 'Bearer abc.def_~+/==')
    expect(typeof bearer === 'object' && [bearer.token68, bearer.toString()]).toEqual([
      'abc.def_~+/==',
      'Bearer abc.def_~+/==',
    ])
    const unknown = decode(decodeCredentials, 'NoOneKnowsThisScheme opaque-data=here')
    expect(typeof unknown === 'object' && unknown.params.get('opaque-data')).toBe('here')
    expect(typeof decode(decodeChallenge, 'Negotiate')).toBe('object')
    const info = decode(decodeAuthParams, 'nextnonce="n", qop=auth')
    expect(typeof info === 'object' && info.get('nextnonce')).toBe('n')
  })

  it.each([
    '',
    'Digest realm',
    'Digest realm=',
    'Digest realm="x',
    'Digest realm="x" nonce="y"',
    'Digest realm="x",',
    'Digest ,realm="x"',
    'Digest realm="x",,a=b',
    'Digest realm=a, realm=b',
    '"x"',
    `D ${Array.from({ length: parametersMax + 1 }, (_, at) => `p${at}=1`).join(',')}`,
  ])('%s is refused', (text) =>
    expect(['CREDENTIALS_INVALID', 'QUOTE_UNTERMINATED', 'PARAMETER_REPEATED', 'TOO_MANY_PARAMETERS']).toContain(
      decode(decodeChallenge, text),
    ),
  )

  it('a scheme that is no token is not made', () => {
    expect(() => Challenge.of({ scheme: 'a b', params: {} })).toThrow(SipUsageError)
  })
})

describe('media types', () => {
  it('RFC 3261 §20.15: case and white space do not count in type and subtype', () => {
    const value = MediaType.parse('Multipart / Mixed ; boundary="a;b"; X=y')
    expect(
      value.ok && [
        value.value.essence,
        value.value.is('MULTIPART/mixed'),
        value.value.params.get('boundary'),
        value.value.toString(),
      ],
    ).toEqual(['multipart/mixed', true, 'a;b', 'multipart/mixed;boundary="a;b";x=y'])
    expect(MediaType.of('Application', 'SDP').toString()).toBe('application/sdp')
    expect(() => MediaType.of('a/b', 'c')).toThrow(SipUsageError)
    for (const text of ['', 'text', 'text/', '/plain', 'a b/c', 'text/plain;;', 'text/plain, x/y'])
      expect(MediaType.parse(text).ok, text).toBe(false)
  })
})
