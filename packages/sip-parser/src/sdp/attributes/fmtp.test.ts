import { describe, expect, it } from 'vitest'
import { fmtpCodec, fmtpParameters, formatFmtpParameters } from './fmtp'

describe('fmtp', () => {
  it.each([
    ['101 0-15', { format: '101', parameters: '0-15' }],
    ['96 a=1; b', { format: '96', parameters: 'a=1; b' }],
  ])('RFC 8866 §6.15: reads and writes %j', (text, value) => {
    expect(fmtpCodec.decode(text)).toEqual({ ok: true, value })
    expect(fmtpCodec.encode(value as never)).toEqual({ name: fmtpCodec.name, value: text })
  })

  it.each([
    [undefined, 'SDP_FMTP_INVALID', 0],
    ['96', 'SDP_FMTP_INVALID', 2],
    ['96   ', 'SDP_FMTP_INVALID', 5],
  ])('RFC 8866 §6.15: refuses %j with %s', (text, code, offset) => {
    const result = fmtpCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('splits parameters, names in lower case, the first of a repeated one', () => {
    const parameters = fmtpParameters(' Packetization-Mode=1 ;annexb;a==;annexb=no;;=x')
    expect([...parameters]).toEqual([
      ['packetization-mode', '1'],
      ['annexb', null],
      ['a', '='],
    ])
    expect(formatFmtpParameters(parameters)).toBe('packetization-mode=1;annexb;a==')
  })
})
