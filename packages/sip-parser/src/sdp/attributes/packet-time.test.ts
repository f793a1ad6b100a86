import { describe, expect, it } from 'vitest'
import { maxptimeCodec, ptimeCodec } from './packet-time'

describe('packet times', () => {
  it.each([
    ['20', 20],
    ['2.5', 2.5],
  ])('RFC 8866 §6.4: reads and writes %j', (text, value) => {
    expect(ptimeCodec.decode(text)).toEqual({ ok: true, value })
    expect(ptimeCodec.encode(value as never)).toEqual({ name: ptimeCodec.name, value: text })
  })

  it.each([
    [undefined, 'SDP_PACKET_TIME_INVALID', 0],
    ['0', 'SDP_PACKET_TIME_INVALID', 0],
    ['-20', 'SDP_PACKET_TIME_INVALID', 0],
    ['20ms', 'SDP_PACKET_TIME_INVALID', 2],
  ])('RFC 8866 §6.4: refuses %j with %s', (text, code, offset) => {
    const result = ptimeCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['120', 120]])('RFC 8866 §6.5: reads and writes %j', (text, value) => {
    expect(maxptimeCodec.decode(text)).toEqual({ ok: true, value })
    expect(maxptimeCodec.encode(value as never)).toEqual({ name: maxptimeCodec.name, value: text })
  })

  it.each([['x', 'SDP_PACKET_TIME_INVALID', 0]])('RFC 8866 §6.5: refuses %j with %s', (text, code, offset) => {
    const result = maxptimeCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })
})
