import { describe, expect, it } from 'vitest'
import { FakeClock } from '../testing/fake-clock'
import { SeededRandom } from '../testing/seeded-random'
import { NonceClock } from './nonce-clock'

const hourMs = 3_600_000

describe('NonceClock', () => {
  it('is the wall clock as long as nobody sets it back', async () => {
    const wall = new FakeClock()
    const clock = new NonceClock()
    for (const ms of [0, 1, 50, hourMs]) {
      await wall.advance(ms)
      expect(clock.at(wall.wallMs())).toBe(wall.wallMs())
    }
    wall.setWall(wall.wallMs() + hourMs)
    expect(clock.at(wall.wallMs())).toBe(wall.wallMs())
  })

  it('RFC 7616 §5.5: goes on where it was when the wall clock is set back, at half the speed until that has caught up', async () => {
    const wall = new FakeClock()
    const clock = new NonceClock()
    const startMs = clock.at(wall.wallMs())
    wall.setWall(startMs - hourMs)
    expect(clock.at(wall.wallMs())).toBe(startMs)
    await wall.advance(1_000)
    expect(clock.at(wall.wallMs())).toBe(startMs + 500)
    await wall.advance(2 * hourMs - 2_000)
    expect(clock.at(wall.wallMs())).toBe(wall.wallMs() + 500)
    await wall.advance(10_000)
    expect(clock.at(wall.wallMs())).toBe(wall.wallMs())
  })

  it('never goes back, wherever the wall clock is set to', () => {
    const random = new SeededRandom(11)
    const clock = new NonceClock()
    let wallMs = 1_893_456_000_000
    let lastMs = 0
    for (let i = 0; i < 10_000; i += 1) {
      wallMs += random.integer(0, 1_000)
      if (random.fraction() < 0.01) wallMs += random.integer(-10, 10) * hourMs
      const timeMs = clock.at(wallMs)
      expect(timeMs).toBeGreaterThanOrEqual(Math.max(lastMs, wallMs))
      lastMs = timeMs
    }
  })
})
