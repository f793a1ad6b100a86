import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { type RtpPacketFields, type RtpPacketView, readRtp, writeRtp } from './packet'

const bytes = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('').replaceAll(' ', ''), 'hex')

/** V=2 P=1 X=1 CC=2, M=1 PT=101, then each line a word of the layouts of §5.1 and §5.3.1. */
const whole = bytes(
  'b2 e5 fffe',
  'ffffff00',
  'cafebabe',
  '00000001',
  'ffffffff',
  'bede 0001',
  '10aa0000',
  '0102030405',
  '000003',
)

function read(packet: Uint8Array): RtpPacketView {
  const reading = readRtp(packet)
  if (!reading.ok) throw new Error(reading.code)
  return reading.packet
}

function fields(change: Partial<RtpPacketFields> = {}): RtpPacketFields {
  return { payloadType: 0, sequence: 1, timestamp: 160, ssrc: 7, payload: Buffer.alloc(4, 9), ...change }
}

describe('readRtp', () => {
  it('RFC 3550 §5.1: gives every field of the fixed header, the contributing sources and the payload', () => {
    expect(read(whole)).toEqual({
      version: 2,
      marker: true,
      payloadType: 101,
      sequence: 0xfffe,
      timestamp: 0xffff_ff00,
      ssrc: 0xcafe_babe,
      csrcs: [1, 0xffff_ffff],
      extension: { profile: 0xbede, data: bytes('10aa0000') },
      payload: bytes('0102030405'),
      paddingBytes: 3,
    })
  })

  it('RFC 3550 §5.1: leaves out what a packet does not have', () => {
    expect(read(bytes('80000001 00000002 00000003'))).toEqual({
      version: 2,
      marker: false,
      payloadType: 0,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      csrcs: [],
      payload: Buffer.alloc(0),
      paddingBytes: 0,
    })
  })

  it('copies nothing: payload and extension are views of the packet', () => {
    const packet = Buffer.from(whole)
    const { payload, extension } = read(packet)
    packet[24] = 0x77
    packet[28] = 0x88
    expect([extension?.data[0], payload[0]]).toEqual([0x77, 0x88])
  })

  it('RFC 3550 §5.1: takes padding up to the whole of what follows the header', () => {
    const { payload, paddingBytes } = read(bytes('a0000001 00000002 00000003 00000004'))
    expect([payload.length, paddingBytes]).toEqual([0, 4])
  })

  it.each([
    ['a count of none', 'a0000001 00000002 00000003 01020300'],
    ['a count of one too many', 'a0000001 00000002 00000003 01020305'],
    ['a count where nothing follows the header', 'a0000001 00000002 00000003'],
    ['a count that reaches into the contributing sources', 'a1000001 00000002 00000003 00000004 05'],
  ])('RFC 3550 §5.1: refuses padding with %s', (_, text) => {
    const packet = bytes(text)
    expect(readRtp(packet)).toEqual({ ok: false, code: 'RTP_PADDING_INVALID', offset: packet.length - 1 })
  })

  it('RFC 3550 §5.1, §5.3.1: says at which part a packet is cut, at every length', () => {
    const unpadded = Buffer.from(whole.subarray(0, 28))
    unpadded[0] = 0x92
    const codes = Array.from({ length: 28 }, (_, length) => {
      const reading = readRtp(unpadded.subarray(0, length))
      if (reading.ok) return 'ok'
      expect(reading.offset).toBe(length)
      return reading.code
    })
    const repeated = (code: string, count: number): string[] => Array.from({ length: count }, () => code)
    expect(codes).toEqual([
      ...repeated('RTP_TOO_SHORT', 12),
      ...repeated('RTP_SOURCES_CUT', 8),
      ...repeated('RTP_EXTENSION_CUT', 8),
    ])
    expect(readRtp(unpadded).ok).toBe(true)
  })

  it('RFC 3550 §5.3.1: refuses an extension of 65535 words in a small packet', () => {
    expect(readRtp(bytes('90000001 00000002 00000003 bedeffff 00000000'))).toMatchObject({
      ok: false,
      code: 'RTP_EXTENSION_CUT',
    })
  })

  it.each([0x00, 0x40, 0xc0])('RFC 3550 §5.1: refuses the version of a first byte of %i', (first) => {
    const packet = Buffer.from(whole)
    packet[0] = first
    expect(readRtp(packet)).toEqual({ ok: false, code: 'RTP_VERSION_UNKNOWN', offset: 0 })
  })
})

describe('writeRtp', () => {
  it('RFC 3550 §5.1, §5.3.1: writes what was read as it was', () => {
    expect(Buffer.from(writeRtp(read(whole)))).toEqual(whole)
  })

  it('RFC 3550 §5.1: writes an extension of no words, and fifteen contributing sources', () => {
    const csrcs = Array.from({ length: 15 }, (_, index) => index)
    const packet = writeRtp(fields({ csrcs, extension: { profile: 1, data: Buffer.alloc(0) } }))
    expect(Buffer.from(packet.subarray(0, 2)).toString('hex')).toBe('9f00')
    expect(packet.length).toBe(12 + 60 + 4 + 4)
    expect(read(packet)).toMatchObject({ csrcs, extension: { profile: 1 } })
  })

  it.each<[string, Partial<RtpPacketFields>]>([
    ['a payload type of 128', { payloadType: 128 }],
    ['a sequence number of 65536', { sequence: 65_536 }],
    ['a negative timestamp', { timestamp: -1 }],
    ['a source that is no number', { ssrc: Number.NaN }],
    ['sixteen contributing sources', { csrcs: Array.from({ length: 16 }, () => 1) }],
    ['a contributing source of 33 bits', { csrcs: [2 ** 32] }],
    ['padding of 256 bytes', { paddingBytes: 256 }],
    ['an extension of half a word', { extension: { profile: 0xbede, data: Buffer.alloc(6) } }],
    ['a profile of 17 bits', { extension: { profile: 0x1_0000, data: Buffer.alloc(0) } }],
    ['more than a datagram holds', { payload: Buffer.alloc(65_507 - 11) }],
  ])('RFC 3550 §5.1: refuses %s', (_, change) => {
    expect(() => writeRtp(fields(change))).toThrow(RangeError)
  })

  it('RFC 768: writes the largest packet that a datagram holds', () => {
    expect(writeRtp(fields({ payload: Buffer.alloc(65_507 - 12) })).length).toBe(65_507)
  })
})
