import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { NextHopThrottle } from './next-hop-throttle'

const limits = { throttledHopsMax: 10, throttleMsMax: 60_000 }
const asked = { reduction: 0.4, validityMs: 500, sequence: 1 }

/** The part of `count` ordinary requests that may go, with `prior` others for each of them. */
function admitted(throttle: NextHopThrottle, nowMs: number, count = 4_000, prior = 0): number {
  const random = new SeededRandom(3)
  let passed = 0
  for (let request = 0; request < count; request += 1) {
    for (let other = 0; other < prior; other += 1)
      expect(throttle.admits('hop', true, random.fraction(), nowMs)).toBe(true)
    if (throttle.admits('hop', false, random.fraction(), nowMs)) passed += 1
  }
  return passed / count
}

describe('NextHopThrottle', () => {
  it('RFC 7339 §7.2: keeps back the part that the next hop asks for, and nothing of others', () => {
    const throttle = new NextHopThrottle(limits)
    expect(admitted(throttle, 0)).toBe(1)
    throttle.learn('hop', asked, 0)
    expect(admitted(throttle, 1)).toBeCloseTo(0.6, 1)
    expect(throttle.admits('other', false, 0, 1)).toBe(true)
  })

  it('RFC 7339 §5.10.1: what is kept for prior requests is taken from the others', () => {
    const throttle = new NextHopThrottle(limits)
    throttle.learn('hop', asked, 0)
    // Half of all are prior: of the others four fifths have to go.
    expect(admitted(throttle, 1, 4_000, 1)).toBeCloseTo(0.2, 1)
    throttle.learn('hop', { ...asked, reduction: 1, sequence: 2 }, 1)
    expect(admitted(throttle, 1)).toBe(0)
  })

  it('RFC 7339 §5.3: ends with its validity, and with a validity or a reduction of zero', () => {
    const throttle = new NextHopThrottle(limits)
    throttle.learn('hop', { ...asked, reduction: 1 }, 0)
    expect(throttle.admits('hop', false, 0, 499)).toBe(false)
    expect(throttle.admits('hop', false, 0, 500)).toBe(true)
    expect(throttle.size).toBe(0)
    for (const end of [{ reduction: 0 }, { validityMs: 0 }]) {
      throttle.learn('hop', { ...asked, reduction: 1 }, 1_000)
      throttle.learn('hop', { ...asked, ...end, sequence: 2 }, 1_000)
      expect([throttle.admits('hop', false, 0, 1_000), throttle.size]).toEqual([true, 0])
    }
  })

  it('RFC 7339 §4.4: older news are none while the newer ones hold', () => {
    const throttle = new NextHopThrottle(limits)
    throttle.learn('hop', { ...asked, reduction: 1, sequence: 5 }, 0)
    throttle.learn('hop', { ...asked, reduction: 0, sequence: 4 }, 0)
    expect(throttle.admits('hop', false, 0, 1)).toBe(false)
    // A next hop that has been restarted counts anew.
    throttle.learn('hop', { ...asked, reduction: 0.5, sequence: 1 }, 600)
    expect([throttle.admits('hop', false, 0.4, 601), throttle.admits('hop', false, 0.6, 601)]).toEqual([false, true])
  })

  it('remembers a bounded number, for a bounded time, and shrinks', () => {
    const throttle = new NextHopThrottle(limits)
    for (let hop = 0; hop < 100; hop += 1) throttle.learn(`hop ${hop}`, { ...asked, validityMs: 4e9 }, 0)
    expect(throttle.size).toBe(10)
    expect(throttle.admits('hop 99', false, 0, 59_999)).toBe(false)
    expect(throttle.admits('hop 99', false, 0, 60_000)).toBe(true)
    for (let time = 0; time < 10; time += 1) throttle.learn('hop', { ...asked, sequence: time }, 70_000)
    expect(throttle.size).toBe(1)
  })
})
