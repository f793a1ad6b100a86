/** HMAC-SHA1 over a packet and its roll-over counter (RFC 2104; RFC 3711 §4.2), with both pads taken in beforehand. */
import { Buffer } from 'node:buffer'
import { compressDigest, sha1BlockBytes, sha1Words, startSha1 } from './sha1'
import { compressSha1 } from './sha1-rounds'

const trailerBytes = 4
/** The 0x80 and the length of the text that end a hash (FIPS 180-4 §5.1.1). */
const paddingBytesMin = 9
const digestBytes = 20

const state = new Int32Array(sha1Words)
const outer = new Int32Array(sha1Words)
/** The end of a text: what is left of the packet, the counter, the padding. */
const tail = Buffer.alloc(2 * sha1BlockBytes)

/** Makes and checks tags with one key. */
export class HmacSha1 {
  /** The states after both pads, the inner one first. */
  private readonly padded = new Int32Array(2 * sha1Words)

  /** @param key 64 bytes at most; it is not kept */
  constructor(key: Uint8Array) {
    const pad = Buffer.alloc(sha1BlockBytes)
    for (const [at, byte] of [
      [0, 0x36],
      [sha1Words, 0x5c],
    ] as const) {
      pad.fill(0)
      pad.set(key)
      for (let i = 0; i < pad.length; i++) pad[i] = pad[i]! ^ byte
      startSha1(state)
      compressSha1(state, pad, 0)
      this.padded.set(state, at)
    }
    pad.fill(0)
    state.fill(0)
  }

  /**
   * Writes the first `tagBytes` of the code over `bytes[0..length)` and four bytes of `trailer` into `out` at `at`.
   * @param trailer the roll-over counter; undefined where the text has none (SRTCP)
   */
  sign(
    bytes: Uint8Array,
    length: number,
    trailer: number | undefined,
    out: Uint8Array,
    at: number,
    tagBytes: number,
  ): void {
    this.compute(bytes, length, trailer)
    for (let i = 0; i < tagBytes; i++) out[at + i] = outer[i >> 2]! >>> (24 - 8 * (i & 3))
  }

  /** Compares the code with the tag at `at`, in a time that does not tell where they differ. */
  verify(
    bytes: Uint8Array,
    length: number,
    trailer: number | undefined,
    tag: Uint8Array,
    at: number,
    tagBytes: number,
  ): boolean {
    this.compute(bytes, length, trailer)
    let difference = 0
    for (let i = 0; i < tagBytes; i++) difference |= ((outer[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff) ^ tag[at + i]!
    return difference === 0
  }

  /** Forgets the key. */
  wipe(): void {
    this.padded.fill(0)
  }

  private compute(bytes: Uint8Array, length: number, trailer: number | undefined): void {
    const { padded } = this
    for (let i = 0; i < sha1Words; i++) {
      state[i] = padded[i]!
      outer[i] = padded[sha1Words + i]!
    }
    let at = 0
    for (; at + sha1BlockBytes <= length; at += sha1BlockBytes) compressSha1(state, bytes, at)
    let end = 0
    for (; at < length; at++, end++) tail[end] = bytes[at]!
    if (trailer !== undefined) {
      tail[end] = trailer >>> 24
      tail[end + 1] = trailer >>> 16
      tail[end + 2] = trailer >>> 8
      tail[end + 3] = trailer
      end += trailerBytes
    }
    const hashed = sha1BlockBytes + length + (trailer === undefined ? 0 : trailerBytes)
    const blocks = end + paddingBytesMin <= sha1BlockBytes ? 1 : 2
    const last = blocks * sha1BlockBytes
    tail[end] = 0x80
    for (let i = end + 1; i < last - 4; i++) tail[i] = 0
    const bits = hashed * 8
    tail[last - 4] = bits >>> 24
    tail[last - 3] = bits >>> 16
    tail[last - 2] = bits >>> 8
    tail[last - 1] = bits
    for (let block = 0; block < last; block += sha1BlockBytes) compressSha1(state, tail, block)
    compressDigest(outer, state, (sha1BlockBytes + digestBytes) * 8)
  }
}
