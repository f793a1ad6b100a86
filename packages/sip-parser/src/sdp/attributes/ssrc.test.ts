import { describe, expect, it } from 'vitest'
import { ssrcCodec, ssrcGroupCodec } from './ssrc'

describe('sources', () => {
  it.each([
    ['4294967295 cname:a b@c', { ssrc: 4_294_967_295, name: 'cname', value: 'a b@c' }],
    ['1 flag', { ssrc: 1, name: 'flag' }],
  ])('RFC 5576 §4.1: reads and writes %j', (text, value) => {
    expect(ssrcCodec.decode(text)).toEqual({ ok: true, value })
    expect(ssrcCodec.encode(value as never)).toEqual({ name: ssrcCodec.name, value: text })
  })

  it.each([
    ['4294967296 x', 'SDP_SSRC_INVALID', 0],
    ['1', 'SDP_SSRC_INVALID', 1],
  ])('RFC 5576 §4.1: refuses %j with %s', (text, code, offset) => {
    const result = ssrcCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['FID 1 2', { semantics: 'FID', ssrcs: [1, 2] }]])('RFC 5576 §4.2: reads and writes %j', (text, value) => {
    expect(ssrcGroupCodec.decode(text)).toEqual({ ok: true, value })
    expect(ssrcGroupCodec.encode(value as never)).toEqual({ name: ssrcGroupCodec.name, value: text })
  })

  it.each([['FID x', 'SDP_SSRC_INVALID', 4]])('RFC 5576 §4.2: refuses %j with %s', (text, code, offset) => {
    const result = ssrcGroupCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })
})
