/**
 * The call detail record: what is kept of a call that is over. Pure.
 */
import type { MediaReport } from '../../media/port'

/** How a call ended, in the words of the field. */
export type Disposition = 'ANSWERED' | 'NO ANSWER' | 'BUSY' | 'FAILED' | 'CONGESTION'

/** Who ended a call: whoever called, whoever was called, or this server. */
export type HangUpSide = 'source' | 'destination' | 'server'

/** What happened in a call. Times are wall-clock milliseconds since the epoch. */
export interface CallFacts {
  readonly callId: string
  readonly source: string
  readonly destination: string
  readonly startMs: number
  readonly answerMs: number | undefined
  readonly endMs: number
  readonly disposition: Disposition
  readonly sipStatus: number
  readonly hangUpSide: HangUpSide
  readonly media: MediaReport | undefined
}

/** One call, as it stands in the log. */
export interface CallRecord {
  /** The Call-ID of the caller's leg. */
  readonly callId: string
  /** Ties together the records of calls that belong to one another; a plain call's is its own id. */
  readonly linkedId: string
  readonly source: string
  readonly destination: string
  /** ISO 8601, UTC. */
  readonly start: string
  readonly answer: string | null
  readonly end: string
  /** Seconds from start to end. */
  readonly duration: number
  /** Seconds from answer to end; 0 for a call that was not answered. */
  readonly billsec: number
  readonly disposition: Disposition
  readonly sipStatus: number
  readonly hangUpSide: HangUpSide
  /** Milliseconds, of the worse direction. */
  readonly jitterMs: number
  /** Percent of the packets of both directions that never came. */
  readonly lossPercent: number
  /** RTP packets that came, of both directions. */
  readonly packets: number
  readonly packetsFromSource: number
  readonly packetsFromDestination: number
}

/** Makes the record of a call. */
export function callRecord(facts: CallFacts): CallRecord {
  const { a, b } = facts.media ?? { a: SILENT, b: SILENT }
  const packets = a.packets + b.packets
  const lost = a.lost + b.lost
  return {
    callId: facts.callId,
    linkedId: facts.callId,
    source: facts.source,
    destination: facts.destination,
    start: isoTime(facts.startMs),
    answer: facts.answerMs === undefined ? null : isoTime(facts.answerMs),
    end: isoTime(facts.endMs),
    duration: seconds(facts.endMs - facts.startMs),
    billsec: facts.answerMs === undefined ? 0 : seconds(facts.endMs - facts.answerMs),
    disposition: facts.disposition,
    sipStatus: facts.sipStatus,
    hangUpSide: facts.hangUpSide,
    jitterMs: Math.round(Math.max(a.jitterMs, b.jitterMs) * 100) / 100,
    lossPercent: packets + lost === 0 ? 0 : Math.round((lost / (packets + lost)) * 10_000) / 100,
    packets,
    packetsFromSource: a.packets,
    packetsFromDestination: b.packets,
  }
}

/** The disposition of a call that was refused with this status. */
export function dispositionOf(status: number): Disposition {
  if (status < 300) return 'ANSWERED'
  if (status === 486 || status === 600 || status === 603) return 'BUSY'
  if (status === 408 || status === 480 || status === 487) return 'NO ANSWER'
  if (status === 503) return 'CONGESTION'
  return 'FAILED'
}

const SILENT = { packets: 0, bytes: 0, lost: 0, jitterMs: 0 }

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function seconds(ms: number): number {
  return Math.max(0, Math.round(ms) / 1000)
}
