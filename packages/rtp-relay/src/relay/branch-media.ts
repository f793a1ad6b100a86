/** The media of one branch as a plain object: its streams, what both parties signalled, and when it is over. */
import type { CryptoAttribute } from '@carillon/sip-parser/sdp'
import { formatTable, type PayloadFormat } from './format-table'
import { type Component, type Leg, oppositeOf, type PeerView, type Side } from './leg'
import type { Stream, StreamKind } from './stream'

/** What one SDP says about one medium. */
export interface MediaView {
  readonly media: string
  readonly protocol: string
  /** Undefined when the relay cannot carry the protocol (anything over TCP). */
  readonly kind: StreamKind | undefined
  readonly isRtcpReadable: boolean
  /** The port is 0: not wanted. */
  readonly isRejected: boolean
  readonly isMux: boolean
  readonly cryptos: readonly CryptoAttribute[]
  readonly peer: PeerView
  readonly formats: readonly PayloadFormat[]
}

/** Why the clock ended a session. */
export type TimeoutReason = 'silence' | 'offer' | 'duration'

/** The timeouts of a session in milliseconds; 0 means never. */
export interface SessionTimeouts {
  readonly silenceTimeoutMs: number
  readonly offerTimeoutMs: number
  readonly oneWayTimeoutMs: number
  readonly maxDurationMs: number
}

/** The media state of one branch of a session, which is all of it where nothing forks. Pure: sockets and time are its driver's. */
export class BranchMedia {
  streams: readonly Stream[] = []
  isAnswered = false
  /** A further offer has come after an answer: the call was set up before it. */
  private isEstablished = false
  lastSignalMs: number
  private checkedMs: number
  /** When it was last known to be one branch of several. */
  private undecidedMs = Number.NEGATIVE_INFINITY
  /** The offer that waits for its answer. */
  private pending: { readonly from: Side; readonly views: readonly MediaView[] } | undefined

  constructor(nowMs: number) {
    this.lastSignalMs = nowMs
    this.checkedMs = nowMs
  }

  /** The side whose offer waits for an answer. */
  get offerer(): Side | undefined {
    return this.pending?.from
  }

  /** What the waiting offer said about the medium at an index. */
  offered(index: number): MediaView | undefined {
    return this.pending?.views[index]
  }

  /**
   * An offer has come and every stream in it has its legs. A stream that is new takes it at once, so that early media
   * flows; a running one goes on as it is until the answer, because the offer may be refused (RFC 3261 §14.1).
   */
  offer(from: Side, views: readonly MediaView[], nowMs: number, reopened: Component[]): void {
    this.isEstablished = this.isAnswered
    this.pending = { from, views }
    this.lastSignalMs = nowMs
    for (const stream of this.streams) {
      const view = views[stream.index]
      const leg = stream.leg(from)
      if (view === undefined || leg === undefined || view.kind === undefined || view.isRejected || leg.isSignalled)
        continue
      describe(stream, view)
      leg.isMux = view.isMux
      leg.signal(view.peer, nowMs, reopened)
    }
  }

  /**
   * The answer has come; a further one to the same offer (another branch of a fork, or the final answer after an early
   * one) replaces it. `offeredMux[i]` tells whether the relay offered multiplexing to the answerer.
   */
  answer(
    from: Side,
    views: readonly MediaView[],
    offeredMux: readonly boolean[],
    nowMs: number,
    reopened: Component[],
  ): void {
    const offer = this.pending
    this.isAnswered = true
    this.lastSignalMs = nowMs
    for (const stream of this.streams) {
      const offered = offer?.views[stream.index]
      const answered = views[stream.index]
      stream.isActive = isWanted(offered) && isWanted(answered)
      if (!stream.isActive || offered === undefined || answered === undefined) continue
      const offererLeg = stream.leg(oppositeOf(from))
      const answererLeg = stream.leg(from)
      describe(stream, offered)
      stream.formats = formatTable([...offered.formats, ...answered.formats])
      if (offererLeg !== undefined) {
        offererLeg.isMux = offered.isMux
        offererLeg.signal(offered.peer, nowMs, reopened)
      }
      if (answererLeg !== undefined) {
        answererLeg.isMux = answered.isMux && offeredMux[stream.index] === true
        answererLeg.signal(answered.peer, nowMs, reopened)
      }
      if (this.isEstablished) continue
      offererLeg?.reopen(nowMs, reopened)
      answererLeg?.reopen(nowMs, reopened)
    }
  }

