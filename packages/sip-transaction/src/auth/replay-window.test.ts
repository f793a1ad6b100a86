import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { ReplayWindow } from './replay-window'

describe('ReplayWindow', () => {
  it('RFC 7616 §3.4: takes each count once', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use(1, 1, 0, 0)).toBe(true)
    expect(window.use(1, 1, 0, 0)).toBe(false)
    expect(window.use(1, 2, 0, 0)).toBe(true)
    expect(window.use(2, 1, 0, 0)).toBe(true)
  })

  it('takes counts that arrive out of order, each once, near the highest one', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use(1, 20, 0, 0)).toBe(true)
    for (let count = 19; count > 0; count--) expect(window.use(1, count, 0, 0)).toBe(true)
    for (let count = 1; count <= 20; count++) expect(window.use(1, count, 0, 0)).toBe(false)
    expect(window.use(1, 1_000, 0, 0)).toBe(true)
    expect(window.use(1, 20, 0, 0)).toBe(false)
    expect(window.use(1, 970, 0, 0)).toBe(false)
    expect(window.use(1, 971, 0, 0)).toBe(true)
    expect(window.use(1, 971, 0, 0)).toBe(false)
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
      expect(window.use(1, count, 0, 0)).toBe(isExpected)
      if (isExpected) used.add(count)
      highest = Math.max(highest, ...(isExpected ? [count] : []))
    }
  })

  it('the largest count and the smallest do not upset it', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use(1, 1, 0, 0)).toBe(true)
    expect(window.use(1, 0xffffffff, 0, 0)).toBe(true)
    expect(window.use(1, 0xffffffff, 0, 0)).toBe(false)
    expect(window.use(1, 1, 0, 0)).toBe(false)
    expect(window.use(1, 0xfffffffe, 0, 0)).toBe(true)
  })

  it('a nonce without counts serves once', () => {
    const window = new ReplayWindow(10, 1_000)
    expect(window.use(1, 0, 0, 0)).toBe(true)
    expect(window.use(1, 0, 0, 0)).toBe(false)
  })

  it('remembers a bounded number, and what it forgets is not accepted again', () => {
    const window = new ReplayWindow(3, 1_000_000)
    for (let i = 1; i <= 100; i++) expect(window.use(i, 1, i, i)).toBe(true)
    expect(window.size).toBe(3)
    for (let i = 1; i <= 97; i++) expect(window.use(i, 1, i, 100)).toBe(false)
    expect(window.use(100, 2, 100, 100)).toBe(true)
  })

  it('forgets what has expired, and a clock set back does not make it good again', () => {
    const window = new ReplayWindow(10, 1_000)
    window.use(1, 1, 0, 0)
    window.use(2, 1, 2_000, 2_000)
    expect(window.size).toBe(1)
    expect(window.use(1, 1, 0, 500)).toBe(false)
  })

  it('agrees with a plain list while nonces come, expire and are forgotten', () => {
    const window = new ReplayWindow(100, 1_000)
    const random = new SeededRandom(7)
    const model = new Map<number, { issuedMs: number; untilMs: number; used: Set<number> }>()
    let forgottenMs = Number.NEGATIVE_INFINITY
    const forget = (serial: number) => {
      forgottenMs = Math.max(forgottenMs, model.get(serial)?.issuedMs ?? 0)
      model.delete(serial)
    }
    let wallMs = 10_000
    for (let i = 0; i < 20_000; i += 1) {
      // Quiet times and busy ones.
      wallMs += random.integer(0, i % 4_000 < 2_000 ? 4 : 60)
      const serial = i - random.integer(0, 20)
      const count = random.integer(1, 3)
      const issuedMs = wallMs - random.integer(0, 50)
      for (const [known, { untilMs }] of model) if (untilMs < wallMs) forget(known)
      const entry = model.get(serial)
      const isExpected = entry === undefined ? issuedMs > forgottenMs : !entry.used.has(count)
      expect(window.use(serial, count, issuedMs, wallMs)).toBe(isExpected)
      if (entry !== undefined) entry.used.add(count)
      else if (isExpected) {
        if (model.size >= 100) for (const oldest of [...model.keys()].slice(0, 1)) forget(oldest)
        model.set(serial, { issuedMs, untilMs: wallMs + 1_000, used: new Set([count]) })
      }
      expect(window.size).toBe(model.size)
    }
  })

  it('costs the same when it is full as when it is not', () => {
    const window = new ReplayWindow(50_000, 1_000_000)
    const cost = (from: number) => {
      const before = process.cpuUsage()
      for (let i = from; i < from + 50_000; i += 1) window.use(i, 1, i, i)
      return process.cpuUsage(before).user
    }
    cost(1)
    const filling = cost(50_001)
    // A hundred times it was when the oldest was looked for among all that had been deleted.
    expect(Math.min(cost(100_001), cost(150_001), cost(200_001))).toBeLessThan(20 * filling + 50_000)
  })
})
