/**
 * What is remembered of the DNS, for as long as its answers allow (RFC 1035 §3.2.1, RFC 2308 for what is not there).
 * Bounded in answers and in records; whoever makes peers ask for names cannot make it grow. Pure.
 */
import type { LocateLimits } from '../limits'
import type { DnsAnswer } from '../ports'
import { AgedMap } from '../timers/aged-map'

interface Remembered {
  readonly answer: DnsAnswer<unknown>
  readonly untilMs: number
  readonly cost: number
}

/** Answers by question key. */
export class DnsCache {
  private readonly entries = new AgedMap<string, Remembered>()
  private cost = 0

  constructor(private readonly limits: LocateLimits) {}

  /** How many answers are held. */
  get size(): number {
    return this.entries.size
  }

  /** The records of all answers held, an answer without any counted as none. */
  get records(): number {
    return this.cost
  }

  /** The answer to a question asked before, while it is good. */
  get(key: string, nowMs: number): DnsAnswer<unknown> | undefined {
    const known = this.entries.get(key)
    if (known === undefined) return undefined
    if (known.untilMs <= nowMs) {
      this.delete(key)
      return undefined
    }
    // The newest again: the oldest is the one unused longest.
    this.entries.set(key, known)
    return known.answer
  }

  /** Remembers an answer. */
  set(key: string, answer: DnsAnswer<unknown>, nowMs: number): void {
    this.delete(key)
    const cost = answer.kind === 'found' ? answer.records.length : 0
    this.entries.set(key, { answer, untilMs: nowMs + this.lifetimeMs(answer), cost })
    this.cost += cost
    const { dnsCacheAnswersMax, dnsCacheRecordsMax } = this.limits
    while (this.entries.size > dnsCacheAnswersMax || this.cost > dnsCacheRecordsMax) {
      const { oldestKey } = this.entries
      if (oldestKey === undefined) return
      this.delete(oldestKey)
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.entries.clear()
    this.cost = 0
  }

  private delete(key: string): void {
    const known = this.entries.get(key)
    if (known === undefined) return
    this.cost -= known.cost
    this.entries.delete(key)
  }

  private lifetimeMs(answer: DnsAnswer<unknown>): number {
    const { dnsTtlMsMin, dnsTtlMsMax, dnsTtlMsDefault, dnsNegativeTtlMs, dnsFailureTtlMs } = this.limits
    if (answer.kind === 'failed' || answer.kind === 'timeout') return dnsFailureTtlMs
    const givenMs = answer.ttlSeconds === undefined ? dnsTtlMsDefault : answer.ttlSeconds * 1000
    const ceilingMs = answer.kind === 'found' ? dnsTtlMsMax : Math.min(dnsNegativeTtlMs, dnsTtlMsMax)
    return Math.max(Math.min(Number.isFinite(givenMs) ? givenMs : dnsTtlMsDefault, ceilingMs), dnsTtlMsMin)
  }
}
