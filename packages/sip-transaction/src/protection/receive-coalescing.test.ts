import { describe, expect, it } from 'vitest'
import { ReceiveCoalescing } from './receive-coalescing'

/** A loop that has so many datagrams every half millisecond, and so much to do for others. */
function run(perPass: number, passes: number, othersMsPerPass = 0): { restMs: number; last: number } {
  let nowMs = 0
  let busyMs = 0
  let last = 0
  let restMs = 0
  const coalescing = new ReceiveCoalescing({ restMs: 0.5, fromPerSecond: 4_000 }, () => busyMs)
  for (let pass = 0; pass < passes; pass += 1) {
    for (let datagram = 0; datagram < perPass; datagram += 1) coalescing.arrived()
    nowMs += 0.5
    busyMs += othersMsPerPass + 0.1
    last = coalescing.passed(nowMs, 0.1)
    if (last > 0) {
      coalescing.rested(last)
      nowMs += last
      busyMs += last
      restMs += last
    }
  }
  return { restMs, last }
}

describe('receive coalescing', () => {
  it('rests after each pass while many datagrams come', () => {
    expect(run(6, 200).last).toBe(0.5)
    expect(run(6, 200).restMs).toBeGreaterThan(80)
  })

  it('rests the shorter the more come: for as long as two dozen take', () => {
    const restAt = (perMs: number) => {
      let nowMs = 0
      const coalescing = new ReceiveCoalescing({ restMs: 2, fromPerSecond: 4_000 }, () => 0)
      for (let pass = 0; pass < 40; pass += 1) {
        for (let datagram = 0; datagram < perMs; datagram += 1) coalescing.arrived()
        nowMs += 1
        coalescing.passed(nowMs, 0.1)
      }
      coalescing.arrived()
      return coalescing.passed(nowMs, 0.1)
    }
    expect(restAt(4)).toBe(2)
    expect(restAt(16)).toBeCloseTo(1.5, 1)
    expect(restAt(31)).toBeCloseTo(0.77, 1)
  })

  it('does not rest for few', () => {
    expect(run(1, 200).restMs).toBe(0)
  })

  it('does not count its own rests as work of others', () => {
    // Ten datagrams a millisecond, and a rest in every pass: the loop is never idle.
    expect(run(10, 1_000).restMs).toBeGreaterThan(480)
  })

  it('does not rest when others want the thread', () => {
    expect(run(10, 200, 0.4).restMs).toBe(0)
  })

  it('does not rest when the pass may have left something unread', () => {
    expect(run(32, 200).restMs).toBe(0)
    expect(run(31, 200).restMs).toBeGreaterThan(0)
  })

  it('stops soon after the traffic does', () => {
    let nowMs = 0
    const coalescing = new ReceiveCoalescing({ restMs: 0.5, fromPerSecond: 4_000 }, () => 0)
    for (let pass = 0; pass < 100; pass += 1) {
      for (let datagram = 0; datagram < 10; datagram += 1) coalescing.arrived()
      nowMs += 1
      coalescing.passed(nowMs, 0.1)
    }
    coalescing.arrived()
    expect(coalescing.passed(nowMs + 1, 0.1)).toBe(0.5)
    coalescing.arrived()
    expect(coalescing.passed(nowMs + 200, 0.1)).toBe(0)
  })
})
