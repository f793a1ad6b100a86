/** What the keys of one direction are made of, whoever agreed on them: SDES (RFC 4568), or DTLS in time (RFC 5764). */
import { inspect } from 'node:util'
import type { SrtpSuiteName } from './suites'

/** One master key and how it is used. Holds secrets: it shows none of them when it is printed. */
export interface SrtpMaterial {
  readonly suite: SrtpSuiteName
  /** As long as the suite asks. */
  readonly masterKey: Uint8Array
  readonly masterSalt: Uint8Array
  /** Written into each packet, where the direction has several keys. */
  readonly mki?: Uint8Array
  /** Packets after which new session keys are derived; 0, as by default, for never (RFC 3711 §4.3.1). */
  readonly keyDerivationRate?: number
  /** Packets that this key may protect; 2^48 for SRTP and 2^31 for SRTCP at most, and by default. */
  readonly lifetimePackets?: number
  /** False for UNENCRYPTED_SRTP (RFC 4568 §6.3.3): authenticated, in clear. */
  readonly isRtpEncrypted?: boolean
  /** False for UNENCRYPTED_SRTCP. */
  readonly isRtcpEncrypted?: boolean
  /** Packets behind the newest that are still let in, 64 or more (RFC 4568 §6.3.7, WSH). */
  readonly windowSize?: number
}

/** Makes an object print as its name alone. */
export function hideFromInspection(object: object, name: string): void {
  Object.defineProperty(object, inspect.custom, { value: () => `${name} {}`, enumerable: false })
}
