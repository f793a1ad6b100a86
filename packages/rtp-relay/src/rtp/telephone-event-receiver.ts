/**
 * Makes events out of telephone-event packets: each exactly once, whatever is lost, repeated or out of order on the way
 * (RFC 4733 §2.3.5, §2.5.1.3 to §2.5.1.5, §2.5.2).
 */
import { sequenceMisorderMax, telephoneEventHistory, telephoneEventOrderMs, telephoneEventTimeoutMs } from '../limits'
import { addTimestamp, sequenceDelta, timestampDelta } from './sequence'
import { digitOfEvent, readTelephoneEvents, segmentUnitsMax, type TelephoneEvent } from './telephone-event'

/** What the receiver needs of an RTP packet whose payload type is telephone-event: a packet as readRtp gives it does. */
export interface TelephoneEventPacket {
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
  readonly marker: boolean
  readonly payload: Uint8Array
}

/** An event that is over. */
export interface TelephoneEventReport {
  readonly event: number
  /** Absent when the event is no digit. */
  readonly digit?: string
  /** When it began, on the clock of the sender: 0 … 2**32 - 1. */
  readonly timestamp: number
  /** How long it lasted, as far as packets have told. */
  readonly durationUnits: number
  readonly durationMs: number
  /** The power of the tone, in dBm0 below zero. */
  readonly volume: number
  /** `next` and `timeout` when its end was lost: another event began, or nothing came any more. */
  readonly endedBy: 'end' | 'next' | 'timeout'
}

/** Settings of a {@link TelephoneEventReceiver}. */
export interface TelephoneEventReceiverOptions {
  /** Hertz of the timestamp, as `a=rtpmap` has it; 8000 unless given. */
  readonly clockRate?: number
  /** An event with no packet for so long is over; 300 ms unless given. Longer than the interval of the packets. */
  readonly timeoutMs?: number
}

/** An event of a source, from its first timestamp to that of its latest segment. */
interface KnownEvent {
  readonly ssrc: number
  readonly event: number
  readonly start: number
  segment: number
}

interface OpenEvent extends KnownEvent {
  segmentUnits: number
  volume: number
  lastMs: number
}

/** Event codes that are no states: a report that they last for no time at all says nothing (RFC 4733 §2.3.5). */
const momentaryEventMax = 16
/** Segments of one event that may be lost in a row, and the next is still taken for its own. */
const segmentsLostMax = 4

/**
 * Follows one direction of a call. Feed it the telephone-event packets alone; events come out in order, each when it is
 * over. A packet that is older than the newest one never begins an event. State is of fixed size.
 */
export class TelephoneEventReceiver {
  private readonly clockRate: number
  private readonly timeoutMs: number
  private open: OpenEvent | undefined
  /** Events that are over, the next to be forgotten at `oldest`. */
  private readonly ended: KnownEvent[] = []
  private oldest = 0
  private ssrc = 0
  private sequence = 0
  private newestMs = Number.NEGATIVE_INFINITY

  /** @throws RangeError when clock rate or timeout are not above 0 */
  constructor({ clockRate = 8000, timeoutMs = telephoneEventTimeoutMs }: TelephoneEventReceiverOptions = {}) {
    if (!(clockRate > 0 && timeoutMs > 0)) throw new RangeError('clockRate and timeoutMs are above 0')
    this.clockRate = clockRate
    this.timeoutMs = timeoutMs
  }

  /**
   * Takes a packet; events that are over with it go to the end of `out`.
   * @param nowMs on any clock that does not go back
   * @returns false when the payload is no telephone event: nothing has changed then
   */
  handle(packet: TelephoneEventPacket, nowMs: number, out: TelephoneEventReport[]): boolean {
    const read = readTelephoneEvents(packet.payload)
    if (!read.ok) return false
    const isLate = this.isLate(packet, nowMs)
    if (!isLate) {
      this.ssrc = packet.ssrc
      this.sequence = packet.sequence
      this.newestMs = nowMs
    }
    let { timestamp, marker } = packet
    for (const event of read.events) {
      this.take({ ssrc: packet.ssrc, event: event.event, start: timestamp, segment: timestamp }, event, {
        marker,
        isLate,
        nowMs,
        out,
      })
      timestamp = addTimestamp(timestamp, event.durationUnits)
      marker = false
    }
    return true
  }

