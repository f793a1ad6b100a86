import { describe, expect, it } from 'vitest'
import { type ProblemCode, problemCodes } from '../errors'
import { problemsMax } from '../limits'
import { inviteBytes, mutateBytes, optionsRequest, SeededGenerator, sampleResponse } from '../testing/index'
import { type Leniency, strict, tolerant } from './leniency'
import { SipRequest } from './message'
import { type ParseOptions, parseMessage } from './parse'
import { checkMandatory, checkRequestUriScheme, inspectMessage } from './validate'

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')

function code(text: string, options?: ParseOptions): string {
  const result = parseMessage(bytesOf(text), options)
  return result.ok ? 'ok' : result.error.code
}

const rest =
  'Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: i\r\nCSeq: 1 OPTIONS\r\n'
const whole = (startLine: string, headers = rest, body = ''): string => `${startLine}\r\n${headers}\r\n${body}`
const only = (name: keyof Leniency): Partial<Leniency> => ({ [name]: true })

describe('start lines', () => {
  it.each<[string, ProblemCode]>([
    ['OPTIONS', 'START_LINE_INVALID'],
    ['OPTIONS sip:a', 'START_LINE_INVALID'],
    ['OPTIONS  SIP/2.0', 'REQUEST_URI_INVALID'],
    ['OPTIONS sip:a HTTP/1.1', 'START_LINE_INVALID'],
    ['OPTIONS sip:a SIP/2', 'START_LINE_INVALID'],
    ['OPTIONS sip:a SIP/3.0', 'VERSION_UNSUPPORTED'],
    ['OPTIONS sip:a SIP/2.1', 'VERSION_UNSUPPORTED'],
    ['OPT(IONS sip:a SIP/2.0', 'METHOD_INVALID'],
    [' OPTIONS sip:a SIP/2.0', 'METHOD_INVALID'],
    ['OPTIONS  sip:a SIP/2.0', 'START_LINE_SPACES'],
    ['OPTIONS sip:a  SIP/2.0', 'START_LINE_SPACES'],
    ['OPTIONS sip:a SIP/2.0 ', 'START_LINE_SPACES'],
    ['OPTIONS\tsip:a SIP/2.0', 'START_LINE_SPACES'],
    ['OPTIONS sip:a b SIP/2.0', 'REQUEST_URI_SPACE'],
    ['OPTIONS <sip:a> SIP/2.0', 'REQUEST_URI_BRACKETS'],
    ['OPTIONS sip: SIP/2.0', 'REQUEST_URI_INVALID'],
    ['OPTIONS a@b SIP/2.0', 'REQUEST_URI_INVALID'],
    ['OPTIONS sip:a\rb SIP/2.0', 'REQUEST_URI_INVALID'],
    ['OPTIONS sip:a\x00 SIP/2.0', 'REQUEST_URI_INVALID'],
    ['OPTIONS sip:a SIP/2.0\r', 'START_LINE_INVALID'],
    ['OPTIONS sip:a?X=y SIP/2.0', 'REQUEST_URI_HEADERS'],
    ['SIP/2.0 99 x', 'STATUS_INVALID'],
    ['SIP/2.0 700 x', 'STATUS_INVALID'],
    ['SIP/2.0 2000 x', 'STATUS_INVALID'],
    ['SIP/2.0 20x OK', 'STATUS_INVALID'],
    ['SIP/2.0 x OK', 'START_LINE_INVALID'],
    ['SIP/2.0 200', 'START_LINE_INVALID'],
    ['SIP/2.0  200 OK', 'START_LINE_SPACES'],
    ['SIP/1.0 200 OK', 'VERSION_UNSUPPORTED'],
    ['SIP/2.0 200 O\x07K', 'REASON_INVALID'],
    ['SIP/x 200 OK', 'START_LINE_INVALID'],
  ])('RFC 3261 §7.1, §7.2: %j is refused with %s', (line, expected) => expect(code(whole(line))).toBe(expected))

  it.each([
    'sip/2.0 200 ok',
    'SIP/2.0 200 ',
    'SIP/2.0 100 \tTab and \xd0\xbf',
    'OPTIONS sip:a sip/2.0',
    "a-!.%*_+`'~ tel:+1 SIP/2.0",
  ])('%j is accepted', (line) => expect(code(whole(line))).toBe('ok'))

  it('a problem of a response is never answered, a version problem is 505', () => {
    const response = parseMessage(bytesOf(whole('SIP/2.0 700 x')))
    expect(response.ok || response.error.suggestedStatus).toBe('drop')
    const request = parseMessage(bytesOf(whole('OPTIONS sip:a SIP/7.0')))
    if (request.ok || !(request.message instanceof SipRequest)) throw new Error('expected a partial request')
    expect([request.error.suggestedStatus, request.message.method, request.message.via.branch]).toEqual([
      505,
      'OPTIONS',
      'z9hG4bK1',
    ])
    expect(() => (request.message as SipRequest).uri).toThrow(expect.objectContaining({ code: 'VERSION_UNSUPPORTED' }))
  })

  it('tolerated deviations leave a start line that can be forwarded', () => {
    for (const [line, name] of [
      ['OPTIONS  sip:a   SIP/2.0  ', 'startLineSpaces'],
      ['OPTIONS <sip:a> SIP/2.0', 'requestUriBrackets'],
      ['OPTIONS sip:a?Route=%3Csip:b%3E SIP/2.0', 'requestUriHeaders'],
    ] as const) {
      const result = parseMessage(bytesOf(whole(line, rest, 'body')), { leniency: only(name) })
      if (!result.ok) throw new Error(`${line}: ${result.error.code}`)
      expect(result.message.toString()).toBe(whole('OPTIONS sip:a SIP/2.0', rest, 'body'))
    }
    expect(parseMessage(bytesOf(whole('SIP/2.0  200')), { leniency: tolerant }).ok).toBe(true)
    expect(code(whole('OPTIONS sip:a b SIP/2.0'), { leniency: tolerant })).toBe('REQUEST_URI_SPACE')
  })
})