  /** The branch has won without a further answer: signalling has come all the same, and the peers are asked again. */
  choose(nowMs: number, reopened: Component[]): void {
    this.lastSignalMs = nowMs
    if (this.isEstablished) return
    for (const leg of this.legs()) leg.reopen(nowMs, reopened)
  }

  /**
   * Does what is due by the clock. Appends the components whose window has closed to `learned`, and the legs that have
   * fallen silent or are heard again to `changed`. Returns the reason when the branch is over. One that `isInForce` has
   * no other beside it; one that is not may still be ringing, and the caller speaks with one branch at a time, so that
   * its silence says little: it has as long as an offer.
   */
  check(
    nowMs: number,
    isInForce: boolean,
    timeouts: SessionTimeouts,
    learned: Component[],
    changed: Leg[],
  ): TimeoutReason | undefined {
    let lastMs = this.lastSignalMs
    let isCarrying = false
    let isHeard = false
    for (const stream of this.streams) {
      for (const leg of [stream.a, stream.b]) {
        if (leg === undefined) continue
        if (leg.rtp.learning.expire(nowMs)) learned.push(leg.rtp)
        if (leg.rtcp.learning.expire(nowMs)) learned.push(leg.rtcp)
        if (!stream.isActive) continue
        leg.sampleQuality(nowMs, false)
        // Held media are silent on purpose; where others are to be heard, these are waited for.
        if (stream.a?.isHeld !== true && stream.b?.isHeld !== true) isCarrying = true
        if (leg.stats.lastPacketMs >= 0) isHeard = true
        if (leg.stats.lastPacketMs > lastMs) lastMs = leg.stats.lastPacketMs
      }
    }
    if (!this.isAnswered) return isOver(nowMs - this.lastSignalMs, timeouts.offerTimeoutMs) ? 'offer' : undefined
    if (isInForce) {
      for (const stream of this.streams) this.listen(stream, nowMs, timeouts.oneWayTimeoutMs, changed)
    }
    this.checkedMs = nowMs
    // A call that is held, or has no medium left, has nothing to be silent on.
    if (!isCarrying) return undefined
    const { silenceTimeoutMs, offerTimeoutMs } = timeouts
    if (!isInForce) {
      this.undecidedMs = nowMs
      return isOver(nowMs - lastMs, offerTimeoutMs) ? 'offer' : undefined
    }
    lastMs = Math.max(lastMs, this.undecidedMs)
    // Before the first packet the answer may be an early one and the phone still ringing.
    const isLongEnough = isHeard || nowMs - lastMs >= offerTimeoutMs
    return isLongEnough && isOver(nowMs - lastMs, silenceTimeoutMs) ? 'silence' : undefined
  }

  /** The branch is over: what has come since the last interval of quality is one more. */
  finish(nowMs: number): void {
    for (const leg of this.legs()) leg.sampleQuality(nowMs, true)
  }

  /** Finds the side of a stream that sends nothing while the other goes on, and the one that does so no more. */
  private listen(stream: Stream, nowMs: number, timeoutMs: number, changed: Leg[]): void {
    const { a, b } = stream
    // Fax and data go one way for long.
    if (a === undefined || b === undefined || stream.kind === 'opaque') return
    const sinceMs = this.checkedMs
    const isExempt = !stream.isActive || a.isHeld || b.isHeld || this.lastSignalMs > sinceMs
    const [isAHeard, isBHeard] = [a.stats.lastPacketMs >= sinceMs, b.stats.lastPacketMs >= sinceMs]
    const elapsedMs = nowMs - sinceMs
    if (a.listen(isAHeard, isExempt, isBHeard ? elapsedMs : 0, timeoutMs)) changed.push(a)
    if (b.listen(isBHeard, isExempt, isAHeard ? elapsedMs : 0, timeoutMs)) changed.push(b)
  }

  /** Every leg there is. */
  legs(): Leg[] {
    return this.streams.flatMap((stream) => [stream.a, stream.b]).filter((leg) => leg !== undefined)
  }
}

function isWanted(view: MediaView | undefined): boolean {
  return view !== undefined && !view.isRejected && view.kind !== undefined
}

/** True when a timeout has passed; one of 0 never does. */
export function isOver(elapsedMs: number, timeoutMs: number): boolean {
  return timeoutMs > 0 && elapsedMs >= timeoutMs
}

function describe(stream: Stream, view: MediaView): void {
  stream.media = view.media
  stream.protocol = view.protocol
  stream.kind = view.kind ?? stream.kind
  stream.isRtcpReadable = view.isRtcpReadable
  stream.formats = formatTable(view.formats)
}
