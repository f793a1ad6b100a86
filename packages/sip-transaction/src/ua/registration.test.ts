import { describe, expect, it } from 'vitest'
import { stepRegistration } from './registration'
import { refreshDelayMs, retryDelayMs } from './registration-times'

const fractions = [0, 0.3, 0.999]

describe('refreshing', () => {
  it('RFC 3261 §10.2.4: goes out before the contact expires, with time for a REGISTER that fails', () => {
    for (const fraction of fractions) {
      const hour = refreshDelayMs(3_600_000, 5_000, fraction)
      expect(hour).toBeGreaterThan(3_000_000)
      expect(hour).toBeLessThanOrEqual(3_600_000 - 64_000)
      expect(refreshDelayMs(60_000, 5_000, fraction)).toBe(30_000)
      expect(refreshDelayMs(300_000, 5_000, fraction)).toBeGreaterThanOrEqual(150_000)
    }
  })

  it('is not hurried by a registrar that grants a second', () => {
    expect(refreshDelayMs(1_000, 5_000, 0.5)).toBe(5_000)
    expect(refreshDelayMs(0, 5_000, 0.5)).toBe(5_000)
  })
})

describe('trying again', () => {
  const base = { isOtherUp: false, askedMs: undefined, wasStable: false, baseMs: 30_000, mostMs: 1_800_000 }
  const delay = (facts: Partial<Parameters<typeof retryDelayMs>[0]>, fraction = 0.999) =>
    retryDelayMs({ ...base, failures: 1, ...facts }, fraction)

  it('RFC 5626 §4.5: waits between half and the whole of a bound that doubles, up to half an hour', () => {
    for (const [failures, bound] of [
      [1, 30_000],
      [2, 60_000],
      [5, 480_000],
      [7, 1_800_000],
      [5_000, 1_800_000],
    ] as const)
      for (const fraction of fractions) {
        const wait = delay({ failures }, fraction)
        expect(wait).toBeGreaterThanOrEqual(bound / 2)
        expect(wait).toBeLessThanOrEqual(bound)
      }
  })

  it('RFC 5626 §4.5: waits three times as long while another flow is up', () => {
    expect(delay({ isOtherUp: true }, 0)).toBe(45_000)
  })

  it('tries soon after a flow that had been up for long broke', () => {
    for (const fraction of fractions) expect(delay({ wasStable: true }, fraction)).toBeLessThan(4_000)
    expect(delay({ wasStable: true, failures: 2 }, 0)).toBe(30_000)
  })

  it('waits as long as Retry-After asks, but for no more than half an hour', () => {
    expect(delay({ askedMs: 100_000 })).toBe(100_000)
    expect(delay({ askedMs: 100_000, wasStable: true })).toBe(100_000)
    expect(delay({ askedMs: 1e12 })).toBe(1_800_000)
  })
})

describe('the machine', () => {
  it('RFC 3261 §10.2: sends nothing while a REGISTER is out, and removes what was bound meanwhile', () => {
    expect(stepRegistration('registering', 'refresh')).toEqual({ next: 'registering', action: undefined })
    expect(stepRegistration('registering', 'stop')).toEqual({ next: 'stopping', action: undefined })
    expect(stepRegistration('stopping', 'accepted')).toEqual({ next: 'leaving', action: 'remove' })
    expect(stepRegistration('terminated', 'refresh')).toEqual({ next: 'terminated', action: undefined })
  })
})
