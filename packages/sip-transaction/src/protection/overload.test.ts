import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { OverloadController } from './overload'
import type { RequestClass } from './request-class'

const settings = { delayMs: 100, intervalMs: 250 }
const quiet = { delayMs: 0, occupancy: 0 }
const late = { delayMs: 150, occupancy: 0 }

function controller(): OverloadController {
  return new OverloadController(settings, new SeededRandom(1).bytes(8))
}

/** Observes the same load for so many intervals; returns the time. */
function observe(one: OverloadController, load: typeof quiet, times: number, fromMs = 0): number {
  let nowMs = fromMs
  for (let time = 0; time < times; time += 1) {
    nowMs += settings.intervalMs
    one.observe(load, nowMs)
  }
  return nowMs
}

function share(one: OverloadController, kind: RequestClass): number {
  let shed = 0
  for (let call = 0; call < 2_000; call += 1) if (one.sheds(kind, `call-${call}`)) shed += 1
  return shed / 2_000
}

describe('OverloadController', () => {
  it('refuses nothing without load', () => {
    const one = controller()
    observe(one, quiet, 10)
    expect(one.reduction).toBe(0)
    for (const kind of ['invite', 'other', 'register', 'kept'] as const) expect(share(one, kind)).toBe(0)
  })

  it('RFC 7339 §5.10.1: refuses new calls first, registrations last, and what lives never', () => {
    const one = controller()
    let nowMs = observe(one, late, 2)
    expect(one.reduction).toBeCloseTo(0.2)
    expect(share(one, 'invite')).toBeCloseTo(0.4, 1)
    expect([share(one, 'other'), share(one, 'register')]).toEqual([0, 0])
    nowMs = observe(one, late, 3, nowMs)
    expect([share(one, 'invite'), share(one, 'other')]).toEqual([1, 0])
    nowMs = observe(one, late, 1, nowMs)
    expect(share(one, 'other')).toBeCloseTo(0.4, 1)
    expect(share(one, 'register')).toBe(0)
    nowMs = observe(one, late, 3, nowMs)
    expect(share(one, 'register')).toBeCloseTo(0.6, 1)
    observe(one, late, 100, nowMs)
    expect([one.reduction, share(one, 'register'), share(one, 'kept')]).toEqual([1, 1, 0])
  })

  it('changes nothing between overload and its end, and ends slowly', () => {
    const one = controller()
    let nowMs = observe(one, late, 5)
    expect(one.reduction).toBeCloseTo(0.5)
    nowMs = observe(one, { delayMs: 80, occupancy: 0 }, 20, nowMs)
    expect(one.reduction).toBeCloseTo(0.5)
    nowMs = observe(one, { delayMs: 40, occupancy: 0.8 }, 20, nowMs)
    expect(one.reduction).toBeCloseTo(0.5)
    nowMs = observe(one, { delayMs: 40, occupancy: 0.5 }, 5, nowMs)
    expect(one.reduction).toBeCloseTo(0.25)
    observe(one, quiet, 5, nowMs)
    expect(one.reduction).toBe(0)
  })

  it('full tables refuse new calls and nothing else', () => {
    const one = controller()
    observe(one, { delayMs: 0, occupancy: 0.95 }, 100)
    expect([one.reduction, share(one, 'invite'), share(one, 'other')]).toEqual([0.5, 1, 0])
  })

  it('forgets the load of a time long gone: intervals without traffic count as quiet', () => {
    const one = controller()
    const nowMs = observe(one, late, 5)
    one.observe({ delayMs: 80, occupancy: 0 }, nowMs + 60_000)
    expect(one.reduction).toBe(0)
  })

  it('all requests of one call share their fate, and who is refused is not for the sender to choose', () => {
    const [one, other] = [controller(), new OverloadController(settings, new SeededRandom(2).bytes(8))]
    observe(one, late, 2)
    observe(other, late, 2)
    const calls = Array.from({ length: 200 }, (_, call) => `call-${call}`)
    const fates = (each: OverloadController) => calls.map((callId) => each.sheds('invite', callId))
    expect(fates(one)).toEqual(fates(one))
    expect(fates(one)).not.toEqual(fates(other))
  })

  it('is due once an interval', () => {
    const one = controller()
    expect(one.isDue(0)).toBe(true)
    one.observe(quiet, 0)
    expect([one.isDue(249), one.isDue(250)]).toEqual([false, true])
  })
})
