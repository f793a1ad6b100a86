/**
 * Compound RTCP packets: reading, writing what was read, and the walk over them that the relay's statistics make, which
 * finds the same reports.
 */
import { isDeepStrictEqual } from 'node:util'
import { type RtcpPacket, type RtcpResult, readRtcp, rtcpErrorCodes, rtcpTypes, writeRtcp } from '@carillon/rtp-relay'
import { readReports } from '../../../packages/rtp-relay/src/rtcp/compound'
import { must } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { mutateRtcp, rtcpSeeds } from './rtcp-seeds.ts'

/** What is under test; the fuzzer's own tests put one with a fault in its place. */
export interface RtcpReader {
  readonly readRtcp: typeof readRtcp
  readonly readReports: typeof readReports
  readonly writeRtcp: typeof writeRtcp
}

/** Makes the target. */
export function rtcpTarget(reader: RtcpReader = { readRtcp, readReports, writeRtcp }): Target {
  return {
    name: 'rtcp',
    seeds: rtcpSeeds,
    mutate: mutateRtcp,
    check: (input, probe) => checkRtcp(reader, input, probe),
  }
}

function checkRtcp(reader: RtcpReader, input: Uint8Array, probe: Probe): void {
  const before = Buffer.from(input)
  const read = probe.time('readRtcp', input.length, () => reader.readRtcp(input, { reducedSize: true }))
  const strictly = reader.readRtcp(input)
  const walked = probe.time('readReports', input.length, () => walk(reader, input, 0))
  must(before.equals(input), 'the input is left alone', () => before.toString('hex'))
  checkFirst(input, read, strictly)
  must(isDeepStrictEqual(walk(reader, input, 0xff), walked), 'what follows the input is not looked at', () =>
    hex(input),
  )
  if (!read.ok) {
    checkFault(reader, input, read, probe)
    return
  }
  must(walked.isWhole, 'the walk goes over what can be read', () => hex(input))
  const reports = reportsIn(read.packets)
  must(
    isDeepStrictEqual(walked.reports, reports),
    'the walk finds the same reports',
    () => `${JSON.stringify(walked.reports)} and ${JSON.stringify(reports)}`,
  )
  for (const packet of read.packets) probe.reach(shapeOf(packet))
  checkWriting(reader, input, read.packets, probe)
  checkRefusal(reader, input, read.packets)
}

/** A compound that begins with a report reads the same whatever was agreed; another one only where it was. */
function checkFirst(input: Uint8Array, read: RtcpResult, strictly: RtcpResult): void {
  const isReport = input[1] === rtcpTypes.SR || input[1] === rtcpTypes.RR
  const wanted: RtcpResult = read.ok && !isReport ? { ok: false, code: 'RTCP_FIRST', offset: 0 } : read
  must(
    isDeepStrictEqual(plain(strictly), plain(wanted)) || (!strictly.ok && strictly.code === 'RTCP_FIRST' && !isReport),
    'reduced size changes nothing but the first packet',
    () => `${JSON.stringify(plain(strictly))} and ${JSON.stringify(plain(read))}`,
  )
}

function checkFault(reader: RtcpReader, input: Uint8Array, fault: RtcpResult & { ok: false }, probe: Probe): void {
  const { code, offset } = fault
  probe.reach(`${code} ${offset > 0} ${Math.max(199, Math.min(208, input[offset + 1] ?? 0))}`)
  must(Object.hasOwn(rtcpErrorCodes, code), 'a fault has a code', () => code)
  must(code !== 'RTCP_FIRST', 'any packet may come first where reduced size was agreed', () => hex(input))
  must(offset >= 0 && offset < Math.max(1, input.length), 'a fault points into the input', () => `${offset}`)
  if (offset === 0) return
  const head = input.subarray(0, offset)
  const again = reader.readRtcp(head, { reducedSize: true })
  must(again.ok, 'what comes before a fault reads on its own', () => `${hex(head)} ${JSON.stringify(again)}`)
}

