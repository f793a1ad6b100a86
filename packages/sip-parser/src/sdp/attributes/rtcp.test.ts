import { describe, expect, it } from 'vitest'
import { rtcpCodec, rtcpMuxCodec } from './rtcp'

describe('rtcp', () => {
  it.each([
    ['5005', { port: 5_005 }],
    ['5005 IN IP6 2001:db8::1', { port: 5_005, family: 'IP6', address: '2001:db8::1' }],
  ])('RFC 3605 §2.1: reads and writes %j', (text, value) => {
    expect(rtcpCodec.decode(text)).toEqual({ ok: true, value })
    expect(rtcpCodec.encode(value as never)).toEqual({ name: rtcpCodec.name, value: text })
  })

  it.each([
    [undefined, 'SDP_RTCP_INVALID', 0],
    ['70000', 'SDP_RTCP_INVALID', 0],
    ['5005 IN IP5 x', 'SDP_RTCP_INVALID', 5],
    ['5005 IN IP4', 'SDP_RTCP_INVALID', 5],
  ])('RFC 3605 §2.1: refuses %j with %s', (text, code, offset) => {
    const result = rtcpCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('RFC 5761 §5.1.1: rtcp-mux is a flag', () => {
    expect(rtcpMuxCodec.decode(undefined)).toEqual({ ok: true, value: true })
    expect(rtcpMuxCodec.decode('')).toMatchObject({ ok: false })
  })
})
