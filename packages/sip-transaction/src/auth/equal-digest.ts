/** Comparison of digests in a time that says nothing of where they differ (RFC 7616 §5). Pure. */
import { Buffer } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'

/** Two buffers for each length that a digest has in hexadecimal; filled and compared within one call. */
const scratch: Readonly<Record<number, readonly [Buffer, Buffer]>> = { 32: pair(16), 64: pair(32) }

/** True for hexadecimal digits of either case and nothing else, at least one. */
export function isHex(text: string): boolean {
  return /^[0-9a-f]+$/i.test(text)
}

/**
 * True when two digests are the same.
 * @param expected hexadecimal, 32 or 64 digits
 * @param given what a peer sent, in either case. A wrong length, or anything but digits, is no secret: it shows.
 */
export function isEqualDigest(expected: string, given: string): boolean {
  const buffers = scratch[expected.length]
  // The decoder takes other characters by their low byte.
  if (buffers === undefined || given.length !== expected.length || !isHex(given)) return false
  const [right, claimed] = buffers
  right.write(expected, 'hex')
  claimed.write(given, 'hex')
  return timingSafeEqual(right, claimed)
}

function pair(length: number): readonly [Buffer, Buffer] {
  return [Buffer.alloc(length), Buffer.alloc(length)]
}