function checkWriting(reader: RtcpReader, input: Uint8Array, packets: readonly RtcpPacket[], probe: Probe): void {
  const written = probe.time('writeRtcp', input.length, () => reader.writeRtcp(packets))
  const padding = ((lastHeader(input) ?? 0) & 0x20) === 0 ? 0 : (input.at(-1) ?? 0)
  // What only fills up may be left out: nothing else changes in size.
  must(written.length <= input.length - padding, 'nothing is added', () => hex(written))
  const again = reader.readRtcp(written, { reducedSize: true })
  must(
    again.ok && isDeepStrictEqual(plain(again.packets), plain(packets)),
    'what was written reads back',
    () => `${hex(written)} ${JSON.stringify(plain(packets))}`,
  )
  must(Buffer.from(reader.writeRtcp(again.packets)).equals(written), 'what was read back is written the same way', () =>
    hex(written),
  )
}

/** One number of the packets, which the input chooses, becomes one that no field holds. */
function checkRefusal(reader: RtcpReader, input: Uint8Array, packets: readonly RtcpPacket[]): void {
  const copies = structuredClone(packets.slice(0, 4)) as unknown as object[]
  const places: (readonly [Record<string, unknown>, string])[] = []
  collect(copies, places)
  const chosen = places[input.reduce((sum, octet) => sum + octet, 0) % Math.max(1, places.length)]
  if (chosen === undefined) return
  const [holder, name] = chosen
  for (const value of [2 ** 33, -(2 ** 33), 0.5, Number.NaN]) {
    holder[name] = value
    must(
      isRefused(reader, copies as unknown as readonly RtcpPacket[]),
      'a value that no field holds is refused',
      () => `${name} of ${JSON.stringify(plain(copies))}`,
    )
  }
}

function isRefused(reader: RtcpReader, packets: readonly RtcpPacket[]): boolean {
  try {
    reader.writeRtcp(packets)
    return false
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    return true
  }
}

function collect(value: object, places: (readonly [Record<string, unknown>, string])[]): void {
  if (ArrayBuffer.isView(value)) return
  for (const [name, inner] of Object.entries(value).slice(0, 24)) {
    if (typeof inner === 'number') places.push([value as Record<string, unknown>, name])
    else if (typeof inner === 'object' && inner !== null) collect(inner, places)
  }
}

interface Walk {
  readonly isWhole: boolean
  readonly reports: readonly (readonly number[])[]
}

/** What the walk hands over, of the input in a larger buffer that goes on with `follows`. */
function walk(reader: RtcpReader, input: Uint8Array, follows: number): Walk {
  const larger = new Uint8Array(input.length + 32).fill(follows)
  larger.set(input)
  const reports: number[][] = []
  const isWhole = reader.readReports(larger, input.length, {
    senderReport: (...values) => void reports.push(values),
    reportBlock: (...values) => void reports.push(values),
  })
  return { isWhole, reports }
}

function reportsIn(packets: readonly RtcpPacket[]): number[][] {
  const found: number[][] = []
  for (const packet of packets) {
    if (packet.type !== 'SR' && packet.type !== 'RR') continue
    if (packet.type === 'SR') found.push([packet.ssrc, ((packet.ntpSeconds << 16) | (packet.ntpFraction >>> 16)) >>> 0])
    for (const { ssrc, fractionLost, cumulativeLost, jitter, lastReport, delaySinceLastReport } of packet.reports)
      found.push([packet.ssrc, ssrc, fractionLost, cumulativeLost, jitter, lastReport, delaySinceLastReport])
  }
  return found
}

/** The first byte of the last packet, by the lengths alone. */
function lastHeader(input: Uint8Array): number | undefined {
  let last: number | undefined
  for (let at = 0; at < input.length; ) {
    last = input[at]
    at += 4 + (((input[at + 2] ?? 0) << 8) | (input[at + 3] ?? 0)) * 4
  }
  return last
}

function shapeOf(packet: RtcpPacket): string {
  if (packet.type === 'XR') return `XR ${packet.blocks.slice(0, 3).map(({ block }) => block)}`
  if (packet.type === 'SDES') return `SDES ${packet.chunks.map(({ items }) => Math.min(3, items.length)).slice(0, 3)}`
  if ('reports' in packet)
    return `${packet.type} ${Math.min(3, packet.reports.length)} ${packet.extension !== undefined}`
  return 'entries' in packet ? `${packet.type} ${Math.min(3, packet.entries.length)}` : packet.type
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Views of other buffers are not deeply equal to one another: copies are. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner) => (ArrayBuffer.isView(inner) ? hex(inner as Uint8Array) : inner)),
  )
}
