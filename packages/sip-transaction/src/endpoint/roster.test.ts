import { describe, expect, it } from 'vitest'
import { type Listed, Roster } from './roster'

interface Item extends Listed {
  readonly name: string
}

describe('a roster', () => {
  it('lists what is there in the order in which it came', () => {
    const roster = new Roster<Item>()
    const [a, b, c] = ['a', 'b', 'c'].map((name): Item => ({ name })) as [Item, Item, Item]
    for (const item of [a, b, c]) roster.add(item)
    roster.add(a)
    expect(roster.delete(b)).toBe(true)
    expect(roster.delete(b)).toBe(false)
    roster.add(b)
    expect(roster.list().map(({ name }) => name)).toEqual(['a', 'c', 'b'])
    expect(roster.size).toBe(3)
  })

  it('is empty again when the first and the last have left, in any order', () => {
    const roster = new Roster<Item>()
    const items = Array.from({ length: 5 }, (_, index): Item => ({ name: `${index}` }))
    for (const item of items) roster.add(item)
    for (const index of [4, 0, 2, 1, 3]) roster.delete(items[index]!)
    expect(roster.list()).toEqual([])
    expect(roster.size).toBe(0)
    roster.add(items[2]!)
    expect(roster.list()).toEqual([items[2]])
  })

  it('leaves nothing behind in what has left', () => {
    const roster = new Roster<Item>()
    const [a, b] = [{ name: 'a' }, { name: 'b' }] as [Item, Item]
    roster.add(a)
    roster.add(b)
    const place = a.rosterPlace
    roster.delete(a)
    expect(a.rosterPlace).toBeUndefined()
    expect(place).toEqual({ item: undefined, older: undefined, newer: undefined })
  })
})
