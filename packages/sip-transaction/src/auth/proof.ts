/** What is left of verified credentials, so that the server can prove itself in turn (RFC 7616 §3.5). Pure. */
import { type AuthParam, writeAuthParams } from './auth-params'
import type { Claim } from './claim'
import { computeResponse, type DigestHashFunction } from './digest'

/** Verified credentials. It keeps what it is made of to itself, so that no log gets it. */
export class DigestProof {
  readonly #claim: Claim
  readonly #ha1: string
  readonly #hashWith: DigestHashFunction
  /** @internal When the nonce was made. */
  readonly issuedMs: number

  /** @internal */
  constructor(claim: Claim, ha1: string, issuedMs: number, hashWith: DigestHashFunction) {
    this.#claim = claim
    this.#ha1 = ha1
    this.#hashWith = hashWith
    this.issuedMs = issuedMs
  }

  /** @internal True when a nextnonce would leave the client's session key behind (RFC 7616 §3.4.2). */
  get isSession(): boolean {
    return this.#claim.algorithm.endsWith('-sess')
  }

  /**
   * @internal The value of Authentication-Info; undefined when there is nothing to say: a client of RFC 2069 can check
   * no proof.
   */
  info(nextNonce: string | undefined, body: Uint8Array | undefined): string | undefined {
    const { algorithm, qop, nonce, nc, cnonce, uri } = this.#claim
    const params: AuthParam[] = []
    if (nextNonce !== undefined) params.push(['nextnonce', nextNonce])
    if (qop !== undefined && nc !== undefined && cnonce !== undefined) {
      const input = { algorithm, ha1: this.#ha1, nonce, qop, nc, cnonce, method: '', uri, body }
      params.push(['qop', qop], ['rspauth', computeResponse(input, this.#hashWith)], ['cnonce', cnonce], ['nc', nc])
    }
    return params.length === 0 ? undefined : writeAuthParams(params, false)
  }
}
