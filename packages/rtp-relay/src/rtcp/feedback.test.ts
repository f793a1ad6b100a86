import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { RtcpPacket } from './packets'
import { readRtcp } from './reader'
import { writeRtcp } from './writer'

const ends = { senderSsrc: 0xcafe, mediaSsrc: 0xbeef } as const

function first(hex: string): unknown {
  const result = readRtcp(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), { reducedSize: true })
  return result.ok ? result.packets[0] : result.code
}

const hexOf = (packet: RtcpPacket): string => Buffer.from(writeRtcp([packet])).toString('hex')

describe('feedback', () => {
  it.each<[string, string, RtcpPacket]>([
    [
      'RFC 4585 §6.2.1: several NACKs in one packet',
      '81cd0004 0000cafe 0000beef ffff0000 0010ffff',
      {
        type: 'NACK',
        ...ends,
        entries: [
          { sequence: 0xffff, following: 0 },
          { sequence: 16, following: 0xffff },
        ],
      },
    ],
    [
      'RFC 5104 §4.2.1: the largest bit rate',
      '83cd0004 0000cafe 0000beef 00000001 ffffffff',
      { type: 'TMMBR', ...ends, entries: [{ ssrc: 1, exponent: 63, mantissa: 0x1_ffff, overhead: 0x1ff }] },
    ],
    [
      'RFC 5104 §4.2.2: a notification that nobody limits the rate',
      '84cd0002 0000cafe 0000beef',
      { type: 'TMMBN', ...ends, entries: [] },
    ],
    [
      'RFC 4585 §6.3.2: the largest slice',
      '82ce0003 0000cafe 0000beef ffffffff',
      { type: 'SLI', ...ends, entries: [{ first: 0x1fff, count: 0x1fff, pictureId: 63 }] },
    ],
    [
      'RFC 5104 §4.3.3: a trade that is told',
      '86ce0006 0000cafe 0000beef 00000001 ff00001f 00000002 00000000',
      {
        type: 'TSTN',
        ...ends,
        entries: [
          { ssrc: 1, sequence: 255, index: 31 },
          { ssrc: 2, sequence: 0, index: 0 },
        ],
      },
    ],
    [
      'RFC 5104 §4.3.4: a back channel message stays bytes',
      '87ce0005 0000cafe 0000beef 00000001 07600002 abcd0000',
      {
        type: 'PSFB',
        ...ends,
        format: 7,
        data: Uint8Array.from([0, 0, 0, 1, 7, 0x60, 0, 2, 0xab, 0xcd, 0, 0]),
      },
    ],
    [
      'RFC 4585 §6.4: feedback of the application may hold nothing',
      '8fce0002 0000cafe 0000beef',
      { type: 'AFB', ...ends, data: new Uint8Array(0) },
    ],
  ])('%s', (_name, hex, packet) => {
    expect(first(hex)).toEqual(packet)
    expect(hexOf(packet)).toBe(hex.replaceAll(' ', ''))
  })

  it('RFC 4585 §6.3.1: a picture loss that holds something is still one', () => {
    expect(first('81ce0003 0000cafe 0000beef 01020304')).toEqual({ type: 'PLI', ...ends })
  })

  it('RFC 4585 §6.3.3: the reserved bit before a payload type is not part of it', () => {
    expect(first('83ce0003 0000cafe 0000beef 00e00a0b')).toMatchObject({ payloadType: 0x60, paddingBits: 0 })
  })

  it('RFC 5104 §4.3.1, §4.3.2: reserved bits are ignored, and written as 0', () => {
    const request = first('84ce0004 0000cafe 0000beef 00000001 07ffffff') as RtcpPacket
    expect(request).toEqual({ type: 'FIR', ...ends, entries: [{ ssrc: 1, sequence: 7 }] })
    expect(hexOf(request).endsWith('07000000')).toBe(true)
    const trade = first('85ce0004 0000cafe 0000beef 00000001 07ffffe1') as RtcpPacket
    expect(trade).toEqual({ type: 'TSTR', ...ends, entries: [{ ssrc: 1, sequence: 7, index: 1 }] })
    expect(hexOf(trade).endsWith('07000001')).toBe(true)
  })

  it.each([
    ['RFC 4585 §6.2.1: NACK', '81cd'],
    ['RFC 5104 §4.2.1: TMMBR', '83cd'],
    ['RFC 4585 §6.3.2: SLI', '82ce'],
    ['RFC 4585 §6.3.3: RPSI', '83ce'],
    ['RFC 5104 §4.3.1: FIR', '84ce'],
    ['RFC 5104 §4.3.2: TSTR', '85ce'],
    ['RFC 5104 §4.3.3: TSTN', '86ce'],
  ])('%s without an entry is refused', (_name, head) => {
    expect(first(`${head}0002 0000cafe 0000beef`)).toBe('RTCP_CONTENT')
  })

  it.each([
    ['RFC 5104 §4.2.1: TMMBR', '83cd'],
    ['RFC 5104 §4.2.2: TMMBN', '84cd'],
    ['RFC 5104 §4.3.1: FIR', '84ce'],
    ['RFC 5104 §4.3.2: TSTR', '85ce'],
    ['RFC 5104 §4.3.3: TSTN', '86ce'],
  ])('%s with an entry and a half is refused', (_name, head) => {
    expect(first(`${head}0005 0000cafe 0000beef 00000001 00000000 00000002`)).toBe('RTCP_CONTENT')
  })

  it.each([
    ['without the sender', '81ce0000'],
    ['without the media', '81ce0001 0000cafe'],
    ['of another format without the media', '9fce0001 0000cafe'],
    ['whose media is padding', 'a1ce0002 0000cafe 00000004'],
  ])('RFC 4585 §6.1: feedback %s is refused', (_name, hex) => {
    expect(first(hex)).toBe('RTCP_CONTENT')
  })
})