describe('header lines', () => {
  it.each<[string, ProblemCode]>([
    ['X\r\n', 'HEADER_COLON_MISSING'],
    [': x\r\n', 'HEADER_NAME_INVALID'],
    ['A B: x\r\n', 'HEADER_NAME_INVALID'],
    ['A\xe9: x\r\n', 'HEADER_NAME_INVALID'],
    [`${'n'.repeat(256)}: x\r\n`, 'HEADER_NAME_TOO_LONG'],
    ['X: a\rb\r\n', 'BARE_CR'],
    ['X: a\r\r\n', 'BARE_CR'],
    ['X: a\n', 'BARE_LF'],
    ['X: a\n b\r\n', 'BARE_LF'],
  ])('%j is refused with %s, and the rest is still read', (line, expected) => {
    const result = parseMessage(bytesOf(whole('OPTIONS sip:a SIP/2.0', line + rest)))
    expect(result.ok ? 'ok' : result.error.code).toBe(expected)
    expect(result.message?.callId).toBe('i')
  })

  it('RFC 3261 §7.3.1: a continuation line needs something to continue', () => {
    expect(code(whole('OPTIONS sip:a SIP/2.0', ` x: y\r\n${rest}`))).toBe('HEADER_FOLD_MISPLACED')
  })

  it('folds at every place where white space may be', () => {
    const text = whole(
      'OPTIONS sip:a SIP/2.0',
      'Via:\r\n SIP/2.0/UDP\r\n\ta\r\n ;\r\n branch=z9hG4bK1\r\n   \r\nl:\r\n 0\r\n',
    )
    const result = parseMessage(bytesOf(text))
    if (!result.ok) throw new Error(result.error.code)
    expect([result.message.via.branch, result.message.contentLength, result.message.get('via')]).toEqual([
      'z9hG4bK1',
      0,
      'SIP/2.0/UDP a ; branch=z9hG4bK1',
    ])
  })

  it('bare line feeds are tolerated on request and written as CRLF; the body is left alone', () => {
    const text = 'OPTIONS sip:a SIP/2.0\nX: 1\n 2\r\nContent-Length: 3\n\n1\n2'
    const result = parseMessage(bytesOf(text), { leniency: only('bareLf') })
    expect(result.ok && result.message.toString()).toBe(
      'OPTIONS sip:a SIP/2.0\r\nX: 1\r\n 2\r\nContent-Length: 3\r\n\r\n1\n2',
    )
  })
})