  /** When `expire` is to be called: Infinity while no event goes on. */
  deadline(): number {
    return this.open === undefined ? Number.POSITIVE_INFINITY : this.open.lastMs + this.timeoutMs
  }

  /** Ends the event that nothing has come of for too long. */
  expire(nowMs: number, out: TelephoneEventReport[]): void {
    if (nowMs >= this.deadline()) this.end('timeout', out)
  }

  private take(seen: KnownEvent, event: TelephoneEvent, context: TakeContext): void {
    const { open } = this
    if (open !== undefined && belongs(open, seen, context.marker)) {
      this.update(open, seen.segment, event, context)
      return
    }
    const known = this.ended.find((one) => belongs(one, seen, context.marker))
    if (known !== undefined) {
      if (timestampDelta(known.segment, seen.segment) > 0) known.segment = seen.segment
      return
    }
    if (context.isLate || (event.durationUnits === 0 && event.event <= momentaryEventMax)) return
    this.end('next', context.out)
    const { durationUnits, volume, isEnd } = event
    this.open = { ...seen, segmentUnits: durationUnits, volume, lastMs: context.nowMs }
    if (isEnd) this.end('end', context.out)
  }

  private update(
    open: OpenEvent,
    segment: number,
    { durationUnits, volume, isEnd }: TelephoneEvent,
    context: TakeContext,
  ): void {
    open.lastMs = Math.max(open.lastMs, context.nowMs)
    const advance = timestampDelta(open.segment, segment)
    // A former segment that is told once more.
    if (advance < 0) return
    if (advance > 0) {
      open.segment = segment
      open.segmentUnits = 0
    }
    if (durationUnits >= open.segmentUnits) {
      open.segmentUnits = durationUnits
      open.volume = volume
    }
    if (isEnd) this.end('end', context.out)
  }

  private end(endedBy: TelephoneEventReport['endedBy'], out: TelephoneEventReport[]): void {
    const { open } = this
    if (open === undefined) return
    this.open = undefined
    const { ssrc, event, start, segment, volume } = open
    const durationUnits = ((segment - start) >>> 0) + open.segmentUnits
    const durationMs = (durationUnits * 1000) / this.clockRate
    const digit = digitOfEvent(event)
    const named = digit === undefined ? {} : { digit }
    out.push({ event, ...named, timestamp: start >>> 0, durationUnits, durationMs, volume, endedBy })
    this.ended[this.oldest] = { ssrc, event, start, segment }
    this.oldest = (this.oldest + 1) % telephoneEventHistory
  }

  /**
   * Sent before the newest packet of its source. After a while without packets nobody can tell: the numbers of the sound
   * in between have gone round, perhaps.
   */
  private isLate({ ssrc, sequence }: TelephoneEventPacket, nowMs: number): boolean {
    if (ssrc !== this.ssrc || nowMs - this.newestMs > telephoneEventOrderMs) return false
    const ahead = sequenceDelta(this.sequence, sequence)
    return ahead <= 0 && ahead >= -sequenceMisorderMax
  }
}

interface TakeContext {
  readonly marker: boolean
  readonly isLate: boolean
  readonly nowMs: number
  readonly out: TelephoneEventReport[]
}

/** True for a further report of the same event: of its latest segment, a former one, or one that follows it. */
function belongs(known: KnownEvent, seen: KnownEvent, marker: boolean): boolean {
  if (known.ssrc !== seen.ssrc || known.event !== seen.event) return false
  const advance = timestampDelta(known.segment, seen.segment)
  if (advance <= 0) return timestampDelta(known.start, seen.segment) >= 0
  const segments = advance / segmentUnitsMax
  return !marker && Number.isInteger(segments) && segments <= segmentsLostMax
}
