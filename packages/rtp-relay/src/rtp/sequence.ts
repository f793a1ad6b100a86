/** Arithmetic on numbers that wrap: RTP sequence numbers and timestamps (RFC 3550 §5.1, appendix A.1). */

/** How far sequence number `to` is ahead of `from`: -32768 … 32767, the shorter way round. */
export function sequenceDelta(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}

/** How far timestamp `to` is ahead of `from`: -2**31 … 2**31 - 1, the shorter way round. */
export function timestampDelta(from: number, to: number): number {
  return (to - from) | 0
}
