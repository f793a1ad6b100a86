import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../../errors'
import { rtpmapCodec } from './rtpmap'

describe('rtpmap', () => {
  it.each([
    ['96 opus/48000/2', { payloadType: 96, name: 'opus', clockRate: 48_000, channels: 2 }],
    ['0 PCMU/8000', { payloadType: 0, name: 'PCMU', clockRate: 8_000, channels: 1 }],
  ])('RFC 8866 §6.6: reads and writes %j', (text, value) => {
    expect(rtpmapCodec.decode(text)).toEqual({ ok: true, value })
    expect(rtpmapCodec.encode(value as never)).toEqual({ name: rtpmapCodec.name, value: text })
  })

  it.each([
    [undefined, 'SDP_RTPMAP_INVALID', 0],
    ['', 'SDP_RTPMAP_INVALID', 0],
    ['128 x/1', 'SDP_RTPMAP_INVALID', 0],
    ['31 LPC', 'SDP_RTPMAP_INVALID', 6],
    ['96 x/8000/2/3', 'SDP_RTPMAP_INVALID', 11],
    ['\u00e9', 'SDP_RTPMAP_INVALID', 0],
  ])('RFC 8866 §6.6: refuses %j with %s', (text, code, offset) => {
    const result = rtpmapCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('writes nothing that could not be read', () => {
    const name = 'x/1\r\na=y'
    expect(() => rtpmapCodec.encode({ payloadType: 1, name, clockRate: 1, channels: 1 })).toThrow(SipUsageError)
    expect(() => rtpmapCodec.encode({ payloadType: 200, name: 'x', clockRate: 1, channels: 1 })).toThrow(SipUsageError)
  })
})
