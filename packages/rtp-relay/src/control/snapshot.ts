/** What is known of a session at one moment, as plain data. */

import type { LearningState } from '../relay/latching'
import type { DropCounts, Leg, Side } from '../relay/leg'
import type { MediaSession } from '../relay/session'
import type { StreamQuality } from '../stats/quality'

/** One direction of one stream: what came from one party, and where that party is. */
export interface LegSnapshot {
  readonly side: Side
  /** The relay's address as the party sees it, and the relay's RTP port. */
  readonly localAddress: string
  readonly localPort: number
  /** Where the party's RTP comes from and goes to; absent while unknown. */
  readonly endpoint?: { readonly address: string; readonly port: number }
  readonly learning: LearningState
  /** RTP packets and bytes accepted from the party. */
  readonly packets: number
  readonly bytes: number
  readonly lost: number
  readonly duplicates: number
  readonly reordered: number
  readonly jitterMs: number
  /** Milliseconds since the party's last RTP packet; absent before the first. */
  readonly lastPacketAgeMs?: number
  readonly rtcpPackets: number
  /** Between relay and party, measured by RTCP; absent until measured. */
  readonly roundTripMs?: number
  /** Share (0–1) of what the relay sent that the party reports as lost; absent until reported. */
  readonly reportedLossFraction?: number
  /** How it has been over time; absent before the first packets have been looked at. */
  readonly quality?: StreamQuality
  readonly dropped: Readonly<DropCounts>
}

/** One medium. A leg is absent when the medium never had ports. */
export interface StreamSnapshot {
  readonly index: number
  readonly media: string
  readonly protocol: string
  readonly isActive: boolean
  readonly a?: LegSnapshot
  readonly b?: LegSnapshot
}

/** One session. */
export interface SessionSnapshot {
  readonly id: string
  readonly state: 'new' | 'offered' | 'answered' | 'closed'
  readonly ageMs: number
  readonly streams: readonly StreamSnapshot[]
}

/** Takes a snapshot; the result shares nothing with the session. `isBrief` leaves histories out. */
export function snapshotOf(
  id: string,
  session: MediaSession,
  isClosed: boolean,
  nowMs: number,
  isBrief = false,
): SessionSnapshot {
  const open = session.isAnswered ? 'answered' : session.offerer === undefined ? 'new' : 'offered'
  return {
    id,
    state: isClosed ? 'closed' : open,
    ageMs: nowMs - session.createdMs,
    streams: session.streams.map((stream) => ({
      index: stream.index,
      media: stream.media,
      protocol: stream.protocol,
      isActive: stream.isActive,
      ...(stream.a === undefined ? {} : { a: legSnapshot(stream.a, nowMs, isBrief) }),
      ...(stream.b === undefined ? {} : { b: legSnapshot(stream.b, nowMs, isBrief) }),
    })),
  }
}

function legSnapshot(leg: Leg, nowMs: number, isBrief: boolean): LegSnapshot {
  const { stats, rtcpStats, ports } = leg
  const { address, port, state } = leg.rtp.learning
  return {
    side: leg.side,
    localAddress: ports.advertisedAddress,
    localPort: ports.port,
    ...(address === '' ? {} : { endpoint: { address, port } }),
    learning: state,
    packets: stats.packets,
    bytes: stats.bytes,
    lost: stats.lost,
    duplicates: stats.duplicates,
    reordered: stats.reordered,
    jitterMs: stats.jitterMs,
    ...(stats.lastPacketMs < 0 ? {} : { lastPacketAgeMs: nowMs - stats.lastPacketMs }),
    rtcpPackets: rtcpStats.packets,
    ...(rtcpStats.roundTripMs < 0 ? {} : { roundTripMs: rtcpStats.roundTripMs }),
    ...(rtcpStats.reportedLossFraction < 0 ? {} : { reportedLossFraction: rtcpStats.reportedLossFraction }),
    ...(leg.quality === undefined ? {} : { quality: leg.quality.snapshot(nowMs, isBrief) }),
    dropped: { ...leg.drops },
  }
}
