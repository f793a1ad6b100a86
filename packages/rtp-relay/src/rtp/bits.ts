/** Sets of small whole numbers, a bit each: which packets of a stretch have come. */

/** True when the number is in the set. */
export function hasBit(bits: Int32Array, at: number): boolean {
  return (bits[at >> 5]! & (1 << (at & 31))) !== 0
}

/** Puts a number into the set. */
export function setBit(bits: Int32Array, at: number): void {
  bits[at >> 5] = bits[at >> 5]! | (1 << (at & 31))
}

/** Takes a number out of the set. */
export function clearBit(bits: Int32Array, at: number): void {
  bits[at >> 5] = bits[at >> 5]! & ~(1 << (at & 31))
}
