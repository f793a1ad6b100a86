/**
 * Durations of the timers, by their RFC letters: RFC 3261 §17 table 4 (A–K), §16.6 (C), RFC 6026 §8.6 (L, M),
 * RFC 6665 §4.1.2.4 (N), and those that the RFCs describe without naming.
 */

/** Durations in milliseconds. The keys are the RFC's own names of the timers. */
export interface TimerSettings {
  /** Estimate of the round-trip time. */
  readonly T1: number
  /** Longest interval between retransmissions of a non-INVITE request or an INVITE response. */
  readonly T2: number
  /** Longest time a message stays in the network. */
  readonly T4: number
  /** First interval between retransmissions of an INVITE; doubles (unreliable transports only). */
  readonly A: number
  /** How long an INVITE waits for any response. */
  readonly B: number
  /** How long an INVITE may stay with provisional responses only; each one but 100 starts it again (§16.6, §16.8). */
  readonly C: number
  /** How long retransmissions of a failure response to an INVITE are answered with ACK (unreliable only). */
  readonly D: number
  /** First interval between retransmissions of a non-INVITE request; doubles up to T2 (unreliable only). */
  readonly E: number
  /** How long a non-INVITE request waits for its final response. */
  readonly F: number
  /** First interval between retransmissions of a failure response to an INVITE; doubles up to T2 (unreliable only). */
  readonly G: number
  /** How long a failure response to an INVITE waits for its ACK. */
  readonly H: number
  /** How long retransmitted ACKs are absorbed (unreliable only). */
  readonly I: number
  /** How long retransmissions of a non-INVITE request are answered (unreliable only). */
  readonly J: number
  /** How long retransmissions of a non-INVITE response are absorbed (unreliable only). */
  readonly K: number
  /** How long retransmissions of an INVITE answered with 2xx are absorbed (RFC 6026). */
  readonly L: number
  /** How long 2xx responses to an INVITE are accepted after the first (RFC 6026). */
  readonly M: number
  /** How long a subscriber waits for the first NOTIFY (RFC 6665). */
  readonly N: number
  /** How long the TU may be silent before an INVITE is answered 100 (§17.2.1: 200 ms). */
  readonly inviteTrying: number
  /** The same for other requests: the time after which timer E of the client stands at T2 (RFC 4320 §4.1). */
  readonly nonInviteTrying: number
  /** How long the TU may take to answer a request other than INVITE; its client has given up by then (RFC 4320 §4.2). */
  readonly unanswered: number
  /** How long an INVITE waits for its final response after CANCEL (§9.1). */
  readonly cancelled: number
  /** How long the TU may take to answer an INVITE that has been cancelled; less, so that 487 still finds the client. */
  readonly cancelledAnswer: number
}

/** A duration that may be changed one by one. */
export type TimerName = keyof TimerSettings

/** More than three minutes, as §16.6 asks of timer C. */
const TIMER_C_MS = 190_000

/**
 * Completes settings: what is not given is derived from T1, T2 and T4 as the RFCs say (500, 4000 and 5000 by default).
 * C may be `Infinity`, which switches it off.
 * @throws RangeError when a duration is negative or no number, or when T1, T2, T4, A, E or G is not above zero.
 */
export function deriveTimers(given: Partial<TimerSettings> = {}): TimerSettings {
  const { T1 = 500, T2 = 4000, T4 = 5000 } = given
  const longMs = 64 * T1
  const defaults: TimerSettings = {
    T1,
    T2,
    T4,
    A: T1,
    B: longMs,
    C: TIMER_C_MS,
    D: longMs,
    E: T1,
    F: longMs,
    G: T1,
    H: longMs,
    I: T4,
    J: longMs,
    K: T4,
    L: longMs,
    M: longMs,
    N: longMs,
    inviteTrying: 200,
    nonInviteTrying: timeUntilT2(given.E ?? T1, T2),
    unanswered: longMs,
    cancelled: longMs,
    cancelledAnswer: longMs / 2,
  }
  const settings = { ...defaults, ...withoutUndefined(given) }
  for (const name of Object.keys(settings) as TimerName[]) check(name, settings[name])
  return settings
}

const ABOVE_ZERO: ReadonlySet<TimerName> = new Set(['T1', 'T2', 'T4', 'A', 'E', 'G'])

function check(name: TimerName, durationMs: number): void {
  const isValid = durationMs >= 0 && (Number.isFinite(durationMs) || name === 'C')
  // An interval of zero would retransmit for ever within one instant.
  if (!isValid || (durationMs === 0 && ABOVE_ZERO.has(name))) {
    throw new RangeError(`Timer ${name} cannot be ${durationMs} ms.`)
  }
}

function withoutUndefined(given: Partial<TimerSettings>): Partial<TimerSettings> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** The moment at which an interval that begins at `firstMs` and doubles at each firing is reset to T2. */
function timeUntilT2(firstMs: number, t2Ms: number): number {
  let elapsedMs = 0
  for (let intervalMs = firstMs; intervalMs < t2Ms && intervalMs > 0; intervalMs *= 2) elapsedMs += intervalMs
  return elapsedMs
}
