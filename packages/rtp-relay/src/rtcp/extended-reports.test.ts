import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { ExtendedReportBlock, VoipMetrics } from './extended-reports'
import { readRtcp } from './reader'
import { writeRtcp } from './writer'

const stretch = { ssrc: 0xbeef, begin: 0xfffe, end: 3 } as const
const spread = { min: 1, max: 9, mean: 4, deviation: 2 } as const

/** The blocks of an extended report that holds these bytes and tells its own length; the code where it is refused. */
function blocksOf(hex: string): readonly ExtendedReportBlock[] | string {
  const blocks = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const packet = Buffer.concat([Buffer.from([0x80, 207, 0, 1 + blocks.length / 4, 0, 0, 0xca, 0xfe]), blocks])
  const result = readRtcp(Uint8Array.from(packet), { reducedSize: true })
  if (!result.ok) return result.code
  const [report] = result.packets
  return report?.type === 'XR' ? report.blocks : []
}

/** The bytes of blocks, without those of the report around them. */
function hexOf(...blocks: readonly ExtendedReportBlock[]): string {
  return Buffer.from(writeRtcp([{ type: 'XR', ssrc: 0xcafe, blocks }]))
    .toString('hex')
    .slice(16)
}

const metrics: VoipMetrics = {
  block: 'VOIP_METRICS',
  ssrc: 1,
  lossRate: 0,
  discardRate: 0,
  burstDensity: 0,
  gapDensity: 0,
  burstDurationMs: 0,
  gapDurationMs: 0,
  roundTripMs: 0,
  endSystemDelayMs: 0,
  signalLevel: 127,
  noiseLevel: -128,
  residualEchoReturnLoss: 0,
  gapMinimum: 16,
  rFactor: 127,
  externalRFactor: 127,
  mosListening: 127,
  mosConversational: 127,
  receiverConfiguration: 0,
  jitterBufferNominalMs: 0,
  jitterBufferMaximumMs: 0,
  jitterBufferAbsoluteMaximumMs: 65_535,
}

describe('blocks of an extended report', () => {
  it.each<[string, string, ExtendedReportBlock]>([
    [
      'RFC 3611 §4.1: runs of lost packets over the end of the sequence numbers',
      '010f0003 0000beef fffe0003 4005bfff',
      { block: 'LOSS_RLE', thinning: 15, ...stretch, chunks: [0x4005, 0xbfff] },
    ],
    [
      'RFC 3611 §4.2: runs of packets that came twice, an odd number of chunks filled up',
      '02000003 0000beef fffe0003 80010000',
      { block: 'DUPLICATE_RLE', thinning: 0, ...stretch, chunks: [0x8001] },
    ],
    [
      'RFC 3611 §4.3: no time of receipt at all',
      '03000002 0000beef fffe0003',
      { block: 'RECEIPT_TIMES', thinning: 0, ...stretch, times: [] },
    ],
    [
      'RFC 3611 §4.5: several receivers',
      '05000006 00000001 00000002 00000003 ffffffff fffffffe fffffffd',
      {
        block: 'DLRR',
        entries: [
          { ssrc: 1, lastReport: 2, delay: 3 },
          { ssrc: 0xffff_ffff, lastReport: 0xffff_fffe, delay: 0xffff_fffd },
        ],
      },
    ],
    ['RFC 3611 §4.5: no receivers', '05000000', { block: 'DLRR', entries: [] }],
    [
      'RFC 3611 §4.6: hops of IPv6 alone',
      '06100009 0000beef fffe0003 00000000 00000000 00000000 00000000 00000000 00000000 01090402',
      { block: 'STATISTICS', ...stretch, hops: { family: 'IP6', ...spread } },
    ],
    [
      'RFC 3611 §4.6: counts of lost packets and duplicates, of which there are none',
      '06c00009 0000beef fffe0003 00000000 00000000 00000000 00000000 00000000 00000000 00000000',
      { block: 'STATISTICS', ...stretch, lost: 0, duplicates: 0 },
    ],
    [
      'RFC 3611 §4.7: levels with their sign, and what is unknown',
      '07000008 00000001 00000000 00000000 00000000 7f800010 7f7f7f7f 00000000 0000ffff',
      metrics,
    ],
    [
      'RFC 3611 §3: a block without content',
      'ff010000',
      { block: 'OTHER', blockType: 255, typeSpecific: 1, data: new Uint8Array(0) },
    ],
  ])('%s', (_name, hex, block) => {
    expect(blocksOf(hex)).toEqual([block])
    expect(hexOf(block)).toBe(hex.replaceAll(' ', ''))
  })

  it('RFC 3611 §2: a report without blocks is read and written', () => {
    expect(blocksOf('')).toEqual([])
    expect(hexOf()).toBe('')
  })

  it('RFC 3611 §4.1.3: null chunks at the end are left out, those before a run are kept', () => {
    expect(blocksOf('01000004 0000beef fffe0003 00004001 00000000')).toEqual([
      { block: 'LOSS_RLE', thinning: 0, ...stretch, chunks: [0, 0x4001] },
    ])
    expect(blocksOf('01000003 0000beef fffe0003 00000000')).toEqual([
      { block: 'LOSS_RLE', thinning: 0, ...stretch, chunks: [] },
    ])
  })

  it('RFC 3611 §4.1, §4.6: reserved bits are ignored', () => {
    expect(blocksOf('01f20002 0000beef fffe0003')).toMatchObject([{ thinning: 2 }])
    const zeros = '00000000'.repeat(7)
    expect(blocksOf(`061f0009 0000beef fffe0003 ${zeros}`)).toEqual([{ block: 'STATISTICS', ...stretch }])
  })

  it.each([
    ['RFC 3611 §4.1: runs without their stretch', '01000001 0000beef'],
    ['RFC 3611 §4.1: runs without anything', '01000000'],
    ['RFC 3611 §4.2: duplicates without their stretch', '02000001 0000beef'],
    ['RFC 3611 §4.3: times without their stretch', '03000001 0000beef'],
    ['RFC 3611 §4.4: a time of one word', '04000001 00000000'],
    ['RFC 3611 §4.4: a time of no words', '04000000'],
    ['RFC 3611 §4.5: a receiver and a third', '05000004 00000001 00000002 00000003 00000004'],
    ['RFC 3611 §4.6: a summary of eight words', `06000008${'00000000'.repeat(8)}`],
    ['RFC 3611 §4.6: a summary of ten words', `0600000a${'00000000'.repeat(10)}`],
    ['RFC 3611 §4.7: metrics of seven words', `07000007${'00000000'.repeat(7)}`],
    ['RFC 3611 §4.7: metrics of nine words', `07000009${'00000000'.repeat(9)}`],
    ['RFC 3611 §3: a length over the end', '0400ffff 00000000 00000000'],
    ['RFC 3611 §3: a second block over the end', '05000000 c8000001'],
  ])('%s is refused', (_name, hex) => {
    expect(blocksOf(hex)).toBe('RTCP_CONTENT')
  })

  it('RFC 3611 §2: a report without its source is refused', () => {
    expect(readRtcp(Uint8Array.from([0x80, 207, 0, 0]), { reducedSize: true })).toMatchObject({ code: 'RTCP_CONTENT' })
  })
})

