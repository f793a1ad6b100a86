import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { ExpiryHeap } from './expiry-heap'

describe('ExpiryHeap', () => {
  it('agrees with a sorted list through any sequence of changes', () => {
    const random = new SeededRandom(3)
    const heap = new ExpiryHeap<{ expiresAtMs: number; heapIndex: number }>()
    const all: { expiresAtMs: number; heapIndex: number }[] = []
    for (let step = 0; step < 5_000; step++) {
      const choice = random.integer(0, 3)
      const item = all.length > 0 ? random.pick(all) : undefined
      if (choice <= 1 || item === undefined) {
        const added = { expiresAtMs: random.integer(0, 1_000), heapIndex: -1 }
        all.push(added)
        heap.add(added)
      } else if (choice === 2) {
        item.expiresAtMs = random.integer(0, 1_000)
        heap.update(item)
      } else {
        all.splice(all.indexOf(item), 1)
        heap.remove(item)
        expect(item.heapIndex).toBe(-1)
      }
      expect(heap.size).toBe(all.length)
      expect(heap.peek()?.expiresAtMs).toBe(
        all.length === 0 ? undefined : Math.min(...all.map((one) => one.expiresAtMs)),
      )
    }
  })
})
