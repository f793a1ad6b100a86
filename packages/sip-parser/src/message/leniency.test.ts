import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { type Leniency, strict, tolerant } from './leniency'
import { inspectMessage } from './validate'

const HEAD =
  'Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n'

function withLine(line: string): Buffer {
  return Buffer.from(`${line}\r\n${HEAD}Content-Length: 0\r\n\r\n`)
}

function withHeader(line: string, end = 'Content-Length: 0\r\n\r\n'): Buffer {
  return Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${HEAD}${line}${end}`)
}

/** What each switch is for, with the code of its refusal. */
const DEVIATIONS: Readonly<Record<keyof Leniency, readonly [bytes: Buffer, code: string]>> = {
  bareLf: [Buffer.from(withHeader('').toString().replaceAll('\r', '')), 'BARE_LF'],
  startLineSpaces: [withLine('OPTIONS  sip:a@b   SIP/2.0 '), 'START_LINE_SPACES'],
  requestUriBrackets: [withLine('OPTIONS <sip:a@b> SIP/2.0'), 'REQUEST_URI_BRACKETS'],
  requestUriHeaders: [withLine('OPTIONS sip:a@b?Route=%3Csip:x%3E SIP/2.0'), 'REQUEST_URI_HEADERS'],
  shortBody: [withHeader('', 'Content-Length: 9\r\n\r\nab'), 'BODY_TOO_SHORT'],
  unquotedDisplayName: [withHeader('Contact: J. (x) @ User <sip:a@b>\r\n'), 'DISPLAY_NAME_INVALID'],
  spacesInAddress: [withHeader('Contact: < sip:a@b >\r\n'), 'ADDRESS_SPACE'],
  addressWithoutBrackets: [withHeader('Contact: sip:a@b?x=y\r\n'), 'ADDRESS_NEEDS_BRACKETS'],
  emptyParameters: [withHeader('Contact: <sip:a@b>;;a=;b;\r\n'), 'EMPTY_PARAMETER'],
  emptyElements: [withHeader('Contact: <sip:a@b>,,<sip:c@d>,\r\n'), 'EMPTY_ELEMENT'],
  parameterCharacters: [withHeader('Contact: <sip:a@b>;a=x/y@z\r\n'), 'UNEXPECTED_CHARACTER'],
  userCharacters: [withHeader('Contact: <sip:*72#@b>\r\n'), 'HOST_INVALID'],
  hostUnderscore: [withHeader('Contact: <sip:a@b_c>\r\n'), 'URI_INVALID'],
}

describe('a leniency switch', () => {
  it.each(Object.entries(DEVIATIONS))('%s allows what it is for, and nothing else does', (name, [bytes, code]) => {
    const codes = (leniency: Partial<Leniency>) =>
      inspectMessage(bytes, { leniency }).problems.map((found) => found.code)
    expect(codes({})).toEqual([code])
    expect(codes({ [name]: true })).toEqual([])
    expect(codes({ ...tolerant, [name]: false })).toEqual([code])
    expect(codes(tolerant)).toEqual([])
  })

  it('is there for each deviation', () => {
    expect(Object.keys(strict)).toEqual(Object.keys(DEVIATIONS))
  })

  it.each(['bareLf', 'startLineSpaces', 'requestUriBrackets', 'requestUriHeaders', 'shortBody'] as const)(
    '%s makes a message that a strict peer takes',
    (name) => {
      const { message } = inspectMessage(DEVIATIONS[name][0], { leniency: { [name]: true } })
      expect(inspectMessage(message?.toBytes() ?? new Uint8Array()).problems).toEqual([])
    },
  )
})
