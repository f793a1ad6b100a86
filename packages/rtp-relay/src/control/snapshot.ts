/** What is known of a session at one moment, as plain data. */

import type { BranchMedia } from '../relay/branch-media'
import type { LearningState } from '../relay/latching'
import type { DropCounts, Leg, Side } from '../relay/leg'
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

/** One medium of one branch. A leg is absent when the medium never had ports. */
export interface StreamSnapshot {
  /** The branch of a fork that it belongs to, where that has a name. */
  readonly viaBranch?: string
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
  /** Of the branches that there are, in the order in which they began. Those that have ended were told by `branch-closed`. */
  readonly streams: readonly StreamSnapshot[]
}

/** A branch as snapshots see it. */
export interface ShownBranch {
  readonly viaBranch: string | undefined
  readonly media: BranchMedia
}

/** A session as snapshots see it. */
export interface ShownSession {
  readonly id: string
  readonly createdMs: number
  readonly isClosed: boolean
  readonly branches: readonly ShownBranch[]
}

/** Takes a snapshot; the result shares nothing with the session. `isBrief` leaves histories out. */
export function snapshotOf(session: ShownSession, nowMs: number, isBrief = false): SessionSnapshot {
  const { id, createdMs, isClosed, branches } = session
  return {
    id,
    state: isClosed ? 'closed' : openState(branches),
    ageMs: nowMs - createdMs,
    streams: branches.flatMap((branch) => streamsOf(branch, nowMs, isBrief)),
  }
}

/** The media of one branch; the result shares nothing with it. */
export function streamsOf({ viaBranch, media }: ShownBranch, nowMs: number, isBrief = false): StreamSnapshot[] {
  return media.streams.map((stream) => ({
    ...(viaBranch === undefined ? {} : { viaBranch }),
    index: stream.index,
    media: stream.media,
    protocol: stream.protocol,
    isActive: stream.isActive,
    ...(stream.a === undefined ? {} : { a: legSnapshot(stream.a, nowMs, isBrief) }),
    ...(stream.b === undefined ? {} : { b: legSnapshot(stream.b, nowMs, isBrief) }),
  }))
}

function openState(branches: readonly ShownBranch[]): 'new' | 'offered' | 'answered' {
  if (branches.some(({ media }) => media.isAnswered)) return 'answered'
  return branches.some(({ media }) => media.offerer !== undefined) ? 'offered' : 'new'
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
