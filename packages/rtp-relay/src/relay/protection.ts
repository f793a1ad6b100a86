/**
 * What the packet path needs of whoever encrypts: two directions of one leg, keyed elsewhere (SDES today, DTLS in time).
 * Negative results are failures; their values are those of the SRTP folder.
 */

/** Protects what leaves towards one peer. */
export interface PacketProtector {
  /** Writes the protected RTP packet into `out`; returns its length, or a negative number when it must not be sent. */
  protectRtp(packet: Uint8Array, length: number, out: Uint8Array): number
  /** The same for a compound RTCP packet. */
  protectRtcp(packet: Uint8Array, length: number, out: Uint8Array): number
}

/** Opens what comes from one peer. */
export interface PacketUnprotector {
  /**
   * Checks and decrypts an RTP packet where it lies; returns the length that is left, or a negative number and then the
   * bytes are as they were.
   */
  unprotectRtp(packet: Uint8Array, length: number): number
  /** The same for a compound RTCP packet. */
  unprotectRtcp(packet: Uint8Array, length: number): number
}
