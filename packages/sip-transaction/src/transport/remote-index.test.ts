import { describe, expect, it } from 'vitest'
import { RemoteIndex } from './remote-index'

const at = (address: string, port: number) => ({ remote: { address, port } })

describe('RemoteIndex', () => {
  it('finds what was filed under address and port, and nothing else', () => {
    const index = new RemoteIndex<ReturnType<typeof at>>()
    const one = at('10.0.0.1', 1)
    const two = at('10.0.0.1', 2)
    const three = at('10.0.0.2', 1)
    for (const value of [one, two, three]) index.set(value)
    expect(index.get('10.0.0.1', 1)).toBe(one)
    expect(index.get('10.0.0.1', 2)).toBe(two)
    expect(index.get('10.0.0.2', 1)).toBe(three)
    expect(index.get('10.0.0.2', 2)).toBeUndefined()
    expect(index.get('10.0.0.3', 1)).toBeUndefined()
    expect(index.size).toBe(3)
    expect(new Set(index.values())).toEqual(new Set([one, two, three]))
  })

  it('replaces a value without counting it twice', () => {
    const index = new RemoteIndex<ReturnType<typeof at>>()
    index.set(at('a', 1))
    const second = at('a', 1)
    index.set(second)
    expect(index.size).toBe(1)
    index.set(at('a', 2))
    const third = at('a', 2)
    index.set(third)
    expect(index.size).toBe(2)
    expect(index.get('a', 1)).toBe(second)
    expect(index.get('a', 2)).toBe(third)
  })

  it('deletes the very value only, not the one that took its place', () => {
    const index = new RemoteIndex<ReturnType<typeof at>>()
    const before = at('a', 1)
    const after = at('a', 1)
    index.set(before)
    index.set(after)
    index.delete(before)
    expect(index.get('a', 1)).toBe(after)
    index.set(at('a', 2))
    index.delete(before)
    index.delete(after)
    index.delete(after)
    expect(index.get('a', 1)).toBeUndefined()
    expect(index.size).toBe(1)
  })

  it('keeps no entry for an address whose values are gone', () => {
    const index = new RemoteIndex<ReturnType<typeof at>>()
    const values = [at('a', 1), at('a', 2), at('b', 1)]
    for (const value of values) index.set(value)
    for (const value of values) index.delete(value)
    expect(index.size).toBe(0)
    expect([...index.values()]).toEqual([])
    index.set(at('a', 1))
    index.clear()
    expect(index.size).toBe(0)
  })
})
