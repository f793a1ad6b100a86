import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Problem } from '../errors'
import { tolerant } from './leniency'
import { type ParseOptions, parseMessage } from './parse'
import { inspectMessage } from './validate'

const HEAD =
  'Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n'

function request(headers = '', line = 'OPTIONS sip:a@b SIP/2.0', end = 'l: 0\r\n\r\n'): Buffer {
  return Buffer.from(`${line}\r\n${HEAD}${headers}${end}`)
}

/** The line of each problem with a bar at the place. */
function places(bytes: Buffer, options?: ParseOptions): string[] {
  return inspectMessage(bytes, options).problems.map(({ code, offset }) => {
    const from = bytes.lastIndexOf(0x0a, offset - 1) + 1
    const feed = bytes.indexOf(0x0a, offset)
    const line = bytes.subarray(offset, feed < 0 ? bytes.length : feed).toString()
    return `${code} ${bytes.subarray(from, offset)}|${line}`.replace(/\r$/, '')
  })
}

function lfOnly(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString().replaceAll('\r\n', '\n'))
}

describe('the offset of a problem', () => {
  it.each([
    ['UTF-8 before it', 'Contact: "é日本" <sip:a b>\r\n', 'ADDRESS_SPACE Contact: "é日本" <sip:a| b>'],
    ['folds and tabs before it', 'Contact: "x"\r\n\t<sip:a>,\r\n\t\t <sip:a b>\r\n', 'ADDRESS_SPACE \t\t <sip:a| b>'],
  ])('counts bytes with %s', (_name, headers, expected) => {
    expect(places(request(headers))).toEqual([expected])
  })

  it('counts from the first byte of the input, line ends before the message included (RFC 3261 §7.5)', () => {
    const bytes = Buffer.concat([Buffer.from('\r\n\r\n'), request('Contact: <sip:a b>\r\n')])
    expect(places(bytes)).toEqual(['ADDRESS_SPACE Contact: <sip:a| b>'])
  })

  it.each([
    ['line feeds alone', lfOnly(request('Contact: <sip:a@@b>\r\n'))],
    ['some line feeds alone', Buffer.from(request('Contact: <sip:a@@b>\r\n').toString().replace('\r', ''))],
    ['spaces in the start line', request('Contact: <sip:a@@b>\r\n', 'OPTIONS    sip:a@b   SIP/2.0  ')],
    ['a request URI in brackets', request('Contact: <sip:a@@b>\r\n', 'OPTIONS <sip:a@b> SIP/2.0')],
    ['headers in the request URI', request('Contact: <sip:a@@b>\r\n', 'OPTIONS sip:a@b?Subject=x SIP/2.0')],
    ['all of them', lfOnly(request('Contact: <sip:a@@b>\r\n', 'OPTIONS  <sip:a@b?Subject=x>  SIP/2.0'))],
    ['a body that is too short', request('l: 0000900\r\nContact: <sip:a@@b>\r\n', undefined, '\r\nabc')],
    [
      'line ends before and within',
      Buffer.concat([Buffer.from('\n\n\n'), lfOnly(request('Contact: <sip:a@@b>\r\n', 'OPTIONS  sip:a@b SIP/2.0'))]),
    ],
  ])('is that of the input when the message was repaired: %s', (_name, bytes) => {
    expect(places(bytes, { leniency: tolerant })).toEqual(['HOST_INVALID Contact: <sip:a@|@b>'])
    const name = Buffer.from(bytes.toString().replace('Contact: <sip:a@@b>', '@x: y'))
    expect(places(name, { leniency: tolerant })).toEqual(['HEADER_NAME_INVALID |@x: y'])
    const { message: _message, ...result } = parseMessage(name, { leniency: tolerant })
    expect(result).toMatchObject({ ok: false, error: { offset: name.indexOf('@x') } })
  })

  it('is that of the input in a start line that was repaired', () => {
    const line = 'OPTIONS   <sip:a@@b>   SIP/2.0'
    expect(places(request('', line), { leniency: tolerant })).toEqual([
      'REQUEST_URI_INVALID OPTIONS   <sip:a@|@b>   SIP/2.0',
    ])
  })
})

describe('the list of problems', () => {
  const codes = (problems: readonly Problem[]) => problems.map(({ code }) => code)

  it('does not say twice, in two layers, what is wrong with one place', () => {
    expect(places(request('Subject: a\rb\r\n'))).toEqual(['BARE_CR Subject: a|\rb'])
  })

  it('does not miss what was not read', () => {
    const many = inspectMessage(request('X-A: 1\r\n'.repeat(300)))
    expect([codes(many.problems), codes(many.warnings)]).toEqual([['TOO_MANY_HEADERS'], []])
    const cut = inspectMessage(request().subarray(0, 70))
    expect([codes(cut.problems), codes(cut.warnings)]).toEqual([['HEAD_INCOMPLETE'], []])
  })

  it('is in the order of the bytes, and so are the warnings', () => {
    const { warnings } = inspectMessage(Buffer.from('OPTIONS foo:bar SIP/2.0\r\nl: 0\r\n\r\n'))
    expect(codes(warnings)).toEqual(['SCHEME_UNSUPPORTED', ...Array(5).fill('HEADER_MISSING')])
  })

  it('names Content-Length where the framing is wrong with it', () => {
    for (const end of ['l: -1\r\n\r\n', 'l: 0\r\nl: 0\r\n\r\n', '\r\n'])
      expect(inspectMessage(request('', undefined, end), { datagram: false }).problems).toMatchObject([
        { header: 'Content-Length', layer: 'framing', suggestedStatus: 400 },
      ])
  })

  it('RFC 3261 §21.4.11, §21.5.7: a body too large is 413, a message too large 513', () => {
    const options = { limits: { bodyBytesMax: 10 } }
    const status = (bytes: Buffer, limits: ParseOptions['limits'] = {}) =>
      inspectMessage(bytes, { limits }).problems.map(({ suggestedStatus }) => suggestedStatus)
    expect(status(request('', undefined, 'l: 11\r\n\r\n12345678901'), options.limits)).toEqual([413])
    expect(status(request('', undefined, 'l: 4294967296\r\n\r\n'))).toEqual([413])
    expect(status(request(), { messageBytesMax: 20 })).toEqual([513])
    expect(status(request(), { headBytesMax: 60 })).toEqual([513])
  })

  it('RFC 3261 §25.1: a control character in a display name is tolerated by no switch', () => {
    const bytes = request('Contact: a\rb <sip:a@b>\r\nReply-To: \x01 <sip:a@b>\r\nReferred-By: "\\\r" <sip:a@b>\r\n')
    expect(codes(inspectMessage(bytes, { leniency: tolerant }).problems)).toEqual([
      'BARE_CR',
      'DISPLAY_NAME_INVALID',
      'BARE_CR',
    ])
  })
})
