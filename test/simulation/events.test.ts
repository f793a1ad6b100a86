/** Sequence fuzzing of subscriptions and publications. `npm run sim -- --target events` does it for longer. */
import { describe, expect, it } from 'vitest'
import { EventWorld } from './event-world'

const operations = 30

describe('publishers and watchers on a bad network', () => {
  it.each([1, 11])('agree in the end, and leave nothing, ten seeds from %i', async (first) => {
    for (let seed = first; seed < first + 10; seed += 1) {
      const world = new EventWorld(seed)
      await world.run(operations)
      expect(world.violations, `npm run sim -- --target events --seed ${seed} --seconds 0`).toEqual([])
      expect(world.sent).toBeGreaterThan(20)
    }
  })

  it('keep the rules, seed 412650325, which broke one', async () => {
    const world = new EventWorld(412_650_325)
    await world.run(operations)
    expect(world.violations).toEqual([])
  })

  it('do the same again with the same seed', async () => {
    const twins = [new EventWorld(4), new EventWorld(4)]
    for (const world of twins) await world.run(operations)
    expect(twins[0]?.ladder).toEqual(twins[1]?.ladder)
  })
})
