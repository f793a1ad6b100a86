import { describe, expect, it } from 'vitest'
import { extmapCodec } from './extmap'

describe('extmap', () => {
  it.each([
    ['1 urn:ietf:params:rtp-hdrext:sdes:mid', { id: 1, uri: 'urn:ietf:params:rtp-hdrext:sdes:mid' }],
    [
      '4096/sendonly http://x.example/y a=b c',
      { id: 4_096, direction: 'sendonly', uri: 'http://x.example/y', parameters: 'a=b c' },
    ],
  ])('RFC 8285 §8: reads and writes %j', (text, value) => {
    expect(extmapCodec.decode(text)).toEqual({ ok: true, value })
    expect(extmapCodec.encode(value as never)).toEqual({ name: extmapCodec.name, value: text })
  })

  it.each([
    ['0 urn:x', 'SDP_EXTMAP_INVALID', 0],
    ['256 urn:x', 'SDP_EXTMAP_INVALID', 0],
    ['1/both urn:x', 'SDP_EXTMAP_INVALID', 1],
    ['1 x', 'SDP_EXTMAP_INVALID', 2],
  ])('RFC 8285 §8: refuses %j with %s', (text, code, offset) => {
    const result = extmapCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })
})
