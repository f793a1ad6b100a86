/** How a stack defends itself: the options of docs/guides/protection.md. */
import type { LoadProbe } from '../ports'
import type { ScannerOptions } from '../protection/scanner-filter'

/** What a stack does about too much, and about who means no good. */
export interface ProtectionOptions {
  /**
   * What happens to requests of programs that look for SIP servers: `answer`, the default, treats them like any other;
   * `drop` leaves those that say who they are without an answer. Options drop those that they describe as well.
   */
  readonly scanners?: 'answer' | 'drop' | ScannerOptions
  /** How many requests one source may send. None by default: behind one address there may be a trunk, or a city. */
  readonly rateLimit?: RateLimitOptions
  /** Overload control, or false for none: then nothing but the caps holds. On by default. */
  readonly overload?: OverloadOptions | false
}

/**
 * A limit for each IPv4 address or IPv6 /64 network. It counts requests outside of the dialogs that there are. A REGISTER
 * without credentials is none of them, and a request whose credentials proved right is given back.
 */
export interface RateLimitOptions {
  /** Requests each second, in the long run; default 100. */
  readonly requestsPerSecond?: number
  /** Requests at once; default 1000. */
  readonly burst?: number
  /** What is over the limit gets 503 with Retry-After (`refuse`, the default), or nothing (`drop`). */
  readonly action?: 'refuse' | 'drop'
  /** Sources without a limit: IP addresses, or networks as in `192.0.2.0/24` and `2001:db8::/32`. */
  readonly exempt?: readonly string[]
}

/** Overload control (RFC 7339). */
export interface OverloadOptions {
  /**
   * Offers overload control in the Via of every request, and sends fewer requests to next hops that ask for that. Default
   * false: few next hops take part, and some old ones cannot read the parameters.
   */
  readonly offer?: boolean
  /** Tells clients that offer it how much less they should send. Default true. */
  readonly feedback?: boolean
  /** What measures the delay of the event loop; Node's own by default, nothing under a clock of your own. */
  readonly probe?: LoadProbe
}
