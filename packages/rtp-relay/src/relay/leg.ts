/** One side of one media stream: its two ports, where its peer is, what came from it and what was dropped. */
import type { DatagramChannel } from '../ports'
import type { CodecImpairment } from '../stats/e-model'
import { QualityHistory } from '../stats/quality'
import { RtcpStats } from '../stats/rtcp-stats'
import { RtpStats } from '../stats/rtp-stats'
import { EndpointLearning, type LearningPolicy } from './latching'
import type { PacketProtector, PacketUnprotector } from './protection'
import type { Stream } from './stream'

/** The two parties of a session. A controller that knows tags keeps its own map from tag to side. */
export type Side = 'a' | 'b'

/** The other side. */
export function oppositeOf(side: Side): Side {
  return side === 'a' ? 'b' : 'a'
}

/** RTP accepts any rank within the window; RTCP, which must never decide who the peer is, known addresses only. */
const RTP_RANK_MAX = 3
const RTCP_RANK_MAX = 1

/** One port of a leg, and the peer's endpoint that belongs to it. */
export class Component {
  readonly learning: EndpointLearning

  constructor(
    readonly leg: Leg,
    readonly name: 'rtp' | 'rtcp',
    readonly channel: DatagramChannel,
    windowMs: number,
  ) {
    this.learning = new EndpointLearning(windowMs, name === 'rtp' ? RTP_RANK_MAX : RTCP_RANK_MAX)
  }
}

/** Packets that went no further, by reason. */
export interface DropCounts {
  /** From a source that is not the peer. */
  strangers: number
  /** Neither RTP nor RTCP nor what the medium's protocol allows. */
  garbage: number
  /** RTCP where none belongs, or from an address that is not the peer's. */
  strayRtcp: number
  /** With nowhere to go: the other peer is unknown, held by address, or the medium is rejected. */
  undeliverable: number
  /** Encrypted, and not by whoever has the keys; or a replay. */
  unauthenticated: number
  /** To be encrypted with a key that must not be used any more. */
  unprotectable: number
}

/** An open even/odd pair of ports and what its leg must know of it. */
export interface LegPorts {
  /** Index of the interface among those of the relay. */
  readonly interfaceIndex: number
  readonly family: 'IP4' | 'IP6'
  /** The address that goes into SDP. */
  readonly advertisedAddress: string
  /** The even port, for RTP; RTCP has the next one. */
  readonly port: number
  readonly rtp: DatagramChannel
  readonly rtcp: DatagramChannel
}

/** Where the SDP of one side says that a medium goes, addresses in canonical form. */
export interface PeerView {
  /** Empty when it cannot be known: a host name, a multicast address, one of the relay's own ports. */
  readonly address: string
  readonly port: number
  readonly rtcpAddress: string
  readonly rtcpPort: number
  /** A further address of the peer; empty when there is none. */
  readonly alternativeAddress: string
  /** How the peer's endpoint is to be learned; what is absent stays as it was. */
  readonly learning?: Partial<LearningPolicy>
  /** The unspecified address: the peer wants no media now (RFC 3264 §8.4). */
  readonly isUnspecified: boolean
  /** The peer holds, or has asked for less than both directions. */
  readonly isHeld: boolean
}

/** What a leg takes from its session. */
export interface LegContext {
  readonly learningWindowMs: number
  isOwnEndpoint(address: string, port: number): boolean
}

/** One side of one stream. */
export class Leg {
  readonly rtp: Component
  readonly rtcp: Component
  readonly stats: RtpStats
  readonly rtcpStats: RtcpStats
  readonly drops: DropCounts
  /** RTP and RTCP share the RTP port on this side (RFC 5761). */
  isMux = false
  /** The peer's address is the unspecified one: nothing is sent to it. */
  isMuted = false
  isHeld = false
  /** The side has sent SDP for this stream. */
  isSignalled = false
  /** Set by the driver when an ICMP error has been reported for this peer. */
  isUnreachable = false
  /** Nothing goes to this peer or comes from it in clear; without keys nothing does at all. */
  isSecured = false
  /** Opens what comes from this peer; undefined where it is not encrypted, or where the relay has no keys. */
  srtpIn: PacketUnprotector | undefined = undefined
  /** The one before `srtpIn`, while packets under it may still be on their way. */
  formerSrtpIn: PacketUnprotector | undefined = undefined
  /** Encrypts what goes to this peer. */
  srtpOut: PacketProtector | undefined = undefined
  /** Sees each accepted RTP packet, in clear; `packet` is not its own. */
  tap: ((packet: Uint8Array, length: number) => void) | undefined = undefined
  /** How the peer's media has been; made when some has come. */
  quality: QualityHistory | undefined
  /** Told that nothing comes while the other side goes on; until the next packet. */
  isSilent = false
  /** How long nothing has come while the other side went on. */
  private quietMs = 0
  private codec: CodecImpairment | undefined
  private view: PeerView | undefined

