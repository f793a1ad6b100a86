import { describe, expect, it } from 'vitest'
import { burstRatioOf, delayImpairment, g711WithoutConcealment, impairmentOf, mosOf, ratingOf } from './e-model'

const clean = { loss: 0, burstRatio: 1, delayMs: 0 }

function rating(name: string, percent: number, burstRatio = 1): number {
  const codec = name === 'bare' ? g711WithoutConcealment : impairmentOf(name)
  if (codec === undefined) throw new Error(`no codec ${name}`)
  return ratingOf(codec, { ...clean, loss: percent / 100, burstRatio })
}

describe('the E-model (ITU-T G.107)', () => {
  it('rates a call with nothing wrong 93.2, which is a MOS of 4.41', () => {
    expect(rating('PCMU', 0)).toBe(93.2)
    expect(mosOf(93.2)).toBeCloseTo(4.409_29, 4)
  })

  it.each([
    // Rating, then MOS: 1 + 0.035 R + R (R − 60) (100 − R) 7e-6.
    [0, 1],
    [3, 1],
    [50, 2.575],
    [60, 3.1],
    [70, 3.597],
    [80, 4.024],
    [90, 4.339],
    [100, 4.5],
  ])('Annex B: R %d is a MOS of %d', (from, mos) => {
    expect(mosOf(from)).toBeCloseTo(mos, 6)
  })

  it.each([
    // G.711 without concealment: 95 · p / (p + 4.3).
    ['bare', 1, 75.275_5],
    ['bare', 5, 42.124_7],
    ['bare', 10, 26.766_4],
    // With it: 95 · p / (p + 25.1).
    ['PCMA', 1, 89.560_2],
    ['PCMA', 5, 77.419_3],
    ['PCMA', 10, 66.134_5],
    // G.729A: 11 + 84 · p / (p + 19).
    ['G729', 0, 82.2],
    ['G729', 1, 78],
    ['G729', 5, 64.7],
    ['G729', 10, 53.234_5],
  ])('%s with a loss of %d %% has R %d', (name, percent, expected) => {
    expect(rating(name, percent)).toBeCloseTo(expected, 3)
  })

  it('hears bursts more than losses that come one by one', () => {
    // 95 · 5 / (5/2 + 25.1) = 17.2101
    expect(rating('PCMU', 5, 2)).toBeCloseTo(93.2 - 17.210_1, 3)
    expect(rating('PCMU', 5, 0.5)).toBe(rating('PCMU', 5))
  })

  it.each([
    [0, 0],
    [100, 0],
    [150, 0.163_5],
    [300, 14.760_3],
  ])('a delay of %d ms impairs by %d', (delayMs, impairment) => {
    expect(delayImpairment(delayMs)).toBeCloseTo(impairment, 3)
  })

  it('never rates below 0 or above 93.2', () => {
    expect(ratingOf(g711WithoutConcealment, { loss: 1, burstRatio: 1, delayMs: 5_000 })).toBe(0)
    expect(ratingOf(g711WithoutConcealment, { loss: 0, burstRatio: 1, delayMs: 5_000 })).toBeGreaterThan(0)
  })

  it('knows the codecs of telephony by any case of their names, and no others', () => {
    for (const name of ['G722', 'g723', 'GSM', 'iLBC', 'AMR', 'AMR-WB', 'opus'])
      expect(impairmentOf(name)).toBeDefined()
    expect(impairmentOf('telephone-event')).toBeUndefined()
    expect(impairmentOf('CN')).toBeUndefined()
    expect(impairmentOf('H264')).toBeUndefined()
  })

  it('takes the burst ratio from lost packets and their gaps', () => {
    expect(burstRatioOf(0, 0, 0)).toBe(1)
    expect(burstRatioOf(10, 10, 0.1)).toBe(1)
    expect(burstRatioOf(30, 10, 0.1)).toBeCloseTo(2.7, 9)
  })
})
