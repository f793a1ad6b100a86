/** What a digest verifier is made of, is told and says (RFC 7616; RFC 8760 §2). */
import type { DigestLimits } from '../limits'
import type { Random } from '../ports'
import type { DigestAlgorithm, DigestHash, DigestHashFunction, DigestQop } from './digest'
import type { DigestProof } from './proof'

/** Which header carries the credentials: of a user agent server (401) or of a proxy (407). */
export type CredentialsHeader = 'authorization' | 'proxy-authorization'

/**
 * What is known of a user: the password, or what `computeHa1` makes of it. A single `ha1` is of MD5 when it has 32
 * digits and of SHA-256 when it has 64; name the hash to say otherwise or to give several.
 */
export interface DigestSecret {
  readonly password?: string | undefined
  readonly ha1?: string | Readonly<Partial<Record<DigestHash, string>>> | undefined
  /** The user's name; needed with a password when the request names the user by its hash. */
  readonly username?: string | undefined
}

/** Whom a request claims to be from. */
export interface DigestIdentity {
  /** The name, or its hash in lower case. */
  readonly username: string
  /** The hash when the name is hidden (RFC 7616 §3.4.4): the user is the one whose `computeUserhash` is `username`. */
  readonly userhash: DigestHash | undefined
}

/** Why credentials were not accepted. Only `wrong` is a guess at a password; nothing else says anything of the sender. */
export type DigestRefusal =
  /** There are none for this realm, as in every first request. Not an attack: answer with a challenge. */
  | 'absent'
  /** A parameter is missing or cannot be right: 400, or a challenge. */
  | 'malformed'
  /** An algorithm, qop or userhash that was not offered: challenge again. */
  | 'unsupported'
  /** Wrong password or no such user. */
  | 'wrong'
  /**
   * The nonce is not of this server and this source, and then the password was not looked at; or it is too old, and
   * the password is right. Challenge with stale.
   */
  | 'stale'
  /** The password is right, the nonce count was used before: challenge with stale. */
  | 'replayed'
  /** The password is right, but the digest is over another URI than the request's (RFC 7616 §3.4.6): 400. */
  | 'uri-mismatch'

/** The judgement. */
export type DigestVerdict =
  | {
      readonly ok: true
      readonly username: string
      readonly algorithm: DigestAlgorithm
      /** For `DigestVerifier.info`. */
      readonly proof: DigestProof
    }
  | { readonly ok: false; readonly reason: DigestRefusal }

/** What a verifier is made of. */
export interface DigestVerifierOptions {
  readonly realm: string
  /** Offered in this order, the strongest first. Default SHA-256, then MD5, which most phones know only. */
  readonly algorithms?: readonly DigestAlgorithm[]
  /** Offered in this order, and nothing else is accepted. Default auth. */
  readonly qop?: readonly DigestQop[]
  /** At least 16 unpredictable bytes; servers that share it accept each other's nonces. */
  readonly secret: Uint8Array
  /** Overrides the limit of the same name. */
  readonly nonceLifetimeMs?: number
  readonly random: Random
  readonly limits?: Partial<DigestLimits>
  /** Refuse a digest over a URI with another user or host than the request's. Default true. */
  readonly checkUri?: boolean
  /** Take credentials without qop, of RFC 2069. They have no count, so that a nonce serves once. Default false. */
  readonly allowNoQop?: boolean
  /** Let clients hide the name of the user (RFC 7616 §3.4.4). Default false. */
  readonly userhash?: boolean
  /** Say that names and passwords are UTF-8 in normalisation form C (RFC 7616 §4). Default false. */
  readonly charset?: boolean
  /** A text that clients must return (RFC 7616 §3.3). Default none. */
  readonly opaque?: string
  /**
   * When `info` gives the client the nonce for its next request: once the nonce has lived half its time, with each
   * answer, or never. Default `aging`.
   */
  readonly nextNonce?: 'aging' | 'always' | 'never'
  /** In place of the hashes of `node:crypto`. */
  readonly hash?: DigestHashFunction
}
