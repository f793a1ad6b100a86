/** Session keys out of a master key (RFC 3711 §4.3, RFC 6188 §3, RFC 7714 §11). */
import { Buffer } from 'node:buffer'
import { createCipheriv } from 'node:crypto'

/** What each derived key is for (RFC 3711 §4.3.1, §4.3.2). */
export const keyLabels = {
  RTP_ENCRYPTION: 0,
  RTP_AUTHENTICATION: 1,
  RTP_SALT: 2,
  RTCP_ENCRYPTION: 3,
  RTCP_AUTHENTICATION: 4,
  RTCP_SALT: 5,
} as const

const blockBytes = 16
/** The salt of the derivation is 112 bits; a shorter one, as GCM has, is followed by zeros. */
const saltBytes = 14
/** Where label and index end, counted from the first byte of the salt. */
const labelAt = 7

/**
 * Derives one key with AES in counter mode.
 * @param masterKey 16, 24 or 32 bytes
 * @param masterSalt 12 or 14 bytes
 * @param label of {@link keyLabels}
 * @param round the packet index divided by the key derivation rate; 0 without one. Below 2^48
 * @param bytes how long the key is to be
 */
export function deriveKey(
  masterKey: Uint8Array,
  masterSalt: Uint8Array,
  label: number,
  round: number,
  bytes: number,
): Buffer {
  const iv = Buffer.alloc(blockBytes)
  iv.set(masterSalt.subarray(0, saltBytes))
  iv[labelAt] = iv[labelAt]! ^ label
  for (let at = saltBytes - 1, rest = round; rest > 0 && at > labelAt; at--, rest = Math.floor(rest / 256)) {
    iv[at] = iv[at]! ^ (rest % 256)
  }
  const cipher = createCipheriv(`aes-${masterKey.length * 8}-ctr`, masterKey, iv)
  const key = cipher.update(Buffer.alloc(bytes))
  cipher.final()
  iv.fill(0)
  return key
}
