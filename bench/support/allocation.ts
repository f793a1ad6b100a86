/**
 * Counts memory: the bytes that an operation allocates, and the bytes that its result keeps alive. Both are differences
 * of the heap's own count, which includes the last object: for allocation over a stretch in which nothing is collected
 * (V8 tells), for what is kept between two full collections. Before the first figure is given, both are tried on arrays
 * of a known size.
 */
import { GCProfiler, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { median } from './statistics.ts'

/**
 * A stretch must fit into the young generation, be long against the 1.5 KB that counting costs, and against the slabs that
 * small buffers are cut from. It is halved until it fits.
 */
const stretchBytes = 3_000_000
const attemptsMax = 3
const stretches = 7
const warmUpMs = 20
const warmUpRuns = 200
/** An array of a hundred doubles: 16 bytes and eight for each element, and the array object of four words. */
const knownBytes = 16 + 100 * 8 + 32
const toleratedError = 0.03

const held: { last: unknown } = { last: undefined }
const collect = exposeCollection()
let isProven = false

/**
 * Bytes allocated by one run: objects and strings on the heap, and memory of buffers; the median of several stretches.
 * NaN when one run fills the young generation.
 */
export function allocatedBytes(run: () => unknown): number {
  prove()
  return measureAllocation(run)
}

/** Bytes that each of `count` results keeps alive, what is on the heap and what is outside. `make` is given 0, 1, 2 and so on. */
export function keptBytes(count: number, make: (index: number) => unknown): number {
  prove()
  return measureKept(count, make)
}

function measureAllocation(run: () => unknown): number {
  const untilMs = performance.now() + warmUpMs
  while (performance.now() < untilMs) held.last = run()
  // One run may be more than the young generation holds: then there is no figure.
  const trial = stretch(1, run)
  if (trial === undefined) return Number.NaN
  for (let count = Math.max(1, Math.min(20_000, Math.round(stretchBytes / trial))); count >= 1; count >>= 1) {
    const spent = times(stretches, () => stretch(count, run)).filter((bytes) => bytes !== undefined)
    if (spent.length <= stretches / 2) continue
    const overhead = times(stretches, () => stretch(count, nothing)).filter((bytes) => bytes !== undefined)
    return (median(spent) - median(overhead)) / count
  }
  return Number.NaN
}

/** Bytes allocated over `count` runs; undefined when something was collected meanwhile. */
function stretch(count: number, run: () => unknown): number | undefined {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    collect()
    const profiler = new GCProfiler()
    profiler.start()
    const before = process.memoryUsage()
    for (let index = 0; index < count; index++) held.last = run()
    const after = process.memoryUsage()
    const collections = profiler.stop()?.statistics.length ?? 0
    const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
    if (collections === 0 && bytes >= 0) return bytes
  }
  return undefined
}

function measureKept(count: number, make: (index: number) => unknown): number {
  return median(
    times(3, () => {
      const kept: unknown[] = new Array(count).fill(undefined)
      for (let index = 0; index < Math.min(count, warmUpRuns); index++) held.last = make(index)
      held.last = undefined
      const before = settledBytes()
      for (let index = 0; index < count; index++) kept[index] = make(index)
      const after = settledBytes()
      if (kept.length !== count) throw new Error('what was kept is gone')
      return (after - before) / count
    }),
  )
}

/** Bytes in use when all garbage is gone. */
export function settledBytes(): number {
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function nothing(): unknown {
  return undefined
}

function prove(): void {
  if (isProven) return
  const make = (): unknown => new Array<number>(100).fill(1.5)
  for (let index = 0; index < 5000; index++) held.last = make()
  for (const bytes of [measureAllocation(make), measureKept(1000, make)]) {
    if (!(Math.abs(bytes / knownBytes - 1) <= toleratedError)) {
      throw new Error(`counting memory is off: ${bytes.toFixed(0)} bytes for an array of ${knownBytes}`)
    }
  }
  isProven = true
}

function exposeCollection(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}
