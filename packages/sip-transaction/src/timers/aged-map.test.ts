import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { AgedMap } from './aged-map'

describe('AgedMap', () => {
  it('keeps entries in the order in which they were last set', () => {
    const map = new AgedMap<string, number>()
    expect([map.oldestKey, map.oldestValue, map.size]).toEqual([undefined, undefined, 0])
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, index)
    map.set('a', 9)
    map.set('d', 8)
    expect([...map.keys()]).toEqual(['b', 'c', 'a', 'd'])
    expect([...map.values()]).toEqual([1, 2, 9, 8])
    expect([map.oldestKey, map.oldestValue]).toEqual(['b', 1])
    expect([map.get('a'), map.has('c'), map.has('e'), map.get('e')]).toEqual([9, true, false, undefined])
    map.deleteOldest()
    expect([map.delete('a'), map.delete('a')]).toEqual([true, false])
    expect([...map.keys()]).toEqual(['c', 'd'])
    map.clear()
    map.deleteOldest()
    expect([...map.keys(), map.size, map.oldestKey]).toEqual([0, undefined])
  })

  it('does whatever a Map does that sets by deleting first, in any order of operations', () => {
    const random = new SeededRandom(7)
    const map = new AgedMap<number, number>()
    const model = new Map<number, number>()
    for (let step = 0; step < 20_000; step += 1) {
      const key = random.integer(0, 40)
      const dice = random.fraction()
      if (dice < 0.6) {
        map.set(key, step)
        model.delete(key)
        model.set(key, step)
      } else if (dice < 0.85) expect(map.delete(key)).toBe(model.delete(key))
      else {
        map.deleteOldest()
        const oldest = model.keys().next().value
        if (oldest !== undefined) model.delete(oldest)
      }
      expect(map.oldestKey).toBe(model.keys().next().value)
      expect(map.size).toBe(model.size)
    }
    expect([...map.keys()]).toEqual([...model.keys()])
    expect([...map.values()]).toEqual([...model.values()])
  })

  it('costs the same at any size, also when it is full and the oldest makes way for each new one', () => {
    const changes = 100_000
    const costMs = (size: number) => {
      const map = new AgedMap<number, number>()
      for (let key = 0; key < size; key += 1) map.set(key, key)
      const before = process.cpuUsage()
      for (let key = size; key < size + changes; key += 1) {
        map.set(key, key)
        map.deleteOldest()
      }
      const { user, system } = process.cpuUsage(before)
      expect(map.size).toBe(size)
      return (user + system) / 1000
    }
    // A Map alone takes 40 times as long for the big one, and 1.5 s for it.
    const [small, big] = [Math.min(costMs(1_000), costMs(1_000)), Math.min(costMs(65_536), costMs(65_536))]
    expect(big).toBeLessThan(Math.max(10 * small, 300))
  })
})