describe('feedback that cannot be written', () => {
  const entry = { ssrc: 1, sequence: 1 } as const
  const slice = { first: 0, count: 0, pictureId: 0 } as const
  const rate = { ssrc: 1, exponent: 0, mantissa: 0, overhead: 0 } as const
  const none = new Uint8Array(0)
  it.each<[string, RtcpPacket, RegExp]>([
    ['no entries', { type: 'NACK', ...ends, entries: [] }, /^NACK without entries/],
    ['no requests', { type: 'FIR', ...ends, entries: [] }, /^FIR without entries/],
    ['a sequence of 9 bits', { type: 'FIR', ...ends, entries: [{ ssrc: 1, sequence: 256 }] }, /^sequence/],
    ['an index of 6 bits', { type: 'TSTN', ...ends, entries: [{ ...entry, index: 32 }] }, /^index/],
    ['an exponent of 7 bits', { type: 'TMMBN', ...ends, entries: [{ ...rate, exponent: 64 }] }, /^exponent/],
    ['an overhead of 10 bits', { type: 'TMMBN', ...ends, entries: [{ ...rate, overhead: 512 }] }, /^overhead/],
    ['a first of 14 bits', { type: 'SLI', ...ends, entries: [{ ...slice, first: 2 ** 13 }] }, /^first/],
    ['a count of 14 bits', { type: 'SLI', ...ends, entries: [{ ...slice, count: 2 ** 13 }] }, /^count/],
    ['a picture of 7 bits', { type: 'SLI', ...ends, entries: [{ ...slice, pictureId: 64 }] }, /^pictureId/],
    [
      'a payload type of 8 bits',
      { type: 'RPSI', ...ends, payloadType: 128, bits: new Uint8Array(2), paddingBits: 0 },
      /^payloadType/,
    ],
    [
      'a string of odd length',
      { type: 'RPSI', ...ends, payloadType: 1, bits: new Uint8Array(3), paddingBits: 0 },
      /multiple of four/,
    ],
    ['a format of its own, as bytes', { type: 'RTPFB', ...ends, format: 1, data: none }, /^format 1 has a type/],
    ['another format of its own, as bytes', { type: 'PSFB', ...ends, format: 15, data: none }, /^format 15 has a type/],
    ['a part of a word', { type: 'AFB', ...ends, data: new Uint8Array(1) }, /multiple of four/],
    ['a sender of 33 bits', { type: 'PLI', senderSsrc: 2 ** 32, mediaSsrc: 0 }, /^senderSsrc/],
    ['a medium that is a fraction', { type: 'PLI', senderSsrc: 0, mediaSsrc: 0.5 }, /^mediaSsrc/],
  ])('%s', (_name, packet, wanted) => {
    expect(() => writeRtcp([packet])).toThrow(wanted)
    expect(() => writeRtcp([packet])).toThrow(RangeError)
  })
})
