/** Servers that die, fall silent and come back, many seeds. CARILLON_SIM_SEED=n runs one seed and prints what was sent. */
import { describe, expect, it } from 'vitest'
import { ServerWorld } from './server-world'

const operations = 20
const seeds = 60
const only = process.env.CARILLON_SIM_SEED

describe('a phone and the servers of a domain', () => {
  if (only !== undefined) {
    it(`keep the rules, seed ${only}`, async () => {
      const world = new ServerWorld(Number(only))
      await world.run(operations)
      console.log(world.ladder.join('\n'))
      expect(world.violations).toEqual([])
    })
    return
  }

  it(`RFC 3263 §4.3: a request is taken if any server takes it, once; ${seeds} seeds`, async () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const world = new ServerWorld(seed)
      await world.run(operations)
      expect(world.violations, `seed ${seed}; CARILLON_SIM_SEED=${seed} reproduces it`).toEqual([])
    }
  })

  it('find a bug that is put in: the one server that would answer has no address', async () => {
    let found = 0
    for (let seed = 1; seed <= 40 && found === 0; seed += 1) {
      const world = new ServerWorld(seed, (host) => host === '10.0.1.2')
      await world.run(operations)
      found += world.violations.length
    }
    expect(found).toBeGreaterThan(0)
  })
})
