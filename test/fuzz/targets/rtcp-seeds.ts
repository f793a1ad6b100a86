/** Compound packets to begin with, and the changes that fit them. */
import { type RtcpPacket, sdesItems, writeRtcp } from '@carillon/rtp-relay'
import { mutateBytes, type SeededGenerator } from '@carillon/sip-parser/testing'

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
const voip = {
  ssrc: 0xbeef,
  lossRate: 10,
  discardRate: 11,
  burstDensity: 12,
  gapDensity: 13,
  burstDurationMs: 100,
  gapDurationMs: 3200,
  roundTripMs: 40,
  endSystemDelayMs: 80,
  signalLevel: -31,
  noiseLevel: -60,
  residualEchoReturnLoss: 127,
  gapMinimum: 16,
  rFactor: 93,
  externalRFactor: 127,
  mosListening: 41,
  mosConversational: 40,
  receiverConfiguration: 0xc0,
  jitterBufferNominalMs: 40,
  jitterBufferMaximumMs: 60,
  jitterBufferAbsoluteMaximumMs: 240,
} as const
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
  [receiverReport, { type: 'TMMBN', ...ends, entries: [] }, { type: 'PSFB', ...ends, format: 7, data: text('vbcm') }],
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
        { block: 'LOSS_RLE', thinning: 2, ...stretch, chunks: [0xc001] },
        { block: 'DUPLICATE_RLE', thinning: 15, ...stretch, chunks: [0x4001, 0x8003] },
        { block: 'RECEIPT_TIMES', thinning: 0, ...stretch, times: [800] },
        { block: 'REFERENCE_TIME', ntpSeconds: 1, ntpFraction: 2 },
        { block: 'DLRR', entries: [{ ssrc: 1, lastReport: 2, delay: 3 }] },
        { block: 'STATISTICS', ...stretch, lost: 3, jitter: spread, hops: { family: 'IP6', ...spread } },
        { block: 'VOIP_METRICS', ...voip },
        { block: 'OTHER', blockType: 200, typeSpecific: 7, data: text('abcd') },
      ],
    },
  ],
  [
    { type: 'RR', ssrc: 1, reports: [], extension: text('more') },
    { type: 'BYE', ssrcs: [] },
    { type: 'SDES', chunks: [] },
  ],
  [{ type: 'RR', ssrc: 1, reports: Array.from({ length: 31 }, () => block) }],
  [{ type: 'OTHER', packetType: 209, count: 3, body: text('what is this') }],
]

/** Well-formed compounds with every kind of packet, one of them padded. */
export const rtcpSeeds: readonly Uint8Array[] = [
  ...compounds.map(writeRtcp),
  Uint8Array.from([0xa0, 201, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8]),
]

const inputBytesMax = 4_096
const words = [0, 1, 2, 0x7f, 0x80, 0xff] as const

/** A changed copy: bytes as they come, or packets taken apart, changed in one thing, and put together. */
export function mutateRtcp(input: Uint8Array, generator: SeededGenerator, donors: readonly Uint8Array[]): Uint8Array {
  if (generator.once(4)) return mutateBytes(input, generator)
  const packets = takeApart(input)
  if (packets.length === 0) return mutateBytes(input, generator)
  for (let round = generator.between(1, 3); round > 0; round -= 1) change(packets, generator, donors)
  return Uint8Array.from(Buffer.concat(packets)).subarray(0, inputBytesMax)
}

/** Packets by their lengths; the last is whatever is left. */
function takeApart(input: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let at = 0; at < input.length; ) {
    const end = at + 4 + (((input[at + 2] ?? 0) << 8) | (input[at + 3] ?? 0)) * 4
    packets.push(Uint8Array.from(input.subarray(at, end)))
    at = end
  }
  return packets
}

function change(packets: Uint8Array[], generator: SeededGenerator, donors: readonly Uint8Array[]): void {
  const at = generator.below(packets.length)
  const packet = packets[at] ?? new Uint8Array(4)
  switch (generator.below(9)) {
    case 0:
      put(packet, 0, 0x80 | generator.below(32))
      break
    case 1:
      put(packet, 1, generator.pick([192, 199, 200, 201, 202, 203, 204, 205, 206, 207, 208, 223, 224, 127]))
      break
    case 2:
      put(packet, 3, generator.pick([0, 1, 2, 255, (packet[3] ?? 0) + 1, Math.max(0, (packet[3] ?? 0) - 1)]))
      break
    case 3:
      packets.splice(at, generator.below(2), ...takeApart(generator.pick(donors)).slice(0, generator.between(1, 4)))
      break
    case 4:
      if (packets.length > 1 && generator.once(2)) packets.splice(at, 1)
      else packets.splice(at, 0, packet)
      break
    case 5:
      put(packet, 0, (packet[0] ?? 0) | 0x20)
      put(packet, packet.length - 1, generator.pick([0, 1, 4, 8, packet.length - 4, packet.length, 255]))
      break
    case 6:
      packets[at] = resized(packet, generator)
      break
    case 7:
      // Where blocks of an extended report, items and entries begin, more often than not.
      put(packet, 8 + generator.below(Math.max(1, Math.ceil(packet.length / 4) - 2)) * 4, generator.below(11))
      break
    default:
      put(packet, generator.below(packet.length + 1), generator.pick(words))
  }
}

/** More words or fewer, with a length that says so. */
function resized(packet: Uint8Array, generator: SeededGenerator): Uint8Array {
  const size = Math.min(1024, Math.max(1, Math.floor(packet.length / 4) + generator.between(-3, 3)))
  const copy = new Uint8Array(size * 4)
  copy.set(packet.subarray(0, copy.length))
  put(copy, 2, (size - 1) >> 8)
  put(copy, 3, (size - 1) & 0xff)
  return copy
}

function put(bytes: Uint8Array, at: number, value: number): void {
  if (at >= 0 && at < bytes.length) bytes[at] = value
}
