/**
 * The RTP fixed header, read where it lies (RFC 3550 §5.1, §5.3.1; RFC 8285 for the extension's place). No function
 * here copies or allocates. All but `isRtp` and `rtpPayloadOffset` assume a packet for which `isRtp` is true.
 */

/** Bytes of the fixed header. */
export const rtpHeaderBytes = 12

/** True when the bytes hold a whole RTP header of version 2: fixed part, CSRC list and extension. */
export function isRtp(packet: Uint8Array, length: number = packet.length): boolean {
  return rtpPayloadOffset(packet, length) >= 0
}

/** Where the payload begins; -1 when the bytes are no RTP packet of version 2 or the header's lengths lie. */
export function rtpPayloadOffset(packet: Uint8Array, size: number = packet.length): number {
  if (size < rtpHeaderBytes) return -1
  const first = packet[0]!
  if (first >> 6 !== 2) return -1
  let offset = rtpHeaderBytes + (first & 0x0f) * 4
  if ((first & 0x10) !== 0) {
    if (offset + 4 > size) return -1
    offset += 4 + ((packet[offset + 2]! << 8) | packet[offset + 3]!) * 4
  }
  return offset > size ? -1 : offset
}

/** The payload type, 0–127. */
export function rtpPayloadType(packet: Uint8Array): number {
  return packet[1]! & 0x7f
}

/** The marker bit. */
export function rtpMarker(packet: Uint8Array): boolean {
  return (packet[1]! & 0x80) !== 0
}

/** The sequence number, 0–65535. */
export function rtpSequence(packet: Uint8Array): number {
  return (packet[2]! << 8) | packet[3]!
}

/** The timestamp as a signed 32-bit number: its differences are right over a wrap. */
export function rtpTimestamp(packet: Uint8Array): number {
  return (packet[4]! << 24) | (packet[5]! << 16) | (packet[6]! << 8) | packet[7]!
}

/** The synchronization source as a signed 32-bit number. */
export function rtpSsrc(packet: Uint8Array): number {
  return (packet[8]! << 24) | (packet[9]! << 16) | (packet[10]! << 8) | packet[11]!
}
