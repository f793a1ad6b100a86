import { describe, expect, it } from 'vitest'
import type { Turns } from '../../ports'
import { sampleFlow } from '../../testing/sample-messages'
import { IngressQueue } from './ingress-queue'

/** Turns in a test's hand. */
class HandTurns implements Turns {
  has = true
  readonly waiting: (() => void)[] = []

  hasTime(): boolean {
    return this.has
  }

  later(work: () => void): void {
    this.waiting.push(work)
  }
}

const limits = { ingressQueueMax: 3, ingressQueueBytesMax: 100 }
const [datagrams, stream] = [sampleFlow(), sampleFlow({ isReliable: true })]

function queue(): { queue: IngressQueue; turns: HandTurns; clock: { nowMs: number } } {
  const [turns, clock] = [new HandTurns(), { nowMs: 0 }]
  return { queue: new IngressQueue(turns, limits, () => clock.nowMs), turns, clock }
}

describe('IngressQueue', () => {
  it('lets everything pass while there is time, and streams always: they wait unread', () => {
    const { queue: one, turns } = queue()
    expect(one.mustWait(datagrams)).toBe(false)
    turns.has = false
    expect([one.mustWait(datagrams), one.mustWait(stream)]).toEqual([true, false])
    expect(new IngressQueue(undefined, limits, () => 0).mustWait(datagrams)).toBe(false)
  })

  it('keeps the order: what comes while others wait has to wait, too', () => {
    const { queue: one, turns } = queue()
    const done: number[] = []
    one.push(new Uint8Array(1), () => done.push(1))
    expect(one.mustWait(datagrams)).toBe(true)
    one.push(new Uint8Array(1), () => done.push(2))
    for (const work of turns.waiting.splice(0)) work()
    expect([done, one.mustWait(datagrams), one.size]).toEqual([[1, 2], false, 0])
  })

  it('takes so many, and so many bytes, and no more; all of the room comes back', () => {
    const { queue: one, turns } = queue()
    for (let round = 0; round < 3; round += 1) {
      const taken = [1, 2, 3, 4].map(() => one.push(new Uint8Array(10), () => {}))
      expect([taken, one.size, one.fill]).toEqual([[true, true, true, false], 3, 1])
      for (const work of turns.waiting.splice(0)) work()
      expect([one.push(new Uint8Array(101), () => {}), one.push(new Uint8Array(100), () => {})]).toEqual([false, true])
      expect(one.push(new Uint8Array(1), () => {})).toBe(false)
      for (const work of turns.waiting.splice(0)) work()
      expect(one.size).toBe(0)
    }
  })

  it('tells how long the slowest has waited, once', () => {
    const { queue: one, turns, clock } = queue()
    for (const nowMs of [0, 40]) {
      clock.nowMs = nowMs
      one.push(new Uint8Array(1), () => {})
    }
    clock.nowMs = 100
    for (const work of turns.waiting) work()
    expect([one.takeLongestMs(), one.takeLongestMs()]).toEqual([100, 0])
  })
})
