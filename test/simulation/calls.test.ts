/**
 * Sequence fuzzing of whole stacks: many seeds, each a world of its own. CARILLON_SIM_SEED=n runs one seed and prints what
 * was sent. `npm run sim` does the same for as long as one likes.
 */
import { describe, expect, it } from 'vitest'
import { CallWorld } from './call-world'

const groups = 8
const seedsPerGroup = 10
const operations = 30
const only = process.env.CARILLON_SIM_SEED

describe('stacks that call each other on a bad network', () => {
  if (only !== undefined) {
    it(`keep the rules, seed ${only}`, async () => {
      const world = new CallWorld(Number(only))
      await world.run(operations)
      console.log(world.ladder.join('\n'))
      expect(world.violations).toEqual([])
    })
    return
  }

  it.each(Array.from({ length: groups }, (_, group) => 1 + group * seedsPerGroup))(
    'keep the rules, seeds from %i',
    async (first) => {
      for (let seed = first; seed < first + seedsPerGroup; seed += 1) {
        const world = new CallWorld(seed)
        await world.run(operations)
        expect(world.violations, `seed ${seed}; CARILLON_SIM_SEED=${seed} reproduces it`).toEqual([])
      }
    },
  )

  it('do the same again with the same seed', async () => {
    const twins = [new CallWorld(4), new CallWorld(4)]
    for (const world of twins) await world.run(operations)
    expect(twins[0]?.ladder).toEqual(twins[1]?.ladder)
    expect(twins[0]?.sent).toBeGreaterThan(20)
  })

  it.each([
    ['one ACK that is never sent', /^ACK /, 1],
    ['one BYE after which nobody repeats', /^BYE /, Number.POSITIVE_INFINITY],
  ])('find a bug that is put in: %s', async (_, pattern, times) => {
    let found = 0
    for (let seed = 1; seed <= 20 && found === 0; seed += 1) {
      let left = times
      const world = new CallWorld(seed, (message) => {
        if (left === 0 || !pattern.test(message)) return false
        left -= 1
        return true
      })
      await world.run(operations)
      found += world.violations.length
    }
    expect(found).toBeGreaterThan(0)
  })
})
