import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { isMuxablePayloadType } from '../rtp/payload-types'
import { classify, packetKinds } from './demux'

const names = Object.entries(packetKinds)
const nameOf = (packet: Uint8Array): string => names.find(([, kind]) => kind === classify(packet))?.[0] ?? ''

/** The kinds of a range of first bytes, each once. */
function kindsOf(from: number, to: number, second = 0, size = 20): string[] {
  const kinds = new Set<string>()
  for (let first = from; first <= to; first++) {
    const packet = Buffer.alloc(size)
    packet[0] = first
    packet[1] = second
    kinds.add(nameOf(packet))
  }
  return [...kinds]
}

describe('classify', () => {
  it.each([
    [0, 3, 'STUN'],
    [4, 15, 'GARBAGE'],
    [16, 19, 'ZRTP'],
    [20, 63, 'DTLS'],
    [64, 79, 'TURN_CHANNEL'],
    [80, 127, 'GARBAGE'],
    [128, 191, 'RTP'],
    [192, 255, 'GARBAGE'],
  ])('RFC 7983 §7: first bytes of %i to %i are %s', (from, to, kind) => {
    expect(kindsOf(from, to)).toEqual([kind])
  })

  it('RFC 5761 §4: among RTP, second bytes of 192 to 223 are RTCP', () => {
    for (let second = 0; second < 256; second++) {
      expect(kindsOf(128, 191, second)).toEqual([second >= 192 && second <= 223 ? 'RTCP' : 'RTP'])
    }
  })

  it('RFC 5761 §4: a payload type that may be multiplexed is never taken for RTCP, with the marker or without', () => {
    for (let payloadType = 0; payloadType < 128; payloadType++) {
      const isClear = kindsOf(128, 128, payloadType | 0x80)[0] === 'RTP' && kindsOf(128, 128, payloadType)[0] === 'RTP'
      expect(isClear).toBe(isMuxablePayloadType(payloadType))
    }
  })

  it('RFC 7983 §7: the second byte counts for RTP alone', () => {
    expect([kindsOf(0, 3, 200), kindsOf(20, 63, 200), kindsOf(64, 79, 200)]).toEqual([
      ['STUN'],
      ['DTLS'],
      ['TURN_CHANNEL'],
    ])
  })

  it('is garbage below eight bytes, but for ChannelData of RFC 8656 §12.4 from four bytes on', () => {
    for (let size = 0; size < 8; size++) {
      expect(kindsOf(0, 63, 0, size)).toEqual(['GARBAGE'])
      expect(kindsOf(64, 79, 0, size)).toEqual([size < 4 ? 'GARBAGE' : 'TURN_CHANNEL'])
      expect(kindsOf(80, 255, 200, size)).toEqual(['GARBAGE'])
    }
    expect(kindsOf(128, 128, 0, 8)).toEqual(['RTP'])
  })
})
