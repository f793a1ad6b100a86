/**
 * Copies of session descriptions (RFC 4566) that outlive the messages they came in. A message's body is cut from a large
 * buffer, which one of them would keep alive; an `ArrayBuffer` for each copy costs more than all the rest of the copying.
 */

/** What copies are cut from: no more than this is kept alive by one of them. */
const chunkBytes = 4_096
/** Larger ones have memory of their own. */
const sharedBytesMax = 1_024

let chunk = new Uint8Array(chunkBytes)
let used = 0

/** A copy. Nobody writes into it; its `buffer` has other copies in it too. */
export function detachedBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (length > sharedBytesMax) return new Uint8Array(bytes)
  if (used + length > chunkBytes) {
    chunk = new Uint8Array(chunkBytes)
    used = 0
  }
  const copy = chunk.subarray(used, used + length)
  copy.set(bytes)
  used += length
  return copy
}
