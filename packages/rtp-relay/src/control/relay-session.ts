/**
 * One session: the media of one call between side a and side b. Takes the offers and answers of both sides (RFC 3264)
 * and gives back the SDP for the other side, with the relay's addresses and ports in it.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import {
  type AddressFamily,
  connectionOf,
  isUnspecified,
  parseSdp,
  type SessionDescription,
  serializeSdp,
} from '@carillon/sip-parser/sdp'
import { RelayError } from '../errors'
import type { RelayLimits } from '../limits'
import type { Random } from '../ports'
import { type Component, type Leg, oppositeOf, type Side } from '../relay/leg'
import { MediaSession, type MediaView, type SessionTimeouts } from '../relay/session'
import type { CloseReason } from './events'
import { chooseInterface, preferInterface } from './interfaces'
import { type LearningOptions, learningOf } from './learning'
import { mediaViews } from './media-view'
import type { SecurityOptions, SecurityRewrite } from './offer-answer/security'
import { SessionSecurity } from './offer-answer/session-security'
import type { PortSinkOwner } from './port-sink'
import { type MediaRewrite, rewriteSdp } from './sdp-rewrite'
import { SessionPorts, type SessionPortsContext, type WantedLeg } from './session-ports'
import { type SessionSnapshot, snapshotOf } from './snapshot'

/** What both an offer and an answer may say besides the SDP. */
export interface AnswerOptions extends LearningOptions {
  /** Whose SDP it is. */
  readonly from: Side
  /** The IP address that this party's signalling came from; media from there ranks as from a known address. */
  readonly receivedFrom?: string
  /** Put the relay's address into the o= line; true by default. */
  readonly replaceOrigin?: boolean
}

/** What an offer may say besides the SDP. */
export interface OfferOptions extends AnswerOptions, SecurityOptions {
  /**
   * RTP and RTCP on one port (RFC 5761). Towards the other side: `offer` it, `require` it (RFC 8858), or `demux`, which
   * is the default: offer two ports. Towards the offerer: `accept` it, as by default, or `reject` it.
   */
  readonly rtcpMux?: readonly RtcpMuxOption[]
  /** Address family towards the other side; that of the offer by default, or the other where the relay has no such interface. */
  readonly addressFamily?: AddressFamily
  /** Names of the interfaces: towards the offerer, towards the other side. The first that fits by default. */
  readonly direction?: readonly [from: string, to: string]
}

/** See {@link OfferOptions.rtcpMux}. */
export type RtcpMuxOption = 'offer' | 'require' | 'demux' | 'accept' | 'reject'

/** What a session needs from its relay. */
export interface SessionContext extends SessionPortsContext {
  readonly limits: RelayLimits
  readonly random: Random
  sessionClosed(session: RelaySession, reason: CloseReason): void
}

/** A session of the relay; made by `Relay.createSession`. */
export class RelaySession {
  readonly id: string
  readonly #context: SessionContext
  readonly #media: MediaSession
  readonly #ports: SessionPorts
  readonly #security: SessionSecurity
  readonly #learned: Component[] = []
  /** Multiplexing as last offered by the relay, by medium. */
  #offeredMux: readonly boolean[] = []
  #tail: Promise<unknown> = Promise.resolve()
  #pendingCount = 0
  #final: SessionSnapshot | undefined

  /** Not for callers: use `Relay.createSession`. */
  constructor(id: string, context: SessionContext) {
    this.id = id
    this.#context = context
    this.#media = new MediaSession(context.clock.monotonicMs())
    const owner: PortSinkOwner = {
      clock: context.clock,
      learned: this.#learned,
      settle: () => this.#settle(),
      peerFailed: (leg, code) => this.#peerFailed(leg, code),
    }
    this.#ports = new SessionPorts(context, this.#media, owner)
    this.#security = new SessionSecurity(this.#media, (count) => context.random.bytes(count))
  }

  /** True once the session is closed. */
  get isClosed(): boolean {
    return this.#final !== undefined
  }

