/**
 * Digest authentication as a server (RFC 3261 §22; RFC 7616; RFC 8760 §2): challenges, and the judgement of what comes
 * back. An unknown user costs the same work and gets the same answer as a wrong password. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Challenge, type Credentials, parseUri, type SipRequest, SipUri } from '@carillon/sip-parser'
import { type DigestLimits, defaultDigestLimits } from '../limits'
import type { Random } from '../ports'
import {
  computeHa1,
  computeResponse,
  type DigestAlgorithm,
  type DigestHash,
  type DigestQop,
  digestHash,
  digestLength,
  parseDigestAlgorithm,
} from './digest'
import { NonceAuthority } from './nonce'
import { ReplayWindow } from './replay-window'

/** Which header carries the credentials: of a user agent server (401) or of a proxy (407). */
export type CredentialsHeader = 'authorization' | 'proxy-authorization'

/**
 * What is known of a user: the password, or what `computeHa1` makes of it. A single `ha1` is of MD5 when it has 32
 * digits and of SHA-256 when it has 64; name the hash to say otherwise or to give several.
 */
export interface DigestSecret {
  readonly password?: string | undefined
  readonly ha1?: string | Readonly<Partial<Record<DigestHash, string>>> | undefined
}

/** Why credentials were not accepted. */
export type DigestRefusal =
  /** There are none for this realm. Not an attack: answer with a challenge. */
  | 'absent'
  /** A parameter is missing or cannot be right: 400, or a challenge. */
  | 'malformed'
  /** An algorithm that was not offered: challenge again. */
  | 'unsupported'
  /** Wrong password or no such user. */
  | 'wrong'
  /** The nonce is too old, or not of this server and this source; nothing is said of the password: challenge with stale. */
  | 'stale'
  /** The password is right, the nonce count was used before: challenge with stale. */
  | 'replayed'
  /** The password is right, but the digest is over another URI than the request's (RFC 7616 §3.4.6): 400. */
  | 'uri-mismatch'

/** The judgement. */
export type DigestVerdict =
  | { readonly ok: true; readonly username: string; readonly algorithm: DigestAlgorithm }
  | { readonly ok: false; readonly reason: DigestRefusal }

/** What a verifier is made of. */
export interface DigestVerifierOptions {
  readonly realm: string
  /** Offered in this order, the strongest first. Default SHA-256, then MD5, which most phones know only. */
  readonly algorithms?: readonly DigestAlgorithm[]
  /** Offered in this order. Default auth. */
  readonly qop?: readonly DigestQop[]
  /** At least 16 unpredictable bytes; servers that share it accept each other's nonces. */
  readonly secret: Uint8Array
  /** Overrides the limit of the same name. */
  readonly nonceLifetimeMs?: number
  readonly random: Random
  readonly limits?: Partial<DigestLimits>
  /** Refuse a digest over a URI with another user or host than the request's. Default true. */
  readonly checkUri?: boolean
}

/** Challenges requests and judges their credentials, for one realm. */
export class DigestVerifier {
  readonly realm: string
  private readonly algorithms: readonly DigestAlgorithm[]
  private readonly qop: readonly DigestQop[]
  private readonly random: Random
  private readonly limits: DigestLimits
  private readonly nonces: NonceAuthority
  private readonly replay: ReplayWindow
  private readonly dummyPassword: string
  private readonly isUriChecked: boolean

  constructor(options: DigestVerifierOptions) {
    this.realm = options.realm
    this.algorithms = options.algorithms ?? ['SHA-256', 'MD5']
    this.qop = options.qop ?? ['auth']
    this.random = options.random
    this.limits = { ...defaultDigestLimits, ...options.limits }
    const lifetimeMs = options.nonceLifetimeMs ?? this.limits.nonceLifetimeMs
    this.nonces = new NonceAuthority(options.secret, lifetimeMs)
    this.replay = new ReplayWindow(this.limits.digestNoncesMax, lifetimeMs)
    this.dummyPassword = createHmac('sha256', options.secret).update('nobody').digest('base64url').slice(0, 16)
    this.isUriChecked = options.checkUri ?? true
  }

  /** Number of nonces whose counts are remembered. */
  get noncesRemembered(): number {
    return this.replay.size
  }

  /**
   * Challenges for a 401 or 407, the strongest first, one header line each (RFC 8760 §2.4).
   * @param source what the nonce is bound to: the peer's IP address without its port, which a NAT may change
   * @param options.stale the password was right: the client may answer without asking its user again
   */
  challenge(source: string, wallMs: number, options?: { readonly stale?: boolean }): Challenge[] {
    const nonce = this.nonces.issue(source, wallMs, this.random.bytes(6))
    return this.algorithms.map((algorithm) => {
      const params: [string, string][] = [
        ['realm', this.realm],
        ['nonce', nonce],
        ['algorithm', algorithm],
        ['qop', this.qop.join(',')],
      ]
      if (options?.stale === true) params.push(['stale', 'true'])
      return Challenge.of({ scheme: 'Digest', params })
    })
  }

  /** The username that the request claims in this realm, for looking up its secret; undefined when it claims none. */
  usernameOf(request: SipRequest, header: CredentialsHeader): string | undefined {
    const found = this.find(request, header)
    return typeof found === 'string' ? undefined : found.username
  }

