/**
 * Measures small functions: operations a second with benchmark.js, CPU time with the kernel's accounting (other work on
 * the machine lengthens elapsed time, hardly CPU time), and bytes allocated. CPU time is taken in short rounds, every
 * contestant in each round, so that a machine that grows slower or faster does so for all of them.
 */
import Benchmark from 'benchmark'
import { allocatedBytes } from './allocation.ts'
import { figure, ratio, type Table } from './report.ts'
import { median, quantile } from './statistics.ts'

const warmUpMs = 100
const benchmarkSeconds = 0.3
const roundMs = 20
const rounds = 15

/** One contestant. `run` returns something that depends on its work, so that the work is not optimised away. */
export interface Contestant {
  readonly name: string
  readonly does: string
  /** Contestants that do comparable work name the same task; the first of a task is what the others are compared to. */
  readonly task?: string
  /** How many operations one `run` is; 1 when absent. */
  readonly operations?: number
  run(): unknown
}

/** What was measured of one contestant. */
export interface Measurement {
  readonly name: string
  readonly does: string
  readonly task: string
  /** CPU time of one operation in microseconds, collection of garbage included; the median of the rounds. */
  readonly cpuUs: number
  /** Operations a second by benchmark.js, and its relative margin of error in percent. */
  readonly perSecond: number
  readonly marginPercent: number
  /** Bytes one operation allocates, on the heap and in buffers. */
  readonly allocated: number
}

/** How the costs of two contestants compare, measured in alternate rounds. */
export interface Comparison {
  /** The median of the rounds' ratios, and the quarters to both sides of it. */
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** Median CPU time of one operation in microseconds. */
  readonly firstUs: number
  readonly secondUs: number
}

// Written so that the optimiser cannot drop the work, whose result nobody else wants.
const sink: { last: unknown } = { last: undefined }

/** Measures every contestant. */
export function measureAll(contestants: readonly Contestant[]): Measurement[] {
  const benches = contestants.map(benchmark)
  const counts = contestants.map((_, index) => roundCount(benches[index]?.hz ?? 1))
  const times = interleaved(contestants, counts, rounds)
  return contestants.map((contestant, index) => {
    const operations = contestant.operations ?? 1
    const bench = benches[index]
    return {
      name: contestant.name,
      does: contestant.does,
      task: contestant.task ?? '',
      cpuUs: median(times[index] ?? []) / operations,
      perSecond: (bench?.hz ?? Number.NaN) * operations,
      marginPercent: bench?.stats.rme ?? Number.NaN,
      allocated: allocatedBytes(() => contestant.run()) / operations,
    }
  })
}

/** Compares two contestants that have been measured before, in many alternate rounds. */
export function compare(first: Contestant, second: Contestant, pairs = 75): Comparison {
  const contestants = [first, second]
  const counts = contestants.map((contestant) => roundCount(roughRate(contestant), 10))
  const [firstTimes = [], secondTimes = []] = interleaved(contestants, counts, pairs)
  const ratios = firstTimes.map((time, round) => time / (secondTimes[round] ?? Number.NaN))
  return {
    ratio: median(ratios),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    firstUs: median(firstTimes) / (first.operations ?? 1),
    secondUs: median(secondTimes) / (second.operations ?? 1),
  }
}

/** A row that all others are held against, beside the first of their task. */
export interface Yardstick {
  readonly title: string
  readonly cpuUs: number
}

/** The measurements as a table; the ratio is to the first contestant of the same task. */
export function measurementTable(title: string, measurements: readonly Measurement[], yardstick?: Yardstick): Table {
  const first = (task: string): number => measurements.find((item) => item.task === task)?.cpuUs ?? Number.NaN
  return {
    title,
    columns: [
      { title: 'library' },
      { title: 'what it does' },
      { title: 'CPU µs/op', isNumber: true },
      { title: 'ratio', isNumber: true },
      ...(yardstick === undefined ? [] : [{ title: yardstick.title, isNumber: true }]),
      { title: 'bytes/op', isNumber: true },
      { title: 'op/s', isNumber: true },
      { title: '±', isNumber: true },
    ],
    rows: measurements.map((item) => [
      item.name,
      item.does,
      figure(item.cpuUs),
      ratio(item.cpuUs, first(item.task)),
      ...(yardstick === undefined ? [] : [ratio(item.cpuUs, yardstick.cpuUs)]),
      figure(item.allocated),
      figure(item.perSecond),
      `${item.marginPercent.toFixed(1)} %`,
    ]),
  }
}

function benchmark(contestant: Contestant): Benchmark {
  const untilMs = performance.now() + warmUpMs
  while (performance.now() < untilMs) sink.last = contestant.run()
  const bench = new Benchmark(
    contestant.name,
    () => {
      sink.last = contestant.run()
    },
    { maxTime: benchmarkSeconds, minSamples: 5 },
  )
  bench.run({ async: false })
  if (bench.error !== undefined) throw new Error(`${contestant.name}: ${String(bench.error)}`)
  return bench
}

/** CPU time of one run in microseconds, for each contestant and round. Every other round goes backwards. */
function interleaved(contestants: readonly Contestant[], counts: readonly number[], total: number): number[][] {
  const times: number[][] = contestants.map(() => [])
  for (let round = 0; round < total; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = round % 2 === 0 ? turn : contestants.length - 1 - turn
      const contestant = contestants[index]
      if (contestant !== undefined) times[index]?.push(cpuMicroseconds(contestant, counts[index] ?? 1))
    }
  }
  return times
}

function cpuMicroseconds(contestant: Contestant, count: number): number {
  const before = process.cpuUsage()
  for (let index = 0; index < count; index++) sink.last = contestant.run()
  const spent = process.cpuUsage(before)
  return (spent.user + spent.system) / count
}

function roundCount(perSecond: number, ms = roundMs): number {
  return Math.max(1, Math.round((perSecond * ms) / 1000))
}

/** Runs a second, from a short trial that also lets the optimiser see what is coming. */
function roughRate(contestant: Contestant): number {
  const untilMs = performance.now() + 2 * warmUpMs
  let count = 0
  const before = process.cpuUsage()
  while (performance.now() < untilMs) {
    for (let index = 0; index < 100; index++) sink.last = contestant.run()
    count += 100
  }
  const spent = process.cpuUsage(before)
  return (count * 1e6) / (spent.user + spent.system)
}
