import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { sdesItems } from './packet-types'
import type { RtcpPacket } from './packets'
import { readRtcp } from './reader'
import { writeRtcp } from './writer'

const bytes = (...hex: readonly string[]): Buffer => Buffer.from(hex.join('').replace(/\s/g, ''), 'hex')
const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const block = '0000beef 40 fffffe 0001000a 00000012 12345678 00008000'
const readBlock = {
  ssrc: 0xbeef,
  fractionLost: 64,
  cumulativeLost: -2,
  highestSequence: 0x1_000a,
  jitter: 18,
  lastReport: 0x1234_5678,
  delaySinceLastReport: 0x8000,
}

/** Reads; undefined where the bytes are refused. */
function read(packet: Uint8Array, reducedSize = false): readonly RtcpPacket[] | undefined {
  const result = readRtcp(packet, { reducedSize })
  return result.ok ? result.packets : undefined
}

function refusal(packet: Uint8Array, reducedSize = false): string {
  const result = readRtcp(packet, { reducedSize })
  return result.ok ? 'none' : `${result.code} at ${result.offset}`
}

const golden: readonly (readonly [string, Buffer, RtcpPacket])[] = [
  [
    'RFC 3550 §6.4.1: a sender report',
    bytes('81c8000c 0000cafe e1e2e3e4 80000000 00000320 00000064 00003e80', block),
    {
      type: 'SR',
      ssrc: 0xcafe,
      ntpSeconds: 0xe1e2_e3e4,
      ntpFraction: 0x8000_0000,
      rtpTimestamp: 800,
      packetCount: 100,
      octetCount: 16_000,
      reports: [readBlock],
    },
  ],
  [
    'RFC 3550 §6.4.2: a receiver report with what a profile adds',
    bytes('81c90009 0000cafe', block, '01020304 05060708'),
    { type: 'RR', ssrc: 0xcafe, reports: [readBlock], extension: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) },
  ],
  [
    'RFC 3550 §6.5: source descriptions, each filled up to a word',
    bytes('82ca0006 0000cafe 01 03 614062 00 0000 0000beef 08 05 02 7879 3d31 00 000000').subarray(0, 28),
    {
      type: 'SDES',
      chunks: [
        { ssrc: 0xcafe, items: [{ item: sdesItems.CNAME, text: utf8('a@b') }] },
        { ssrc: 0xbeef, items: [{ item: sdesItems.PRIV, prefix: utf8('xy'), text: utf8('=1') }] },
      ],
    },
  ],
  [
    'RFC 3550 §6.6: a goodbye with a reason',
    bytes('82cb0004 0000cafe 0000beef 04 646f6e65 000000'),
    { type: 'BYE', ssrcs: [0xcafe, 0xbeef], reason: utf8('done') },
  ],
  [
    'RFC 3550 §6.7: a packet of an application',
    bytes('85cc0003 0000cafe 74657374 00000001'),
    { type: 'APP', subtype: 5, ssrc: 0xcafe, name: 'test', data: Uint8Array.from([0, 0, 0, 1]) },
  ],
  [
    'RFC 4585 §6.2.1: packets that have not come',
    bytes('81cd0003 0000cafe 0000beef 0064 8001'),
    { type: 'NACK', senderSsrc: 0xcafe, mediaSsrc: 0xbeef, entries: [{ sequence: 100, following: 0x8001 }] },
  ],
  [
    'RFC 5104 §4.2.1: a bit rate that is asked for',
    bytes('83cd0004 0000cafe 00000000 0000beef 08 03e8 28').subarray(0, 20),
    {
      type: 'TMMBR',
      senderSsrc: 0xcafe,
      mediaSsrc: 0,
      entries: [{ ssrc: 0xbeef, exponent: 2, mantissa: 500, overhead: 40 }],
    },
  ],
  [
    'RFC 4585 §6.3.1: a picture that was lost',
    bytes('81ce0002 0000cafe 0000beef'),
    { type: 'PLI', senderSsrc: 0xcafe, mediaSsrc: 0xbeef },
  ],
  [
    'RFC 4585 §6.3.2: slices that were lost',
    bytes('82ce0003 0000cafe 0000beef 00080081'),
    { type: 'SLI', senderSsrc: 0xcafe, mediaSsrc: 0xbeef, entries: [{ first: 1, count: 2, pictureId: 1 }] },
  ],
  [
    'RFC 4585 §6.3.3: a picture to refer to',
    bytes('83ce0003 0000cafe 0000beef 08 60 0a00'),
    {
      type: 'RPSI',
      senderSsrc: 0xcafe,
      mediaSsrc: 0xbeef,
      payloadType: 96,
      bits: Uint8Array.from([10, 0]),
      paddingBits: 8,
    },
  ],
  [
    'RFC 5104 §4.3.1: a whole picture that is wanted',
    bytes('84ce0004 0000cafe 00000000 0000beef 07 000000'),
    { type: 'FIR', senderSsrc: 0xcafe, mediaSsrc: 0, entries: [{ ssrc: 0xbeef, sequence: 7 }] },
  ],
  [
    'RFC 5104 §4.3.2: a trade of sharpness for frames',
    bytes('85ce0004 0000cafe 00000000 0000beef 07 0000 1f'),
    { type: 'TSTR', senderSsrc: 0xcafe, mediaSsrc: 0, entries: [{ ssrc: 0xbeef, sequence: 7, index: 31 }] },
  ],
  [
    'RFC 4585 §6.4: feedback of the application',
    bytes('8fce0003 0000cafe 00000000 52454d42'),
    { type: 'AFB', senderSsrc: 0xcafe, mediaSsrc: 0, data: utf8('REMB') },
  ],
  [
    'RFC 4585 §6.1: feedback of another format',
    bytes('8fcd0003 0000cafe 0000beef 00010002'),
    { type: 'RTPFB', format: 15, senderSsrc: 0xcafe, mediaSsrc: 0xbeef, data: Uint8Array.from([0, 1, 0, 2]) },
  ],
  [
    'RFC 3611 §4.1: packets that were lost',
    bytes('80cf0005 0000cafe 01020003 0000beef 000a 0014 c001 0000').subarray(0, 24),
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [{ block: 'LOSS_RLE', thinning: 2, ssrc: 0xbeef, begin: 10, end: 20, chunks: [0xc001] }],
    },
  ],
  [
    'RFC 3611 §4.3: when packets came',
    bytes('80cf0005 0000cafe 03000003 0000beef 000a 000b 00000320'),
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [{ block: 'RECEIPT_TIMES', thinning: 0, ssrc: 0xbeef, begin: 10, end: 11, times: [800] }],
    },
  ],
  [
    "RFC 3611 §4.4, §4.5: the receiver's time, and how long ago others came",
    bytes('80cf0008 0000cafe 04000002 e1e2e3e4 80000000 05000003 0000beef 12345678 00010000'),
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [
        { block: 'REFERENCE_TIME', ntpSeconds: 0xe1e2_e3e4, ntpFraction: 0x8000_0000 },
        { block: 'DLRR', entries: [{ ssrc: 0xbeef, lastReport: 0x1234_5678, delay: 0x1_0000 }] },
      ],
    },
  ],
  [
    'RFC 3611 §4.6: counts, of which some are not told',
    bytes(
      '80cf000b 0000cafe 06a80009 0000beef 000a0014 00000003 00000000',
      '00000001 00000009 00000004 00000002 40414041',
    ),
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [
        {
          block: 'STATISTICS',
          ssrc: 0xbeef,
          begin: 10,
          end: 20,
          lost: 3,
          jitter: { min: 1, max: 9, mean: 4, deviation: 2 },
          hops: { family: 'IP4', min: 64, max: 65, mean: 64, deviation: 65 },
        },
      ],
    },
  ],
  [
    'RFC 3611 §4.7: what a telephone judges of a call',
    bytes('80cf000a 0000cafe 07000008 0000beef 0a0b0c0d 00640c80 00280050 e1c47f10 5d7f2928 c0000028 003c00f0'),
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [
        {
          block: 'VOIP_METRICS',
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
        },
      ],
    },
  ],
  [
    'RFC 3611 §3: a block that nobody knows',
    bytes('80cf0003 0000cafe c8070001 01020304'),
    {
      type: 'XR',
      ssrc: 0xcafe,
      blocks: [{ block: 'OTHER', blockType: 200, typeSpecific: 7, data: Uint8Array.from([1, 2, 3, 4]) }],
    },
  ],
  [
    'RFC 3550 §6.1: a type that nobody knows',
    bytes('83d10001 01020304'),
    { type: 'OTHER', packetType: 209, count: 3, body: Uint8Array.from([1, 2, 3, 4]) },
  ],
]