  /** `former` is the leg that this one replaces when its family changes; the counters go on. */
  constructor(
    readonly stream: Stream,
    readonly side: Side,
    readonly ports: LegPorts,
    private readonly context: LegContext,
    former?: Leg,
  ) {
    this.rtp = new Component(this, 'rtp', ports.rtp, context.learningWindowMs)
    this.rtcp = new Component(this, 'rtcp', ports.rtcp, context.learningWindowMs)
    this.stats = former?.stats ?? new RtpStats()
    this.quality = former?.quality
    this.isSilent = former?.isSilent ?? false
    this.rtcpStats = former?.rtcpStats ?? new RtcpStats()
    this.drops = former?.drops ?? {
      strangers: 0,
      garbage: 0,
      strayRtcp: 0,
      undeliverable: 0,
      unauthenticated: 0,
      unprotectable: 0,
    }
    this.isMux = former?.isMux ?? false
  }

  /** True for the session's own ports: a packet from there has been here before, and would go round for ever. */
  isOwnEndpoint(address: string, port: number): boolean {
    return this.context.isOwnEndpoint(address, port)
  }

  /** By the clock: ends an interval of quality that is due, or when the session `isOver` one that is not. */
  sampleQuality(nowMs: number, isOver: boolean): void {
    const { stats, stream, rtcpStats } = this
    if (stats.packets === 0) return
    // Tones and comfort noise are other payload types; the speech around them tells the quality.
    this.codec = stream.formats.codecs.get(stats.payloadType) ?? this.codec
    this.quality ??= new QualityHistory(nowMs)
    if (isOver ? !this.quality.hasNews(stats) : nowMs < this.quality.dueMs) return
    const beyondMs = stream.oppositeOf(this)?.rtcpStats.roundTripMs ?? 0
    const roundTripMs = Math.max(0, rtcpStats.roundTripMs) + Math.max(0, beyondMs)
    this.quality.sample(stats, this.codec, roundTripMs, nowMs)
  }

  /**
   * By the clock: whether the peer was heard since it was last asked. `beyondMs` is how long of that time the other side
   * went on. Returns true when `isSilent` has changed. A `timeoutMs` of 0 is never over.
   */
  listen(isHeard: boolean, isExempt: boolean, beyondMs: number, timeoutMs: number): boolean {
    if (isHeard || isExempt) this.quietMs = 0
    else this.quietMs += beyondMs
    const isOver = timeoutMs > 0 && this.quietMs >= timeoutMs
    if (this.isSilent ? !isHeard : !isOver) return false
    this.isSilent = !isHeard
    return true
  }

  /** Takes what the peer's SDP says. Appends the components whose learning starts anew to `reopened`. */
  signal(view: PeerView, nowMs: number, reopened: Component[]): void {
    this.isSignalled = true
    this.isHeld = view.isHeld
    this.isMuted = view.isUnspecified
    // A hold by address says nothing of where the peer is; what is known of it stays for the resumption.
    if (view.isUnspecified) return
    this.view = view
    const { alternativeAddress, learning } = view
    if (learning !== undefined) {
      for (const one of [this.rtp, this.rtcp]) if (one.learning.adopt(learning)) reopened.push(one)
    }
    if (this.rtp.learning.signal(view.address, view.port, alternativeAddress, nowMs)) {
      this.isUnreachable = false
      reopened.push(this.rtp)
      // What the RTP taught of the peer's address is void, so what RTCP learned by it is void too.
      this.rtcp.learning.signal('', 0, '', nowMs)
    }
    const isRtpElsewhere = this.rtp.learning.isConfirmed && this.rtp.learning.rank !== 0
    if (isRtpElsewhere) this.rtcp.learning.touch(nowMs)
    else if (this.rtcp.learning.signal(view.rtcpAddress, view.rtcpPort, alternativeAddress, nowMs))
      reopened.push(this.rtcp)
  }

  /** The call is being set up: sources that are not what was signalled are questioned again. */
  reopen(nowMs: number, reopened: Component[]): void {
    for (const component of [this.rtp, this.rtcp]) if (component.learning.reopen(nowMs)) reopened.push(component)
  }

  /** Signalling from the other side: what is still being learned may be learned a while longer. */
  touch(nowMs: number): void {
    this.rtp.learning.touch(nowMs)
    this.rtcp.learning.touch(nowMs)
  }

  /** RTP is confirmed: RTCP is to be expected as signalled when RTP came from there, else beside the RTP (NAT). */
  expectRtcp(nowMs: number, reopened: Component[]): void {
    const { view } = this
    if (view === undefined) return
    const { address, port, rank } = this.rtp.learning
    const besidePort = port + view.rtcpPort - view.port
    const isBeside = rank !== 0
    const rtcpAddress = isBeside ? address : view.rtcpAddress
    const rtcpPort = isBeside && besidePort > 0 && besidePort < 65_536 ? besidePort : view.rtcpPort
    const known = this.rtcp.learning
    if (known.isConfirmed && (known.address === rtcpAddress || known.address === view.rtcpAddress)) return
    if (known.signal(rtcpAddress, rtcpPort, view.alternativeAddress, nowMs)) reopened.push(this.rtcp)
  }
}
