import { describe, expect, it } from 'vitest'
import { rtcpFbCodec } from './rtcp-feedback'

describe('rtcp-fb', () => {
  it.each([
    ['* nack pli', { payloadType: '*', type: 'nack', parameter: 'pli' }],
    ['96 goog-remb', { payloadType: 96, type: 'goog-remb' }],
    ['96 trr-int 100', { payloadType: 96, type: 'trr-int', parameter: '100' }],
  ])('RFC 4585 §4.2: reads and writes %j', (text, value) => {
    expect(rtcpFbCodec.decode(text)).toEqual({ ok: true, value })
    expect(rtcpFbCodec.encode(value as never)).toEqual({ name: rtcpFbCodec.name, value: text })
  })

  it.each([
    ['128 nack', 'SDP_RTCP_FB_INVALID', 0],
    ['96', 'SDP_RTCP_FB_INVALID', 2],
  ])('RFC 4585 §4.2: refuses %j with %s', (text, code, offset) => {
    const result = rtcpFbCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })
})
