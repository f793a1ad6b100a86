/**
 * Datagrams that came when their turn of the event loop had had its share of work: they wait for the next ones, in order
 * and under a cap. Streams wait by themselves, unread.
 */
import type { ProtectionLimits } from '../../limits'
import type { Flow, Turns } from '../../ports'

/** Takes over what cannot be worked on at once. */
export class IngressQueue {
  private waiting = 0
  private waitingBytes = 0
  private longestMs = 0

  constructor(
    private readonly turns: Turns | undefined,
    private readonly limits: Pick<ProtectionLimits, 'ingressQueueMax' | 'ingressQueueBytesMax'>,
    private readonly nowMs: () => number,
  ) {}

  /** How many datagrams wait. */
  get size(): number {
    return this.waiting
  }

  /** How full the queue is, 0 to 1. */
  get fill(): number {
    return this.waiting / this.limits.ingressQueueMax
  }

  /** Whether a message of that flow has to wait. What waits already comes first, even if there is time again. */
  mustWait(flow: Flow): boolean {
    if (this.turns === undefined || flow.isReliable) return false
    return this.waiting > 0 || !this.turns.hasTime()
  }

  /** Calls `work` in a later turn; false, and never, when too much waits already. */
  push(bytes: Uint8Array, work: () => void): boolean {
    const { ingressQueueMax, ingressQueueBytesMax } = this.limits
    const size = bytes.length
    if (this.waiting >= ingressQueueMax || this.waitingBytes + size > ingressQueueBytesMax) return false
    const sinceMs = this.nowMs()
    this.waiting += 1
    this.waitingBytes += size
    this.turns?.later(() => {
      this.waiting -= 1
      this.waitingBytes -= size
      this.longestMs = Math.max(this.longestMs, this.nowMs() - sinceMs)
      work()
    })
    return true
  }

  /** How long the slowest datagram has waited since the last call, in milliseconds. */
  takeLongestMs(): number {
    const { longestMs } = this
    this.longestMs = 0
    return longestMs
  }
}
