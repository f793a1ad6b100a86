/** When a registration is refreshed, and when it is tried again: RFC 3261 §10.2.4, RFC 5626 §4.5. Pure. */

/** Longer than a REGISTER that nobody answers takes to fail (64·T1), twice: it may have to go to another server. */
const refreshMarginMs = 64_000

/** How long a flow must have been up for its end to count as the first failure (RFC 5626 §4.5). */
export const stableMs = 120_000

/** The first attempt after a stable flow broke: soon, but not with everybody else's. */
const afterLossMs = 4_000

/**
 * How long after a 2xx the next REGISTER goes out: a tenth of the time before the end, 64 seconds at least, but never
 * before half of it.
 * @param fraction chance, 0 to 1: registrations that began together do not stay together
 */
export function refreshDelayMs(grantedMs: number, leastMs: number, fraction: number): number {
  const margin = Math.min(grantedMs / 2, Math.max(refreshMarginMs, grantedMs / 10) * (1 + fraction / 4))
  return Math.max(leastMs, grantedMs - margin)
}

/** What the wait after a failure depends on. */
export interface RetryFacts {
  /** Failures in a row, this one included. */
  readonly failures: number
  /** Whether another flow of the registration is up: then there is less of a hurry. */
  readonly isOtherUp: boolean
  /** What Retry-After asked for. */
  readonly askedMs: number | undefined
  /** True when a flow that had been up for long broke, or a server that had answered no longer does. */
  readonly wasStable: boolean
  readonly baseMs: number
  readonly mostMs: number
}

/** RFC 5626 §4.5: between half and the whole of a bound that doubles with each failure; Retry-After where it asks for more. */
export function retryDelayMs(facts: RetryFacts, fraction: number): number {
  const { failures, isOtherUp, askedMs = 0, wasStable, baseMs, mostMs } = facts
  if (wasStable && failures <= 1 && askedMs === 0) return afterLossMs * (0.1 + 0.9 * fraction)
  const base = isOtherUp ? 3 * baseMs : baseMs
  const bound = Math.min(mostMs, base * 2 ** Math.min(failures - 1, 20))
  return Math.max(Math.min(askedMs, mostMs), bound * (0.5 + fraction / 2))
}
