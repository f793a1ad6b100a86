/**
 * The compression function of SHA-1 (FIPS 180-4 §6.1.2), for authentication tags. Packets are short: node:crypto takes
 * longer to be called than this takes to run.
 */

import { compressSha1 } from './sha1-rounds'

/** Words of a state. */
export const sha1Words = 5
/** Bytes of a block. */
export const sha1BlockBytes = 64

/** Sets a state to its beginning. */
export function startSha1(state: Int32Array): void {
  state[0] = 0x67452301
  state[1] = 0xefcdab89 | 0
  state[2] = 0x98badcfe | 0
  state[3] = 0x10325476
  state[4] = 0xc3d2e1f0 | 0
}

/** The last block of an outer hash: a digest, the end of the text, its length. */
const last = new Uint8Array(sha1BlockBytes)
last[sha1Words * 4] = 0x80

/** Takes a digest into the state, as the last block of a hash of `lengthBits` in all; these are below 65 536. */
export function compressDigest(state: Int32Array, digest: Int32Array, lengthBits: number): void {
  for (let i = 0; i < sha1Words; i++) {
    const word = digest[i]!
    last[i * 4] = word >>> 24
    last[i * 4 + 1] = word >>> 16
    last[i * 4 + 2] = word >>> 8
    last[i * 4 + 3] = word
  }
  last[sha1BlockBytes - 2] = lengthBits >>> 8
  last[sha1BlockBytes - 1] = lengthBits
  compressSha1(state, last, 0)
}
