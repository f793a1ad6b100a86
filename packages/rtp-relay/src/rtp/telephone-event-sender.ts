/** The packets that report one digit or event, and when each is sent (RFC 4733 §2.5.1.2 to §2.5.1.4). */
import { telephoneEventDurationMaxMs, telephoneEventIntervalMinMs } from '../limits'
import { addTimestamp } from './sequence'
import { segmentUnitsMax, writeTelephoneEvents } from './telephone-event'

/** The event to report. */
export interface TelephoneEventToSend {
  /** 0–255; eventOfDigit gives the code of a digit. */
  readonly event: number
  /** How long it lasts: up to a minute. Digits are heard by every receiver from 40 ms on, with as much silence between. */
  readonly durationMs: number
  /** The timestamp at which it begins, 0 … 2**32 - 1: that of the sound that it takes the place of. */
  readonly timestamp: number
  /** Hertz of the timestamp; 8000 unless given. */
  readonly clockRate?: number
  /** Time between two packets; 20 ms unless given. 50 ms, or the packet time of the sound, are recommended. */
  readonly intervalMs?: number
  /** The power of the tone, in dBm0 below zero: 0–63, 10 unless given. */
  readonly volume?: number
}

/** A packet of an event. Sequence number, source and payload type are the sender's to give, one after the other. */
export interface TelephoneEventSending {
  /** When to send it, counted from the first packet. */
  readonly atMs: number
  /** Set in the first packet alone. */
  readonly marker: boolean
  readonly timestamp: number
  readonly payload: Uint8Array
}

/** The last packet of an event, and of a segment, is sent so many times. */
const finalPackets = 3

/**
 * All packets of an event in the order in which they are sent.
 * @throws RangeError when a field does not fit its place, or duration or interval are out of bounds
 */
export function telephoneEventSchedule(toSend: TelephoneEventToSend): readonly TelephoneEventSending[] {
  const { event, timestamp, clockRate = 8000, intervalMs = 20, volume = 10 } = toSend
  const totalUnits = unitsOf(toSend.durationMs, clockRate)
  checkBounds(toSend.durationMs, intervalMs, totalUnits)
  const sendings: TelephoneEventSending[] = []
  const steps = Math.ceil(toSend.durationMs / intervalMs)
  const send = (step: number, segmentStart: number, durationUnits: number, isEnd: boolean): void => {
    sendings.push({
      atMs: step * intervalMs,
      marker: sendings.length === 0,
      timestamp: addTimestamp(timestamp, segmentStart),
      payload: writeTelephoneEvents([{ event, isEnd, volume, durationUnits }]),
    })
  }
  let segmentStart = 0
  /** When the last packet of the segment before was sent first. */
  let segmentEndedAt = Number.NEGATIVE_INFINITY
  for (let step = 0; step < steps + finalPackets - 1; step++) {
    const reached = step < steps - 1 ? unitsOf((step + 1) * intervalMs, clockRate) : totalUnits
    while (reached - segmentStart > segmentUnitsMax) {
      send(step, segmentStart, segmentUnitsMax, false)
      segmentStart += segmentUnitsMax
      segmentEndedAt = step
    }
    if (step > segmentEndedAt && step < segmentEndedAt + finalPackets) {
      send(step, segmentStart - segmentUnitsMax, segmentUnitsMax, false)
    }
    send(step, segmentStart, reached - segmentStart, step >= steps - 1)
  }
  return sendings
}

function unitsOf(ms: number, clockRate: number): number {
  return Math.round((ms * clockRate) / 1000)
}

function checkBounds(durationMs: number, intervalMs: number, totalUnits: number): void {
  if (!(durationMs > 0 && durationMs <= telephoneEventDurationMaxMs && totalUnits >= 1 && totalUnits < 2 ** 31)) {
    throw new RangeError(`durationMs is above 0 and at most ${telephoneEventDurationMaxMs}`)
  }
  if (!(intervalMs >= telephoneEventIntervalMinMs && intervalMs <= telephoneEventDurationMaxMs)) {
    throw new RangeError(`intervalMs is from ${telephoneEventIntervalMinMs} to ${telephoneEventDurationMaxMs}`)
  }
}
