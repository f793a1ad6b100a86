/**
 * Learning where a peer really is: symmetric RTP (RFC 4961; RFC 7362) with a heuristic that a sprayer of packets cannot
 * win (CVE-2025-53399). A source is ranked by how well it fits what was signalled: 0 equal, 1 same address, 2 same
 * port, 3 other. Rank 0 confirms at once. Otherwise the best source is kept and confirmed when the learning window
 * closes; worse ones are dropped even while learning. After that only the confirmed source is let in.
 *
 * A window that closes with nobody heard leaves the door open for ranks 0 and 1 only: a peer that starts late has an
 * address the signalling knows; for anyone else there is no reason to believe them, until signalling opens the window
 * again.
 *
 * That is the mode `heuristic`. The others trade safety for something else: `immediate` lets the first source win,
 * `delayed` decides nothing before the window closes, `off` learns nothing at all.
 */
import { handoverIntervalMs } from '../limits'

/** Worse than any rank: nothing heard yet. */
const RANK_NONE = 4
/** The worst rank that may still confirm when the window has closed. */
const RANK_LATE_MAX = 1

/** Bits of the verdict on a packet's source. */
export const verdicts = { DROP: 0, ACCEPT: 1, CONFIRMED: 2 } as const

/** The state of learning. */
export type LearningState = 'unknown' | 'learning' | 'confirmed'

/**
 * How a peer's endpoint is learned: `heuristic` by rank, at once where it was signalled; `immediate` from the first
 * packet of an acceptable source; `delayed` when the window closes, the best rank and then the latest; `off` never, the
 * SDP is believed.
 */
export type LearningMode = 'heuristic' | 'immediate' | 'delayed' | 'off'

/** How learning goes, and what holds after it. */
export interface LearningPolicy {
  readonly mode: LearningMode
  /** Packets of sources other than the confirmed one are dropped; else let in, but nothing is ever sent there. */
  readonly isStrictSource: boolean
  /** A source of at least the same rank may take the place of the confirmed one. */
  readonly isHandoverAllowed: boolean
}

/** The same object when nothing changes: calls share it. */
function changed(policy: LearningPolicy, change: Partial<LearningPolicy>): LearningPolicy {
  const made = { ...policy, ...change }
  const isSame =
    made.mode === policy.mode &&
    made.isStrictSource === policy.isStrictSource &&
    made.isHandoverAllowed === policy.isHandoverAllowed
  return isSame ? policy : made
}

const defaultPolicy: LearningPolicy = { mode: 'heuristic', isStrictSource: true, isHandoverAllowed: false }

/** Learns the endpoint of one component (RTP or RTCP) of one peer. Pure: time comes in with each call. */
export class EndpointLearning {
  /** Where packets for the peer go: the signalled address, then the best source heard. Empty when unknown. */
  address = ''
  port = 0
  isConfirmed = false
  /** Confirmed, and no other source can change that or be let in: what the packet path asks first. */
  isPinned = false

  private policy = defaultPolicy
  private confirmedMs = 0
  private expectedAddress = ''
  private expectedPort = 0
  private alternativeAddress = ''
  private isExpecting = false
  private bestRank = RANK_NONE
  private windowEndMs = Number.NEGATIVE_INFINITY

  /** `rankMax`: sources of a worse rank are never learned. */
  constructor(
    private readonly windowMs: number,
    private readonly rankMax: number,
  ) {}

  /** Where learning stands. */
  get state(): LearningState {
    if (this.isConfirmed) return 'confirmed'
    return this.isExpecting ? 'learning' : 'unknown'
  }

  /** Rank of the present source; undefined before any source was heard. */
  get rank(): number | undefined {
    return this.bestRank === RANK_NONE ? undefined : this.bestRank
  }

  /**
   * Says how to learn from now on; what is absent stays as it was. Another mode makes the next `signal` start anew.
   * Returns true when other sources than the confirmed one are to be heard again.
   */
  adopt(change: Partial<LearningPolicy>): boolean {
    const policy = changed(this.policy, change)
    if (policy.mode !== this.policy.mode) this.isExpecting = false
    const wasPinned = this.isPinned
    this.policy = policy
    this.isPinned = this.isConfirmed && this.isExclusive
    return wasPinned && !this.isPinned
  }

  /**
   * Signalling says where the peer is. `address` is in canonical form, empty when it cannot be known (a host name).
   * `alternative` is a further address of the same peer, such as where its signalling came from. Returns true when
   * this is news, so that learning starts anew; the same endpoint again changes nothing that is confirmed.
   */
  signal(address: string, port: number, alternative: string, nowMs: number): boolean {
    this.alternativeAddress = alternative
    if (this.isExpecting && address === this.expectedAddress && port === this.expectedPort) {
      this.touch(nowMs)
      return false
    }
    this.isExpecting = true
    this.expectedAddress = address
    this.expectedPort = port
    this.address = address
    this.port = port
    this.doubt()
    this.bestRank = RANK_NONE
    this.windowEndMs = nowMs + this.windowMs
    return true
  }

