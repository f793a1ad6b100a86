/** Every cap and period of the relay. A caller changes them with the option `limits` of createRelay. */

/** The caps and periods, one dimension each. */
export interface RelayLimits {
  /** Sessions open at once; SESSION_LIMIT over it. */
  readonly sessionsMax: number
  /** Media of one session; SDP_TOO_MANY_MEDIA over it. */
  readonly mediaPerSessionMax: number
  /** Branches of one session at once; TOO_MANY_BRANCHES over it. */
  readonly branchesPerSessionMax: number
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
  /** In an answered call that is not held: one side silent for so long while the other goes on is told; 0 means never. */
  readonly oneWayTimeoutMs: number
  /** A session that lives for so long ends, held or not: the last resort for calls that nobody closes; 0 means never. */
  readonly maxDurationMs: number
  /** How often sessions are checked for their timeouts; timeouts are late by this much at most. */
  readonly livenessIntervalMs: number
}

/** The limits that hold when none are given. */
export const defaultRelayLimits: RelayLimits = {
  sessionsMax: 10_000,
  mediaPerSessionMax: 16,
  branchesPerSessionMax: 16,
  pendingOperationsMax: 16,
  bindAttemptsMax: 64,
  learningWindowMs: 3_000,
  portQuarantineMs: 5_000,
  silenceTimeoutMs: 60_000,
  offerTimeoutMs: 240_000,
  oneWayTimeoutMs: 10_000,
  maxDurationMs: 0,
  livenessIntervalMs: 1_000,
}

/** From how many packets a second on a thread rests between them. */
export const restFromPerSecond = 4_000
/** How long a thread rests after it has read everything there was: what comes meanwhile is late by this much at most. */
export const restMs = 1
/** The longest round trip that RTCP is believed. */
export const roundTripMaxMs = 3_000
/** Tables of formats that are kept for the next call with the same ones. */
export const formatTablesMax = 256
/** Characters of the name of a branch; BRANCH_INVALID over it. */
export const viaBranchCharsMax = 256
/** Crypto attributes of one medium that are looked at. */
export const cryptosPerMediaMax = 32
/** Synchronization sources that one SRTP key may serve at once. */
export const srtpSourcesMax = 64
/** The shortest time between two handovers of one endpoint, so that two sources that both send do not make it swing. */
export const handoverIntervalMs = 1_000
/** How long an interval of the history of quality lasts at first. */
export const qualityIntervalMs = 5_000
/** Intervals of a history of quality, an even number: when all are used, each two become one. */
export const qualityIntervals = 32
/** Bytes of the largest UDP datagram (RFC 768, RFC 791). */
export const datagramBytesMax = 65_507
/** A jump forward of more sequence numbers than this restarts loss counting (RFC 3550 appendix A.1, MAX_DROPOUT). */
export const sequenceDropoutMax = 3_000
/** A packet late by more sequence numbers than this restarts loss counting (RFC 3550 appendix A.1, MAX_MISORDER). */
export const sequenceMisorderMax = 100
/** Sequence numbers remembered for telling duplicates from late packets; a power of two above sequenceMisorderMax. */
export const sequenceHistory = 128
/** A change of transit time over this is a new time base of the sender, not jitter. */
export const transitJumpMaxMs = 5_000
/** Workers of one relay. */
export const workersMax = 256
/** How long a worker has for starting, and for closing before it is ended by force. */
export const workerStartTimeoutMs = 10_000
/** How long a worker has for an answer; WORKER_TIMEOUT after it. */
export const workerRequestTimeoutMs = 5_000
/** How often a worker reports how it stands. */
export const workerReportIntervalMs = 1_000
/** A worker that has missed so many reports in a row is ended and replaced. */
export const workerMissedReportsMax = 15
/** Snapshots that a report carries, of one session after the other, so that a crash leaves a last known one. */
export const workerSnapshotsPerReport = 50
/** The wait before a crashed worker is replaced; doubled at each crash that follows soon. */
export const workerRestartMinMs = 100
/** The longest wait before a crashed worker is replaced. */
export const workerRestartMaxMs = 30_000
/** A worker that has run for so long counts as sound: its next crash is its first. */
export const workerSoundAfterMs = 60_000
/** Packets of one tap that wait for their listener; further ones are dropped and counted. */
export const tapPacketsMax = 256
/** How often a worker hands over tapped packets. */
export const tapIntervalMs = 20
/** Events of one telephone-event packet (RFC 4733 §2.5.1.5); a packet with more is refused. */
export const telephoneEventsPerPacketMax = 16
/** Ended telephone events that are remembered, so that a late packet of one does not repeat it. */
export const telephoneEventHistory = 16
/** A telephone event with no packet for so long has ended: its end was lost, all three times. */
export const telephoneEventTimeoutMs = 300
/** How long after the newest telephone-event packet sequence numbers tell an older one from a newer one. */
export const telephoneEventOrderMs = 10_000
/** The longest telephone event that a sender makes. */
export const telephoneEventDurationMaxMs = 60_000
/** The shortest time between two packets of a telephone event that a sender makes. */
export const telephoneEventIntervalMinMs = 5
