/**
 * Nonce counts that have been used (RFC 7616 §3.4, nc; §5.5 replay), bounded in number and in time. Pure.
 * Only verified requests are recorded, so that a stranger can fill nothing.
 */

/** Counts that may arrive out of order below the highest one seen, as they do over UDP. */
const windowSize = 30

class CountWindow {
  highest = 0
  /** Bit i: the count highest - i has been used. */
  used = 0

  constructor(
    readonly issuedMs: number,
    readonly untilMs: number,
  ) {}
}

/** Remembers the counts used with each nonce. */
export class ReplayWindow {
  /** In the order of first use, so that the first expires first, give or take one lifetime. */
  private readonly windows = new Map<string, CountWindow>()
  /** Nonces issued up to then and not remembered may have been used before. */
  private forgottenUpToMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly noncesMax: number,
    private readonly lifetimeMs: number,
  ) {}

  /** Number of nonces remembered. */
  get size(): number {
    return this.windows.size
  }

  /**
   * Uses a count of a nonce, once.
   * @param count 1 or more; 0 for a peer that sends none, and then the nonce serves once
   * @param issuedMs when the nonce was made, on the wall clock
   * @returns false when the count was used before, or may have been
   */
  use(nonce: string, count: number, issuedMs: number, wallMs: number): boolean {
    this.forgetExpired(wallMs)
    let window = this.windows.get(nonce)
    if (window === undefined) {
      if (issuedMs <= this.forgottenUpToMs) return false
      if (this.windows.size >= this.noncesMax) this.forgetOldest()
      window = new CountWindow(issuedMs, Math.max(issuedMs, wallMs) + this.lifetimeMs)
      this.windows.set(nonce, window)
      window.highest = count
      window.used = 1
      return true
    }
    return useCount(window, count)
  }

  private forgetExpired(wallMs: number): void {
    for (const [nonce, window] of this.windows) {
      if (window.untilMs >= wallMs) return
      this.forget(nonce, window)
    }
  }

  private forgetOldest(): void {
    for (const [nonce, window] of this.windows) {
      this.forget(nonce, window)
      return
    }
  }

  private forget(nonce: string, window: CountWindow): void {
    this.windows.delete(nonce)
    this.forgottenUpToMs = Math.max(this.forgottenUpToMs, window.issuedMs)
  }
}

function useCount(window: CountWindow, count: number): boolean {
  const behind = window.highest - count
  if (behind >= windowSize) return false
  if (behind >= 0) {
    const bit = 1 << behind
    if ((window.used & bit) !== 0) return false
    window.used |= bit
    return true
  }
  window.used = -behind >= windowSize ? 1 : (window.used << -behind) | 1
  window.highest = count
  return true
}
