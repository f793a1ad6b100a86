/** Where a packet of a compound ends, and where its padding begins (RFC 3550 §6.1, §6.4.1). Nothing is allocated. */
import { rtcpHeaderBytes } from './packet-types'

/** Where the packet at `offset` ends by its own length, which may lie beyond the bytes. Its header must be there. */
export function packetEnd(bytes: Uint8Array, offset: number): number {
  return offset + rtcpHeaderBytes + ((bytes[offset + 2]! << 8) | bytes[offset + 3]!) * 4
}

/**
 * Where what the packet from `offset` to `end` holds ends and its padding, if any, begins; -1 when that is a lie: padding
 * is whole words, at the end of the compound of `length` bytes alone, and leaves the header.
 */
export function contentEnd(bytes: Uint8Array, offset: number, end: number, length: number): number {
  if ((bytes[offset]! & 0x20) === 0) return end
  if (end !== length) return -1
  const padding = bytes[end - 1]!
  const isPossible = padding > 0 && padding % 4 === 0 && padding <= end - offset - rtcpHeaderBytes
  return isPossible ? end - padding : -1
}
