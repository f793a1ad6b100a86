/** Every cap and period of the relay. A caller changes them with the option `limits` of createRelay. */

/** The caps and periods, one dimension each. */
export interface RelayLimits {
  /** Sessions open at once; SESSION_LIMIT over it. */
  readonly sessionsMax: number
  /** Media of one session; SDP_TOO_MANY_MEDIA over it. */
  readonly mediaPerSessionMax: number
  /** Offers and answers of one session that wait for their turn; TOO_MANY_PENDING over it. */
  readonly pendingOperationsMax: number
  /** Port pairs tried for one leg before PORTS_EXHAUSTED: other programs may hold ports of the range. */
  readonly bindAttemptsMax: number
  /** How long after the last signalling a source other than the signalled one may still be learned. */
  readonly learningWindowMs: number
  /** How long a port rests between two sessions, so that late packets of the first never reach the second. */
  readonly portQuarantineMs: number
  /** An answered session without an accepted packet for so long, and not on hold, ends; 0 means never. Before the first packet `offerTimeoutMs` holds where it is longer. */
  readonly silenceTimeoutMs: number
  /** A session whose offer has not been answered for so long ends; 0 means never. */
  readonly offerTimeoutMs: number
  /** How often sessions are checked for their timeouts; timeouts are late by this much at most. */
  readonly livenessIntervalMs: number
}

/** The limits that hold when none are given. */
export const defaultRelayLimits: RelayLimits = {
  sessionsMax: 10_000,
  mediaPerSessionMax: 16,
  pendingOperationsMax: 16,
  bindAttemptsMax: 64,
  learningWindowMs: 3_000,
  portQuarantineMs: 5_000,
  silenceTimeoutMs: 60_000,
  offerTimeoutMs: 240_000,
  livenessIntervalMs: 1_000,
}

/** A jump forward of more sequence numbers than this restarts loss counting (RFC 3550 appendix A.1, MAX_DROPOUT). */
export const sequenceDropoutMax = 3_000
/** A packet late by more sequence numbers than this restarts loss counting (RFC 3550 appendix A.1, MAX_MISORDER). */
export const sequenceMisorderMax = 100
/** Sequence numbers remembered for telling duplicates from late packets; a power of two above sequenceMisorderMax. */
export const sequenceHistory = 128
/** A change of transit time over this is a new time base of the sender, not jitter. */
export const transitJumpMaxMs = 5_000
