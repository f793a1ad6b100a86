/** Timeouts that all last equally long: kept in the order they were started, which is the order they are due. Pure. */
import { AgedMap } from '../timers/aged-map'

/** Items under one constant timeout. Starting, stopping and restarting cost the same however many there are. */
export class TimeoutQueue<T> {
  /** The order of age is due order, because the delay is constant and the clock does not run backwards. */
  private readonly due = new AgedMap<T, number>()

  constructor(private readonly delayMs: number) {}

  /** Number of items waiting. */
  get size(): number {
    return this.due.size
  }

  /** Starts the timeout of an item, anew when it was running. */
  start(item: T, nowMs: number): void {
    this.due.set(item, nowMs + this.delayMs)
  }

  /** Starts the timeout of an item unless it is running. */
  startOnce(item: T, nowMs: number): void {
    if (!this.due.has(item)) this.due.set(item, nowMs + this.delayMs)
  }

  /** Forgets an item. */
  stop(item: T): void {
    this.due.delete(item)
  }

  /** When the next item is due; Infinity when none is. */
  deadline(): number {
    return this.due.oldestValue ?? Number.POSITIVE_INFINITY
  }

  /** Takes out every item that is due and hands it over, in due order. */
  expire(nowMs: number, handle: (item: T) => void): void {
    for (;;) {
      const { oldestKey: item, oldestValue: atMs } = this.due
      if (item === undefined || atMs === undefined || atMs > nowMs) return
      this.due.deleteOldest()
      handle(item)
    }
  }
}