  /**
   * Takes an offer of one side; resolves with the offer for the other side. Ports are opened where they are missing,
   * all or none, and stay the same over later offers. Rejects with RelayError: SDP_INVALID, SDP_INCOMPLETE,
   * SDP_TOO_MANY_MEDIA, NO_INTERFACE, PORTS_EXHAUSTED, SOCKET_FAILED, SESSION_CLOSED, TOO_MANY_PENDING; the session
   * then is as it was before.
   */
  offer(sdp: Uint8Array | string, options: OfferOptions): Promise<Uint8Array> {
    return this.#inTurn(() => this.#offer(sdp, options))
  }

  /**
   * Takes the answer of the side that was offered to; resolves with the answer for the offerer. May be called again
   * for the same offer: early answers, then the final one, or answers of several branches; the last one counts.
   * Rejects with RelayError: SDP_INVALID, SDP_INCOMPLETE, SDP_MISMATCH, NO_OFFER, SESSION_CLOSED, TOO_MANY_PENDING.
   */
  answer(sdp: Uint8Array | string, options: AnswerOptions): Promise<Uint8Array> {
    return this.#inTurn(async () => this.#answer(sdp, options))
  }

  /** What is known now; after `close` the state at closing. `isBrief` leaves histories out. */
  snapshot(isBrief = false): SessionSnapshot {
    return this.#final ?? snapshotOf(this.id, this.#media, false, this.#context.clock.monotonicMs(), isBrief)
  }

  /** Ends the session: its ports are given back at once, pending offers reject. Again: the same last snapshot. */
  close(): SessionSnapshot {
    return this.end('closed')
  }

