/**
 * One branch of a session: the media between side a and one of those whom a fork has reached, or the only one there is.
 * Takes the offers and answers of both sides (RFC 3264) and gives back the SDP for the other side, with the relay's
 * addresses and ports in it. Its ports, keys, learning and counters are its own (RFC 3261 §16.7: several may answer).
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { connectionOf, isUnspecified, parseSdp, type SessionDescription, serializeSdp } from '@carillon/sip-parser/sdp'
import { RelayError } from '../errors'
import type { RelayLimits } from '../limits'
import type { Clock, Random } from '../ports'
import { BranchMedia, type MediaView, type SessionTimeouts, type TimeoutReason } from '../relay/branch-media'
import { type Component, type Leg, oppositeOf, type Side } from '../relay/leg'
import { BranchPorts, type BranchPortsContext, type WantedLeg } from './branch-ports'
import { chooseInterface, preferInterface } from './interfaces'
import { learningOf } from './learning'
import { mediaViews } from './media-view'
import { BranchSecurity } from './offer-answer/branch-security'
import type { SecurityRewrite } from './offer-answer/security'
import type { OfferOptions, PartyOptions } from './offer-options'
import type { OwnPorts } from './own-ports'
import type { PortSinkOwner } from './port-sink'
import { type MediaRewrite, rewriteSdp } from './sdp-rewrite'

/** What a branch needs from its relay. */
export interface BranchContext extends BranchPortsContext {
  readonly limits: RelayLimits
  readonly random: Random
}

/** A branch as events name it. */
interface BranchName {
  readonly sessionId: string
  readonly viaBranch?: string
}

/** The media of one session, or of one branch of it. */
export class Branch implements PortSinkOwner {
  readonly media: BranchMedia
  readonly clock: Clock
  readonly learned: Component[] = []
  readonly #context: BranchContext
  readonly #ports: BranchPorts
  readonly #security: BranchSecurity
  /** Multiplexing as last offered by the relay, by medium. */
  #offeredMux: readonly boolean[] = []
  #isClosed = false

  /** `viaBranch` is its name within the session; undefined for the branch of a session that does not fork. */
  constructor(
    readonly sessionId: string,
    readonly viaBranch: string | undefined,
    context: BranchContext,
    ownPorts: OwnPorts,
  ) {
    this.#context = context
    this.clock = context.clock
    this.media = new BranchMedia(context.clock.monotonicMs())
    this.#ports = new BranchPorts(context, this.media, this, ownPorts)
    this.#security = new BranchSecurity(this.media, (count) => context.random.bytes(count))
  }

  /** Itself as events name it. */
  get name(): BranchName {
    const { sessionId, viaBranch } = this
    return viaBranch === undefined ? { sessionId } : { sessionId, viaBranch }
  }

