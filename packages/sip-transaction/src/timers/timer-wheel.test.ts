import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { Timer, TimerWheel } from './timer-wheel'

type NumberedTimer = Timer<number, string>

function firedBy(wheel: TimerWheel<number, string>, nowMs: number): number[] {
  const fired: number[] = []
  wheel.expire(nowMs, (timer) => fired.push(timer.owner))
  return fired
}

describe('TimerWheel', () => {
  it('is idle with nothing scheduled', () => {
    const wheel = new TimerWheel<number, string>()
    expect(wheel.deadline()).toBe(Number.POSITIVE_INFINITY)
    expect(firedBy(wheel, 1e9)).toEqual([])
    expect(wheel.size).toBe(0)
  })

  it('fires so many at most, and the rest in the same order when it is asked again', () => {
    const wheel = new TimerWheel<number, string>()
    const dues = [5, 5, 31, 32, 33, 900, 1024, 5, 70_000]
    dues.forEach((due, index) => {
      wheel.schedule(new Timer(index, 'x'), due)
    })
    const all: number[] = []
    let rounds = 0
    for (let isLeft = true; isLeft; rounds += 1) {
      const before = all.length
      isLeft = wheel.expire(2_000, (timer) => all.push(timer.owner), 2)
      expect(all.length - before).toBeLessThanOrEqual(2)
      // What is left is due now, so that whoever asks for the deadline comes back at once.
      expect(wheel.deadline() <= 2_000).toBe(isLeft)
      if (isLeft && rounds === 0) wheel.schedule(new Timer(100, 'x'), 0)
    }
    expect(all).toEqual([0, 1, 7, 100, 2, 3, 4, 5, 6])
    expect([wheel.size, wheel.deadline() > 2_000]).toEqual([1, true])
  })

  it('fires in due order, and in scheduling order when due together, across levels', () => {
    const wheel = new TimerWheel<number, string>()
    const dues = [32_000, 5, 500, 500, 31, 32, 33, 1023, 1024, 32_768, 86_400_000, 500]
    dues.forEach((due, index) => {
      wheel.schedule(new Timer(index, 'x'), due)
    })
    expect(firedBy(wheel, 90_000_000)).toEqual([1, 4, 5, 6, 2, 3, 11, 7, 8, 0, 9, 10])
    expect(wheel.size).toBe(0)
  })

  it('fires nothing early, rounds fractions up, and counts what is past as due', () => {
    const wheel = new TimerWheel<number, string>()
    wheel.schedule(new Timer(1, 'x'), 10.2)
    expect(wheel.deadline()).toBe(11)
    expect(firedBy(wheel, 10.9)).toEqual([])
    expect(firedBy(wheel, 11)).toEqual([1])
    wheel.schedule(new Timer(2, 'x'), 3)
    expect(wheel.deadline()).toBe(11)
    expect(firedBy(wheel, 11)).toEqual([2])
    wheel.schedule(new Timer(3, 'x'), Number.NaN)
    expect(firedBy(wheel, 11)).toEqual([3])
  })

  it('cancels and moves timers, and forgets the deadline of a cancelled one', () => {
    const wheel = new TimerWheel<number, string>()
    const first = new Timer(1, 'x')
    const second = new Timer(2, 'x')
    wheel.schedule(first, 100)
    wheel.schedule(second, 200)
    expect(wheel.deadline()).toBe(100)
    wheel.cancel(first)
    wheel.cancel(first)
    expect(wheel.deadline()).toBe(200)
    wheel.schedule(second, 50)
    expect(wheel.size).toBe(1)
    expect(wheel.deadline()).toBe(50)
    expect(firedBy(wheel, 49)).toEqual([])
    expect(firedBy(wheel, 60)).toEqual([2])
    expect(second.isScheduled).toBe(false)
    expect(wheel.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('lets a firing timer schedule itself, cancel its neighbour and schedule for the same instant', () => {
    const wheel = new TimerWheel<number, string>()
    const neighbour = new Timer(2, 'x')
    const log: string[] = []
    wheel.schedule(new Timer(1, 'x'), 10)
    wheel.schedule(neighbour, 10)
    wheel.schedule(new Timer(3, 'x'), 10)
    wheel.expire(10, (timer) => {
      log.push(`${timer.owner}`)
      if (timer.owner !== 1) return
      wheel.cancel(neighbour)
      wheel.schedule(new Timer(4, 'x'), 10)
      wheel.schedule(timer, 20)
      timer.owner = 5
    })
    expect(log).toEqual(['1', '3', '4'])
    expect(wheel.deadline()).toBe(20)
    expect(firedBy(wheel, 20)).toEqual([5])
  })

  it('serves clocks whose zero is far away, and a jump of many years', () => {
    const wheel = new TimerWheel<number, string>()
    const start = 1.8e12
    wheel.schedule(new Timer(1, 'x'), start + 500)
    expect(wheel.deadline()).toBe(start + 500)
    expect(firedBy(wheel, start + 499)).toEqual([])
    expect(firedBy(wheel, start + 500)).toEqual([1])
    wheel.schedule(new Timer(2, 'x'), start + 1e12)
    wheel.schedule(new Timer(3, 'x'), Number.POSITIVE_INFINITY)
    expect(firedBy(wheel, start + 1e12)).toEqual([2])
    expect(wheel.size).toBe(1)
  })

  it('answers the deadline without searching when very many timers lie together', () => {
    const wheel = new TimerWheel<number, string>()
    const timers = Array.from({ length: 50_000 }, (_, index) => new Timer(index, 'x'))
    timers.forEach((timer, index) => {
      wheel.schedule(timer, 40_000 + (index % 1000))
    })
    let looked = 0
    for (const timer of timers) {
      wheel.cancel(timer)
      if (wheel.deadline() <= 40_999 || wheel.size === 0) looked += 1
    }
    expect(looked).toBe(50_000)
  })

  it('makes progress at each deadline, however many timers lie together and whichever are cancelled', () => {
    const random = new SeededRandom(99)
    const wheel = new TimerWheel<number, string>()
    const timers = Array.from({ length: 2000 }, (_, index) => new Timer(index, 'x'))
    for (const timer of timers) wheel.schedule(timer, 30_000 + random.integer(0, 3000))
    let fired = 0
    let wakes = 0
    for (let deadline = wheel.deadline(); deadline < Number.POSITIVE_INFINITY; deadline = wheel.deadline()) {
      wakes += 1
      wheel.cancel(random.pick(timers))
      wheel.expire(deadline, () => {
        fired += 1
      })
      expect(wheel.deadline()).toBeGreaterThan(deadline)
    }
    expect(wheel.size).toBe(0)
    expect(fired).toBeGreaterThan(500)
    expect(wakes).toBeLessThan(3100)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('does what a sorted list does, seed %i', (seed) => {
    const random = new SeededRandom(seed)
    const wheel = new TimerWheel<number, string>()
    const timers: NumberedTimer[] = Array.from({ length: 120 }, (_, index) => new Timer(index, 'x'))
    let model: { owner: number; dueMs: number; order: number }[] = []
    let nowMs = seed % 2 === 0 ? 0 : 1e9 + 0.5
    if (nowMs > 0) wheel.expire(nowMs, () => {})
    for (let order = 0; order < 5000; order += 1) {
      const timer = random.pick(timers)
      const act = random.fraction()
      if (act < 0.6) {
        const dueMs = nowMs + random.fraction() * 32 ** random.integer(0, 5) - 5
        wheel.schedule(timer, dueMs)
        model = model.filter((entry) => entry.owner !== timer.owner)
        model.push({ owner: timer.owner, dueMs: Math.max(Math.ceil(dueMs), Math.floor(nowMs)), order })
      } else if (act < 0.75) {
        wheel.cancel(timer)
        model = model.filter((entry) => entry.owner !== timer.owner)
      } else {
        nowMs += random.fraction() * 32 ** random.integer(0, 4)
        const due = model.filter((entry) => entry.dueMs <= nowMs)
        due.sort((left, right) => left.dueMs - right.dueMs || left.order - right.order)
        model = model.filter((entry) => entry.dueMs > nowMs)
        expect(firedBy(wheel, nowMs)).toEqual(due.map((entry) => entry.owner))
      }
      expect(wheel.size).toBe(model.length)
      const earliestMs = model.reduce((least, entry) => Math.min(least, entry.dueMs), Number.POSITIVE_INFINITY)
      expect(wheel.deadline()).toBeLessThanOrEqual(earliestMs)
      if (model.length <= 64) expect(wheel.deadline()).toBe(earliestMs)
    }
  })
})
