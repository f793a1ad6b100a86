/** The crypto suites of SRTP by their names in SDP (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14). */

/** How a suite encrypts. */
export type SrtpCipher = 'aes-cm' | 'aes-gcm' | 'null'

/** What a suite consists of; lengths in bytes. */
export interface SrtpSuite {
  readonly cipher: SrtpCipher
  /** Of the master key and of the session key. */
  readonly keyBytes: 16 | 24 | 32
  readonly saltBytes: 12 | 14
  /** Of the tag that ends an SRTP packet. */
  readonly rtpTagBytes: 4 | 10 | 16
  /** Of the tag of an SRTCP packet: never the short one (RFC 3711 §5.2, RFC 4568 §6.2.2). */
  readonly rtcpTagBytes: 10 | 16
}

const counterMode = (keyBytes: 16 | 24 | 32, rtpTagBytes: 4 | 10, cipher: SrtpCipher = 'aes-cm'): SrtpSuite => ({
  cipher,
  keyBytes,
  saltBytes: 14,
  rtpTagBytes,
  rtcpTagBytes: 10,
})

const galois = (keyBytes: 16 | 32): SrtpSuite => ({
  cipher: 'aes-gcm',
  keyBytes,
  saltBytes: 12,
  rtpTagBytes: 16,
  rtcpTagBytes: 16,
})

/** Every suite. Those that encrypt nothing are for tests, and no SDP names them. */
export const srtpSuites = {
  AES_CM_128_HMAC_SHA1_80: counterMode(16, 10),
  AES_CM_128_HMAC_SHA1_32: counterMode(16, 4),
  AES_192_CM_HMAC_SHA1_80: counterMode(24, 10),
  AES_192_CM_HMAC_SHA1_32: counterMode(24, 4),
  AES_256_CM_HMAC_SHA1_80: counterMode(32, 10),
  AES_256_CM_HMAC_SHA1_32: counterMode(32, 4),
  AEAD_AES_128_GCM: galois(16),
  AEAD_AES_256_GCM: galois(32),
  NULL_HMAC_SHA1_80: counterMode(16, 10, 'null'),
  NULL_HMAC_SHA1_32: counterMode(16, 4, 'null'),
} as const satisfies Record<string, SrtpSuite>

/** The name of a suite. */
export type SrtpSuiteName = keyof typeof srtpSuites

/** Bytes of the longest master key identifier (RFC 4568 §6.1). */
export const mkiBytesMax = 128

/** Bytes that protecting may add to a packet: the longest tag, an identifier, and the index of SRTCP. */
export const srtpOverheadMax = 16 + mkiBytesMax + 4
