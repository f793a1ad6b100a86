/**
 * The compression function of SHA-1 (FIPS 180-4 §6.1.2), for authentication tags. Packets are short: node:crypto takes
 * longer to be called than this takes to run.
 */

/** Words of a state. */
export const sha1Words = 5
/** Bytes of a block. */
export const sha1BlockBytes = 64

/** The words of the block at hand, and those that are made of them. */
const w = new Int32Array(80)

/** Sets a state to its beginning. */
export function startSha1(state: Int32Array): void {
  state[0] = 0x67452301
  state[1] = 0xefcdab89 | 0
  state[2] = 0x98badcfe | 0
  state[3] = 0x10325476
  state[4] = 0xc3d2e1f0 | 0
}

/** Takes the 64 bytes at `at` into the state. */
export function compressSha1(state: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0, from = at; i < 16; i++, from += 4) {
    w[i] = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!
  }
  compressWords(state)
}

/** Takes sixteen words, as an inner hash has them, into the state. */
export function compressDigest(state: Int32Array, digest: Int32Array, lengthBits: number): void {
  for (let i = 0; i < sha1Words; i++) w[i] = digest[i]!
  w[5] = 0x80000000 | 0
  for (let i = 6; i < 15; i++) w[i] = 0
  w[15] = lengthBits
  compressWords(state)
}

function compressWords(state: Int32Array): void {
  for (let i = 16; i < 80; i++) {
    const mixed = w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!
    w[i] = (mixed << 1) | (mixed >>> 31)
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  // Five rounds at a time: after them the variables stand where they began, and nothing needs to be moved.
  for (let i = 0; i < 20; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + w[i]! + 0x5a827999) | 0
    b = (b << 30) | (b >>> 2)
    d = (d + ((e << 5) | (e >>> 27)) + (c ^ (a & (b ^ c))) + w[i + 1]! + 0x5a827999) | 0
    a = (a << 30) | (a >>> 2)
    c = (c + ((d << 5) | (d >>> 27)) + (b ^ (e & (a ^ b))) + w[i + 2]! + 0x5a827999) | 0
    e = (e << 30) | (e >>> 2)
    b = (b + ((c << 5) | (c >>> 27)) + (a ^ (d & (e ^ a))) + w[i + 3]! + 0x5a827999) | 0
    d = (d << 30) | (d >>> 2)
    a = (a + ((b << 5) | (b >>> 27)) + (e ^ (c & (d ^ e))) + w[i + 4]! + 0x5a827999) | 0
    c = (c << 30) | (c >>> 2)
  }
  for (let i = 20; i < 40; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + (b ^ c ^ d) + w[i]! + 0x6ed9eba1) | 0
    b = (b << 30) | (b >>> 2)
    d = (d + ((e << 5) | (e >>> 27)) + (a ^ b ^ c) + w[i + 1]! + 0x6ed9eba1) | 0
    a = (a << 30) | (a >>> 2)
    c = (c + ((d << 5) | (d >>> 27)) + (e ^ a ^ b) + w[i + 2]! + 0x6ed9eba1) | 0
    e = (e << 30) | (e >>> 2)
    b = (b + ((c << 5) | (c >>> 27)) + (d ^ e ^ a) + w[i + 3]! + 0x6ed9eba1) | 0
    d = (d << 30) | (d >>> 2)
    a = (a + ((b << 5) | (b >>> 27)) + (c ^ d ^ e) + w[i + 4]! + 0x6ed9eba1) | 0
    c = (c << 30) | (c >>> 2)
  }
  for (let i = 40; i < 60; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + w[i]! - 0x70e44324) | 0
    b = (b << 30) | (b >>> 2)
    d = (d + ((e << 5) | (e >>> 27)) + ((a & b) | (c & (a | b))) + w[i + 1]! - 0x70e44324) | 0
    a = (a << 30) | (a >>> 2)
    c = (c + ((d << 5) | (d >>> 27)) + ((e & a) | (b & (e | a))) + w[i + 2]! - 0x70e44324) | 0
    e = (e << 30) | (e >>> 2)
    b = (b + ((c << 5) | (c >>> 27)) + ((d & e) | (a & (d | e))) + w[i + 3]! - 0x70e44324) | 0
    d = (d << 30) | (d >>> 2)
    a = (a + ((b << 5) | (b >>> 27)) + ((c & d) | (e & (c | d))) + w[i + 4]! - 0x70e44324) | 0
    c = (c << 30) | (c >>> 2)
  }
  for (let i = 60; i < 80; i += 5) {
    e = (e + ((a << 5) | (a >>> 27)) + (b ^ c ^ d) + w[i]! - 0x359d3e2a) | 0
    b = (b << 30) | (b >>> 2)
    d = (d + ((e << 5) | (e >>> 27)) + (a ^ b ^ c) + w[i + 1]! - 0x359d3e2a) | 0
    a = (a << 30) | (a >>> 2)
    c = (c + ((d << 5) | (d >>> 27)) + (e ^ a ^ b) + w[i + 2]! - 0x359d3e2a) | 0
    e = (e << 30) | (e >>> 2)
    b = (b + ((c << 5) | (c >>> 27)) + (d ^ e ^ a) + w[i + 3]! - 0x359d3e2a) | 0
    d = (d << 30) | (d >>> 2)
    a = (a + ((b << 5) | (b >>> 27)) + (c ^ d ^ e) + w[i + 4]! - 0x359d3e2a) | 0
    c = (c << 30) | (c >>> 2)
  }
  state[0] = (state[0]! + a) | 0
  state[1] = (state[1]! + b) | 0
  state[2] = (state[2]! + c) | 0
  state[3] = (state[3]! + d) | 0
  state[4] = (state[4]! + e) | 0
}
