/** Sequence fuzzing of bridges: many seeds, each a world of its own. `npm run sim -- --target bridge` does it for longer. */
import { describe, expect, it } from 'vitest'
import { BridgeWorld } from './bridge-world'

const operations = 30

describe('bridges and transfers on a bad network', () => {
  it.each([1, 9, 17, 25])('keep the rules, eight seeds from %i', async (first) => {
    for (let seed = first; seed < first + 8; seed += 1) {
      const world = new BridgeWorld(seed)
      await world.run(operations)
      expect(world.violations, `npm run sim -- --target bridge --seed ${seed} --seconds 0`).toEqual([])
      expect(world.sent).toBeGreaterThan(20)
    }
  })

  it('keep the rules when an INVITE arrives that its server has forgotten', async () => {
    const world = new BridgeWorld(423_786_311)
    await world.run(operations)
    expect(world.violations).toEqual([])
    expect(world.ladder.join('\n')).toContain(' 481 ')
  })

  it('do the same again with the same seed', async () => {
    const twins = [new BridgeWorld(4), new BridgeWorld(4)]
    for (const world of twins) await world.run(operations)
    expect(twins[0]?.ladder).toEqual(twins[1]?.ladder)
  })

  it('find a bug that is put in: one BYE after which nobody repeats', async () => {
    let found = 0
    for (let seed = 1; seed <= 20 && found === 0; seed += 1) {
      const world = new BridgeWorld(seed, (message) => message.startsWith('BYE '))
      await world.run(operations)
      found += world.violations.length
    }
    expect(found).toBeGreaterThan(0)
  })
})