describe('blocks that cannot be written', () => {
  it.each<[string, ExtendedReportBlock, RegExp]>([
    ['a thinning of 5 bits', { block: 'LOSS_RLE', thinning: 16, ...stretch, chunks: [] }, /^thinning/],
    ['a chunk of 17 bits', { block: 'LOSS_RLE', thinning: 0, ...stretch, chunks: [0x1_0000] }, /^a chunk/],
    ['a null chunk at the end', { block: 'DUPLICATE_RLE', thinning: 0, ...stretch, chunks: [1, 0] }, /^the last chunk/],
    [
      'a sequence number of 17 bits',
      { block: 'RECEIPT_TIMES', thinning: 0, ...stretch, end: 65_536, times: [] },
      /^end/,
    ],
    ['a time below 0', { block: 'RECEIPT_TIMES', thinning: 0, ...stretch, times: [-1] }, /^a time/],
    ['a fraction of 33 bits', { block: 'REFERENCE_TIME', ntpSeconds: 0, ntpFraction: 2 ** 32 }, /^ntpFraction/],
    ['a delay of 33 bits', { block: 'DLRR', entries: [{ ssrc: 1, lastReport: 1, delay: 2 ** 32 }] }, /^delay/],
    ['hops of 9 bits', { block: 'STATISTICS', ...stretch, hops: { family: 'IP4', ...spread, max: 256 } }, /spread/],
    ['a level below -128', { ...metrics, signalLevel: -129 }, /^signalLevel is not between -128 and 127/],
    ['a level above 127', { ...metrics, noiseLevel: 128 }, /^noiseLevel is not between -128 and 127/],
    ['a share of 9 bits', { ...metrics, lossRate: 256 }, /^lossRate/],
    ['a level that is no number', { ...metrics, signalLevel: Number.NaN }, /^signalLevel/],
    [
      'a block that has a form of its own, as bytes',
      { block: 'OTHER', blockType: 7, typeSpecific: 0, data: new Uint8Array(0) },
      /^blockType 7 has a block/,
    ],
    [
      'a part of a word',
      { block: 'OTHER', blockType: 8, typeSpecific: 0, data: new Uint8Array(5) },
      /multiple of four/,
    ],
    ['a type of 9 bits', { block: 'OTHER', blockType: 256, typeSpecific: 0, data: new Uint8Array(0) }, /^blockType/],
    [
      'a block over the length of its field',
      { block: 'OTHER', blockType: 8, typeSpecific: 0, data: new Uint8Array(65_536 * 4) },
      /^the length of the block/,
    ],
  ])('%s', (_name, block, wanted) => {
    expect(() => hexOf(block)).toThrow(wanted)
    expect(() => hexOf(block)).toThrow(RangeError)
  })
})
