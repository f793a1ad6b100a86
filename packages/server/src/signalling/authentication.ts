/**
 * Who sends a request: digest authentication of phones against the user store (RFC 3261 §22, RFC 7616, RFC 8760).
 * An unknown user and a wrong password get the same answer, after the same work.
 */
import type { DigestVerifier, IncomingRequest, Logger } from '@carillon/sip-transaction'
import { LOG_FIELD_CHARS_MAX, RETRY_AFTER_SECONDS } from '../limits'
import type { User, UserStore } from '../store'
import { challengesFor } from './challenge-policy'
import type { LoginGuard } from './protection/login-guard'

/** The two ways to ask for a password: as the server of the request, or on the way to somebody else. */
export type ChallengeKind = 'server' | 'proxy'

/** What an {@link Authenticator} is made of. */
export interface AuthenticatorPorts {
  readonly verifier: DigestVerifier
  readonly users: UserStore
  readonly guard: LoginGuard
  readonly clock: { monotonicMs(): number; wallMs(): number }
  readonly logger: Logger
}

const HEADERS = {
  server: { credentials: 'authorization', challenge: 'WWW-Authenticate', status: 401 },
  proxy: { credentials: 'proxy-authorization', challenge: 'Proxy-Authenticate', status: 407 },
} as const

/** Authenticates requests. */
export class Authenticator {
  readonly #ports: AuthenticatorPorts

  constructor(ports: AuthenticatorPorts) {
    this.#ports = ports
  }

  /**
   * The user who sent the request; otherwise answers the request and returns `undefined`. A request without
   * credentials is challenged and never counts against its source.
   */
  async user(request: IncomingRequest, kind: ChallengeKind): Promise<User | undefined> {
    const { verifier, users, guard, clock } = this.#ports
    const { address } = request.source
    const username = verifier.usernameOf(request.message, HEADERS[kind].credentials)
    if (username === undefined) {
      this.#challenge(request, kind, false)
      return undefined
    }
    if (guard.isBlocked(address, username, clock.monotonicMs())) {
      request.reply(403, { headers: [['Retry-After', RETRY_AFTER_SECONDS]] })
      return undefined
    }
    const user = await users.find(username)
    if (request.signal.aborted) return undefined
    const lookup = user && { password: user.password }
    const verdict = verifier.verify(request.message, HEADERS[kind].credentials, lookup, address, clock.wallMs())
    if (verdict.ok && user) {
      guard.succeeded(address, username)
      return user
    }
    const reason = verdict.ok ? 'wrong' : verdict.reason
    if (reason === 'wrong') this.#failed(request, username)
    this.#challenge(request, kind, reason === 'stale' || reason === 'replayed')
    return undefined
  }

  #challenge(request: IncomingRequest, kind: ChallengeKind, stale: boolean): void {
    const { verifier, clock } = this.#ports
    const all = verifier.challenge(request.source.address, clock.wallMs(), { stale })
    const headers = challengesFor(request.message.userAgent, all).map(
      (challenge) => [HEADERS[kind].challenge, challenge] as const,
    )
    request.reply(HEADERS[kind].status, { headers })
  }

  #failed(request: IncomingRequest, username: string): void {
    const { guard, clock, logger } = this.#ports
    const { address, transport } = request.source
    guard.failed(address, username, clock.monotonicMs())
    const fields = { event: 'login.failed', method: request.method, username: username.slice(0, LOG_FIELD_CHARS_MAX) }
    logger.warn({ ...fields, address, transport }, 'wrong username or password')
  }
}
