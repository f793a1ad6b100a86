/** Compound RTCP packets: reading, and writing what was read. */
import { isDeepStrictEqual } from 'node:util'
import { type RtcpPacket, readRtcp, rtcpErrorCodes, rtcpTypes, sdesItems, writeRtcp } from '@carillon/rtp-relay'
import { mutateBytes, type SeededGenerator } from '@carillon/sip-parser/testing'
import { must } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'

const block = {
  ssrc: 0xbeef,
  fractionLost: 64,
  cumulativeLost: -2,
  highestSequence: 0x1_000a,
  jitter: 18,
  lastReport: 0x1234_5678,
  delaySinceLastReport: 0x8000,
}
const receiverReport: RtcpPacket = { type: 'RR', ssrc: 0xcafe, reports: [block] }
const ends = { senderSsrc: 0xcafe, mediaSsrc: 0xbeef } as const
const stretch = { ssrc: 0xbeef, begin: 10, end: 20 } as const
const spread = { min: 1, max: 9, mean: 4, deviation: 2 } as const
const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value))

const compounds: readonly (readonly RtcpPacket[])[] = [
  [
    {
      type: 'SR',
      ssrc: 0xcafe,
      ntpSeconds: 0xe1e2_e3e4,
      ntpFraction: 0x8000_0000,
      rtpTimestamp: 800,
      packetCount: 100,
      octetCount: 16_000,
      reports: [block, block],
    },
    {
      type: 'SDES',
      chunks: [
        { ssrc: 0xcafe, items: [{ item: sdesItems.CNAME, text: text('a@b') }] },
        { ssrc: 0xbeef, items: [{ item: sdesItems.PRIV, prefix: text('xy'), text: text('z') }] },
      ],
    },
    { type: 'BYE', ssrcs: [0xcafe], reason: text('done') },
  ],
  [receiverReport, { type: 'APP', subtype: 5, ssrc: 0xcafe, name: 'test', data: text('data') }],
  [receiverReport, { type: 'NACK', ...ends, entries: [{ sequence: 100, following: 0x8001 }] }],
  [receiverReport, { type: 'TMMBR', ...ends, entries: [{ ssrc: 1, exponent: 2, mantissa: 500, overhead: 40 }] }],
  [receiverReport, { type: 'PLI', ...ends }, { type: 'SLI', ...ends, entries: [{ first: 1, count: 2, pictureId: 3 }] }],
  [receiverReport, { type: 'RPSI', ...ends, payloadType: 96, bits: text('ab'), paddingBits: 8 }],
  [receiverReport, { type: 'FIR', ...ends, entries: [{ ssrc: 1, sequence: 7 }] }],
  [receiverReport, { type: 'TSTN', ...ends, entries: [{ ssrc: 1, sequence: 7, index: 31 }] }],
  [
    receiverReport,
    { type: 'AFB', ...ends, data: text('REMB') },
    { type: 'RTPFB', ...ends, format: 15, data: text('twcc') },
  ],
  [
    receiverReport,
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [
        { block: 'LOSS_RLE', thinning: 2, ...stretch, chunks: [0xc001, 0] },
        { block: 'RECEIPT_TIMES', thinning: 0, ...stretch, times: [800] },
        { block: 'REFERENCE_TIME', ntpSeconds: 1, ntpFraction: 2 },
        { block: 'DLRR', entries: [{ ssrc: 1, lastReport: 2, delay: 3 }] },
        { block: 'STATISTICS', ...stretch, lost: 3, jitter: spread, hops: { family: 'IP6', ...spread } },
        { block: 'OTHER', blockType: 200, typeSpecific: 7, data: text('abcd') },
      ],
    },
  ],
]

/** The reader under test; the fuzzer's own tests may put one with a fault in its place. */
export interface RtcpReader {
  readonly readRtcp: typeof readRtcp
}

/** Makes the target. */
export function rtcpTarget(reader: RtcpReader = { readRtcp }): Target {
  return {
    name: 'rtcp',
    seeds: compounds.map(writeRtcp),
    mutate: mutateRtcp,
    check: (input, probe) => {
      for (const reducedSize of [false, true]) check(reader, input, reducedSize, probe)
    },
  }
}

/** Any change of bytes; half of the time the length of some packet is put right again, so that the rest is read too. */
function mutateRtcp(input: Uint8Array, generator: SeededGenerator): Uint8Array {
  const changed = Uint8Array.from(mutateBytes(input, generator))
  if (changed.length < 4 || generator.below(2) === 0) return changed
  changed[0] = 0x80 | ((changed[0] ?? 0) & 0x1f)
  if (generator.below(2) === 0) changed[1] = 200 + generator.below(8)
  const words = Math.floor(changed.length / 4) - 1
  changed[2] = words >> 8
  changed[3] = words & 0xff
  return changed.subarray(0, (words + 1) * 4)
}

function check(reader: RtcpReader, input: Uint8Array, reducedSize: boolean, probe: Probe): void {
  const before = Buffer.from(input)
  const read = probe.time('readRtcp', input.length, () => reader.readRtcp(input, { reducedSize }))
  must(before.equals(input), 'the input is left alone', () => before.toString('hex'))
  if (!read.ok) {
    probe.reach(`${reducedSize} ${read.code}`)
    must(Object.hasOwn(rtcpErrorCodes, read.code), 'a fault has a code', () => read.code)
    must(read.offset >= 0 && read.offset <= input.length, 'a fault points into the input', () => `${read.offset}`)
    return
  }
  const { packets } = read
  for (const packet of packets) probe.reach(shapeOf(packet))
  must(reducedSize || isReport(input), 'a compound begins with a report', () => before.toString('hex'))
  const padding = ((lastHeader(input) ?? 0) & 0x20) === 0 ? 0 : (input.at(-1) ?? 0)
  const written = probe.time('writeRtcp', input.length, () => writeRtcp(packets))
  // A zero fills a report of run lengths, an item's end may be longer than it must be: nothing else changes in size.
  must(written.length <= input.length - padding, 'nothing is added', () => Buffer.from(written).toString('hex'))
  const again = reader.readRtcp(written, { reducedSize })
  must(
    again.ok && isDeepStrictEqual(plain(again.packets), plain(packets)),
    'what was written reads back',
    () => `${Buffer.from(written).toString('hex')} ${JSON.stringify(plain(packets))}`,
  )
}

function isReport(input: Uint8Array): boolean {
  return input[1] === rtcpTypes.SR || input[1] === rtcpTypes.RR
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

/** Views of other buffers are not deeply equal to one another: copies are. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner) =>
      ArrayBuffer.isView(inner) ? Buffer.from(inner as Uint8Array).toString('hex') : inner,
    ),
  )
}
