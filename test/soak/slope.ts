/** What a soak run measures while nothing is under way, and whether anything of it grows with the work done. */
import { getHeapSpaceStatistics, queryObjects } from 'node:v8'

/** One measurement at rest. */
export interface Sample {
  /** Operations begun so far. */
  readonly operations: number
  /** Heap and buffers after forced collections. */
  readonly bytes: number
  /** Open sockets and servers of the process. */
  readonly handles: number
  /** Entries of the stacks' tables by name; all of them are to be empty at rest. */
  readonly tables: Readonly<Record<string, number>>
}

/** What the bytes may grow for each operation: less than the smallest thing that could be forgotten in one of ten. */
export const bytesPerOperationMax = 8

/** A run too short for its slope to mean anything has to grow by this much besides. */
const bytesOfNoise = 512 * 1024

/** The part at the beginning in which code is compiled and tables reach their size. */
const warmUpShare = 0.3

/** Where code lives: it grows as long as the engine finds something to make faster. */
const spacesOfCode = /code|trusted|read_only/

/** Of this there is nothing to be found; looking for it makes the engine let go of everything that it can. */
class Nothing {}

/** Bytes that are still reachable, and what the process holds open. */
export function measure(): { readonly bytes: number; readonly handles: number } {
  // Buffers are let go one collection after the objects that held them.
  for (let round = 0; round < 2; round += 1) queryObjects(Nothing, { format: 'count' })
  const { external } = process.memoryUsage()
  const heapUsed = getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !spacesOfCode.test(name))
    .reduce((sum, { space_used_size: used }) => sum + used, 0)
  const handles = process.getActiveResourcesInfo().filter((kind) => /^(TCP|UDP|TLS)/.test(kind)).length
  return { bytes: heapUsed + external, handles }
}

/** Bytes for each operation: the median of the slopes between all pairs, which single outliers cannot move. */
export function bytesPerOperation(samples: readonly Sample[]): number {
  const slopes: number[] = []
  for (const [index, one] of samples.entries()) {
    for (const other of samples.slice(index + 1)) {
      slopes.push((other.bytes - one.bytes) / (other.operations - one.operations))
    }
  }
  return median(slopes)
}

/** What is wrong with a run; empty when nothing grows. */
export function faultsOf(samples: readonly Sample[]): string[] {
  const faults: string[] = []
  for (const { operations, tables } of samples) {
    const left = Object.entries(tables).filter(([, count]) => count > 0)
    if (left.length > 0)
      faults.push(`after ${operations} operations: ${left.map(([name, n]) => `${n} ${name}`).join(', ')}`)
  }
  const steady = samples.slice(Math.ceil(samples.length * warmUpShare))
  if (steady.length < 4) return [...faults, 'too few samples']
  const slope = bytesPerOperation(steady)
  const grown = slope * (steady.at(-1)!.operations - steady[0]!.operations)
  if (slope > bytesPerOperationMax && grown > bytesOfNoise)
    faults.push(`${slope.toFixed(1)} bytes more for each operation, ${(grown / 1024).toFixed(0)} KB in all`)
  const half = Math.floor(steady.length / 2)
  const [early, late] = [steady.slice(0, half), steady.slice(half)].map((part) =>
    median(part.map(({ handles }) => handles)),
  ) as [number, number]
  if (late > early) faults.push(`${late} handles open, and ${early} before`)
  return faults
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