/** Those whose name begins so. */
function of(rfc: string): typeof golden {
  return golden.filter(([name]) => name.startsWith(rfc))
}

function readsAndWrites(_name: string, packet: Buffer, wanted: RtcpPacket): void {
  const packets = read(Uint8Array.from(packet), true)
  expect(packets).toHaveLength(1)
  expect(plain(packets?.[0])).toEqual(plain(wanted))
  expect(Buffer.from(writeRtcp([wanted])).toString('hex')).toBe(packet.toString('hex'))
}

describe('RTCP packets', () => {
  it.each(of('RFC 3550'))(
    'RFC 3550 §6.1, §6.4.1, §6.4.2, §6.5, §6.6, §6.7: %s is read, and written as it was',
    readsAndWrites,
  )

  it.each(of('RFC 4585'))(
    'RFC 4585 §6.1, §6.2.1, §6.3.1, §6.3.2, §6.3.3, §6.4: %s is read, and written as it was',
    readsAndWrites,
  )

  it.each(of('RFC 5104'))('RFC 5104 §4.2.1, §4.3.1, §4.3.2: %s is read, and written as it was', readsAndWrites)

  it.each(of('RFC 3611'))(
    'RFC 3611 §3, §4.1, §4.3, §4.4, §4.5, §4.6, §4.7: %s is read, and written as it was',
    readsAndWrites,
  )

  it('are all of them', () => {
    const counted = ['RFC 3550', 'RFC 4585', 'RFC 5104', 'RFC 3611'].flatMap(of)
    expect(counted).toHaveLength(golden.length)
  })

  it('RFC 3550 §6.1: follow each other in a compound', () => {
    const compound = Buffer.concat([golden[0]![1], golden[2]![1], golden[3]![1]])
    expect(read(compound)?.map(({ type }) => type)).toEqual(['SR', 'SDES', 'BYE'])
    expect(writeRtcp(read(compound) ?? [])).toEqual(Uint8Array.from(compound))
  })

  it('RFC 3550 §6.4.1: may be padded at the end of the compound', () => {
    const padded = bytes('a0c90003 0000cafe 00000000 00000008')
    expect(read(padded)).toEqual([{ type: 'RR', ssrc: 0xcafe, reports: [] }])
  })
})

