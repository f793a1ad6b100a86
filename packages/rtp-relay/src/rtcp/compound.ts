/**
 * Sender and receiver reports in a compound RTCP packet (RFC 3550 §6.1, §6.4.1, §6.4.2). Reads where the bytes lie;
 * lengths and counts that lie end the reading.
 */

import { contentEnd, packetEnd } from './framing'
import { receiverReportBytes, reportBlockBytes, rtcpHeaderBytes, rtcpTypes, senderReportBytes } from './packet-types'

/** Takes what {@link readReports} finds. */
export interface ReportSink {
  /** A sender report: `ntpMiddle` is the middle 32 bits of its NTP timestamp, unsigned. */
  senderReport(ssrc: number, ntpMiddle: number): void
  /** A report block: loss fraction 0–255, cumulative loss (signed 24 bits), jitter in timestamp units, LSR and DLSR. */
  reportBlock(
    reporter: number,
    ssrc: number,
    fractionLost: number,
    cumulativeLost: number,
    jitter: number,
    lastReport: number,
    delay: number,
  ): void
}

/**
 * Walks a compound packet, the first `length` bytes, and hands over its reports: those that `readRtcp` finds. Returns
 * false when the bytes are not a well-formed compound packet; what came before the fault has been handed over. What
 * other packets hold is not looked at.
 */
export function readReports(packet: Uint8Array, length: number, sink: ReportSink): boolean {
  let offset = 0
  while (offset < length) {
    if (offset + rtcpHeaderBytes > length || packet[offset]! >> 6 !== 2) return false
    const count = packet[offset]! & 0x1f
    const type = packet[offset + 1]!
    const end = packetEnd(packet, offset)
    if (end > length) return false
    const content = contentEnd(packet, offset, end, length)
    if (content < 0) return false
    if (type === rtcpTypes.SR || type === rtcpTypes.RR) {
      const blocks = offset + (type === rtcpTypes.SR ? senderReportBytes : receiverReportBytes)
      if (blocks + count * reportBlockBytes > content) return false
      const reporter = unsigned32(packet, offset + 4)
      if (type === rtcpTypes.SR) sink.senderReport(reporter, unsigned32(packet, offset + 10))
      for (let index = 0; index < count; index++) readBlock(packet, blocks + index * reportBlockBytes, reporter, sink)
    }
    offset = end
  }
  return true
}

function readBlock(packet: Uint8Array, at: number, reporter: number, sink: ReportSink): void {
  const lost = ((packet[at + 5]! << 24) | (packet[at + 6]! << 16) | (packet[at + 7]! << 8)) >> 8
  sink.reportBlock(
    reporter,
    unsigned32(packet, at),
    packet[at + 4]!,
    lost,
    unsigned32(packet, at + 12),
    unsigned32(packet, at + 16),
    unsigned32(packet, at + 20),
  )
}

function unsigned32(packet: Uint8Array, at: number): number {
  return ((packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!) >>> 0
}
