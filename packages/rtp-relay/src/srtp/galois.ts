/** AES-GCM as SRTP uses it (RFC 7714): nonces, and sealing and opening of one packet. */
import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { GaloisKeys } from './session-keys'

/** Bytes of the tag that ends the ciphertext. */
export const galoisTagBytes = 16
const nonceBytes = 12

const nonce = Buffer.alloc(nonceBytes)

/** The nonce of an SRTP packet (RFC 7714 §8.1) or, with its 31 bits in the last word, of an SRTCP packet (§9.1). */
function nonceFor(salt: Uint8Array, ssrc: number, high: number, low: number): Buffer {
  nonce[0] = 0
  nonce[1] = 0
  nonce.writeInt32BE(ssrc | 0, 2)
  nonce.writeInt32BE(high | 0, 6)
  nonce[10] = low >>> 8
  nonce[11] = low
  for (let i = 0; i < nonceBytes; i++) nonce[i] = nonce[i]! ^ salt[i]!
  return nonce
}

/** The words of the nonce after the source: roll-over counter and sequence number, or the index of SRTCP. */
export interface NonceWords {
  readonly high: number
  readonly low: number
}

/** Of an SRTP packet. */
export function rtpNonceWords(index: number): NonceWords {
  return { high: Math.floor(index / 65_536), low: index % 65_536 }
}

/** Of an SRTCP packet: two zero bytes, then the index. */
export function rtcpNonceWords(index: number): NonceWords {
  return { high: index >>> 16, low: index & 0xffff }
}

/**
 * Writes ciphertext and tag into `out` at `at`; returns how many bytes that are.
 * @param associated authenticated and left in clear
 */
export function seal(
  keys: GaloisKeys,
  ssrc: number,
  words: NonceWords,
  associated: Uint8Array,
  plain: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  const cipher = createCipheriv(keys.name, keys.key, nonceFor(keys.salt, ssrc, words.high, words.low))
  cipher.setAAD(associated)
  out.set(cipher.update(plain), at)
  cipher.final()
  out.set(cipher.getAuthTag(), at + plain.length)
  return plain.length + galoisTagBytes
}

/** Opens ciphertext with its tag; undefined when it is not authentic. */
export function unseal(
  keys: GaloisKeys,
  ssrc: number,
  words: NonceWords,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < galoisTagBytes) return undefined
  const end = sealed.length - galoisTagBytes
  const options = { authTagLength: galoisTagBytes }
  const decipher = createDecipheriv(keys.name, keys.key, nonceFor(keys.salt, ssrc, words.high, words.low), options)
  decipher.setAAD(associated)
  decipher.setAuthTag(sealed.subarray(end))
  try {
    const plain = decipher.update(sealed.subarray(0, end))
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}
