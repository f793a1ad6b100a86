import { describe, expect, it } from 'vitest'
import type { MemoryFlow } from '../testing/memory-flow'
import { SeededRandom } from '../testing/seeded-random'
import { KeyedHash } from './keyed-hash'
import { Tombstones } from './tombstones'

const flow = { id: 1, isOpen: true } as MemoryFlow

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}

describe('KeyedHash', () => {
  it('gives other values under another key, and tells similar texts apart in all their bits', () => {
    const one = new KeyedHash(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]))
    const two = new KeyedHash(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 9]))
    const seen = new Set<string>()
    const changed = new Array<number>(64).fill(0)
    const count = 4_000
    for (let index = 0; index < count; index += 1) {
      const text = `REGISTER 192.0.2.1:5060 z9hG4bK${index}`
      one.compute(text)
      const before = [one.low, one.high]
      seen.add(before.join())
      one.compute(`${text.slice(0, -1)}x`)
      for (let bit = 0; bit < 64; bit += 1) {
        const half = bit >> 5
        changed[bit]! += ((before[half]! ^ (half === 0 ? one.low : one.high)) >>> (bit & 31)) & 1
      }
      two.compute(text)
      expect([two.low, two.high]).not.toEqual(before)
    }
    expect(seen.size).toBe(count)
    for (const times of changed) expect(Math.abs(times / count - 0.5)).toBeLessThan(0.05)
  })

  it('tells apart texts that differ in length, in trailing zeros or beyond one byte a character', () => {
    const hash = new KeyedHash(new Uint8Array(8))
    const texts = ['', '\0', '\0\0', 'a', 'a\0', 'ab', 'ab\0', '\u0161b', 'a\u0162', 'b\u0161', 'é', 'Ã©']
    const seen = texts.map((text) => {
      hash.compute(text)
      return `${hash.low} ${hash.high}`
    })
    expect(new Set(seen).size).toBe(texts.length)
  })
})

describe('Tombstones', () => {
  it('agrees with a plain map through growth, shrinking, removal out of order and expiry', () => {
    const random = new SeededRandom(20)
    const tombstones = new Tombstones(random.bytes(8))
    interface Model {
      id: number
      key: string
      mergeKey: string | undefined
      bytes: Uint8Array
      dueMs: number
    }
    const model = new Map<string, Model>()
    let nowMs = 0
    let lastId = 0
    for (let step = 0; step < 20_000; step += 1) {
      nowMs += random.integer(0, 3)
      // Storms and calms, so that the ring grows and shrinks.
      const isStorm = step % 8_000 < 5_000
      if (isStorm || random.fraction() < 0.1) {
        lastId += 1
        const key = `OPTIONS host branch${lastId}`
        const mergeKey = random.fraction() < 0.7 ? `${lastId} OPTIONS tag call` : undefined
        const bytes = bytesOf(`SIP/2.0 200 OK ${'x'.repeat(random.integer(0, 900))}${lastId}`)
        const init = { id: lastId, key, mergeKey, bytes, dueMs: nowMs + 2_000 }
        tombstones.add({ ...init, flow, isInternal: lastId % 5 === 0 })
        model.set(key, init)
      }
      if (random.fraction() < 0.05 && model.size > 0) {
        const victim = [...model.values()][random.integer(0, model.size - 1)]!
        tombstones.remove(tombstones.findId(victim.id))
        model.delete(victim.key)
      }
      while (tombstones.deadline <= nowMs) {
        const slot = tombstones.oldest
        const known = [...model.values()][0]!
        expect(tombstones.idOf(slot)).toBe(known.id)
        expect(known.dueMs).toBeLessThanOrEqual(nowMs)
        tombstones.remove(slot)
        model.delete(known.key)
      }
      expect(tombstones.count).toBe(model.size)
      const asked = `OPTIONS host branch${random.integer(Math.max(1, lastId - 3_000), lastId + 1)}`
      const expected = model.get(asked)
      const slot = tombstones.find(asked)
      expect(slot >= 0).toBe(expected !== undefined)
      if (expected === undefined) continue
      expect(tombstones.idOf(slot)).toBe(expected.id)
      expect(tombstones.isInternal(slot)).toBe(expected.id % 5 === 0)
      expect(tombstones.flowOf(slot)).toBe(flow)
      expect(Buffer.compare(tombstones.responseOf(slot), expected.bytes)).toBe(0)
      expect(tombstones.findId(expected.id)).toBe(slot)
      if (expected.mergeKey !== undefined) expect(tombstones.hasMerged(expected.mergeKey)).toBe(true)
    }
    for (const { key } of model.values()) tombstones.remove(tombstones.find(key))
    expect([tombstones.count, tombstones.retainedBytes, tombstones.deadline]).toEqual([0, 0, Number.POSITIVE_INFINITY])
    expect(tombstones.oldest).toBe(-1)
  })

  it('a response read out stays as it was when its tombstone is gone and its memory used again', () => {
    const tombstones = new Tombstones(new Uint8Array(8))
    const add = (id: number, text: string): void =>
      tombstones.add({
        ...{ id, key: `k${id}`, mergeKey: undefined, flow, bytes: bytesOf(text) },
        ...{ isInternal: false, dueMs: id },
      })
    add(1, 'first answer')
    const held = tombstones.responseOf(tombstones.find('k1'))
    tombstones.remove(tombstones.find('k1'))
    for (let id = 2; id < 2_000; id += 1) add(id, 'y'.repeat(400))
    expect(Buffer.from(held).toString()).toBe('first answer')
    expect(tombstones.canHold(new Uint8Array(262_145))).toBe(false)
  })

  it('a peer that chooses its branches cannot make look-ups slow', () => {
    const tombstones = new Tombstones(new SeededRandom(3).bytes(8))
    const count = 50_000
    for (let id = 1; id <= count; id += 1) {
      const init = { id, key: `OPTIONS a z9hG4bK${id << 12}`, mergeKey: undefined, flow, bytes: bytesOf('r') }
      tombstones.add({ ...init, isInternal: false, dueMs: id })
    }
    const before = process.cpuUsage()
    for (let id = 1; id <= count; id += 1) expect(tombstones.find(`OPTIONS a z9hG4bK${id << 12}`) >= 0).toBe(true)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / count).toBeLessThan(40)
  })
})
