import { describe, expect, it } from 'vitest'
import { msidCodec } from './msid'

describe('msid', () => {
  it.each([
    ['- track', { id: '-', appData: 'track' }],
    ['stream', { id: 'stream' }],
  ])('RFC 8830 §2: reads and writes %j', (text, value) => {
    expect(msidCodec.decode(text)).toEqual({ ok: true, value })
    expect(msidCodec.encode(value as never)).toEqual({ name: msidCodec.name, value: text })
  })

  it.each([
    ['', 'SDP_MSID_INVALID', 0],
    ['a b c', 'SDP_MSID_INVALID', 4],
    ['x'.repeat(65), 'SDP_MSID_INVALID', 0],
  ])('RFC 8830 §2: refuses %j with %s', (text, code, offset) => {
    const result = msidCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })
})
