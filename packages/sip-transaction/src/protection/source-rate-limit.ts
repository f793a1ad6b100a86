/**
 * How many requests one source may send: a bucket of tokens for each IPv4 address or IPv6 /64 network, which forgets a
 * source as soon as its bucket is full again. No RFC says how; RFC 3261 §26.3.2.4 says why. Pure.
 */
import { AgedMap } from '../timers/aged-map'
import { addressGroup } from '../transport/address'

/** What a {@link SourceRateLimit} allows. */
export interface SourceRate {
  /** Tokens that come back each second. */
  readonly requestsPerSecond: number
  /** Tokens of a full bucket: requests that may come at once. */
  readonly burst: number
  /** Sources remembered; over it the one unheard longest is forgotten, which gives it a full bucket. */
  readonly sourcesMax: number
}

interface Bucket {
  tokens: number
  sinceMs: number
}

/** How many entries at the old end are looked at whenever one is used: more than can be added, so that it shrinks. */
const sweepsPerUse = 2

/** Buckets by source, the one unused longest first. */
export class SourceRateLimit {
  private readonly buckets = new AgedMap<string, Bucket>()
  private readonly perMs: number
  private readonly fillMs: number

  constructor(private readonly rate: SourceRate) {
    this.perMs = rate.requestsPerSecond / 1000
    this.fillMs = Math.ceil(rate.burst / this.perMs)
  }

  /** Sources remembered now. */
  get size(): number {
    return this.buckets.size
  }

  /** Takes one token; false when the source has none left. */
  take(address: string, nowMs: number): boolean {
    this.forget(nowMs, sweepsPerUse)
    const group = addressGroup(address)
    const bucket = this.buckets.get(group)
    if (bucket === undefined) {
      this.remember(group, { tokens: this.rate.burst - 1, sinceMs: nowMs })
      return true
    }
    this.refill(bucket, nowMs)
    // Last in the order of use. A source without tokens stays where it is: it is in use anyway.
    this.buckets.set(group, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  /** Gives one token back: the request turned out to be one of somebody known. */
  giveBack(address: string): void {
    const bucket = this.buckets.get(addressGroup(address))
    if (bucket !== undefined) bucket.tokens = Math.min(this.rate.burst, bucket.tokens + 1)
  }

  /** When {@link expire} would next forget a source; `Infinity` when none is remembered. */
  deadline(): number {
    const { oldestValue } = this.buckets
    return oldestValue === undefined ? Number.POSITIVE_INFINITY : oldestValue.sinceMs + this.fillMs
  }

  /** Forgets every source whose bucket is full again. */
  expire(nowMs: number): void {
    this.forget(nowMs, Number.POSITIVE_INFINITY)
  }

  private refill(bucket: Bucket, nowMs: number): void {
    bucket.tokens = Math.min(this.rate.burst, bucket.tokens + (nowMs - bucket.sinceMs) * this.perMs)
    bucket.sinceMs = nowMs
  }

  private remember(group: string, bucket: Bucket): void {
    this.buckets.set(group, bucket)
    if (this.buckets.size > this.rate.sourcesMax) this.buckets.deleteOldest()
  }

  /** An empty bucket unused for so long is full, and a full one is no different from none. */
  private forget(nowMs: number, atMost: number): void {
    for (let left = atMost; left > 0 && this.deadline() <= nowMs; left -= 1) this.buckets.deleteOldest()
  }
}
