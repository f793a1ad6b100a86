/**
 * What a target reports while it checks one input: the behaviour that it reached, and the time of each operation. A time
 * that looks bad is measured again, and the best of several counts: collections of garbage, compilation and other
 * programs are not the parser's fault.
 */
import { OracleFailure } from './failure.ts'

/** No operation may take longer, per kilobyte of its input. */
export const msPerKbMax = 1
/** Inputs count as at least this long: below it the fixed cost of a call would be measured. */
const countedBytesMin = 1024
/** Measured again in batches that take about this long, for the clock of CPU time is coarse. */
const batchMs = 10
const batchesMax = 5
const runsMax = 500
/** No more batches once they have taken this long, so that the watchdog is not woken. */
const repeatsMsMax = 1_000

/** The slowest operation of a run. */
export interface Slowest {
  readonly msPerKb: number
  readonly operation: string
  readonly inputBytes: number
}

/** Time and behaviour of the case that is being checked, and the slowest operation so far. */
export class Probe {
  readonly features = new Set<string>()
  slowest: Slowest = { msPerKb: 0, operation: 'none', inputBytes: 0 }
  /** Named by {@link slowest}, for whoever runs the cases. */
  hasNewSlowest = false

  /** Forgets the last case, keeps the slowest operation. */
  begin(): void {
    this.features.clear()
    this.hasNewSlowest = false
  }

  /** Notes that something was reached that not every input reaches. */
  reach(feature: string): void {
    this.features.add(feature)
  }

  /** Runs an operation on so many bytes and measures it. The operation must be one that can be repeated. */
  time<T>(operation: string, inputBytes: number, run: () => T): T {
    const began = performance.now()
    const result = run()
    const kilobytes = Math.max(countedBytesMin, inputBytes) / 1024
    const first = (performance.now() - began) / kilobytes
    if (first <= this.slowest.msPerKb) return result
    const msPerKb = this.measureAgain(first, kilobytes, run)
    if (msPerKb > this.slowest.msPerKb) {
      this.slowest = { msPerKb, operation, inputBytes }
      this.hasNewSlowest = true
    }
    if (msPerKb > msPerKbMax) {
      throw new OracleFailure(
        `slow ${operation}`,
        `${msPerKb.toFixed(2)} ms a kilobyte, ${inputBytes} bytes; the limit is ${msPerKbMax}`,
      )
    }
    return result
  }

  private measureAgain(first: number, kilobytes: number, run: () => unknown): number {
    let best = first
    let spentMs = 0
    const runs = Math.max(1, Math.min(runsMax, Math.ceil(batchMs / (first * kilobytes))))
    for (let batch = 0; batch < batchesMax && best > this.slowest.msPerKb && spentMs < repeatsMsMax; batch += 1) {
      const cpu = process.threadCpuUsage()
      const began = performance.now()
      for (let left = runs; left > 0; left -= 1) run()
      const wallMs = performance.now() - began
      const { user, system } = process.threadCpuUsage(cpu)
      // CPU time leaves out the turns of other programs; its clock may be too coarse for less than a batch.
      const ms = wallMs > batchMs / 2 ? Math.min(wallMs, (user + system) / 1000) : wallMs
      best = Math.min(best, ms / runs / kilobytes)
      spentMs += wallMs
    }
    return best
  }
}
