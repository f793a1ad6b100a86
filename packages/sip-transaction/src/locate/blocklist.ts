/**
 * Servers that failed a moment ago (RFC 3263 §4.3) or asked to be left alone (RFC 3261 §21.5.4, Retry-After). They are
 * tried last, never not at all: a stale entry costs time but no call. Bounded, and every entry expires. Pure.
 */
import type { LocateLimits } from '../limits'
import type { FlowAddress } from '../ports'
import { AgedMap } from '../timers/aged-map'
import type { Candidate } from './plan'

/** Blocked servers by transport, address and port. */
export class Blocklist {
  private readonly until = new AgedMap<string, number>()

  constructor(private readonly limits: LocateLimits) {}

  /** How many servers are held, some of them perhaps no longer blocked. */
  get size(): number {
    return this.until.size
  }

  /** Blocks a server for the time of the limits, or as long as it asks for, up to a limit. Never shortens a block. */
  block(address: FlowAddress, nowMs: number, forMs: number = this.limits.blockedServerMs): void {
    const key = keyOf(address)
    const untilMs = nowMs + Math.min(forMs, this.limits.blockedServerMsMax)
    const before = this.until.get(key) ?? 0
    this.until.set(key, Math.max(before, untilMs))
    while (
      this.until.size > this.limits.blockedServersMax ||
      (this.until.oldestValue ?? Number.POSITIVE_INFINITY) <= nowMs
    )
      this.until.deleteOldest()
  }

  /** The server has answered: it is in order again. */
  clear(address: FlowAddress): void {
    if (this.until.size > 0) this.until.delete(keyOf(address))
  }

  /** True while the server is to be tried last. */
  isBlocked(address: FlowAddress, nowMs: number): boolean {
    if (this.until.size === 0) return false
    const key = keyOf(address)
    const untilMs = this.until.get(key)
    if (untilMs === undefined) return false
    if (untilMs > nowMs) return true
    this.until.delete(key)
    return false
  }

  /** The candidates with the blocked ones at the end, otherwise in their order. */
  order(candidates: readonly Candidate[], nowMs: number): readonly Candidate[] {
    if (this.until.size === 0 || candidates.length < 2) return candidates
    const blocked = candidates.filter(({ address }) => this.isBlocked(address, nowMs))
    if (blocked.length === 0) return candidates
    return [...candidates.filter((candidate) => !blocked.includes(candidate)), ...blocked]
  }
}

function keyOf({ transport, address, port }: FlowAddress): string {
  return `${transport} ${address} ${port}`
}
