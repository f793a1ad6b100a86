/**
 * Keeps back a part of the requests to next hops that ask for it: the client side of overload control by loss
 * (RFC 7339 §5.3, §5.10, §7.2). Pure.
 */
import { AgedMap } from '../timers/aged-map'
import type { OverloadRequest } from './overload-feedback'

/** What a {@link NextHopThrottle} may remember. */
export interface ThrottleLimits {
  /** Next hops remembered; over it the one that asked longest ago is forgotten. */
  readonly throttledHopsMax: number
  /** The longest time for which a next hop may ask. */
  readonly throttleMsMax: number
}

interface Hop {
  reduction: number
  untilMs: number
  sequence: number
  /** Requests since the last change that may be kept back, and those that may not. */
  ordinary: number
  prior: number
}

/** A change of shares shows within so many requests. */
const countedMax = 256

/** Next hops that have asked for less, each by its transport and address. */
export class NextHopThrottle {
  private readonly hops = new AgedMap<string, Hop>()

  constructor(private readonly limits: ThrottleLimits) {}

  /** Next hops remembered. */
  get size(): number {
    return this.hops.size
  }

  /** A response of that next hop said this. Older news than the last are none (RFC 7339 §5.3). */
  learn(hop: string, asked: OverloadRequest, nowMs: number): void {
    this.forgetOver(nowMs)
    const known = this.hops.get(hop)
    if (known !== undefined && asked.sequence < known.sequence && known.untilMs > nowMs) return
    this.hops.delete(hop)
    if (asked.reduction === 0 || asked.validityMs === 0) return
    const untilMs = nowMs + Math.min(asked.validityMs, this.limits.throttleMsMax)
    const { ordinary = 0, prior = 0 } = known ?? {}
    const { reduction, sequence } = asked
    this.hops.set(hop, { reduction, untilMs, sequence, ordinary, prior })
    if (this.hops.size > this.limits.throttledHopsMax) this.hops.deleteOldest()
  }

  /**
   * Whether a request may go to that next hop now.
   * @param isPrior part of a call that is there already, or of an emergency: never kept back (RFC 7339 §5.10.1)
   * @param fraction a fresh random number in [0, 1)
   */
  admits(hop: string, isPrior: boolean, fraction: number, nowMs: number): boolean {
    const known = this.hops.get(hop)
    if (known === undefined) return true
    if (known.untilMs <= nowMs) {
      this.hops.delete(hop)
      return true
    }
    this.count(known, isPrior)
    if (isPrior) return true
    // What prior requests are spared is taken from the others, so that the whole is what was asked for.
    const share = known.ordinary / (known.ordinary + known.prior)
    return fraction >= known.reduction / share
  }

  /** Those at the old end whose time is over; two a time, which is more than can be added. */
  private forgetOver(nowMs: number): void {
    for (let left = 2; left > 0; left -= 1) {
      const { oldestValue } = this.hops
      if (oldestValue === undefined || oldestValue.untilMs > nowMs) return
      this.hops.deleteOldest()
    }
  }

  private count(hop: Hop, isPrior: boolean): void {
    if (isPrior) hop.prior += 1
    else hop.ordinary += 1
    if (hop.ordinary + hop.prior < countedMax) return
    hop.ordinary /= 2
    hop.prior /= 2
  }
}
