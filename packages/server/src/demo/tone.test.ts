import { describe, expect, it } from 'vitest'
import { decodeMuLaw, encodeMuLaw, SAMPLES_PER_PACKET, toneFrame, toneShare } from './tone'

describe('µ-law (ITU-T G.711)', () => {
  it('has the values of the standard at the ends and in the middle', () => {
    expect(encodeMuLaw(0)).toBe(0xff)
    expect(encodeMuLaw(32_767)).toBe(0x80)
    expect(encodeMuLaw(-32_768)).toBe(0x00)
    expect(decodeMuLaw(0x80)).toBe(32_124)
    expect(decodeMuLaw(0x00)).toBe(-32_124)
  })

  it('gives every code back', () => {
    for (let code = 0; code < 256; code++) {
      // 0x7f is minus zero, which is encoded as plus zero.
      expect(encodeMuLaw(decodeMuLaw(code))).toBe(code === 0x7f ? 0xff : code)
    }
  })
})

describe('toneShare', () => {
  const tone = (frequencyHz: number) => Array.from({ length: 50 }, (_, index) => toneFrame(frequencyHz, index))

  it('hears a tone and no other', () => {
    expect(toneShare(tone(440), 440)).toBeGreaterThan(0.98)
    expect(toneShare(tone(440), 880)).toBeLessThan(0.001)
    expect(toneShare(tone(880), 880)).toBeGreaterThan(0.98)
    expect(toneShare(tone(880), 440)).toBeLessThan(0.001)
  })

  it('hears nothing in silence and little in noise', () => {
    expect(toneShare([new Uint8Array(SAMPLES_PER_PACKET).fill(0xff)], 440)).toBe(0)
    expect(toneShare([], 440)).toBe(0)
    let seed = 1
    const noise = Array.from({ length: 50 }, () =>
      Uint8Array.from({ length: SAMPLES_PER_PACKET }, () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
        return seed >> 16
      }),
    )
    expect(toneShare(noise, 440)).toBeLessThan(0.05)
  })
})
