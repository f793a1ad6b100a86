/**
 * Counts wrong passwords and says when enough is enough. Only credentials that were tried and found wrong count: a
 * request without any, or with a nonce that is too old, never does. The window is short, because the source of a
 * datagram can be forged. Pure.
 */

/** The caps of a {@link LoginGuard}. */
export interface LoginGuardLimits {
  readonly sourcesMax: number
  readonly failuresPerUserMax: number
  readonly failuresPerAddressMax: number
  readonly windowMs: number
}

interface Tally {
  failures: number
  untilMs: number
}

/** Remembers failed logins for a while, for a bounded number of sources. */
export class LoginGuard {
  private readonly byUser = new Map<string, Tally>()
  private readonly byAddress = new Map<string, Tally>()

  constructor(private readonly limits: LoginGuardLimits) {}

  /** True when this user at this address, or this address as a whole, has failed too often of late. */
  isBlocked(address: string, username: string, nowMs: number): boolean {
    const { failuresPerUserMax, failuresPerAddressMax } = this.limits
    return (
      failuresOf(this.byUser, userKey(address, username), nowMs) >= failuresPerUserMax ||
      failuresOf(this.byAddress, address, nowMs) >= failuresPerAddressMax
    )
  }

  /** A password was tried and was wrong, or the user does not exist. */
  failed(address: string, username: string, nowMs: number): void {
    this.count(this.byUser, userKey(address, username), nowMs)
    this.count(this.byAddress, address, nowMs)
  }

  /** The user logged in: earlier mistakes at this address are forgotten. */
  succeeded(address: string, username: string): void {
    this.byUser.delete(userKey(address, username))
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.byUser.size + this.byAddress.size
  }

  private count(map: Map<string, Tally>, key: string, nowMs: number): void {
    const known = map.get(key)
    if (known && known.untilMs > nowMs) {
      known.failures++
      return
    }
    map.delete(key)
    if (map.size >= this.limits.sourcesMax) {
      // The oldest window: a Map keeps the order in which windows began.
      for (const oldest of map.keys()) {
        map.delete(oldest)
        break
      }
    }
    map.set(key, { failures: 1, untilMs: nowMs + this.limits.windowMs })
  }
}

function failuresOf(map: ReadonlyMap<string, Tally>, key: string, nowMs: number): number {
  const known = map.get(key)
  return known && known.untilMs > nowMs ? known.failures : 0
}

function userKey(address: string, username: string): string {
  return `${address} ${username.slice(0, 64)}`
}
