import { describe, expect, it } from 'vitest'
import { deriveTimers } from './timer-settings'

describe('deriveTimers', () => {
  it('RFC 3261 §17 table 4: gives the RFC values by default', () => {
    expect(deriveTimers()).toEqual({
      T1: 500,
      T2: 4000,
      T4: 5000,
      A: 500,
      B: 32_000,
      C: 190_000,
      D: 32_000,
      E: 500,
      F: 32_000,
      G: 500,
      H: 32_000,
      I: 5000,
      J: 32_000,
      K: 5000,
      L: 32_000,
      M: 32_000,
      N: 32_000,
      inviteTrying: 200,
      nonInviteTrying: 3500,
      unanswered: 32_000,
      cancelled: 32_000,
      cancelledAnswer: 16_000,
    })
  })

  it('derives from a changed T1, and lets each timer be changed alone', () => {
    const settings = deriveTimers({ T1: 10, H: 50 })
    expect(settings.B).toBe(640)
    expect(settings.G).toBe(10)
    expect(settings.H).toBe(50)
    expect(deriveTimers({ C: Number.POSITIVE_INFINITY }).C).toBe(Number.POSITIVE_INFINITY)
    expect(deriveTimers({ T1: undefined } as never).T1).toBe(500)
  })

  it.each([{ T1: 0 }, { T2: -1 }, { A: 0 }, { F: Number.NaN }, { B: Number.POSITIVE_INFINITY }])(
    'refuses %o',
    (given) => {
      expect(() => deriveTimers(given)).toThrow(RangeError)
    },
  )

  it('RFC 4320 §4.1: the moment for 100 is when timer E reaches T2', () => {
    expect(deriveTimers({ T1: 1000, T2: 4000 }).nonInviteTrying).toBe(3000)
    expect(deriveTimers({ T1: 5000, T2: 4000 }).nonInviteTrying).toBe(0)
  })
})
