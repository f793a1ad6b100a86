/** A clock that stands still until a test moves it. */
import type { Clock, ScheduledWake } from '../ports'

/** Taken at load time, so that a test framework's own fake timers do not stop this clock. */
const nextTurn = setImmediate

/** A moment without meaning: 2030-01-01T00:00:00Z. */
const WALL_START_MS = 1_893_456_000_000

interface Wake extends ScheduledWake {
  readonly atMs: number
  readonly order: number
  readonly wake: () => void
  isCancelled: boolean
}

/** {@link Clock} under a test's control. Wakes run in due order; those due together, in the order they were asked for. */
export class FakeClock implements Clock {
  private nowMs: number
  private wallOffsetMs: number
  private order = 0
  private scheduled = 0
  /** A binary heap with the earliest wake first. */
  private readonly heap: Wake[] = []

  /**
   * @param startMs the monotonic clock at the beginning
   * @param wallMs the wall clock at the beginning
   */
  constructor(startMs = 0, wallMs = WALL_START_MS) {
    this.nowMs = startMs
    this.wallOffsetMs = wallMs - startMs
  }

  monotonicMs(): number {
    return this.nowMs
  }

  wallMs(): number {
    return this.nowMs + this.wallOffsetMs
  }

  /** Sets the wall clock, as an administrator or NTP does; the monotonic clock does not notice. */
  setWall(wallMs: number): void {
    this.wallOffsetMs = wallMs - this.nowMs
  }

  schedule(atMs: number, wake: () => void): ScheduledWake {
    this.order += 1
    this.scheduled += 1
    const entry: Wake = {
      atMs,
      order: this.order,
      wake,
      isCancelled: false,
      cancel: () => {
        if (entry.isCancelled) return
        entry.isCancelled = true
        this.scheduled -= 1
      },
    }
    this.push(entry)
    return entry
  }

  /** How many wakes are waiting. */
  get pending(): number {
    return this.scheduled
  }

  /** When the next wake is due; `Infinity` when none waits. */
  nextWakeMs(): number {
    this.dropCancelled()
    return this.heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  /**
   * Moves time on and runs everything that falls due, each at its own moment; after each wake, and before the first,
   * promises settle. Resolves when time stands at its new place and nothing more happens there.
   */
  async advance(ms: number): Promise<void> {
    const targetMs = this.nowMs + ms
    await settle()
    while (this.nextWakeMs() <= targetMs) {
      this.runNext()
      await settle()
    }
    this.nowMs = Math.max(this.nowMs, targetMs)
  }

  /** The same at once, for code without promises. */
  advanceSync(ms: number): void {
    const targetMs = this.nowMs + ms
    while (this.nextWakeMs() <= targetMs) this.runNext()
    this.nowMs = Math.max(this.nowMs, targetMs)
  }

  /** Runs the next wake at its moment; false when there is none. */
  runNext(): boolean {
    this.dropCancelled()
    const wake = this.pop()
    if (wake === undefined) return false
    wake.isCancelled = true
    this.scheduled -= 1
    this.nowMs = Math.max(this.nowMs, wake.atMs)
    wake.wake()
    return true
  }

  private dropCancelled(): void {
    while (this.heap[0]?.isCancelled) this.pop()
  }

  private push(wake: Wake): void {
    const { heap } = this
    let index = heap.length
    heap.push(wake)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(wake, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = wake
  }

  private pop(): Wake | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

function isBefore(left: Wake, right: Wake): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order)
}

/** Lets every promise that can settle do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve)
  })
}
