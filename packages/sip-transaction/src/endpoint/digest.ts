/**
 * Digest authentication as handlers: RFC 3261 §22.1 to §22.3, RFC 7616, RFC 8760. ACK and CANCEL are never challenged,
 * for they cannot be sent again; a first request without credentials is no attack.
 */
import type { HeaderInit, SipRequest } from '@carillon/sip-parser'
import type { CredentialsHeader, DigestSecret, DigestVerifier } from '../auth/verifier'
import type { IncomingRequest } from './incoming-request'
import type { Handler } from './options'

/** Finds what is known of a user; undefined for nobody, who gets the same answer as a wrong password. */
export type DigestLookup = (
  username: string,
  request: SipRequest,
) => DigestSecret | undefined | Promise<DigestSecret | undefined>

/** Options of {@link digest}. */
export interface DigestOptions {
  /** Told of each refusal, for logs; `absent` and `stale` are part of every normal exchange. */
  readonly onRefused?: (request: IncomingRequest, reason: string) => void
}

/** The key in `request.locals` under which the verified username stands. */
export const digestUsernameKey = 'digest.username'

/** Handlers that let only authenticated requests pass. The username is then in `request.locals` as `digest.username`. */
export const digest = {
  /** As a user agent server or registrar: 401 with WWW-Authenticate. */
  required(verifier: DigestVerifier, lookup: DigestLookup, options: DigestOptions = {}): Handler {
    return guard(verifier, lookup, 'authorization', options)
  },
  /** As a proxy: 407 with Proxy-Authenticate. */
  proxyRequired(verifier: DigestVerifier, lookup: DigestLookup, options: DigestOptions = {}): Handler {
    return guard(verifier, lookup, 'proxy-authorization', options)
  },
} as const

function guard(
  verifier: DigestVerifier,
  lookup: DigestLookup,
  header: CredentialsHeader,
  options: DigestOptions,
): Handler {
  const [status, challengeHeader] = header === 'authorization' ? [401, 'WWW-Authenticate'] : [407, 'Proxy-Authenticate']
  return async (request, next) => {
    if (request.method === 'ACK' || request.method === 'CANCEL') return next()
    const { message, source } = request
    const username = verifier.usernameOf(message, header)
    const secret = username === undefined ? undefined : await lookup(username, message)
    // The request may have been cancelled while its user was looked up.
    if (request.isAnswered) return
    const verdict = verifier.verify(message, header, secret, source.address, request.wallMs)
    if (verdict.ok) {
      request.locals.set(digestUsernameKey, verdict.username)
      return next()
    }
    options.onRefused?.(request, verdict.reason)
    if (verdict.reason === 'uri-mismatch' || verdict.reason === 'malformed') {
      request.reply(400, { reason: 'Bad Credentials' })
      return
    }
    const stale = verdict.reason === 'stale' || verdict.reason === 'replayed'
    const challenges = verifier.challenge(source.address, request.wallMs, { stale })
    const headers = challenges.map((challenge): HeaderInit => [challengeHeader as string, challenge.toString()])
    request.reply(status as number, { headers })
  }
}
