import { describe, expect, it } from 'vitest'
import { PacketWindow } from './packet-window'

describe('RFC 3711 §3.3.1: the index of a packet', () => {
  it('is the nearest to the highest so far, in both directions of a wrap', () => {
    const window = new PacketWindow()
    expect(window.estimate(65_000)).toBe(65_000)
    window.accept(65_000)
    expect(window.estimate(65_001)).toBe(65_001)
    expect(window.estimate(3)).toBe(65_536 + 3)
    window.accept(65_536 + 3)
    expect(window.estimate(65_530)).toBe(65_530)
    expect(window.estimate(40_000)).toBe(40_000)
    expect(window.estimate(30_000)).toBe(65_536 + 30_000)
  })

  it('is never below zero', () => {
    const window = new PacketWindow()
    window.accept(5)
    expect(window.estimate(65_535)).toBe(65_535)
  })

  it('agrees with the text of the RFC for every pair', () => {
    for (let last = 0; last < 65_536; last += 1009) {
      const window = new PacketWindow()
      window.accept(3 * 65_536 + last)
      for (let sequence = 0; sequence < 65_536; sequence += 997) {
        const guesses = [2, 3, 4].map((roc) => roc * 65_536 + sequence)
        const nearest = guesses.reduce((best, guess) =>
          Math.abs(guess - window.highest) < Math.abs(best - window.highest) ? guess : best,
        )
        expect(Math.abs(window.estimate(sequence) - window.highest)).toBe(Math.abs(nearest - window.highest))
      }
    }
  })
})

describe('RFC 3711 §3.3.2: the replay list', () => {
  it.each([64, 100, 128, 1024])('of size %i agrees with a set that forgets nothing within it', (size) => {
    const window = new PacketWindow(size)
    const rounded = 2 ** Math.ceil(Math.log2(size))
    const seen = new Set<number>()
    let highest = -1
    let state = 7
    for (let step = 0; step < 20_000; step++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const index = Math.max(0, highest + (state % 97 === 0 ? 3000 : (state >>> 8) % 160) - 140)
      const isNew = index > highest || (highest - index < rounded && !seen.has(index))
      expect(window.isNew(index), `step ${step}`).toBe(isNew)
      if (!isNew) continue
      window.accept(index)
      seen.add(index)
      highest = Math.max(highest, index)
    }
  })
})
