/**
 * Decides how much of what comes in is refused so that the rest is served in time: the server side of overload control by
 * loss (RFC 7339 §5, §7). Fed with how long work waits and how full the tables are; asked about each request. Pure.
 */
import { KeyedHash } from '../transaction/keyed-hash'
import type { RequestClass } from './request-class'

/** Settings of an {@link OverloadController}. */
export interface OverloadSettings {
  /** Work that waits longer than this is overload; with less than half of it for a while, it is over. */
  readonly delayMs: number
  /** How often the load is looked at. */
  readonly intervalMs: number
}

/** The load at one moment. */
export interface Load {
  /** How long work waits, in milliseconds. */
  readonly delayMs: number
  /** How full the fullest table is, 0 to 1. */
  readonly occupancy: number
}

/** How much the reduction rises and falls in one interval. */
const [riseStep, fallStep] = [0.1, 0.05]
/** Tables fuller than this are overload, and are not any more below the other. */
const [occupancyHigh, occupancyLow] = [0.9, 0.7]
/** Full tables are the doing of new calls; up to here nothing else is refused. */
const invitesOnly = 0.5
/** An interval missed because nothing came in counts as quiet; more of them than this make no difference. */
const missedMax = 64

/**
 * Which part of each class is refused at a given reduction: all new calls before anything else, and of what is left
 * registrations last, for phones that lose theirs come back all at once.
 */
const shares: Readonly<Record<RequestClass, (reduction: number) => number>> = {
  invite: (reduction) => Math.min(1, 2 * reduction),
  other: (reduction) => 4 * reduction - 2,
  register: (reduction) => 4 * reduction - 3,
  kept: () => 0,
}

/** One controller for one stack. */
export class OverloadController {
  private current = 0
  private observedMs = Number.NEGATIVE_INFINITY
  private readonly hash: KeyedHash

  /** @param key eight unpredictable bytes: who is refused must not be for the sender to choose */
  constructor(
    private readonly settings: OverloadSettings,
    key: Uint8Array,
  ) {
    this.hash = new KeyedHash(key)
  }

  /** The part of the traffic to be turned away, 0 to 1: the `oc` value of RFC 7339 §4.1 as a fraction. */
  get reduction(): number {
    return this.current
  }

  /** Whether {@link observe} is due. */
  isDue(nowMs: number): boolean {
    return nowMs - this.observedMs >= this.settings.intervalMs
  }

  /** Takes the load of the interval that ends now. Between overload and its end nothing changes. */
  observe(load: Load, nowMs: number): void {
    const { delayMs, intervalMs } = this.settings
    const missed = Math.floor((nowMs - this.observedMs) / intervalMs) - 1
    this.observedMs = nowMs
    if (missed > 0) this.fall(Math.min(missed, missedMax))
    const isLate = load.delayMs > delayMs
    const isFull = load.occupancy > occupancyHigh
    if (isLate || (isFull && this.current < invitesOnly)) {
      this.current = Math.min(isLate ? 1 : invitesOnly, this.current + riseStep)
    } else if (load.delayMs < delayMs / 2 && load.occupancy < occupancyLow) this.fall(1)
  }

  /**
   * Whether a request of that class is refused. All requests of one Call-ID share their fate while the reduction stays,
   * so that repeating one does not get it through.
   */
  sheds(kind: RequestClass, callId: string): boolean {
    if (this.current === 0) return false
    const share = shares[kind](this.current)
    if (share <= 0) return false
    this.hash.compute(callId)
    return (this.hash.low >>> 0) / 2 ** 32 < share
  }

  private fall(steps: number): void {
    // Rounded, so that steps there and back end at zero.
    this.current = Math.max(0, Math.round((this.current - steps * fallStep) * 100) / 100)
  }
}
