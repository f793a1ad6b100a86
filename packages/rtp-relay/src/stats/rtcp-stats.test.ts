import { describe, expect, it } from 'vitest'
import { receiverReport, senderReport } from '../testing/packets'
import { RtcpStats } from './rtcp-stats'

function take(from: RtcpStats, packet: Uint8Array, nowMs: number, to: RtcpStats, isReadable: boolean): void {
  from.receive(packet, packet.length, nowMs, to, isReadable)
}

describe('RTCP statistics', () => {
  it('RFC 3550 §6.4.1: measure the round trip to the peer that answers a sender report', () => {
    const [a, b] = [new RtcpStats(), new RtcpStats()]
    take(a, senderReport(0x1234_5678), 1_000, b, true)
    take(b, receiverReport(0x1234_5678, 65_536 / 2, 64), 1_540, a, true)
    expect(b.roundTripMs).toBeCloseTo(40, 6)
    expect(b.reportedLossFraction).toBe(0.25)
    expect(a.roundTripMs).toBe(-1)
  })

  it('measure nothing by a report that they have not passed on, or by a delay that cannot be', () => {
    const [a, b] = [new RtcpStats(), new RtcpStats()]
    take(b, receiverReport(0x9999, 0), 900, a, true)
    take(a, senderReport(0x1234), 1_000, b, true)
    take(b, receiverReport(0x9999, 0), 1_100, a, true)
    take(b, receiverReport(0x1234, 65_536 * 3), 1_100, a, true)
    take(b, receiverReport(0, 0), 1_100, a, true)
    expect(b.roundTripMs).toBe(-1)
  })

  it('measure nothing by a round trip of many seconds', () => {
    const [a, b] = [new RtcpStats(), new RtcpStats()]
    take(a, senderReport(0x1234), 1_000, b, true)
    take(b, receiverReport(0x1234, 0), 4_001, a, true)
    expect(b.roundTripMs).toBe(-1)
    take(a, senderReport(0x2345), 5_000, b, true)
    take(b, receiverReport(0x2345, 0), 8_000, a, true)
    expect(b.roundTripMs).toBe(3_000)
  })

  it('count what they cannot read', () => {
    const [a, b] = [new RtcpStats(), new RtcpStats()]
    take(a, senderReport(0x1234), 1_000, b, false)
    take(b, receiverReport(0x1234, 0, 9), 1_100, a, false)
    expect(b).toMatchObject({ packets: 1, bytes: 32, roundTripMs: -1, reportedLossFraction: -1 })
  })
})
