import type { Clock } from '@carillon/sip-transaction'
import { describe, expect, it } from 'vitest'
import { withinMs } from './within'

class OneWake implements Clock {
  wakes: { atMs: number; wake: () => void }[] = []
  monotonicMs() {
    return 1_000
  }
  wallMs() {
    return 0
  }
  schedule(atMs: number, wake: () => void) {
    const entry = { atMs, wake }
    this.wakes.push(entry)
    return { cancel: () => void this.wakes.splice(this.wakes.indexOf(entry), 1) }
  }
}

describe('withinMs', () => {
  it('ends with the work and leaves no wake-up behind', async () => {
    const clock = new OneWake()
    await withinMs(clock, 500, Promise.resolve())
    expect(clock.wakes).toEqual([])
  })

  it('ends with the time when the work does not', async () => {
    const clock = new OneWake()
    const waiting = withinMs(clock, 500, new Promise(() => {}))
    expect(clock.wakes[0]?.atMs).toBe(1_500)
    clock.wakes[0]?.wake()
    await waiting
    expect(clock.wakes).toEqual([])
  })
})
