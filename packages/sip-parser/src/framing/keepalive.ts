/** Keep-alives that are line ends only (RFC 5626 §3.5.1; RFC 3261 §7.5): a ping is CRLFCRLF, its answer one CRLF. */

/** What a client sends. Do not write into it. */
export const pingBytes: Uint8Array = new Uint8Array([0x0d, 0x0a, 0x0d, 0x0a])
/** What a server answers. Do not write into it. */
export const pongBytes: Uint8Array = new Uint8Array([0x0d, 0x0a])

/**
 * What a datagram that is no message is: `ping` for CRLFCRLF and longer, `pong` for CRLF, `filler` for the NUL bytes that
 * phones send to keep a NAT binding open; undefined for anything else. Looks at four bytes at most before it says no.
 */
export function keepAliveKind(bytes: Uint8Array): 'ping' | 'pong' | 'filler' | undefined {
  const first = bytes[0]
  if (first !== 0x0d && first !== 0 && first !== 0x0a && first !== 0x20) return undefined
  if (first === 0) return bytes.length <= 8 && bytes.every((byte) => byte === 0) ? 'filler' : undefined
  if (bytes.length > 64) return undefined
  for (const byte of bytes) {
    if (byte !== 0x0d && byte !== 0x0a && byte !== 0x20 && byte !== 0) return undefined
  }
  if (bytes.length === 2 && first === 0x0d) return 'pong'
  return bytes.length >= 4 && bytes[1] === 0x0a && bytes[2] === 0x0d ? 'ping' : 'filler'
}
