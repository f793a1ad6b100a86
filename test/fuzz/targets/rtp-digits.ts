/** Telephone events over a network that loses, repeats and reorders, as the bytes of the input say. */
import {
  type TelephoneEventPacket,
  TelephoneEventReceiver,
  type TelephoneEventReport,
  telephoneEventSchedule,
} from '@carillon/rtp-relay'
import { must } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'

const eventsMax = 12
const packetsMax = 400
const clockRate = 8000

interface Sent extends TelephoneEventPacket {
  readonly atMs: number
  /** Which of the events it belongs to. */
  readonly index: number
}

/** What happens to a packet on the way. */
interface Arrived {
  readonly packet: Sent
  readonly atMs: number
}

/** Every event that has a packet in order comes out once, in order; and none that was not sent. */
export function checkDigits(input: Uint8Array, probe: Probe): void {
  const sent = sendAll(input)
  const arrived = travel(sent, input)
  const receiver = new TelephoneEventReceiver({ clockRate })
  const reports = probe.time('telephone events', input.length, () => receive(receiver, arrived))
  const keys = reports.map(({ timestamp }) => timestamp)
  must(new Set(keys).size === keys.length, 'no event comes twice', () => JSON.stringify(reports))
  const byStart = new Map<number, number>()
  for (const { index, timestamp } of sent.toReversed()) byStart.set(timestamp, index)
  const indexes = reports.map(({ timestamp }) => byStart.get(timestamp) ?? -1)
  must(!indexes.includes(-1), 'an event begins where a packet says', () => JSON.stringify(reports))
  must(new Set(indexes).size === indexes.length, 'no event comes in two pieces', () => JSON.stringify(reports))
  must(isRising(indexes), 'events come in order', () => `${indexes}`)
  const wanted = inOrder(arrived)
  const missing = [...wanted].filter((index) => !indexes.includes(index))
  must(missing.length === 0, 'every event comes', () => `${missing} of ${JSON.stringify(reports)}`)
  must(receiver.deadline() === Number.POSITIVE_INFINITY, 'nothing is left open', () => `${receiver.deadline()}`)
  for (const { endedBy } of reports) probe.reach(`digit ${endedBy}`)
}

/** Two bytes an event: which, and how long. The first begins right before the timestamp and the sequence go round. */
function sendAll(input: Uint8Array): readonly Sent[] {
  const sent: Sent[] = []
  let timestamp = 0xffff_f000
  let sequence = 0xfff0
  let startMs = 0
  for (let index = 0; index < eventsMax && index * 2 + 1 < input.length; index++) {
    const [code = 0, length = 0] = input.subarray(index * 2)
    // One in 32 lasts for more than one segment.
    const durationMs = length % 32 === 31 ? 9_000 + length * 50 : 20 + length
    const schedule = telephoneEventSchedule({ event: code % 17, durationMs, timestamp, clockRate, intervalMs: 50 })
    for (const { atMs, marker, timestamp: at, payload } of schedule) {
      sent.push({ ssrc: 7, sequence, timestamp: at, marker, payload, atMs: startMs + atMs, index })
      sequence = (sequence + 1) & 0xffff
    }
    const pauseMs = 40 + (code >> 4) * 30
    timestamp = (timestamp + (durationMs + pauseMs) * 8) >>> 0
    startMs = (sent.at(-1)?.atMs ?? 0) + pauseMs
    if (sent.length > packetsMax) break
  }
  return sent
}

/** One byte a packet: lost, doubled, or late by up to seven places. */
function travel(sent: readonly Sent[], input: Uint8Array): readonly Arrived[] {
  const placed: { place: number; packet: Sent }[] = []
  for (const [index, packet] of sent.entries()) {
    const fate = input[(index * 7 + 3) % input.length] ?? 0
    if (fate % 5 === 0) continue
    placed.push({ place: index + (fate % 3 === 0 ? fate >> 5 : 0), packet })
    if (fate % 7 === 0) placed.push({ place: index + 1 + (fate >> 6), packet })
  }
  placed.sort((one, other) => one.place - other.place)
  let nowMs = 0
  return placed.map(({ packet }) => {
    nowMs = Math.max(nowMs, packet.atMs)
    return { packet, atMs: nowMs }
  })
}

function receive(receiver: TelephoneEventReceiver, arrived: readonly Arrived[]): readonly TelephoneEventReport[] {
  const reports: TelephoneEventReport[] = []
  let nowMs = 0
  for (const { packet, atMs } of arrived) {
    nowMs = atMs
    if (receiver.deadline() <= nowMs) receiver.expire(nowMs, reports)
    receiver.handle(packet, nowMs, reports)
  }
  receiver.expire(nowMs + 60_000, reports)
  return reports
}

/** The events of which a packet came before all that were sent after it. */
function inOrder(arrived: readonly Arrived[]): ReadonlySet<number> {
  const found = new Set<number>()
  let newest = -1
  for (const { packet } of arrived) {
    if (packet.index < newest) continue
    newest = packet.index
    found.add(packet.index)
  }
  return found
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((value, at) => at === 0 || value > (numbers[at - 1] ?? 0))
}
