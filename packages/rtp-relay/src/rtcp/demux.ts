/** What kind of packet a datagram is, by its first bytes (RFC 7983 §7; RFC 5761 §4 for RTCP among RTP). */
import { rtcpTypeMax, rtcpTypeMin } from './packet-types'

/** Kinds of datagrams on a media port. Numbers, because this runs for every packet. */
export const packetKinds = { GARBAGE: 0, RTP: 1, RTCP: 2, DTLS: 3, STUN: 4, ZRTP: 5, TURN_CHANNEL: 6 } as const

/** A value of {@link packetKinds}. */
export type PacketKind = (typeof packetKinds)[keyof typeof packetKinds]

/** Fewer bytes than this are none of these protocols, but for ChannelData of TURN that carries next to nothing. */
const packetBytesMin = 8
/** The header of ChannelData (RFC 8656 §12.4). */
const channelBytesMin = 4

/** Classifies a datagram. It has the right first bytes for what it is called, nothing more is promised. */
export function classify(packet: Uint8Array): PacketKind {
  const { length } = packet
  if (length < packetBytesMin) return isShortChannel(packet) ? packetKinds.TURN_CHANNEL : packetKinds.GARBAGE
  const first = packet[0]!
  if (first >> 6 === 2) {
    const second = packet[1]!
    // Payload types 64 to 95 with the marker are given up for RTCP packet types.
    return second >= rtcpTypeMin && second <= rtcpTypeMax ? packetKinds.RTCP : packetKinds.RTP
  }
  if (first <= 3) return packetKinds.STUN
  if (first >= 20 && first <= 63) return packetKinds.DTLS
  if (first >= 64 && first <= 79) return packetKinds.TURN_CHANNEL
  return first >= 16 && first <= 19 ? packetKinds.ZRTP : packetKinds.GARBAGE
}

function isShortChannel(packet: Uint8Array): boolean {
  return packet.length >= channelBytesMin && packet[0]! >> 4 === 4
}
