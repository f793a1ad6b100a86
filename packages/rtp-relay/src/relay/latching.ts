/**
 * Learning where a peer really is: symmetric RTP (RFC 4961; RFC 7362) with a heuristic that a sprayer of packets cannot
 * win (CVE-2025-53399). A source is ranked by how well it fits what was signalled: 0 equal, 1 same address, 2 same
 * port, 3 other. Rank 0 confirms at once. Otherwise the best source is kept and confirmed when the learning window
 * closes; worse ones are dropped even while learning. After that only the confirmed source is let in.
 *
 * A window that closes with nobody heard leaves the door open for ranks 0 and 1 only: a peer that starts late has an
 * address the signalling knows; for anyone else there is no reason to believe them, until signalling opens the window
 * again.
 */

/** Worse than any rank: nothing heard yet. */
const RANK_NONE = 4
/** The worst rank that may still confirm when the window has closed. */
const RANK_LATE_MAX = 1

/** Bits of the verdict on a packet's source. */
export const verdicts = { DROP: 0, ACCEPT: 1, CONFIRMED: 2 } as const

/** The state of learning. */
export type LearningState = 'unknown' | 'learning' | 'confirmed'

/** Learns the endpoint of one component (RTP or RTCP) of one peer. Pure: time comes in with each call. */
export class EndpointLearning {
  /** Where packets for the peer go: the signalled address, then the best source heard. Empty when unknown. */
  address = ''
  port = 0
  isConfirmed = false

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
    this.isConfirmed = false
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
    this.isConfirmed = false
    this.windowEndMs = nowMs + this.windowMs
    return true
  }

  /** Judges the source of a packet that may teach. Returns bits of {@link verdicts}. */
  receive(address: string, port: number, nowMs: number): number {
    const isPresent = port === this.port && address === this.address
    if (this.isConfirmed) return isPresent ? verdicts.ACCEPT : verdicts.DROP
    if (!this.isExpecting) return verdicts.DROP
    const isOver = nowMs >= this.windowEndMs
    if (isOver && this.bestRank !== RANK_NONE) {
      this.isConfirmed = true
      return isPresent ? verdicts.ACCEPT | verdicts.CONFIRMED : verdicts.CONFIRMED
    }
    const rank = this.rankOf(address, port)
    if (rank > this.rankMax || (isOver && rank > RANK_LATE_MAX)) return verdicts.DROP
    if (rank < this.bestRank) {
      this.address = address
      this.port = port
      this.bestRank = rank
      this.isConfirmed = rank === 0 || isOver
      return this.isConfirmed ? verdicts.ACCEPT | verdicts.CONFIRMED : verdicts.ACCEPT
    }
    return isPresent ? verdicts.ACCEPT : verdicts.DROP
  }

  /** True when that source has been heard and is the present one; teaches nothing. */
  isPresentSource(address: string, port: number): boolean {
    return this.bestRank !== RANK_NONE && port === this.port && address === this.address
  }

  /** When a heard source will be confirmed; Infinity when nothing is due. */
  deadline(): number {
    return this.isConfirmed || this.bestRank === RANK_NONE ? Number.POSITIVE_INFINITY : this.windowEndMs
  }

  /** Confirms the best source when the window has closed; true when it did so now. */
  expire(nowMs: number): boolean {
    if (nowMs < this.deadline()) return false
    this.isConfirmed = true
    return true
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
