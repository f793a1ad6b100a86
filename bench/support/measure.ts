/**
 * Measures small functions with benchmark.js, and their CPU time with the kernel's accounting: other work on the machine
 * lengthens elapsed time, hardly CPU time.
 */
import Benchmark from 'benchmark'
import { figure, ratio, type Table } from './report.ts'

const cpuRounds = 7
const cpuRoundMs = 150

/** One contestant. `run` returns something that depends on its work, so that the work is not optimised away. */
export interface Contestant {
  readonly name: string
  readonly does: string
  run(): unknown
}

/** What was measured of one contestant. */
export interface Measurement {
  readonly name: string
  readonly does: string
  /** CPU time of one operation in microseconds, collection of garbage included; the median of several rounds. */
  readonly cpuUs: number
  /** Operations a second by benchmark.js, and its relative margin of error in percent. */
  readonly perSecond: number
  readonly marginPercent: number
}

// Written so that the optimiser cannot drop the work, whose result nobody else wants.
const sink: { last: unknown } = { last: undefined }

/** Measures every contestant, one after another. */
export function measureAll(contestants: readonly Contestant[]): Measurement[] {
  return contestants.map((contestant) => {
    const bench = new Benchmark(
      contestant.name,
      () => {
        sink.last = contestant.run()
      },
      { maxTime: 1, minSamples: 20 },
    )
    bench.run({ async: false })
    if (bench.error !== undefined) throw new Error(`${contestant.name}: ${String(bench.error)}`)
    return {
      name: contestant.name,
      does: contestant.does,
      cpuUs: cpuMicroseconds(contestant, bench.hz),
      perSecond: bench.hz,
      marginPercent: bench.stats.rme,
    }
  })
}

/** The measurements as a table; ratios are to the first contestant. */
export function measurementTable(title: string, measurements: readonly Measurement[]): Table {
  const base = measurements[0]?.cpuUs ?? Number.NaN
  return {
    title,
    columns: [
      { title: 'library' },
      { title: 'what it does' },
      { title: 'CPU µs/op', isNumber: true },
      { title: 'ratio', isNumber: true },
      { title: 'op/s', isNumber: true },
      { title: '±', isNumber: true },
    ],
    rows: measurements.map((item) => [
      item.name,
      item.does,
      figure(item.cpuUs),
      ratio(item.cpuUs, base),
      figure(item.perSecond),
      `${item.marginPercent.toFixed(1)} %`,
    ]),
  }
}

function cpuMicroseconds(contestant: Contestant, perSecond: number): number {
  const count = Math.max(1, Math.round((perSecond * cpuRoundMs) / 1000))
  const rounds: number[] = []
  for (let round = 0; round < cpuRounds; round++) {
    const before = process.cpuUsage()
    for (let index = 0; index < count; index++) sink.last = contestant.run()
    const spent = process.cpuUsage(before)
    rounds.push((spent.user + spent.system) / count)
  }
  rounds.sort((a, b) => a - b)
  return rounds[Math.floor(cpuRounds / 2)] ?? Number.NaN
}
