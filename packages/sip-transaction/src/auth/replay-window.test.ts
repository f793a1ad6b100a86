import { describe, expect, it } from 'vitest'
import { ReplayWindow } from './replay-window'

describe('ReplayWindow', () => {
  it('RFC 7616 §3.4: takes each count once', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use('n', 1, 0, 0)).toBe(true)
    expect(window.use('n', 1, 0, 0)).toBe(false)
    expect(window.use('n', 2, 0, 0)).toBe(true)
    expect(window.use('m', 1, 0, 0)).toBe(true)
  })

  it('takes counts that arrive out of order, each once, near the highest one', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use('n', 20, 0, 0)).toBe(true)
    for (let count = 19; count > 0; count--) expect(window.use('n', count, 0, 0)).toBe(true)
    for (let count = 1; count <= 20; count++) expect(window.use('n', count, 0, 0)).toBe(false)
    expect(window.use('n', 1_000, 0, 0)).toBe(true)
    expect(window.use('n', 20, 0, 0)).toBe(false)
    expect(window.use('n', 970, 0, 0)).toBe(false)
    expect(window.use('n', 971, 0, 0)).toBe(true)
    expect(window.use('n', 971, 0, 0)).toBe(false)
  })

  it('agrees with a set of used counts for any order within the window', () => {
    const window = new ReplayWindow(10, 1_000)
    const used = new Set<number>()
    let state = 42
    let highest = 0
    for (let i = 0; i < 20_000; i++) {
      state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
      const count = Math.max(1, highest + ((state >> 8) % 40) - 30)
      const isExpected = !used.has(count) && count > highest - 30
      expect(window.use('n', count, 0, 0)).toBe(isExpected)
      if (isExpected) used.add(count)
      highest = Math.max(highest, ...(isExpected ? [count] : []))
    }
  })

  it('the largest count and the smallest do not upset it', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use('n', 1, 0, 0)).toBe(true)
    expect(window.use('n', 0xffffffff, 0, 0)).toBe(true)
    expect(window.use('n', 0xffffffff, 0, 0)).toBe(false)
    expect(window.use('n', 1, 0, 0)).toBe(false)
    expect(window.use('n', 0xfffffffe, 0, 0)).toBe(true)
  })

  it('a nonce without counts serves once', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use('n', 0, 0, 0)).toBe(true)
    expect(window.use('n', 0, 0, 0)).toBe(false)
  })

  it('remembers a bounded number, and what it forgets is not accepted again', () => {
    const window = new ReplayWindow(3, 1_000_000)
    for (let i = 1; i <= 100; i++) expect(window.use(`n${i}`, 1, i, i)).toBe(true)
    expect(window.size).toBe(3)
    for (let i = 1; i <= 97; i++) expect(window.use(`n${i}`, 1, i, 100)).toBe(false)
    expect(window.use('n100', 2, 100, 100)).toBe(true)
  })

  it('forgets what has expired, and a clock set back does not make it good again', () => {
    const window = new ReplayWindow(10, 1_000)
    window.use('old', 1, 0, 0)
    window.use('new', 1, 2_000, 2_000)
    expect(window.size).toBe(1)
    expect(window.use('old', 1, 0, 500)).toBe(false)
  })
})
