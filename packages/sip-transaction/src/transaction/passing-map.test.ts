import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { PassingMap } from './passing-map'

describe('PassingMap', () => {
  it('does what a Map does, whatever the order', () => {
    const random = new SeededRandom(7)
    const map = new PassingMap<string, { readonly value: number }>()
    const model = new Map<string, { readonly value: number }>()
    for (let step = 0; step < 20_000; step += 1) {
      // Built anew each time: keys are equal, not the same.
      const key = ['key', Math.floor(random.fraction() * 6)].join(' ')
      const chance = random.fraction()
      if (chance < 0.5) {
        const value = { value: step }
        map.set(key, value)
        model.set(key, value)
      } else if (chance < 0.99) expect(map.delete(key)).toBe(model.delete(key))
      else {
        map.clear()
        model.clear()
      }
      expect(map.size).toBe(model.size)
      expect(map.has(key)).toBe(model.has(key))
      expect(new Set(map.values())).toEqual(new Set(model.values()))
      for (let name = 0; name < 6; name += 1) expect(map.get(`key ${name}`)).toBe(model.get(`key ${name}`))
    }
  })
})
