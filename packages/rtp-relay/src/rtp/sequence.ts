/**
 * Arithmetic on numbers that wrap: RTP sequence numbers of 16 bits and timestamps of 32 (RFC 3550 §5.1, appendix A.1).
 * Extended numbers go on past a wrap; they are exact up to 2**53.
 */

/** How far sequence number `to` is ahead of `from`: -32768 … 32767, the shorter way round. */
export function sequenceDelta(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}

/** How far timestamp `to` is ahead of `from`: -2**31 … 2**31 - 1, the shorter way round. */
export function timestampDelta(from: number, to: number): number {
  return (to - from) | 0
}

/** The sequence number `count` packets after this one, 0–65535. */
export function addSequence(sequence: number, count: number): number {
  return (sequence + count) & 0xffff
}

/** The timestamp `units` after this one, 0 … 2**32 - 1. */
export function addTimestamp(timestamp: number, units: number): number {
  return (timestamp + units) >>> 0
}

/**
 * The extended number of a sequence number: the one nearest to `reference`, which is the extended number of a packet
 * nearby. Negative for a packet from before the first one, where the first was numbered as it is.
 */
export function extendSequence(reference: number, sequence: number): number {
  return reference + sequenceDelta(reference, sequence)
}

/** The extended number of a timestamp, as {@link extendSequence}. */
export function extendTimestamp(reference: number, timestamp: number): number {
  return reference + timestampDelta(reference, timestamp)
}
