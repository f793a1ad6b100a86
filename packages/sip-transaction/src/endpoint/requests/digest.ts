/**
 * Digest authentication as handlers: RFC 3261 §22.1 to §22.3, RFC 7616, RFC 8760. ACK and CANCEL are never challenged,
 * for they cannot be sent again; a first request without credentials is no attack.
 */
import type { HeaderInit, SipRequest } from '@carillon/sip-parser'
import type { DigestHash } from '../../auth/digest'
import { NonceClock } from '../../auth/nonce-clock'
import type { DigestProof } from '../../auth/proof'
import type { DigestVerifier } from '../../auth/verifier'
import type { CredentialsHeader, DigestRefusal, DigestSecret } from '../../auth/verifier-options'
import type { Handler } from '../options'
import type { IncomingRequest } from './incoming-request'

/**
 * Finds what is known of a user; undefined for nobody, who gets the same answer as a wrong password.
 * @param username the name; with `userhash`, which only a verifier that offers it lets through, its hash
 */
export type DigestLookup = (
  username: string,
  request: SipRequest,
  userhash?: DigestHash,
) => DigestSecret | undefined | Promise<DigestSecret | undefined>

/** Options of {@link digest}. */
export interface DigestOptions {
  /**
   * Told of each refusal, for logs. Only `wrong` may count against anybody: `absent` and `stale` are part of every
   * normal exchange.
   */
  readonly onRefused?: (request: IncomingRequest, reason: DigestRefusal) => void
  /**
   * True to put what {@link digest.info} gives into each 2xx that the stack itself sends to a request that has passed,
   * unless its handler has: proof that the server knows the password too, and in time the next nonce. It costs one hash
   * an answer. Default false.
   */
  readonly info?: boolean
}

/** The key in `request.locals` under which the verified username stands. */
export const digestUsernameKey = 'digest.username'

interface Kind {
  readonly credentials: CredentialsHeader
  readonly status: 401 | 407
  readonly challenge: string
  readonly info: string
}

const server: Kind = {
  credentials: 'authorization',
  status: 401,
  challenge: 'WWW-Authenticate',
  info: 'Authentication-Info',
}
const proxy: Kind = {
  credentials: 'proxy-authorization',
  status: 407,
  challenge: 'Proxy-Authenticate',
  info: 'Proxy-Authentication-Info',
}

interface Verified {
  readonly verifier: DigestVerifier
  readonly proof: DigestProof
  readonly header: string
}

/** Under which the proofs stand in `request.locals`; nobody else can name it. */
const proofsKey = ' digest.proofs'

/** The time by which each verifier makes and judges its nonces. */
const nonceClocks = new WeakMap<DigestVerifier, NonceClock>()

/** Handlers that let only authenticated requests pass. The username is then in `request.locals` as `digest.username`. */
export const digest = {
  /** As a user agent server or registrar: 401 with WWW-Authenticate. */
  required(verifier: DigestVerifier, lookup: DigestLookup, options: DigestOptions = {}): Handler {
    return guard(verifier, lookup, server, options)
  },
  /** As a proxy: 407 with Proxy-Authenticate. */
  proxyRequired(verifier: DigestVerifier, lookup: DigestLookup, options: DigestOptions = {}): Handler {
    return guard(verifier, lookup, proxy, options)
  },
  /**
   * Headers for the 2xx to a request that has passed: proof that the server knows the password too, and at times the
   * nonce for the next request (RFC 7616 §3.5, RFC 7615). Empty for any other request.
   * @param body the body of that 2xx, which counts with auth-int
   */
  info(request: IncomingRequest, body?: string | Uint8Array): HeaderInit[] {
    const headers: HeaderInit[] = []
    for (const { verifier, proof, header } of proofsOf(request)) {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
      const value = verifier.info(proof, request.source.address, nonceTime(verifier, request), bytes)
      if (value !== undefined) headers.push([header, value])
    }
    return headers
  },
} as const

function guard(verifier: DigestVerifier, lookup: DigestLookup, kind: Kind, options: DigestOptions): Handler {
  const judge = (request: IncomingRequest, next: () => Promise<void>, secret: DigestSecret | undefined) => {
    // The request may have been cancelled while its user was looked up.
    if (request.isAnswered) return undefined
    const { message, source } = request
    const timeMs = nonceTime(verifier, request)
    const verdict = verifier.verify(message, kind.credentials, secret, source.address, timeMs)
    if (verdict.ok) {
      request.locals.set(digestUsernameKey, verdict.username)
      const proof: Verified = { verifier, proof: verdict.proof, header: kind.info }
      request.locals.set(proofsKey, [...proofsOf(request), proof])
      if (options.info === true) request.successHeaders = (body) => digest.info(request, body)
      return next()
    }
    const { reason } = verdict
    options.onRefused?.(request, reason)
    if (reason === 'uri-mismatch' || reason === 'malformed') {
      request.reply(400, { reason: 'Bad Credentials' })
      return undefined
    }
    const stale = reason === 'stale' || reason === 'replayed'
    const challenges = verifier.challengeValues(source.address, timeMs, { stale })
    const headers = challenges.map((value): HeaderInit => [kind.challenge, value])
    // Who has shown nothing yet is given nothing to keep: RFC 3261 §8.2.7.
    request.reply(kind.status, { headers, stateless: reason === 'absent' })
    return undefined
  }
  return (request, next) => {
    if (request.method === 'ACK' || request.method === 'CANCEL') return next()
    const { message } = request
    const identity = verifier.identityOf(message, kind.credentials)
    const secret = identity === undefined ? undefined : lookup(identity.username, message, identity.userhash)
    // Without a promise in between the request is answered in the turn in which it came.
    return secret instanceof Promise
      ? secret.then((found) => judge(request, next, found))
      : judge(request, next, secret)
  }
}

/** The wall clock may be set back, and with it nonces that were used would be good again, and new ones refused. */
function nonceTime(verifier: DigestVerifier, request: IncomingRequest): number {
  let clock = nonceClocks.get(verifier)
  if (clock === undefined) {
    clock = new NonceClock()
    nonceClocks.set(verifier, clock)
  }
  return clock.at(request.wallMs)
}

function proofsOf(request: IncomingRequest): readonly Verified[] {
  return (request.locals.get(proofsKey) as readonly Verified[] | undefined) ?? []
}
