/**
 * A hash of text under a secret key: HalfSipHash-1-3 with 64 bits of result, over the character codes. What a peer sends
 * (branches, Call-IDs) must not decide which entries of a table collide, and 64 bits are enough to take the hash for the
 * text: among a quarter of a million entries a stranger's text is mistaken for one of them once in 10^13 attempts.
 */

/** Hashes text under one key; the result of the last call stays in `low` and `high`, as signed 32-bit integers. */
export class KeyedHash {
  low = 0
  high = 0
  private readonly k0: number
  private readonly k1: number

  /** @param key eight unpredictable bytes, read here and not kept */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 8)
    this.k0 = view.getInt32(0, true)
    this.k1 = view.getInt32(4, true)
  }

  /** Hashes a text; every one of its characters counts with 16 bits. */
  compute(text: string): void {
    let v0 = this.k0
    let v1 = this.k1 ^ 0xee
    let v2 = this.k0 ^ 0x6c796765
    let v3 = this.k1 ^ 0x74656462
    const { length } = text
    // Two characters a word; the last one holds what is left and the length. Then three rounds, twice.
    const words = (length >> 1) + 1
    const rounds = words + 6
    for (let word = 0; word < rounds; word += 1) {
      let m = 0
      if (word < words - 1) m = text.charCodeAt(2 * word) | (text.charCodeAt(2 * word + 1) << 16)
      else if (word === words - 1) m = ((length & 1) === 1 ? text.charCodeAt(length - 1) : 0) | (length << 16)
      else if (word === words) v2 ^= 0xee
      else if (word === words + 3) {
        this.low = v1 ^ v3
        v1 ^= 0xdd
      }
      v3 ^= m
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= m
    }
    this.high = v1 ^ v3
  }
}