describe('bytes that are no compound packet', () => {
  it.each([
    ['nothing', '', 'RTCP_EMPTY at 0'],
    ['RFC 3550 A.2: another version', '40c90001 00000001', 'RTCP_VERSION at 0'],
    ['RFC 5761 §4: a type of RTP', '80000001 00000001', 'RTCP_TYPE at 0'],
    ['RFC 3550 A.2: a length over the end', '80c90002 00000001', 'RTCP_LENGTH at 0'],
    ['a second packet over the end', '80c90001 00000001 81cb', 'RTCP_LENGTH at 8'],
    ['RFC 3550 §6.1: a goodbye before any report', '81cb0001 00000001', 'RTCP_FIRST at 0'],
    [
      'RFC 3550 §6.4.1: padding before the last packet',
      'a0c90002 00000001 00000004 80c90001 00000001',
      'RTCP_PADDING at 0',
    ],
    ['padding of no length', 'a0c90002 00000001 00000000', 'RTCP_PADDING at 0'],
    ['padding that is no whole words', 'a0c90002 00000001 00000003', 'RTCP_PADDING at 0'],
    ['more padding than packet', 'a0c90002 00000001 0000000c', 'RTCP_PADDING at 0'],
    ['RFC 3550 §6.4: 31 reports, of which one is there', `9fc90007 0000cafe ${block}`, 'RTCP_CONTENT at 0'],
    ['a sender report that ends in its head', '80c80002 0000cafe 00000000', 'RTCP_CONTENT at 0'],
    [
      'RFC 3550 §6.5: an item longer than its packet',
      '80c90001 00000001 81ca0002 0000cafe 01ff6100',
      'RTCP_CONTENT at 8',
    ],
    ['RFC 3550 §6.5: a chunk without its end', '80c90001 00000001 81ca0002 0000cafe 01026162', 'RTCP_CONTENT at 8'],
    ['RFC 3550 §6.5: more chunks than there are', '80c90001 00000001 82ca0002 0000cafe 00000000', 'RTCP_CONTENT at 8'],
    [
      'RFC 3550 §6.5.8: a prefix longer than its item',
      '80c90001 00000001 81ca0002 0000cafe 08020900',
      'RTCP_CONTENT at 8',
    ],
    ['RFC 3550 §6.6: more sources than there are', '80c90001 00000001 83cb0001 0000cafe', 'RTCP_CONTENT at 8'],
    [
      'RFC 3550 §6.6: a reason longer than its packet',
      '80c90001 00000001 81cb0002 0000cafe 05616263',
      'RTCP_CONTENT at 8',
    ],
    ['RFC 3550 §6.7: a name that is cut', '80c90001 00000001 80cc0001 0000cafe', 'RTCP_CONTENT at 8'],
    ['RFC 4585 §6.1: feedback without its ends', '80c90001 00000001 81cd0001 0000cafe', 'RTCP_CONTENT at 8'],
    ['RFC 5104 §4.3.1: half an entry', '80c90001 00000001 84ce0003 0000cafe 00000000 0000beef', 'RTCP_CONTENT at 8'],
    [
      'RFC 4585 §6.3.3: more padding bits than bits',
      '80c90001 00000001 83ce0003 0000cafe 0000beef 11600000',
      'RTCP_CONTENT at 8',
    ],
    [
      'RFC 3611 §3: a block longer than its packet',
      '80c90001 00000001 80cf0002 0000cafe 04000002',
      'RTCP_CONTENT at 8',
    ],
    [
      'RFC 3611 §4.4: a block shorter than its kind',
      '80c90001 00000001 80cf0003 0000cafe 04000001 00000000',
      'RTCP_CONTENT at 8',
    ],
    [
      'RFC 3611 §4.4: a block longer than its kind',
      '80c90001 00000001 80cf0005 0000cafe 04000003 00000000 00000000 00000000',
      'RTCP_CONTENT at 8',
    ],
  ])('%s', (_name, hex, wanted) => {
    expect(refusal(bytes(hex))).toBe(wanted)
  })

  it('RFC 5506 §3.4.2: any packet comes first where reduced size is agreed', () => {
    expect(refusal(bytes('81ce0002 0000cafe 0000beef'))).toBe('RTCP_FIRST at 0')
    expect(refusal(bytes('81ce0002 0000cafe 0000beef'), true)).toBe('none')
  })

  it('cut anywhere, are refused', () => {
    const compound = Buffer.concat([golden[0]![1], golden[2]![1], golden[18]![1]])
    const whole = [0, golden[0]![1].length, golden[0]![1].length + golden[2]![1].length]
    for (let length = 0; length < compound.length; length++) {
      if (!whole.includes(length) || length === 0) expect(refusal(compound.subarray(0, length))).not.toBe('none')
    }
  })
})

/** Views and arrays alike. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, inner) => (inner instanceof Uint8Array ? Array.from(inner) : inner)))
}
