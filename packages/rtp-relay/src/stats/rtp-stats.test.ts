import { describe, expect, it } from 'vitest'
import { rtpPacket } from '../testing/packets'
import { type ClockRates, RtpStats } from './rtp-stats'

const rates = new Uint32Array(128)
rates[0] = 8_000
rates[96] = 48_000

function take(stats: RtpStats, packet: Uint8Array, nowMs: number, rates: ClockRates): void {
  stats.receive(packet, { length: packet.length, nowMs }, rates)
}

function feed(sequences: readonly number[]): RtpStats {
  const stats = new RtpStats()
  sequences.forEach((sequence, index) => {
    take(stats, rtpPacket({ sequence }), index * 20, rates)
  })
  return stats
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

describe('RTP statistics', () => {
  it('count packets and bytes', () => {
    expect(feed([1, 2, 3])).toMatchObject({ packets: 3, bytes: 516, lost: 0, duplicates: 0, reordered: 0, sources: 1 })
  })

  it('RFC 3550 A.3: count a gap as lost', () => {
    expect(feed([1, 2, 5, 6]).lost).toBe(2)
  })

  it('RFC 3550 A.1: go on over the wrap of the sequence number', () => {
    expect(feed(range(65_500, 65_600))).toMatchObject({
      packets: 100,
      lost: 0,
      reordered: 0,
      duplicates: 0,
      sources: 1,
    })
    expect(feed(range(65_500, 65_600).filter((sequence) => sequence !== 65_536)).lost).toBe(1)
    expect(feed(range(0, 200_000)).lost).toBe(0)
  })

  it('take back a loss when the packet comes late', () => {
    expect(feed([1, 2, 4, 3, 5])).toMatchObject({ lost: 0, reordered: 1 })
  })

  it('count a late packet over the wrap once', () => {
    expect(feed([65_534, 65_535, 1, 0, 2])).toMatchObject({ lost: 0, reordered: 1, duplicates: 0 })
  })

  it('tell duplicates from late packets', () => {
    expect(feed([1, 2, 2, 3, 1])).toMatchObject({ packets: 5, duplicates: 2, reordered: 0, lost: 0 })
  })

  it('never hide a loss behind a duplicate', () => {
    expect(feed([1, 2, 2, 2, 4])).toMatchObject({ duplicates: 2, lost: 1 })
  })

  it('take packets from before the first as reordered, not as loss', () => {
    expect(feed([10, 9, 8, 11])).toMatchObject({ lost: 0, reordered: 2 })
  })

  it('ignore one packet far away and follow two', () => {
    expect(feed([1, 2, 3, 30_000, 4, 5])).toMatchObject({ lost: 0, packets: 6 })
    expect(feed([1, 2, 4, 30_000, 30_001, 30_002, 30_004])).toMatchObject({ lost: 2 })
  })

  it('tell a late packet from a repeated one whose place it takes in what is remembered', () => {
    const stats = feed([...range(1, 130), ...range(180, 231), 179, 179, 130])
    expect(stats).toMatchObject({ lost: 48, reordered: 2, duplicates: 1, gaps: 1 })
    expect(feed([...range(1, 130), ...range(600, 700), 599, 599])).toMatchObject({ reordered: 1, duplicates: 1 })
  })

  it('keep the losses of the former source when the source changes', () => {
    const stats = new RtpStats()
    for (const sequence of [1, 3]) take(stats, rtpPacket({ sequence, ssrc: 1 }), 0, rates)
    for (const sequence of [900, 901, 903]) take(stats, rtpPacket({ sequence, ssrc: 2 }), 0, rates)
    expect(stats).toMatchObject({ lost: 2, sources: 2 })
  })

  it('measure one of two sources that send at the same time, and count the packets of both', () => {
    const stats = new RtpStats()
    for (let sequence = 1; sequence <= 100; sequence++) {
      take(stats, rtpPacket({ sequence, ssrc: 1 }), sequence * 20, rates)
      if (sequence % 2 === 0) take(stats, rtpPacket({ sequence: sequence * 500, ssrc: 2 }), sequence * 20, rates)
    }
    expect(stats).toMatchObject({ packets: 150, sources: 1, lost: 0, duplicates: 0, reordered: 0 })
  })

  it('have a size that a flood of sources cannot change', () => {
    const stats = new RtpStats()
    for (let index = 0; index < 5_000; index++)
      take(stats, rtpPacket({ sequence: index * 7, ssrc: index }), index, rates)
    expect(stats).toMatchObject({ sources: 1, packets: 5_000, lost: 0 })
    const sizes = Object.values(stats).map((value: unknown) => (ArrayBuffer.isView(value) ? value.byteLength : 8))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_024)
  })
})

describe('jitter', () => {
  function jitter(
    packets: readonly (readonly [timestamp: number, arrivalMs: number, sequence?: number, type?: number])[],
  ): number {
    const stats = new RtpStats()
    packets.forEach(([timestamp, arrivalMs, sequence, payloadType], index) => {
      take(
        stats,
        rtpPacket({ sequence: sequence ?? index, timestamp, payloadType: payloadType ?? 0 }),
        arrivalMs,
        rates,
      )
    })
    return stats.jitterMs
  }

  it('is zero for an even stream', () => {
    expect(jitter(range(0, 50).map((index) => [index * 160, index * 20]))).toBe(0)
  })

  it('RFC 3550 A.8: moves by a sixteenth of each difference', () => {
    expect(
      jitter([
        [0, 0],
        [160, 36],
      ]),
    ).toBeCloseTo(1, 9)
    expect(
      jitter([
        [0, 0],
        [160, 36],
        [320, 40],
      ]),
    ).toBeCloseTo(1 + (16 - 1) / 16, 9)
  })

  it('does not see the wrap of the timestamp', () => {
    expect(jitter(range(0, 50).map((index) => [0xffff_ff00 + index * 160, index * 20]))).toBe(0)
  })

  it('leaves out late packets and packets of one frame', () => {
    expect(
      jitter([
        [0, 0, 0],
        [160, 20, 1],
        [480, 60, 3],
        [320, 61, 2],
        [640, 80, 4],
      ]),
    ).toBe(0)
    expect(
      jitter([
        [0, 0],
        [0, 5],
        [0, 9],
        [160, 20],
      ]),
    ).toBe(0)
  })

  it('does not take a new time base for jitter', () => {
    expect(
      jitter([
        [0, 0],
        [160, 20],
        [900_000_000, 40],
        [900_000_160, 60],
      ]),
    ).toBe(0)
  })

  it('compares no timestamps of two clock rates', () => {
    expect(
      jitter([
        [0, 0, 0, 0],
        [160, 20, 1, 0],
        [5_000_000, 40, 2, 96],
        [5_000_960, 60, 3, 96],
      ]),
    ).toBe(0)
  })
})
