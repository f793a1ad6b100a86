/**
 * A short soak in every run of the tests: nothing grows with the work done. `npm run soak` does the same for an hour, or as
 * long as one likes.
 */
import { describe, expect, it } from 'vitest'
import type { Medium } from './medium'
import { MemoryMedium } from './memory-medium'
import { bytesPerOperation, faultsOf, type Sample } from './slope'
import { type Leak, SoakWorld } from './soak-world'
import { SocketMedium } from './socket-medium'

async function soak(
  medium: Medium,
  rounds: number,
  operations: number,
  pauseMs: number,
  leak?: Leak,
): Promise<Sample[]> {
  const world = await SoakWorld.create(medium, 1, leak)
  for (let round = 0; round < rounds; round += 1) await world.round(operations, pauseMs)
  await world.close()
  console.log(
    `${medium.name}: ${world.operations} operations, ${bytesPerOperation(world.samples.slice(2)).toFixed(1)} bytes each`,
  )
  return world.samples
}

describe('a server that works all day', () => {
  it('on a bad network in memory: heap and tables do not grow', { timeout: 180_000 }, async () => {
    expect(faultsOf(await soak(new MemoryMedium(1), 8, 700, 25))).toEqual([])
  })

  it('on real sockets of every transport: heap, tables, connections and handles do not grow', {
    timeout: 180_000,
  }, async () => {
    expect(faultsOf(await soak(await SocketMedium.create(10), 6, 80, 8))).toEqual([])
  })

  it('and what grows is found: requests that are never let go', { timeout: 180_000 }, async () => {
    const kept: unknown[] = []
    const faults = faultsOf(await soak(new MemoryMedium(1), 6, 300, 25, (request) => kept.push(request)))
    expect(kept.length).toBeGreaterThan(1_000)
    expect(faults.join()).toMatch(/bytes more for each operation/)
  })
})

describe('judging a run', () => {
  const samples = (changes: (index: number) => Partial<Sample>): Sample[] =>
    Array.from({ length: 12 }, (_, index) => ({
      operations: index * 10_000,
      bytes: 30_000_000 + (index % 3) * 200_000,
      handles: 7,
      tables: { dialogs: 0 },
      ...changes(index),
    }))

  it('bears noise, and tables that reach their size at the beginning', () => {
    expect(faultsOf(samples(() => ({})))).toEqual([])
    expect(faultsOf(samples((index) => ({ bytes: 30_000_000 + Math.min(index, 3) * 3_000_000 })))).toEqual([])
  })

  it('sees bytes, handles and entries that stay', () => {
    expect(faultsOf(samples((index) => ({ bytes: 30_000_000 + index * 100_000 })))).toEqual([
      '10.0 bytes more for each operation, 684 KB in all',
    ])
    expect(faultsOf(samples((index) => ({ handles: 7 + index })))).toHaveLength(1)
    expect(faultsOf(samples((index) => ({ tables: { dialogs: index === 5 ? 1 : 0 } })))).toEqual([
      'after 50000 operations: 1 dialogs',
    ])
    expect(faultsOf(samples(() => ({})).slice(0, 4))).toEqual(['too few samples'])
  })
})