  /** Signalling of the same call with no news for this peer: an open question stays open for another window. */
  touch(nowMs: number): void {
    if (this.isExpecting && !this.isConfirmed) this.windowEndMs = nowMs + this.windowMs
  }

  /**
   * Asks again about a peer that was confirmed elsewhere than signalled: a better source may still take over, the
   * present one stays meanwhile. For the time before a call is set up, when a stranger may have been first because the
   * peer had no reason to send yet. Returns true when the source is no longer confirmed.
   */
  reopen(nowMs: number): boolean {
    if (!this.isConfirmed || this.bestRank === 0) return false
    this.doubt()
    this.windowEndMs = nowMs + this.windowMs
    return true
  }

  /** Judges the source of a packet that may teach. Returns bits of {@link verdicts}. */
  receive(address: string, port: number, nowMs: number): number {
    const isPresent = port === this.port && address === this.address
    if (this.isConfirmed) return isPresent ? verdicts.ACCEPT : this.receiveOther(address, port, nowMs)
    if (!this.isExpecting) return verdicts.DROP
    const isOver = nowMs >= this.windowEndMs
    if (isOver && this.bestRank !== RANK_NONE) {
      this.confirm(nowMs)
      return (isPresent ? verdicts.ACCEPT : this.verdictOnOthers) | verdicts.CONFIRMED
    }
    const { mode } = this.policy
    const rank = this.rankOf(address, port)
    if (mode === 'off' && rank > 0) return this.verdictOnOthers
    if (rank > this.rankMax || (isOver && rank > RANK_LATE_MAX)) return verdicts.DROP
    const isTaken = rank < this.bestRank || (mode === 'delayed' && rank === this.bestRank)
    if (!isTaken && !isPresent) return verdicts.DROP
    if (isTaken) this.take(address, port, rank)
    if (!isOver && !isEnough(mode, rank)) return verdicts.ACCEPT
    this.confirm(nowMs)
    return verdicts.ACCEPT | verdicts.CONFIRMED
  }

  /** True when that source has been heard and is the present one; teaches nothing. */
  isPresentSource(address: string, port: number): boolean {
    return this.bestRank !== RANK_NONE && port === this.port && address === this.address
  }

  /** When a heard source will be confirmed; Infinity when nothing is due. */
  deadline(): number {
    return this.isConfirmed || this.bestRank === RANK_NONE ? Number.POSITIVE_INFINITY : this.windowEndMs
  }

  /** True for sources that are let in though they are not the present one, which is so only once that is known. */
  isOpenToOthers(): boolean {
    return !this.policy.isStrictSource && (this.isConfirmed || (this.isExpecting && this.policy.mode === 'off'))
  }

  /** Confirms the best source when the window has closed; true when it did so now. */
  expire(nowMs: number): boolean {
    if (nowMs < this.deadline()) return false
    this.confirm(nowMs)
    return true
  }

  /** A packet of another source than the confirmed one. */
  private receiveOther(address: string, port: number, nowMs: number): number {
    if (this.policy.isHandoverAllowed && nowMs - this.confirmedMs >= handoverIntervalMs) {
      const rank = this.rankOf(address, port)
      if (rank <= this.bestRank) {
        this.take(address, port, rank)
        this.confirm(nowMs)
        return verdicts.ACCEPT | verdicts.CONFIRMED
      }
    }
    return this.verdictOnOthers
  }

  private get verdictOnOthers(): number {
    return this.policy.isStrictSource ? verdicts.DROP : verdicts.ACCEPT
  }

  private get isExclusive(): boolean {
    return this.policy.isStrictSource && !this.policy.isHandoverAllowed
  }

  private take(address: string, port: number, rank: number): void {
    this.address = address
    this.port = port
    this.bestRank = rank
  }

  private confirm(nowMs: number): void {
    this.isConfirmed = true
    this.isPinned = this.isExclusive
    this.confirmedMs = nowMs
  }

  private doubt(): void {
    this.isConfirmed = false
    this.isPinned = false
  }

  private rankOf(address: string, port: number): number {
    // A link-local source comes with its zone, which no SDP can carry.
    const zone = address.indexOf('%')
    const bare = zone < 0 ? address : address.slice(0, zone)
    const isKnownAddress = (bare === this.expectedAddress || bare === this.alternativeAddress) && bare !== ''
    if (bare === this.expectedAddress && port === this.expectedPort) return 0
    if (isKnownAddress) return 1
    return port === this.expectedPort ? 2 : 3
  }
}

/** True when one packet of a source of that rank confirms it. */
function isEnough(mode: LearningMode, rank: number): boolean {
  return mode === 'immediate' || (mode !== 'delayed' && rank === 0)
}
