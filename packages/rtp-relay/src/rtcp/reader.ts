/** Reads compound RTCP packets into objects (RFC 3550 §6.1, appendix A.2). The relay itself only walks over them: `compound`. */
import type { RtcpErrorCode } from '../errors'
import { readExtendedReport } from './extended-reports'
import { readPayloadFeedback, readTransportFeedback } from './feedback'
import { contentEnd, packetEnd } from './framing'
import { OctetReader } from './octets'
import { rtcpHeaderBytes, rtcpTypeMax, rtcpTypeMin, rtcpTypes } from './packet-types'
import type { RtcpPacket } from './packets'
import { readReceiverReport, readSenderReport } from './reports'
import { readApplicationDefined, readGoodbye, readSourceDescription } from './source-description'

/** What {@link readRtcp} gives. */
export type RtcpResult =
  | { readonly ok: true; readonly packets: readonly RtcpPacket[] }
  | {
      readonly ok: false
      readonly code: RtcpErrorCode
      /** Where the packet that is wrong begins. */
      readonly offset: number
    }

/**
 * Reads a compound packet. Nothing is copied: what is bytes in the result is a view of `bytes`.
 * @param options `reducedSize`: any packet may be the first one (RFC 5506)
 */
export function readRtcp(bytes: Uint8Array, options: { readonly reducedSize?: boolean } = {}): RtcpResult {
  const packets: RtcpPacket[] = []
  if (bytes.length === 0) return { ok: false, code: 'RTCP_EMPTY', offset: 0 }
  for (let offset = 0; offset < bytes.length; ) {
    if (offset + rtcpHeaderBytes > bytes.length) return { ok: false, code: 'RTCP_LENGTH', offset }
    const end = packetEnd(bytes, offset)
    const code = problemOf(bytes, offset, end, options.reducedSize === true)
    if (code !== undefined) return { ok: false, code, offset }
    const content = contentEnd(bytes, offset, end, bytes.length)
    if (content < 0) return { ok: false, code: 'RTCP_PADDING', offset }
    const body = new OctetReader(bytes, offset + rtcpHeaderBytes, content)
    packets.push(readPacket(bytes[offset + 1]!, bytes[offset]! & 0x1f, body))
    if (body.isBroken) return { ok: false, code: 'RTCP_CONTENT', offset }
    offset = end
  }
  return { ok: true, packets }
}

function problemOf(bytes: Uint8Array, offset: number, end: number, isReducedSize: boolean): RtcpErrorCode | undefined {
  const type = bytes[offset + 1]!
  if (bytes[offset]! >> 6 !== 2) return 'RTCP_VERSION'
  if (type < rtcpTypeMin || type > rtcpTypeMax) return 'RTCP_TYPE'
  if (end > bytes.length) return 'RTCP_LENGTH'
  const isReport = type === rtcpTypes.SR || type === rtcpTypes.RR
  return offset === 0 && !isReport && !isReducedSize ? 'RTCP_FIRST' : undefined
}

function readPacket(packetType: number, count: number, body: OctetReader): RtcpPacket {
  switch (packetType) {
    case rtcpTypes.SR:
      return readSenderReport(body, count)
    case rtcpTypes.RR:
      return readReceiverReport(body, count)
    case rtcpTypes.SDES:
      return readSourceDescription(body, count)
    case rtcpTypes.BYE:
      return readGoodbye(body, count)
    case rtcpTypes.APP:
      return readApplicationDefined(body, count)
    case rtcpTypes.RTPFB:
      return readTransportFeedback(body, count)
    case rtcpTypes.PSFB:
      return readPayloadFeedback(body, count)
    case rtcpTypes.XR:
      return readExtendedReport(body)
    default:
      return { type: 'OTHER', packetType, count, body: body.rest() }
  }
}
