/** Why a packet was neither protected nor opened. Negative, so that a length can stand in the same place. */
export const srtpFailures = {
  /** Too short, or its lengths lie. */
  MALFORMED: -1,
  /** The authentication tag is wrong: forged, damaged, or made with other keys. */
  AUTHENTICATION: -2,
  /** Seen before, or too old to tell (RFC 3711 §3.3.2). */
  REPLAY: -3,
  /** More synchronization sources than one key may serve here. */
  TOO_MANY_SOURCES: -4,
  /** As many packets as the key may protect have been (RFC 3711 §9.2), or the context is closed. */
  KEY_EXPIRED: -5,
  /** The key that the packet names is none of ours. */
  UNKNOWN_MKI: -6,
} as const

/** A value of {@link srtpFailures}. */
export type SrtpFailure = (typeof srtpFailures)[keyof typeof srtpFailures]
