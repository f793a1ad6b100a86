/** What kind of packet a datagram is, by its first bytes (RFC 7983 §7; RFC 5761 §4 for RTCP among RTP). */

/** Kinds of datagrams on a media port. Numbers, because this runs for every packet. */
export const packetKinds = { GARBAGE: 0, RTP: 1, RTCP: 2, DTLS: 3, STUN: 4 } as const

/** A value of {@link packetKinds}. */
export type PacketKind = (typeof packetKinds)[keyof typeof packetKinds]

/** Classifies a datagram. A datagram called RTP or RTCP has the right first bytes, nothing more is promised. */
export function classify(packet: Uint8Array): PacketKind {
  if (packet.length < 8) return packetKinds.GARBAGE
  const first = packet[0]!
  if (first >> 6 === 2) {
    const second = packet[1]!
    return second >= 192 && second <= 223 ? packetKinds.RTCP : packetKinds.RTP
  }
  if (first <= 3) return packetKinds.STUN
  if (first >= 20 && first <= 63) return packetKinds.DTLS
  return packetKinds.GARBAGE
}
