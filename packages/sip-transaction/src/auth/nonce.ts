/**
 * Nonces that need no memory: time and salt, authenticated together with the source they were made for
 * (RFC 7616 §3.3 and §5.4). Pure.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/** What a nonce turned out to be. */
export type NonceVerdict =
  | { readonly kind: 'good'; readonly issuedMs: number }
  /** Ours, but older than its lifetime, or younger than now. */
  | { readonly kind: 'expired' }
  /** Not ours, or made for another source. */
  | { readonly kind: 'foreign' }

const timeBytes = 6
const saltBytes = 6
const macBytes = 16
const nonceBytes = timeBytes + saltBytes + macBytes
/** Length of the text of a nonce: base64url without padding. */
const nonceLength = Math.ceil((nonceBytes * 8) / 6)
/** How far a nonce may lie in the future, for servers that share a secret and whose clocks differ. */
const clockSkewMs = 5_000

/** Makes nonces and recognises them. Servers with the same secret recognise each other's. */
export class NonceAuthority {
  // A key object, not raw bytes: the runtime would import those anew for each nonce.
  private readonly key: KeyObject

  /**
   * @param secret at least 16 bytes; copied
   * @param lifetimeMs how long a nonce is good for
   */
  constructor(
    secret: Uint8Array,
    private readonly lifetimeMs: number,
  ) {
    this.key = createSecretKey(secret)
  }

  /**
   * A nonce for one source.
   * @param source what the nonce is bound to, such as the peer's IP address
   * @param salt six random bytes, so that no two nonces are alike
   */
  issue(source: string, wallMs: number, salt: Uint8Array): string {
    const bytes = Buffer.alloc(nonceBytes)
    bytes.writeUIntBE(Math.max(0, Math.floor(wallMs)), 0, timeBytes)
    bytes.set(salt.subarray(0, saltBytes), timeBytes)
    this.mac(bytes, source).copy(bytes, timeBytes + saltBytes, 0, macBytes)
    return bytes.toString('base64url')
  }

  /** Tells whether a nonce is ours and still good for that source. */
  check(nonce: string, source: string, wallMs: number): NonceVerdict {
    if (nonce.length !== nonceLength) return { kind: 'foreign' }
    const bytes = Buffer.from(nonce, 'base64url')
    // The decoder skips what is no base64url and ignores loose bits: one nonce must not have two spellings.
    if (bytes.length !== nonceBytes || bytes.toString('base64url') !== nonce) return { kind: 'foreign' }
    const expected = this.mac(bytes, source).subarray(0, macBytes)
    if (!timingSafeEqual(expected, bytes.subarray(timeBytes + saltBytes))) return { kind: 'foreign' }
    const issuedMs = bytes.readUIntBE(0, timeBytes)
    const ageMs = wallMs - issuedMs
    return ageMs > this.lifetimeMs || ageMs < -clockSkewMs ? { kind: 'expired' } : { kind: 'good', issuedMs }
  }

  private mac(bytes: Buffer, source: string): Buffer {
    return createHmac('sha256', this.key)
      .update(bytes.subarray(0, timeBytes + saltBytes))
      .update(source)
      .digest()
  }
}
