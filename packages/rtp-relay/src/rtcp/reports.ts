/** Sender and receiver reports (RFC 3550 §6.4). */
import type { OctetReader, OctetWriter } from './octets'
import { reportBlockBytes } from './packet-types'

/** What a receiver tells of one source (RFC 3550 §6.4.1). All numbers are unsigned but `cumulativeLost`. */
export interface ReportBlock {
  readonly ssrc: number
  /** Share of packets lost since the last report, of 256. */
  readonly fractionLost: number
  /** Packets lost so far: −2^23 to 2^23 − 1; below 0 when duplicates came. */
  readonly cumulativeLost: number
  /** Roll-over count in the upper 16 bits, sequence number in the lower. */
  readonly highestSequence: number
  /** Interarrival jitter, in units of the RTP timestamp. */
  readonly jitter: number
  /** The middle 32 bits of the NTP time of the last sender report; 0 when there was none. */
  readonly lastReport: number
  /** How long ago that came, in units of 1/65536 s. */
  readonly delaySinceLastReport: number
}

/** RFC 3550 §6.4.1. */
export interface SenderReport {
  readonly type: 'SR'
  readonly ssrc: number
  /** Seconds since 1900. */
  readonly ntpSeconds: number
  /** Units of 2^-32 s. */
  readonly ntpFraction: number
  readonly rtpTimestamp: number
  readonly packetCount: number
  readonly octetCount: number
  /** 31 at most. */
  readonly reports: readonly ReportBlock[]
  /** What a profile adds, in multiples of four bytes; an empty one reads back as none. */
  readonly extension?: Uint8Array
}

/** RFC 3550 §6.4.2. */
export interface ReceiverReport {
  readonly type: 'RR'
  readonly ssrc: number
  readonly reports: readonly ReportBlock[]
  readonly extension?: Uint8Array
}

/** Reads the body of a sender report. */
export function readSenderReport(body: OctetReader, count: number): SenderReport {
  const head = {
    ssrc: body.u32(),
    ntpSeconds: body.u32(),
    ntpFraction: body.u32(),
    rtpTimestamp: body.u32(),
    packetCount: body.u32(),
    octetCount: body.u32(),
  }
  return { type: 'SR', ...head, reports: readBlocks(body, count), ...extensionOf(body) }
}

/** Reads the body of a receiver report. */
export function readReceiverReport(body: OctetReader, count: number): ReceiverReport {
  return { type: 'RR', ssrc: body.u32(), reports: readBlocks(body, count), ...extensionOf(body) }
}

/** Writes the body of either. */
export function writeReport(report: SenderReport | ReceiverReport, out: OctetWriter): number {
  out.uint(report.ssrc, 4, 'ssrc')
  if (report.type === 'SR') {
    out.uint(report.ntpSeconds, 4, 'ntpSeconds')
    out.uint(report.ntpFraction, 4, 'ntpFraction')
    out.uint(report.rtpTimestamp, 4, 'rtpTimestamp')
    out.uint(report.packetCount, 4, 'packetCount')
    out.uint(report.octetCount, 4, 'octetCount')
  }
  for (const block of report.reports) writeBlock(block, out)
  if (report.extension !== undefined) out.octets(report.extension)
  return report.reports.length
}

function readBlocks(body: OctetReader, count: number): ReportBlock[] {
  const blocks: ReportBlock[] = []
  for (let index = 0; index < count && body.left >= reportBlockBytes; index++) {
    blocks.push({
      ssrc: body.u32(),
      fractionLost: body.u8(),
      cumulativeLost: (body.u24() << 8) >> 8,
      highestSequence: body.u32(),
      jitter: body.u32(),
      lastReport: body.u32(),
      delaySinceLastReport: body.u32(),
    })
  }
  if (blocks.length < count) body.isBroken = true
  return blocks
}

function writeBlock(block: ReportBlock, out: OctetWriter): void {
  const { cumulativeLost } = block
  if (cumulativeLost < -(2 ** 23) || cumulativeLost >= 2 ** 23)
    throw new RangeError('cumulativeLost has 24 bits with its sign')
  out.uint(block.ssrc, 4, 'ssrc')
  out.uint(block.fractionLost, 1, 'fractionLost')
  out.uint(cumulativeLost < 0 ? cumulativeLost + 2 ** 24 : cumulativeLost, 3, 'cumulativeLost')
  out.uint(block.highestSequence, 4, 'highestSequence')
  out.uint(block.jitter, 4, 'jitter')
  out.uint(block.lastReport, 4, 'lastReport')
  out.uint(block.delaySinceLastReport, 4, 'delaySinceLastReport')
}

function extensionOf(body: OctetReader): { extension?: Uint8Array } {
  return body.left > 0 ? { extension: body.rest() } : {}
}
