/** Writes compound RTCP packets (RFC 3550 §6.1). What is written reads back as it was. */
import { writeExtendedReport } from './extended-reports'
import { writeFeedback } from './feedback'
import { OctetWriter } from './octets'
import { rtcpHeaderBytes, rtcpTypeMax, rtcpTypeMin, rtcpTypes } from './packet-types'
import type { OtherRtcpPacket, RtcpPacket } from './packets'
import { writeReport } from './reports'
import { writeApplicationDefined, writeGoodbye, writeSourceDescription } from './source-description'

/**
 * Writes packets one after the other, without padding. Which of them a compound needs is the caller's business: where the
 * first is no report, only `reducedSize` reads them back.
 * @throws RangeError for a value that its field cannot hold, which the message names
 */
export function writeRtcp(packets: readonly RtcpPacket[]): Uint8Array {
  if (packets.length === 0) throw new RangeError('there is no packet to write')
  const out = new OctetWriter()
  for (const packet of packets) writePacket(packet, out)
  return out.done()
}

function writePacket(packet: RtcpPacket, out: OctetWriter): void {
  const start = out.size
  out.zeros(rtcpHeaderBytes)
  const { type, count } = writeBody(packet, out)
  const bytes = out.size - start
  if (bytes % 4 !== 0) throw new RangeError('the bytes of a packet are not a multiple of four')
  const header = (0x80 | out.bits(count, 5, 'the count of a packet')) * 0x100 + out.bits(type, 8, 'packetType')
  out.overwrite16(start, header, 'the header')
  out.overwrite16(start + 2, bytes / 4 - 1, 'the length of a packet')
}

function writeBody(packet: RtcpPacket, out: OctetWriter): { type: number; count: number } {
  switch (packet.type) {
    case 'SR':
    case 'RR':
      return { type: rtcpTypes[packet.type], count: writeReport(packet, out) }
    case 'SDES':
      return { type: rtcpTypes.SDES, count: writeSourceDescription(packet, out) }
    case 'BYE':
      return { type: rtcpTypes.BYE, count: writeGoodbye(packet, out) }
    case 'APP':
      return { type: rtcpTypes.APP, count: writeApplicationDefined(packet, out) }
    case 'XR':
      return { type: rtcpTypes.XR, count: writeExtendedReport(packet, out) }
    case 'OTHER':
      return writeOther(packet, out)
    default: {
      const { type, format } = writeFeedback(packet, out)
      return { type, count: format }
    }
  }
}

/** A type that is read here would read back as something else. */
function writeOther({ packetType, count, body }: OtherRtcpPacket, out: OctetWriter): { type: number; count: number } {
  const isKnown = Object.values<number>(rtcpTypes).includes(packetType)
  if (isKnown || packetType < rtcpTypeMin || packetType > rtcpTypeMax)
    throw new RangeError('packetType is not one of 192 to 199 and 208 to 223')
  out.octets(body)
  return { type: packetType, count }
}
