import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { RtcpPacket } from './packets'
import { readRtcp } from './reader'
import type { ReportBlock } from './reports'
import { writeRtcp } from './writer'

const block = (ssrc: number): ReportBlock => ({
  ssrc,
  fractionLost: 255,
  cumulativeLost: -(2 ** 23),
  highestSequence: 0xffff_ffff,
  jitter: 0xffff_ffff,
  lastReport: 0xffff_ffff,
  delaySinceLastReport: 0xffff_ffff,
})
const other = (packetType: number, body = new Uint8Array(0), count = 0): RtcpPacket => ({
  type: 'OTHER',
  packetType,
  count,
  body,
})

const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

function roundTrip(...packets: readonly RtcpPacket[]): unknown {
  const result = readRtcp(writeRtcp(packets), { reducedSize: true })
  return result.ok ? result.packets : result.code
}

describe('writing compound packets', () => {
  it('RFC 3550 §6.4.1, §6.4.2: 31 report blocks of the largest values come back', () => {
    const reports = Array.from({ length: 31 }, (_, index) => block(index))
    const last = [{ ...block(31), cumulativeLost: 2 ** 23 - 1 }]
    const times = { ntpSeconds: 0xffff_ffff, ntpFraction: 0xffff_ffff, rtpTimestamp: 0xffff_ffff }
    const packets: readonly RtcpPacket[] = [
      { type: 'SR', ssrc: 0xffff_ffff, ...times, packetCount: 0, octetCount: 1, reports, extension: new Uint8Array(4) },
      { type: 'RR', ssrc: 0, reports: last },
    ]
    expect(roundTrip(...packets)).toEqual(packets)
  })

  it('RFC 3550 §6.4: the blocks of a report may not reach into the padding', () => {
    const report = writeRtcp([{ type: 'RR', ssrc: 1, reports: [block(4)] }])
    report[0] = 0xa1
    report[report.length - 1] = 4
    expect(readRtcp(report)).toEqual({ ok: false, code: 'RTCP_CONTENT', offset: 0 })
  })

  it('RFC 3550 §6.4.1: padding may be all that a packet holds, and no more', () => {
    const padded = Uint8Array.from([0x80, 201, 0, 1, 0, 0, 0, 1, 0xa0, 209, 0, 1, 0, 0, 0, 4])
    expect(readRtcp(padded)).toMatchObject({ ok: true, packets: [{}, { type: 'OTHER', body: new Uint8Array(0) }] })
    padded[15] = 8
    expect(readRtcp(padded)).toEqual({ ok: false, code: 'RTCP_PADDING', offset: 8 })
  })

  it('what was read are views: nothing is copied', () => {
    const written = writeRtcp([other(209, Uint8Array.from([1, 2, 3, 4]))])
    const result = readRtcp(written, { reducedSize: true })
    written[4] = 9
    expect(result).toMatchObject({ packets: [{ body: Uint8Array.from([9, 2, 3, 4]) }] })
  })

  it('reads the bytes that it is given, and none of the buffer around them', () => {
    const written = Buffer.concat([Buffer.alloc(5, 0xff), writeRtcp([other(209)]), Buffer.alloc(5, 0xff)])
    expect(readRtcp(written.subarray(5, 9), { reducedSize: true })).toMatchObject({ ok: true })
  })

  it('RFC 3550 §6.1: a packet has up to 65536 words', () => {
    const largest = other(223, new Uint8Array(65_535 * 4), 31)
    expect(roundTrip(largest)).toEqual([largest])
    expect(() => writeRtcp([other(223, new Uint8Array(65_536 * 4))])).toThrow(/^the length of a packet/)
  })

  it.each<[string, readonly RtcpPacket[], RegExp]>([
    ['no packet', [], /^there is no packet/],
    ['RFC 5761 §4: a type below those of RTCP', [other(191)], /^packetType/],
    ['RFC 5761 §4: a type above those of RTCP', [other(224)], /^packetType/],
    ['RFC 3550 §6.1: a report as bytes', [other(201)], /^packetType/],
    ['a type that is no number', [other(Number.NaN)], /^packetType/],
    ['a count of 6 bits', [other(209, new Uint8Array(0), 32)], /count/],
    ['a part of a word', [other(209, new Uint8Array(3))], /multiple of four/],
    [
      'a loss with a fraction',
      [{ type: 'RR', ssrc: 1, reports: [{ ...block(1), cumulativeLost: 0.5 }] }],
      /^cumulativeLost/,
    ],
    [
      'a loss below 24 bits',
      [{ type: 'RR', ssrc: 1, reports: [{ ...block(1), cumulativeLost: -(2 ** 23) - 1 }] }],
      /^cumulativeLost/,
    ],
  ])('%s is refused', (_name, packets, wanted) => {
    expect(() => writeRtcp(packets)).toThrow(wanted)
    expect(() => writeRtcp(packets)).toThrow(RangeError)
  })
})

describe('values that a field cannot hold', () => {
  const ends = { senderSsrc: 1, mediaSsrc: 2 } as const
  it.each<[string, RtcpPacket, RegExp]>([
    ['32 reports', { type: 'RR', ssrc: 1, reports: Array(32).fill(block(1)) }, /count/],
    ['an SSRC below 0', { type: 'RR', ssrc: -1, reports: [] }, /ssrc/],
    [
      'a loss of 24 bits',
      { type: 'RR', ssrc: 1, reports: [{ ...block(1), cumulativeLost: 2 ** 23 }] },
      /cumulativeLost/,
    ],
    ['a part of a word', { type: 'RR', ssrc: 1, reports: [], extension: new Uint8Array(3) }, /multiple of four/],
    ['item 0', { type: 'SDES', chunks: [{ ssrc: 1, items: [{ item: 0, text: utf8('') }] }] }, /item 0/],
    [
      'a prefix of no PRIV',
      { type: 'SDES', chunks: [{ ssrc: 1, items: [{ item: 1, text: utf8(''), prefix: utf8('x') }] }] },
      /PRIV/,
    ],
    [
      'a text of 256 bytes',
      { type: 'SDES', chunks: [{ ssrc: 1, items: [{ item: 1, text: new Uint8Array(256) }] }] },
      /length of the text/,
    ],
    ['a name of three letters', { type: 'APP', subtype: 0, ssrc: 1, name: 'abc', data: utf8('') }, /four characters/],
    [
      'a mantissa of 18 bits',
      { type: 'TMMBR', ...ends, entries: [{ ssrc: 1, exponent: 1, mantissa: 2 ** 17, overhead: 0 }] },
      /mantissa/,
    ],
    [
      'more padding bits than bits',
      { type: 'RPSI', ...ends, payloadType: 1, bits: utf8('ab'), paddingBits: 17 },
      /paddingBits/,
    ],
    ['a format of 6 bits', { type: 'PSFB', ...ends, format: 32, data: utf8('') }, /format/],
    ['a number that is none', { type: 'BYE', ssrcs: [Number.NaN] }, /ssrc/],
  ])('%s', (_name, packet, wanted) => {
    expect(() => writeRtcp([packet])).toThrow(wanted)
    expect(() => writeRtcp([packet])).toThrow(RangeError)
  })
})