  /**
   * Judges the credentials of a request. A good count is used up by it, so ask once per request.
   * @param secret what is known of the user of {@link usernameOf}; undefined when there is no such user
   * @param source as in {@link challenge}
   */
  verify(
    request: SipRequest,
    header: CredentialsHeader,
    secret: DigestSecret | undefined,
    source: string,
    wallMs: number,
  ): DigestVerdict {
    const found = this.find(request, header)
    if (typeof found === 'string') return refuse(found)
    const claim = readClaim(found, this.limits.digestParameterBytesMax)
    if (claim === undefined) return refuse('malformed')
    const algorithm = parseDigestAlgorithm(found.algorithm)
    if (algorithm === undefined || !this.algorithms.includes(algorithm)) return refuse('unsupported')
    // Before the password: whoever has no nonce of ours for its own address can neither try passwords nor have one
    // counted as wrong in another's name.
    const nonce = this.nonces.check(claim.nonce, source, wallMs)
    if (nonce.kind !== 'good') return refuse('stale')
    if (!this.isRight(claim, algorithm, secret, request)) return refuse('wrong')
    if (this.isUriChecked && !isSameResource(claim.uri, request)) return refuse('uri-mismatch')
    if (!this.replay.use(claim.nonce, claim.count, nonce.issuedMs, wallMs)) return refuse('replayed')
    return { ok: true, username: claim.username, algorithm }
  }

  private find(request: SipRequest, header: CredentialsHeader): Credentials | 'absent' | 'malformed' {
    if (!request.has(header)) return 'absent'
    let all: readonly Credentials[]
    try {
      all = header === 'authorization' ? request.authorizations : request.proxyAuthorizations
    } catch {
      return 'malformed'
    }
    for (let i = 0; i < all.length && i < this.limits.digestCredentialsMax; i++) {
      const credentials = all[i]
      if (credentials?.isDigest && credentials.realm === this.realm) return credentials
    }
    return 'absent'
  }

  /** The same hashes are computed whether the user exists or not, and whichever form its secret has. */
  private isRight(
    claim: Claim,
    algorithm: DigestAlgorithm,
    secret: DigestSecret | undefined,
    request: SipRequest,
  ): boolean {
    const hash = digestHash(algorithm)
    const ofPassword = computeHa1(hash, claim.username, this.realm, secret?.password ?? this.dummyPassword)
    const stored = storedHa1(secret, hash)
    const expected = computeResponse({
      algorithm,
      ha1: stored ?? ofPassword,
      nonce: claim.nonce,
      qop: claim.qop,
      nc: claim.nc,
      cnonce: claim.cnonce,
      method: request.method,
      uri: claim.uri,
      body: request.body,
    })
    const isEqual = isEqualText(expected, claim.response)
    return isEqual && (stored !== undefined || secret?.password !== undefined)
  }
}

/** Credentials with everything there that the computation needs. */
interface Claim {
  readonly username: string
  readonly nonce: string
  readonly uri: string
  readonly response: string
  readonly qop: DigestQop | undefined
  readonly nc: string | undefined
  readonly cnonce: string | undefined
  /** 0 without qop. */
  readonly count: number
}

function readClaim(credentials: Credentials, bytesMax: number): Claim | undefined {
  const { username, nonce, uri, response, cnonce, nc } = credentials
  const qop = credentials.qop?.toLowerCase()
  if (username === undefined || nonce === undefined || uri === undefined || response === undefined) return undefined
  if (username.length + nonce.length + uri.length + response.length + (cnonce?.length ?? 0) > 4 * bytesMax)
    return undefined
  if (qop === undefined) return { username, nonce, uri, response, qop, nc: undefined, cnonce, count: 0 }
  if (qop !== 'auth' && qop !== 'auth-int') return undefined
  if (nc === undefined || cnonce === undefined || !/^[0-9a-f]{8}$/i.test(nc)) return undefined
  const count = Number.parseInt(nc, 16)
  return count === 0 ? undefined : { username, nonce, uri, response, qop, nc, cnonce, count }
}

function storedHa1(secret: DigestSecret | undefined, hash: DigestHash): string | undefined {
  const ha1 = secret?.ha1
  if (ha1 === undefined) return undefined
  const text = typeof ha1 === 'string' ? (hash !== 'SHA-512-256' ? ha1 : undefined) : ha1[hash]
  return text?.length === digestLength(hash) ? text.toLowerCase() : undefined
}

function isEqualText(expected: string, given: string): boolean {
  const right = Buffer.from(expected, 'latin1')
  const claimed = Buffer.from(given.toLowerCase(), 'latin1')
  // A wrong length is no secret: it shows what algorithm was asked for.
  return claimed.length === right.length && timingSafeEqual(right, claimed)
}

/** RFC 7616 §3.4.6, RFC 3261 §22.4: proxies may have changed port and parameters, but user and host say who is meant. */
function isSameResource(digestUri: string, request: SipRequest): boolean {
  const wanted = request.uri
  if (digestUri === wanted.toString()) return true
  const parsed = parseUri(digestUri)
  if (!parsed.ok || !(parsed.value instanceof SipUri) || !(wanted instanceof SipUri)) return false
  return parsed.value.user === wanted.user && parsed.value.host === wanted.host
}

function refuse(reason: DigestRefusal): DigestVerdict {
  return { ok: false, reason }
}