describe('framing', () => {
  it.each<[string, ProblemCode]>([
    ['', 'EMPTY_MESSAGE'],
    ['\r\n\r\n', 'EMPTY_MESSAGE'],
    ['OPTIONS sip:a SIP/2.0', 'HEAD_INCOMPLETE'],
    ['OPTIONS sip:a SIP/2.0\r\n', 'HEAD_INCOMPLETE'],
    [`OPTIONS sip:a SIP/2.0\r\n${rest}`, 'HEAD_INCOMPLETE'],
    [whole('OPTIONS sip:a SIP/2.0', 'l: 1\r\n'), 'BODY_TOO_SHORT'],
    [whole('OPTIONS sip:a SIP/2.0', 'l: 1\r\nContent-Length: 1\r\n', 'x'), 'CONTENT_LENGTH_REPEATED'],
    ...['-1', '+1', '1 1', '1,1', '0x1', '1.0', '', 'a', '"1"', '9'.repeat(30)].map((value): [string, ProblemCode] => [
      whole('OPTIONS sip:a SIP/2.0', `Content-Length: ${value}\r\n`, 'x'),
      'CONTENT_LENGTH_INVALID',
    ]),
  ])('RFC 3261 §18.3: %j is refused with %s', (text, expected) => expect(code(text)).toBe(expected))

  it('RFC 3261 §18.3: a datagram may hold more than the message, or end it without Content-Length', () => {
    const longer = parseMessage(bytesOf(whole('OPTIONS sip:a SIP/2.0', 'l: 2\r\n', 'abcd')))
    expect(longer.ok && longer.message.toString().endsWith('\r\n\r\nab')).toBe(true)
    const without = parseMessage(bytesOf(whole('OPTIONS sip:a SIP/2.0', rest, 'abcd')))
    expect(without.ok && without.message.bodyLength).toBe(4)
  })

  it('a message of a stream has its exact length', () => {
    const stream = { datagram: false }
    expect(code(whole('OPTIONS sip:a SIP/2.0', 'l: 2\r\n', 'ab'), stream)).toBe('ok')
    expect(code(whole('OPTIONS sip:a SIP/2.0', 'l: 2\r\n', 'abc'), stream)).toBe('TRAILING_BYTES')
    expect(code(whole('OPTIONS sip:a SIP/2.0', rest), stream)).toBe('CONTENT_LENGTH_MISSING')
  })

  it('RFC 3261 §7.5: line ends before the start line are skipped, and offsets count from the first byte', () => {
    const result = parseMessage(bytesOf(`\r\n\r\n${whole('OPTIONS sip: SIP/2.0')}`))
    expect(result.ok || result.error.offset).toBe(16)
    expect(code(`\r\n${whole('OPTIONS sip:a SIP/2.0')}`)).toBe('ok')
  })

  it('a short body is tolerated on request, with its length put right', () => {
    const result = parseMessage(bytesOf(whole('OPTIONS sip:a SIP/2.0', 'l: 9\r\nX: y\r\n', 'ab')), {
      leniency: only('shortBody'),
    })
    expect(result.ok && [result.message.contentLength, result.message.bodyLength, result.message.get('x')]).toEqual([
      2,
      2,
      'y',
    ])
  })

  it('every limit has its code', () => {
    const text = whole('OPTIONS sip:a SIP/2.0', 'A: 1\r\nB: 2\r\nl: 4\r\n', 'abcd')
    const head = text.length - 4
    expect(code(text, { limits: { messageBytesMax: text.length - 1 } })).toBe('MESSAGE_TOO_LARGE')
    expect(
      code(text, { limits: { messageBytesMax: text.length, headBytesMax: head, bodyBytesMax: 4, headersMax: 3 } }),
    ).toBe('ok')
    expect(code(text, { limits: { headBytesMax: head - 1 } })).toBe('HEAD_TOO_LARGE')
    expect(code(text, { limits: { headBytesMax: 5 } })).toBe('HEAD_TOO_LARGE')
    expect(code(text, { limits: { bodyBytesMax: 3 } })).toBe('BODY_TOO_LARGE')
    expect(code(text, { limits: { headersMax: 2 } })).toBe('TOO_MANY_HEADERS')
    expect(code(whole('OPTIONS sip:a SIP/2.0', 'l: 999999999\r\n'))).toBe('BODY_TOO_LARGE')
  })

  it('the outermost problem is reported, inspectMessage reports all', () => {
    const text = whole('OPTIONS sip: SIP/2.0', 'No colon\r\nExpires: x\r\nl: 5\r\n')
    expect(code(text)).toBe('BODY_TOO_SHORT')
    expect(inspectMessage(bytesOf(text)).problems.map((found) => found.code)).toEqual([
      'REQUEST_URI_INVALID',
      'HEADER_COLON_MISSING',
      'NUMBER_INVALID',
      'BODY_TOO_SHORT',
    ])
  })

  it('a flood of problems is cut off', () => {
    const text = whole('OPTIONS sip:a SIP/2.0', `X: ${'\r'.repeat(5000)}\r\n`)
    const result = parseMessage(bytesOf(text))
    expect(result.ok ? 'ok' : result.error.code).toBe('BARE_CR')
    expect(inspectMessage(bytesOf(text)).problems.length).toBeLessThan(problemsMax + 5)
  })

  it('takes any Uint8Array, a view into a larger buffer too', () => {
    const bytes = inviteBytes()
    const larger = new Uint8Array(bytes.length + 20).fill(65)
    larger.set(bytes, 10)
    const result = parseMessage(larger.subarray(10, 10 + bytes.length))
    expect(result.ok && result.message.toBytes()).toEqual(Buffer.from(bytes))
  })
})

