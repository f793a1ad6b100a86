/** What RTCP tells about the path between the relay and one peer (RFC 3550 §6.4.1: LSR and DLSR). Fixed size. */
import { roundTripMaxMs } from '../limits'
import { type ReportSink, readReports } from '../rtcp/compound'

/** Reads the reports that pass, and measures the round trip with them. */
export class RtcpStats implements ReportSink {
  packets = 0
  bytes = 0
  /** Round trip between relay and this peer in milliseconds; -1 until a report allowed to measure it. */
  roundTripMs = -1
  /** Fraction lost (0–1) of what was sent to this peer, as it last reported; -1 before the first report. */
  reportedLossFraction = -1

  private nowMs = 0
  private target: RtcpStats | undefined
  private lastReportSent = 0
  private lastReportSentMs = -1

  /** Takes RTCP that came from this peer and goes on to the peer of `target`. */
  receive(packet: Uint8Array, length: number, nowMs: number, target: RtcpStats, isReadable: boolean): void {
    this.packets++
    this.bytes += length
    if (!isReadable) return
    this.nowMs = nowMs
    this.target = target
    readReports(packet, length, this)
    this.target = undefined
  }

  /** A report that goes on to the other peer; the answer to it will carry its time stamp. */
  senderReport(_ssrc: number, ntpMiddle: number): void {
    if (this.target === undefined) return
    this.target.lastReportSent = ntpMiddle
    this.target.lastReportSentMs = this.nowMs
  }

  /** This peer's view of what it receives. */
  reportBlock(
    _reporter: number,
    _ssrc: number,
    fractionLost: number,
    _cumulativeLost: number,
    _jitter: number,
    lastReport: number,
    delay: number,
  ): void {
    this.reportedLossFraction = fractionLost / 256
    if (lastReport === 0 || this.lastReportSentMs < 0 || lastReport !== this.lastReportSent) return
    const elapsedMs = this.nowMs - this.lastReportSentMs
    const delayMs = (delay / 65_536) * 1000
    // A delay longer than the time that went by is a lie or another clock; it measures nothing.
    // So is a round trip of many seconds: a peer that writes no delay at all would be told to be so far away.
    if (delayMs <= elapsedMs && elapsedMs - delayMs <= roundTripMaxMs) this.roundTripMs = elapsedMs - delayMs
  }
}
