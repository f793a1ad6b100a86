import { describe, expect, it } from 'vitest'
import { FakeClock } from './fake-clock'
import { SeededRandom } from './seeded-random'

describe('FakeClock', () => {
  it('runs wakes in due order, those due together in the order they were asked for, each at its own moment', async () => {
    const clock = new FakeClock(1000)
    const log: string[] = []
    const note = (name: string) => () => log.push(`${name} ${clock.monotonicMs()}`)
    clock.schedule(1300, note('late'))
    clock.schedule(1100, note('a'))
    clock.schedule(1100, note('b'))
    clock.schedule(900, note('past'))
    await clock.advance(200)
    expect(log).toEqual(['past 1000', 'a 1100', 'b 1100'])
    expect(clock.monotonicMs()).toBe(1200)
    clock.advanceSync(100)
    expect(log.at(-1)).toBe('late 1300')
    expect(clock.pending).toBe(0)
  })

  it('runs what a wake schedules within the same advance, and lets promises settle in between', async () => {
    const clock = new FakeClock()
    const log: string[] = []
    clock.schedule(10, () => {
      void Promise.resolve()
        .then(() => {})
        .then(() => {})
        .then(() => {
          log.push('settled')
          clock.schedule(15, () => log.push(`then ${clock.monotonicMs()}`))
        })
    })
    clock.schedule(20, () => log.push('last'))
    await clock.advance(30)
    expect(log).toEqual(['settled', 'then 15', 'last'])
  })

  it('forgets cancelled wakes, also when cancelled twice or after they ran', () => {
    const clock = new FakeClock()
    let ran = 0
    const first = clock.schedule(5, () => {
      ran += 1
    })
    const second = clock.schedule(6, () => {
      ran += 1
    })
    second.cancel()
    second.cancel()
    expect(clock.pending).toBe(1)
    expect(clock.nextWakeMs()).toBe(5)
    clock.advanceSync(10)
    first.cancel()
    expect([ran, clock.pending, clock.runNext()]).toEqual([1, 0, false])
  })

  it('moves both clocks, and the wall clock alone when it is set', () => {
    const clock = new FakeClock(50, 1_000_000)
    clock.advanceSync(10)
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([60, 1_000_010])
    clock.setWall(500)
    clock.advanceSync(10)
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([70, 510])
  })

  it('keeps any number of wakes in order', () => {
    const clock = new FakeClock()
    const random = new SeededRandom(5)
    const seen: number[] = []
    for (let count = 0; count < 2000; count += 1) {
      const atMs = random.integer(0, 500)
      const wake = clock.schedule(atMs, () => seen.push(atMs))
      if (random.chance(0.3)) wake.cancel()
    }
    const expected = clock.pending
    clock.advanceSync(500)
    expect(seen).toHaveLength(expected)
    expect(seen).toEqual([...seen].sort((left, right) => left - right))
  })
})

describe('SeededRandom', () => {
  it('gives the same values for the same seed and others for another', () => {
    const draw = (seed: number) => {
      const random = new SeededRandom(seed)
      return [random.token(80), random.fraction(), ...random.bytes(4), random.integer(1, 6), random.fork().token(20)]
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  it('keeps its ranges and spreads over them', () => {
    const random = new SeededRandom(3)
    const counts = new Array<number>(6).fill(0)
    for (let count = 0; count < 6000; count += 1) counts[random.integer(1, 6) - 1]! += 1
    for (const count of counts) expect(count).toBeGreaterThan(850)
    expect(random.token(33)).toMatch(/^[a-z2-7]{7}$/)
    expect(() => random.pick([])).toThrow(RangeError)
    expect(random.chance(0)).toBe(false)
    expect(random.chance(1)).toBe(true)
  })
})