  /** Not for callers: closes with a reason. */
  end(reason: CloseReason): SessionSnapshot {
    if (this.#final !== undefined) return this.#final
    const nowMs = this.#context.clock.monotonicMs()
    this.#media.finish(nowMs)
    this.#final = snapshotOf(this.id, this.#media, true, nowMs)
    this.#ports.closeAll()
    this.#security.close()
    this.#context.sessionClosed(this, reason)
    return this.#final
  }

  /** Not for callers: what is due by the clock. */
  check(nowMs: number, timeouts: SessionTimeouts): void {
    if (this.isClosed) return
    const changed: Leg[] = []
    const reason = this.#media.check(nowMs, timeouts, this.#learned, changed)
    if (this.#learned.length > 0) this.#settle()
    for (const { isSilent, side, stream } of changed) {
      const name = isSilent ? 'media-silent' : 'media-resumed'
      this.#context.emitter.emit(name, { sessionId: this.id, stream: stream.index, side })
    }
    // A listener may have closed the session.
    if (reason === undefined || this.isClosed) return
    this.#context.emitter.emit('session-timeout', { sessionId: this.id, reason })
    this.end(reason)
  }

  /** Not for callers: every leg there is, closed ones included. */
  legs(): readonly Leg[] {
    return this.#media.legs()
  }

  /** Not for callers: resolves when no offer or answer is in work. */
  async idle(): Promise<void> {
    await this.#tail
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.isClosed) return Promise.reject(new RelayError('SESSION_CLOSED'))
    if (this.#pendingCount >= this.#context.limits.pendingOperationsMax) {
      return Promise.reject(new RelayError('TOO_MANY_PENDING'))
    }
    this.#pendingCount++
    const turn = this.#tail.then(() => {
      if (this.isClosed) throw new RelayError('SESSION_CLOSED')
      return work()
    })
    this.#tail = turn.then(
      () => this.#pendingCount--,
      () => this.#pendingCount--,
    )
    return turn
  }

  async #offer(input: Uint8Array | string, options: OfferOptions): Promise<Uint8Array> {
    const { from } = options
    const to = oppositeOf(from)
    const sdp = parse(input)
    if (sdp.media.length > this.#context.limits.mediaPerSessionMax) throw new RelayError('SDP_TOO_MANY_MEDIA')
    const { rtcpMux = [] } = options
    const isMuxRejected = rtcpMux.includes('reject')
    const views = this.#views(sdp, options).map((view) => (isMuxRejected ? { ...view, isMux: false } : view))
    const secured = this.#security.offer(from, views, options)
    const opened = await this.#ports.open(this.#wantedLegs(sdp, views, options))
    if (this.isClosed) {
      this.#ports.abandon(opened)
      throw new RelayError('SESSION_CLOSED')
    }
    const isNew = (index: number): boolean => this.#media.streams[index]?.a === undefined
    const fresh = views.map((view, index) => isRelayed(view) && isNew(index))
    this.#ports.adopt(opened)
    secured.commit()
    for (const [index, view] of views.entries()) {
      const stream = this.#ports.stream(index)
      if (fresh[index]) stream.isActive = true
      else if (!isRelayed(view) && (!stream.isActive || stream.a === undefined)) {
        // Rejected before and not wanted now: nobody can still be using its ports.
        stream.isActive = false
        stream.media = view.media
        stream.protocol = view.protocol
        this.#ports.release(stream)
      }
    }
    this.#applied((nowMs, reopened) => this.#media.offer(from, views, nowMs, reopened))
    const isMuxOffered = rtcpMux.includes('offer') || rtcpMux.includes('require')
    const isDemuxed = rtcpMux.includes('demux')
    this.#offeredMux = views.map((_, index) => {
      const isMux = this.#media.streams[index]?.leg(to)?.isMux ?? false
      return isMuxOffered || (isMux && !isDemuxed)
    })
    for (const stream of this.#media.streams) this.#security.apply(stream.index, stream)
    const rtcpMuxOnly = rtcpMux.includes('require')
    const media = views.map((view, index) => ({
      ...this.#rewrite(isRelayed(view), index, to, this.#offeredMux[index] ?? false, secured.rewrites[index]),
      rtcpMuxOnly,
    }))
    return this.#rewritten(input, sdp, to, media, options)
  }

  #answer(input: Uint8Array | string, options: AnswerOptions): Uint8Array {
    const { from } = options
    const to = oppositeOf(from)
    const sdp = parse(input)
    if (this.#media.offerer !== to) throw new RelayError('NO_OFFER')
    if (sdp.media.length > this.#offeredMux.length) throw new RelayError('SDP_MISMATCH')
    const views = this.#views(sdp, options)
    // Judged first: an answer that is refused has changed nothing.
    const secured = this.#security.answer(views, (index) => {
      const offered = this.#media.offered(index)
      return offered !== undefined && isRelayed(offered)
    })
    this.#applied((nowMs, reopened) => this.#media.answer(from, views, this.#offeredMux, nowMs, reopened))
    for (const stream of this.#media.streams) this.#security.apply(stream.index, stream)
    const media = views.map((_, index) => {
      const isActive = this.#media.streams[index]?.isActive ?? false
      return this.#rewrite(isActive, index, to, this.#media.offered(index)?.isMux ?? false, secured[index])
    })
    return this.#rewritten(input, sdp, to, media, options)
  }

  #views(sdp: SessionDescription, options: AnswerOptions): MediaView[] {
    const { receivedFrom } = options
    return mediaViews(sdp, {
      ...(receivedFrom === undefined ? {} : { receivedFrom }),
      learning: learningOf(options),
      isOwnEndpoint: (address, port) => this.#ports.isOwnEndpoint(address, port),
    })
  }

  #wantedLegs(sdp: SessionDescription, views: readonly MediaView[], options: OfferOptions): WantedLeg[] {
    const { interfaces } = this.#context
    const { from, direction, addressFamily } = options
    const to = oppositeOf(from)
    const wanted: WantedLeg[] = []
    for (const [index, view] of views.entries()) {
      const description = sdp.media[index]
      if (description === undefined || !isRelayed(view)) continue
      const connection = connectionOf(description, sdp)
      const family = connection?.family
      const stream = this.#media.streams[index]
      const own = stream?.leg(from)
      // Ports never change over offers, but a peer that has moved to the other address family cannot use the old ones.
      const hasMoved =
        own !== undefined && connection !== undefined && !isUnspecified(connection) && own.ports.family !== family
      if (own === undefined || hasMoved) {
        wanted.push({ index, side: from, on: chooseInterface(interfaces, direction?.[0], family) })
      }
      if (stream?.leg(to) === undefined) {
        const choose = addressFamily === undefined ? preferInterface : chooseInterface
        wanted.push({ index, side: to, on: choose(interfaces, direction?.[1], addressFamily ?? family) })
      }
    }
    return wanted
  }

  #rewrite(
    isRelayedNow: boolean,
    index: number,
    side: Side,
    rtcpMux: boolean,
    secured: SecurityRewrite | undefined,
  ): MediaRewrite {
    const ports = this.#media.streams[index]?.leg(side)?.ports
    const { protocol, cryptos } = secured ?? {}
    const asSecured = {
      ...(protocol === undefined ? {} : { protocol }),
      ...(cryptos === undefined ? {} : { cryptos }),
    }
    if (!isRelayedNow || ports === undefined) return { port: 0, rtcpPort: 0, rtcpMux: false, ...asSecured }
    const { port, advertisedAddress, family } = ports
    return { port, rtcpPort: port + 1, rtcpMux, address: advertisedAddress, family, ...asSecured }
  }

  #rewritten(
    input: Uint8Array | string,
    sdp: SessionDescription,
    side: Side,
    media: readonly MediaRewrite[],
    options: AnswerOptions,
  ): Uint8Array {
    const first = media.find(({ address }) => address !== undefined)
    const leg = this.#media.legs().find((one) => one.side === side)
    const fallback = this.#context.interfaces[0]
    const address = first?.address ?? leg?.ports.advertisedAddress ?? fallback?.advertisedAddress ?? ''
    const family = first?.family ?? leg?.ports.family ?? fallback?.family ?? 'IP4'
    const { replaceOrigin = true } = options
    // What reaches the other party ends its lines as RFC 8866 §5 asks, whatever this one sent.
    const text = serializeSdp(rewriteSdp(sdp, { address, family, media, replaceOrigin }), { lineEnds: 'crlf' })
    // Text that came as Latin-1 leaves as Latin-1: what is not ours stays byte for byte.
    return Buffer.from(text, typeof input === 'string' || isUtf8(input) ? 'utf8' : 'latin1')
  }

  #applied(apply: (nowMs: number, reopened: Component[]) => void): void {
    const reopened: Component[] = []
    apply(this.#context.clock.monotonicMs(), reopened)
    disconnect(reopened)
    for (const stream of this.#media.streams) {
      for (const leg of [stream.a, stream.b]) leg?.touch(this.#media.lastSignalMs)
    }
  }

  #settle(): void {
    for (const component of this.#learned.splice(0)) {
      const { leg, learning, channel, name } = component
      const { address, port } = learning
      // A connected socket hears nobody else; the others are to be heard where they may come in or take over.
      if (learning.isPinned) channel.connect(address, port)
      if (name === 'rtp') {
        const reopened: Component[] = []
        leg.expectRtcp(this.#context.clock.monotonicMs(), reopened)
        disconnect(reopened)
      }
      this.#context.emitter.emit('endpoint-learned', {
        sessionId: this.id,
        stream: leg.stream.index,
        side: leg.side,
        component: name,
        address,
        port,
        rank: learning.rank ?? 0,
      })
    }
  }

  #peerFailed(leg: Leg, code: string): void {
    if (leg.isUnreachable || this.isClosed) return
    leg.isUnreachable = true
    const { side } = leg
    this.#context.emitter.emit('peer-unreachable', { sessionId: this.id, stream: leg.stream.index, side, code })
  }
}

function disconnect(components: readonly Component[]): void {
  for (const { channel } of components) channel.disconnect()
}

function isRelayed(view: MediaView): boolean {
  return !view.isRejected && view.kind !== undefined
}

function parse(input: Uint8Array | string): SessionDescription {
  const result = parseSdp(input)
  if (!result.ok) throw new RelayError('SDP_INVALID', `${result.error.code} at ${result.error.offset}`)
  return result.value
}