  /**
   * Takes an offer of one side; resolves with the offer for the other side. What is refused changes nothing. Rejects with
   * BRANCH_CLOSED when the branch has ended while its ports were being opened; then none of them is open.
   */
  async offer(input: Uint8Array | string, options: OfferOptions): Promise<Uint8Array> {
    const { from } = options
    const to = oppositeOf(from)
    const sdp = parse(input)
    if (sdp.media.length > this.#context.limits.mediaPerSessionMax) throw new RelayError('SDP_TOO_MANY_MEDIA')
    const { rtcpMux = [] } = options
    const isMuxRejected = rtcpMux.includes('reject')
    const views = this.#views(sdp, options).map((view) => (isMuxRejected ? { ...view, isMux: false } : view))
    const secured = this.#security.offer(from, views, options)
    const opened = await this.#ports.open(this.#wantedLegs(sdp, views, options))
    if (this.#isClosed) {
      this.#ports.abandon(opened)
      throw new RelayError('BRANCH_CLOSED')
    }
    const isNew = (index: number): boolean => this.media.streams[index]?.a === undefined
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
    this.#applied((nowMs, reopened) => this.media.offer(from, views, nowMs, reopened))
    const isMuxOffered = rtcpMux.includes('offer') || rtcpMux.includes('require')
    const isDemuxed = rtcpMux.includes('demux')
    this.#offeredMux = views.map((_, index) => {
      const isMux = this.media.streams[index]?.leg(to)?.isMux ?? false
      return isMuxOffered || (isMux && !isDemuxed)
    })
    for (const stream of this.media.streams) this.#security.apply(stream.index, stream)
    const rtcpMuxOnly = rtcpMux.includes('require')
    const media = views.map((view, index) => ({
      ...this.#rewrite(isRelayed(view), index, to, this.#offeredMux[index] ?? false, secured.rewrites[index]),
      rtcpMuxOnly,
    }))
    return this.#rewritten(input, sdp, to, media, options)
  }

  /** Takes an answer of the side that was offered to; returns the answer for the offerer. What is refused changes nothing. */
  answer(input: Uint8Array | string, options: PartyOptions): Uint8Array {
    const { from } = options
    const to = oppositeOf(from)
    const sdp = parse(input)
    if (this.media.offerer !== to) throw new RelayError('NO_OFFER')
    if (sdp.media.length > this.#offeredMux.length) throw new RelayError('SDP_MISMATCH')
    const views = this.#views(sdp, options)
    // Judged first: an answer that is refused has changed nothing.
    const secured = this.#security.answer(views, (index) => {
      const offered = this.media.offered(index)
      return offered !== undefined && isRelayed(offered)
    })
    this.#applied((nowMs, reopened) => this.media.answer(from, views, this.#offeredMux, nowMs, reopened))
    for (const stream of this.media.streams) this.#security.apply(stream.index, stream)
    const media = views.map((_, index) => {
      const isActive = this.media.streams[index]?.isActive ?? false
      return this.#rewrite(isActive, index, to, this.media.offered(index)?.isMux ?? false, secured[index])
    })
    return this.#rewritten(input, sdp, to, media, options)
  }

  /** It has won without a further answer. */
  choose(): void {
    this.#applied((nowMs, reopened) => this.media.choose(nowMs, reopened))
  }

  /** Does what is due by the clock, and tells of it; returns the reason when the branch is over. */
  check(nowMs: number, isInForce: boolean, timeouts: SessionTimeouts): TimeoutReason | undefined {
    const changed: Leg[] = []
    const reason = this.media.check(nowMs, isInForce, timeouts, this.learned, changed)
    if (this.learned.length > 0) this.settle()
    for (const { isSilent, side, stream } of changed) {
      const event = isSilent ? 'media-silent' : 'media-resumed'
      this.#context.emitter.emit(event, { ...this.name, stream: stream.index, side })
    }
    return reason
  }

  /** Closes its ports and forgets its keys; the legs stay readable for a last snapshot. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#ports.closeAll()
    this.#security.close()
  }

  /** Connects what the packet at hand, or the clock, has confirmed, and tells of it. */
  settle(): void {
    for (const component of this.learned.splice(0)) {
      const { leg, learning, channel, name } = component
      const { address, port } = learning
      // A connected socket hears nobody else; the others are to be heard where they may come in or take over.
      if (learning.isPinned) channel.connect(address, port)
      if (name === 'rtp') {
        const reopened: Component[] = []
        leg.expectRtcp(this.clock.monotonicMs(), reopened)
        disconnect(reopened)
      }
      this.#context.emitter.emit('endpoint-learned', {
        ...this.name,
        stream: leg.stream.index,
        side: leg.side,
        component: name,
        address,
        port,
        rank: learning.rank ?? 0,
      })
    }
  }

  /** A socket has told that nobody listens at a peer's port. */
  peerFailed(leg: Leg, code: string): void {
    if (leg.isUnreachable || this.#isClosed) return
    leg.isUnreachable = true
    this.#context.emitter.emit('peer-unreachable', { ...this.name, stream: leg.stream.index, side: leg.side, code })
  }

  #views(sdp: SessionDescription, options: PartyOptions): MediaView[] {
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
      const stream = this.media.streams[index]
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
    const ports = this.media.streams[index]?.leg(side)?.ports
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
    options: PartyOptions,
  ): Uint8Array {
    const first = media.find(({ address }) => address !== undefined)
    const leg = this.media.legs().find((one) => one.side === side)
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
    apply(this.clock.monotonicMs(), reopened)
    disconnect(reopened)
    for (const stream of this.media.streams) {
      for (const leg of [stream.a, stream.b]) leg?.touch(this.media.lastSignalMs)
    }
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
