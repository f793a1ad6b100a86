/** Sequence fuzzing of phones and a registrar; `npm run sim -- --target registrar` does the same for as long as one likes. */
import { describe, expect, it } from 'vitest'
import { RegistrarWorld } from './registrar-world'

const seeds = 30
const operations = 30
const only = process.env.CARILLON_SIM_SEED

describe('phones that register on a bad network', () => {
  it(only === undefined ? `keep the rules, seeds 1 to ${seeds}` : `keep the rules, seed ${only}`, async () => {
    const first = only === undefined ? 1 : Number(only)
    for (let seed = first; seed < first + (only === undefined ? seeds : 1); seed += 1) {
      const world = new RegistrarWorld(seed)
      await world.run(operations)
      if (only !== undefined) console.log(world.ladder.join('\n'))
      expect(world.violations, `seed ${seed}; CARILLON_SIM_SEED=${seed} reproduces it`).toEqual([])
    }
  })

  it('do the same again with the same seed', async () => {
    const twins = [new RegistrarWorld(4), new RegistrarWorld(4)]
    for (const world of twins) await world.run(operations)
    expect(twins[0]?.ladder).toEqual(twins[1]?.ladder)
    expect(twins[0]?.sent).toBeGreaterThan(20)
  })

  it('find a bug that is put in: nobody hears of the removals', async () => {
    let found = 0
    for (let seed = 1; seed <= 10 && found === 0; seed += 1) {
      const world = new RegistrarWorld(seed, (text) => /^REGISTER /.test(text) && /^Expires: 0\r$/im.test(text))
      await world.run(operations)
      found += world.violations.length
    }
    expect(found).toBeGreaterThan(0)
  })
})
