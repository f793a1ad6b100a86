import { describe, expect, it } from 'vitest'
import type { Turns } from '../ports'
import { FakeClock, SeededRandom } from '../testing'
import { TransactionLayer } from '../transaction/layer'
import { Driver, type DriverHooks } from './driver'
import { silentLogger } from './wire/node-ports'

const hooks: DriverHooks = { request: () => {}, ack: () => {}, strayResponse: () => {}, send: () => {} }

function driver(clock: FakeClock, turns?: Turns): Driver {
  return new Driver(new TransactionLayer({ random: new SeededRandom(1) }), clock, silentLogger, hooks, turns)
}

describe('Driver', () => {
  it('fires thousands of timers that are due together over several turns, in order and all of them', async () => {
    const clock = new FakeClock()
    const one = driver(clock, { hasTime: () => false, later: () => {} })
    const fired: number[] = []
    let atOnce = 0
    let most = 0
    // A wake-up is one turn; the clock runs nothing else in between.
    const schedule = clock.schedule.bind(clock)
    clock.schedule = (atMs, wake) =>
      schedule(atMs, () => {
        atOnce = 0
        wake()
        most = Math.max(most, atOnce)
      })
    for (let timer = 0; timer < 5_000; timer += 1)
      one.at(100, () => {
        fired.push(timer)
        atOnce += 1
      })
    await clock.advance(100)
    expect(fired).toEqual(Array.from({ length: 5_000 }, (_, timer) => timer))
    expect(most).toBeLessThanOrEqual(32)
    expect([one.appointments, clock.pending]).toEqual([0, 0])
  })

  it('fires them all at once where a turn may take as long as it takes', async () => {
    const clock = new FakeClock()
    const one = driver(clock)
    let fired = 0
    for (let timer = 0; timer < 5_000; timer += 1) one.at(100, () => (fired += 1))
    await clock.advance(100)
    expect(fired).toBe(5_000)
  })

  it('goes on in the same turn while there is time', async () => {
    const clock = new FakeClock()
    let asked = 0
    const one = driver(clock, {
      hasTime: () => {
        asked += 1
        return asked < 4
      },
      later: () => {},
    })
    const times: number[] = []
    const schedule = clock.schedule.bind(clock)
    let turn = 0
    clock.schedule = (atMs, wake) =>
      schedule(atMs, () => {
        turn += 1
        wake()
      })
    for (let timer = 0; timer < 200; timer += 1) one.at(100, () => times.push(turn))
    await clock.advance(100)
    expect(times.filter((each) => each === 1)).toHaveLength(128)
    expect(times).toHaveLength(200)
  })
})
