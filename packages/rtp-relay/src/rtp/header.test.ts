import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { rtpPacket } from '../testing/packets'
import { isRtp, rtpMarker, rtpPayloadOffset, rtpPayloadType, rtpSequence, rtpSsrc, rtpTimestamp } from './header'
import { sequenceDelta, timestampDelta } from './sequence'

describe('RTP header', () => {
  it('RFC 3550 §5.1: is read where it lies', () => {
    const packet = rtpPacket({
      sequence: 65_535,
      timestamp: 0xffff_fff0,
      ssrc: 0x8000_0001,
      payloadType: 101,
      marker: true,
    })
    expect(rtpSequence(packet)).toBe(65_535)
    expect(rtpTimestamp(packet)).toBe(-16)
    expect(rtpSsrc(packet)).toBe(0x8000_0001 | 0)
    expect(rtpPayloadType(packet)).toBe(101)
    expect(rtpMarker(packet)).toBe(true)
    expect(rtpPayloadOffset(packet)).toBe(12)
  })

  it('RFC 3550 §5.3.1: ends after contributing sources and extension', () => {
    const packet = rtpPacket({ sequence: 1, payloadBytes: 40 })
    packet[0] = 0x80 | 0x10 | 2
    packet.writeUInt16BE(3, 12 + 8 + 2)
    expect(rtpPayloadOffset(packet)).toBe(12 + 8 + 4 + 12)
  })

  it('is refused when its lengths lie', () => {
    const sources = rtpPacket({ sequence: 1, payloadBytes: 59 })
    sources[0] = 0x8f
    expect(isRtp(sources)).toBe(false)
    const extension = rtpPacket({ sequence: 1, payloadBytes: 8 })
    extension[0] = 0x90
    extension.writeUInt16BE(0xffff, 14)
    expect(isRtp(extension)).toBe(false)
    extension.writeUInt16BE(1, 14)
    expect(isRtp(extension)).toBe(true)
  })

  it('is refused cut at every length, and with another version', () => {
    const packet = rtpPacket({ sequence: 1 })
    for (let size = 0; size < 12; size++) expect(isRtp(packet.subarray(0, size))).toBe(false)
    expect(isRtp(packet.subarray(0, 12))).toBe(true)
    expect(isRtp(Buffer.alloc(200))).toBe(false)
  })
})

describe('wrapping numbers', () => {
  it('are as far apart as the shorter way round', () => {
    expect(sequenceDelta(65_535, 0)).toBe(1)
    expect(sequenceDelta(0, 65_535)).toBe(-1)
    expect(sequenceDelta(10, 10)).toBe(0)
    expect(timestampDelta(-160, 0)).toBe(160)
    expect(timestampDelta(0x7fff_ffff, 0x8000_0000 | 0)).toBe(1)
  })
})
