import { describe, expect, it } from 'vitest'
import { iceLiteCodec, iceOptionsCodec, icePacingCodec, icePwdCodec, iceUfragCodec } from './ice'

describe('ICE', () => {
  it.each([['8hhY', '8hhY']])('RFC 8839 §5.4: reads and writes %j', (text, value) => {
    expect(iceUfragCodec.decode(text)).toEqual({ ok: true, value })
    expect(iceUfragCodec.encode(value as never)).toEqual({ name: iceUfragCodec.name, value: text })
  })

  it.each([
    ['abc', 'SDP_ICE_INVALID', 0],
    ['ab cd', 'SDP_ICE_INVALID', 0],
    ['abcd!', 'SDP_ICE_INVALID', 4],
  ])('RFC 8839 §5.4: refuses %j with %s', (text, code, offset) => {
    const result = iceUfragCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['asd88fgpdd777uzjYhagZg', 'asd88fgpdd777uzjYhagZg']])(
    'RFC 8839 §5.4: reads and writes %j',
    (text, value) => {
      expect(icePwdCodec.decode(text)).toEqual({ ok: true, value })
      expect(icePwdCodec.encode(value as never)).toEqual({ name: icePwdCodec.name, value: text })
    },
  )

  it.each([['short', 'SDP_ICE_INVALID', 0]])('RFC 8839 §5.4: refuses %j with %s', (text, code, offset) => {
    const result = icePwdCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['trickle ice2', ['trickle', 'ice2']]])('RFC 8839 §5.6: reads and writes %j', (text, value) => {
    expect(iceOptionsCodec.decode(text)).toEqual({ ok: true, value })
    expect(iceOptionsCodec.encode(value as never)).toEqual({ name: iceOptionsCodec.name, value: text })
  })

  it.each([['', 'SDP_ICE_INVALID', 0]])('RFC 8839 §5.6: refuses %j with %s', (text, code, offset) => {
    const result = iceOptionsCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([['50', 50]])('RFC 8839 §5.5: reads and writes %j', (text, value) => {
    expect(icePacingCodec.decode(text)).toEqual({ ok: true, value })
    expect(icePacingCodec.encode(value as never)).toEqual({ name: icePacingCodec.name, value: text })
  })

  it.each([['x', 'SDP_ICE_INVALID', 0]])('RFC 8839 §5.5: refuses %j with %s', (text, code, offset) => {
    const result = icePacingCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('RFC 8839 §5.3: ice-lite is a flag', () => {
    expect(iceLiteCodec.encode(true)).toEqual({ name: 'ice-lite' })
    expect(iceLiteCodec.decode('1')).toMatchObject({ ok: false })
  })
})
