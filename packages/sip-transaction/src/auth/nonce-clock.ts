/**
 * The time that nonces are made and judged by (RFC 7616 §5.4, §5.5): the wall clock, but never going back. Were it to
 * go back, nonces that have been forgotten would be good again, and new ones could not be told from them. Pure.
 */

/** How fast it goes, against the wall clock, while it is ahead of that. */
const slewRate = 0.5

/**
 * One for each verifier. When the wall clock is set back, this one goes on at half the speed until the other has caught
 * up: meanwhile nonces live up to twice as long, and servers that share a secret may call each other's stale.
 */
export class NonceClock {
  private seenMs = 0
  private timeMs = 0

  /**
   * The time of nonces, in milliseconds since the Unix epoch.
   * @param wallMs the wall clock, which may have been set forward or back since the last call
   */
  at(wallMs: number): number {
    const passedMs = wallMs - this.seenMs
    this.seenMs = wallMs
    if (passedMs > 0) this.timeMs = Math.max(wallMs, this.timeMs + passedMs * slewRate)
    return this.timeMs
  }
}
