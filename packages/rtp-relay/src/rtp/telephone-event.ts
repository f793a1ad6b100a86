/** The payload of telephone-event: DTMF digits and other events, 4 bytes each (RFC 4733 §2.3, §2.5.1.5, §3.2). */
import type { RtpErrorCode } from '../errors'
import { telephoneEventsPerPacketMax } from '../limits'

/** One event as a packet reports it. */
export interface TelephoneEvent {
  /** The event code, 0–255; 0 to 15 are the digits of {@link digitOfEvent}. */
  readonly event: number
  /** True in the packets that report the end of the event. */
  readonly isEnd: boolean
  /** The power of the tone, in dBm0 below zero: 0–63. */
  readonly volume: number
  /** How long it has lasted so far, in units of the timestamp, 0–65535; a longer event is reported in segments. */
  readonly durationUnits: number
}

/** What {@link readTelephoneEvents} returns. */
export type TelephoneEventReading =
  | { readonly ok: true; readonly events: readonly TelephoneEvent[] }
  | { readonly ok: false; readonly code: RtpErrorCode; readonly offset: number }

/** The longest duration that a packet can report; an event that lasts longer goes on in a new segment (§2.5.1.3). */
export const segmentUnitsMax = 0xffff
const eventBytes = 4
const digits = '0123456789*#ABCD'

/** Reads the events of a packet, mostly one; each begins where the one before it ends. Never throws. */
export function readTelephoneEvents(payload: Uint8Array): TelephoneEventReading {
  const { length } = payload
  if (length === 0 || length % eventBytes !== 0) return { ok: false, code: 'TELEPHONE_EVENT_CUT', offset: length }
  const bytesMax = telephoneEventsPerPacketMax * eventBytes
  if (length > bytesMax) return { ok: false, code: 'TELEPHONE_EVENT_TOO_MANY', offset: bytesMax }
  const events: TelephoneEvent[] = []
  for (let at = 0; at < length; at += eventBytes) {
    const flags = payload[at + 1]!
    events.push({
      event: payload[at]!,
      isEnd: (flags & 0x80) !== 0,
      // The bit between the two is reserved, and not looked at.
      volume: flags & 0x3f,
      durationUnits: (payload[at + 2]! << 8) | payload[at + 3]!,
    })
  }
  return { ok: true, events }
}

/**
 * Writes the payload of a packet.
 * @throws RangeError when a field does not fit its place, or there are no events or too many
 */
export function writeTelephoneEvents(events: readonly TelephoneEvent[]): Uint8Array {
  if (events.length === 0 || events.length > telephoneEventsPerPacketMax) {
    throw new RangeError(`a packet has 1 to ${telephoneEventsPerPacketMax} events`)
  }
  const payload = new Uint8Array(events.length * eventBytes)
  for (const [index, { event, isEnd, volume, durationUnits }] of events.entries()) {
    checkField('event', event, 255)
    checkField('volume', volume, 63)
    checkField('durationUnits', durationUnits, segmentUnitsMax)
    payload.set([event, (isEnd ? 0x80 : 0) | volume, durationUnits >> 8, durationUnits & 0xff], index * eventBytes)
  }
  return payload
}

/** The digit of an event code: 0–9, `*`, `#`, A–D; undefined for other events, as 16, the hook flash. */
export function digitOfEvent(event: number): string | undefined {
  return digits[event]
}

/** The event code of a digit, letters of either case; undefined when it is none. */
export function eventOfDigit(digit: string): number | undefined {
  const at = digit.length === 1 ? digits.indexOf(digit.toUpperCase()) : -1
  return at < 0 ? undefined : at
}

function checkField(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(`${name} is a whole number from 0 to ${most}`)
  }
}