describe('checkMandatory and checkRequestUriScheme', () => {
  it.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('RFC 3261 §8.1.1: %s must be there', (name) => {
    const message = optionsRequest().edit().remove(name).build()
    expect(checkMandatory(message)).toMatchObject({ code: 'HEADER_MISSING', header: name, suggestedStatus: 400 })
    expect(inspectMessage(message.toBytes())).toMatchObject({
      ok: true,
      warnings: [{ code: 'HEADER_MISSING', header: name }],
    })
    expect(checkMandatory(sampleResponse(200).edit().remove(name).build())?.suggestedStatus).toBe('drop')
  })

  it.each(['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards'])('%s may be there once', (name) => {
    const message = optionsRequest()
    const repeated = message.edit().append(name, message.get(name)!).build()
    expect(checkMandatory(repeated)).toMatchObject({ code: 'HEADER_REPEATED', header: name })
    expect(inspectMessage(repeated.toBytes()).ok).toBe(false)
  })

  it('RFC 3261 §8.1.1.5: the method of CSeq is that of the request; a response has none to compare', () => {
    expect(checkMandatory(optionsRequest())).toBeUndefined()
    expect(checkMandatory(sampleResponse(200))).toBeUndefined()
    expect(checkMandatory(optionsRequest().edit().setMethod('INVITE').build())).toMatchObject({
      code: 'CSEQ_METHOD_MISMATCH',
      suggestedStatus: 400,
    })
    expect(checkMandatory(optionsRequest().edit().setMethod('NEW').build())?.suggestedStatus).toBe(501)
    expect(checkMandatory(optionsRequest().edit().remove('Max-Forwards').build())).toBeUndefined()
    expect(checkMandatory(optionsRequest().edit().set('Max-Forwards', 'x').build())?.code).toBe('NUMBER_INVALID')
  })

  it('RFC 3261 §8.2.2.1: 416 for a scheme that nobody here knows', () => {
    expect(checkRequestUriScheme(optionsRequest({ uri: 'soap.beep://a' }))).toMatchObject({
      code: 'SCHEME_UNSUPPORTED',
      suggestedStatus: 416,
    })
    expect(checkRequestUriScheme(optionsRequest({ uri: 'tel:+1' }))).toBeUndefined()
    expect(checkRequestUriScheme(sampleResponse(200))).toBeUndefined()
  })
})

describe('the registry of problems', () => {
  it('leniency switches are the same in both presets', () => {
    expect(Object.keys(tolerant)).toEqual(Object.keys(strict))
    expect(Object.values(strict).some(Boolean)).toBe(false)
    expect(Object.values(tolerant).every(Boolean)).toBe(true)
  })

  it('problems of mutated messages are all in the registry, with their layer', () => {
    const bytes = inviteBytes({
      headers: [
        ['Route', '<sip:a;lr>, <sip:b>'],
        ['Warning', '399 a "b"'],
        ['Authorization', 'Digest a="b"'],
      ],
    })
    for (let seed = 1; seed <= 3000; seed += 1) {
      for (const found of inspectMessage(
        mutateBytes(bytes, new SeededGenerator(seed)),
        seed % 2 === 0 ? { leniency: tolerant } : {},
      ).problems) {
        const known = problemCodes[found.code as ProblemCode]
        expect(known?.layer, found.code).toBe(found.layer)
        expect(found.offset).toBeGreaterThanOrEqual(0)
      }
    }
  })
})

describe('a quoted pair that no setter would write', () => {
  it('RFC 3261 §25.1: is read in a Content-Type, not thrown at its reader', () => {
    const bytes = Buffer.from(
      `${whole('OPTIONS sip:a@b SIP/2.0', `${rest}Content-Type: text/plain;y="\\\0"\r\n`)}`,
      'latin1',
    )
    const result = parseMessage(bytes)
    expect(result.ok && result.message.contentType?.params.get('y')).toBe('\0')
    expect(() => inspectMessage(bytes)).not.toThrow()
  })
})
