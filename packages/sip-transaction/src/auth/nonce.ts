/**
 * Nonces that need no memory: time and salt, authenticated together with the source they were made for
 * (RFC 7616 §3.3 and §5.4) by HMAC-SHA-256 (RFC 2104). Pure.
 */

import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'

/** What a nonce turned out to be. `serial` is another for each nonce. */
export type NonceVerdict =
  | { readonly kind: 'good'; readonly issuedMs: number; readonly serial: number }
  /** Ours and for this source, but older than its lifetime, or younger than now. */
  | { readonly kind: 'expired' }
  /** Not ours, or made for another source. */
  | { readonly kind: 'foreign' }

const timeBytes = 6
const saltBytes = 6
const macBytes = 16
const headBytes = timeBytes + saltBytes
const nonceBytes = headBytes + macBytes
/** Length of the text of a nonce: base64url without padding. */
const nonceLength = Math.ceil((nonceBytes * 8) / 6)
/** How far a nonce may lie in the future, for servers that share a secret and whose clocks differ. */
const clockSkewMs = 5_000
/** The block of SHA-256, and with it the length of the pads of its HMAC. */
const blockBytes = 64
const digestBytes = 32

const foreign: NonceVerdict = { kind: 'foreign' }
const expired: NonceVerdict = { kind: 'expired' }

/** Makes nonces and recognises them. Servers with the same secret recognise each other's. */
export class NonceAuthority {
  /** The padded key, then the message: time, salt, source. */
  private inner: Buffer
  /** The padded key, then the digest of the inner part. */
  private readonly outer = Buffer.alloc(blockBytes + digestBytes)
  /** The nonce at hand. */
  private readonly bytes = Buffer.alloc(nonceBytes)
  private readonly expected = Buffer.alloc(macBytes)
  private readonly claimed = Buffer.alloc(macBytes)

  /**
   * @param secret at least 16 bytes; copied
   * @param lifetimeMs how long a nonce is good for
   */
  constructor(
    secret: Uint8Array,
    private readonly lifetimeMs: number,
  ) {
    // The one-shot hash over pads that are ready costs a third of what an HMAC object does.
    this.inner = Buffer.alloc(blockBytes + headBytes + 64)
    const key = secret.length > blockBytes ? Buffer.from(hash('sha256', secret, 'hex'), 'hex') : secret
    for (let i = 0; i < blockBytes; i += 1) {
      const byte = key[i] ?? 0
      this.inner[i] = byte ^ 0x36
      this.outer[i] = byte ^ 0x5c
    }
  }

  /**
   * A nonce for one source.
   * @param source what the nonce is bound to, such as the peer's IP address
   * @param salt six random bytes, so that no two nonces are alike
   */
  issue(source: string, wallMs: number, salt: Uint8Array): string {
    const { bytes } = this
    bytes.writeUIntBE(Math.max(0, Math.floor(wallMs)), 0, timeBytes)
    for (let i = 0; i < saltBytes; i += 1) bytes[timeBytes + i] = salt[i] ?? 0
    bytes.write(this.mac(bytes, source), headBytes, macBytes, 'latin1')
    return bytes.toString('base64url')
  }

  /** Tells whether a nonce is ours and still good for that source. */
  check(nonce: string, source: string, wallMs: number): NonceVerdict {
    if (nonce.length !== nonceLength) return foreign
    const { bytes } = this
    // The decoder skips what is no base64url and ignores loose bits: one nonce must not have two spellings.
    if (bytes.write(nonce, 'base64url') !== nonceBytes || bytes.toString('base64url') !== nonce) return foreign
    this.expected.write(this.mac(bytes, source), 0, macBytes, 'latin1')
    bytes.copy(this.claimed, 0, headBytes, nonceBytes)
    if (!timingSafeEqual(this.expected, this.claimed)) return foreign
    const issuedMs = bytes.readUIntBE(0, timeBytes)
    const ageMs = wallMs - issuedMs
    if (ageMs > this.lifetimeMs || ageMs < -clockSkewMs) return expired
    return { kind: 'good', issuedMs, serial: bytes.readUIntBE(timeBytes, saltBytes) }
  }

  /** HMAC-SHA-256 over time, salt and source, one character a byte. */
  private mac(head: Buffer, source: string): string {
    const start = blockBytes + headBytes
    // UTF-8 takes three bytes a character at most.
    if (start + source.length * 3 > this.inner.length) {
      const grown = Buffer.alloc(start + source.length * 3)
      this.inner.copy(grown, 0, 0, blockBytes)
      this.inner = grown
    }
    head.copy(this.inner, blockBytes, 0, headBytes)
    const end = start + this.inner.write(source, start, 'utf8')
    this.outer.write(hash('sha256', this.inner.subarray(0, end), 'binary'), blockBytes, digestBytes, 'latin1')
    return hash('sha256', this.outer, 'binary')
  }
}
