/**
 * Digest authentication as a server (RFC 3261 §22; RFC 7616; RFC 8760 §2): challenges, and the judgement of what comes
 * back. An unknown user costs the same work and gets the same answer as a wrong password. Pure.
 */
import { createHmac } from 'node:crypto'
import { Challenge, type Credentials, parseUri, type SipRequest, SipUri } from '@carillon/sip-parser'
import { type DigestLimits, defaultDigestLimits } from '../limits'
import type { Random } from '../ports'
import { type AuthParam, writeAuthParams } from './auth-params'
import { type Claim, readClaim } from './claim'
import {
  computeHa1,
  computeResponse,
  type DigestAlgorithm,
  type DigestHash,
  type DigestHashFunction,
  type DigestQop,
  digestHash,
  digestLength,
  hashHex,
} from './digest'
import { isEqualDigest } from './equal-digest'
import { NonceAuthority } from './nonce'
import { DigestProof } from './proof'
import { ReplayWindow } from './replay-window'
import type {
  CredentialsHeader,
  DigestIdentity,
  DigestRefusal,
  DigestSecret,
  DigestVerdict,
  DigestVerifierOptions,
} from './verifier-options'

/** Text before and after the nonce. */
interface Wording {
  readonly algorithm: DigestAlgorithm
  readonly before: string
  readonly after: string
}

/** What the credentials of a request claim, or why they claim nothing. */
type Found = Claim | Extract<DigestRefusal, 'absent' | 'malformed' | 'unsupported'>

/** How a challenge is to be. */
export interface ChallengeOptions {
  /** The credentials were refused for their nonce alone: the client may answer without asking its user again. */
  readonly stale?: boolean
}

/** Challenges requests and judges their credentials, for one realm. */
export class DigestVerifier {
  readonly realm: string
  private readonly algorithms: readonly DigestAlgorithm[]
  private readonly qop: readonly DigestQop[]
  private readonly random: Random
  private readonly limits: DigestLimits
  private readonly lifetimeMs: number
  private readonly nonces: NonceAuthority
  private readonly replay: ReplayWindow
  private readonly dummyPassword: string
  private readonly options: DigestVerifierOptions
  private readonly hashWith: DigestHashFunction
  private readonly wordings: readonly Wording[]
  /** What was read for {@link identityOf}, until {@link verify} asks for the same. */
  private read: { readonly request: SipRequest; readonly header: CredentialsHeader; readonly claim: Found } | undefined
  /** The last H(A2), which for a registrar is nearly always the same: it holds no secret. */
  private a2: { readonly hash: DigestHash; readonly text: string; readonly ha2: string } | undefined

  constructor(options: DigestVerifierOptions) {
    this.options = options
    this.realm = options.realm
    this.algorithms = options.algorithms ?? ['SHA-256', 'MD5']
    this.qop = options.qop ?? ['auth']
    this.random = options.random
    this.limits = { ...defaultDigestLimits, ...options.limits }
    this.lifetimeMs = options.nonceLifetimeMs ?? this.limits.nonceLifetimeMs
    this.nonces = new NonceAuthority(options.secret, this.lifetimeMs)
    this.replay = new ReplayWindow(this.limits.digestNoncesMax, this.lifetimeMs)
    this.dummyPassword = createHmac('sha256', options.secret).update('nobody').digest('base64url').slice(0, 16)
    this.hashWith = options.hash ?? hashHex
    this.wordings = this.algorithms.map((algorithm) => {
      const [head, tail] = this.paramsAround(algorithm)
      const before = `Digest ${writeAuthParams(head, true)}, nonce="`
      return { algorithm, before, after: `", ${writeAuthParams(tail, true)}` }
    })
  }

  /** Number of nonces whose counts are remembered. */
  get noncesRemembered(): number {
    return this.replay.size
  }

  /**
   * Challenges for a 401 or 407, the strongest first, one header line each (RFC 8760 §2.4).
   * @param source what the nonce is bound to: the peer's IP address without its port, which a NAT may change
   */
  challenge(source: string, wallMs: number, options: ChallengeOptions = {}): Challenge[] {
    const nonce = this.nonces.issue(source, wallMs, this.random.bytes(6))
    return this.algorithms.map((algorithm) => {
      const [head, tail] = this.paramsAround(algorithm)
      const params: AuthParam[] = [...head, ['nonce', nonce], ...tail]
      if (options.stale === true) params.push(['stale', 'true'])
      return Challenge.of({ params })
    })
  }

  /**
   * The same as the text of header values, at a quarter of the cost.
   * @param only the algorithms to offer, of those that this verifier has; all of them when it has none of these
   */
  challengeValues(
    source: string,
    wallMs: number,
    options: ChallengeOptions & { readonly only?: readonly DigestAlgorithm[] | undefined } = {},
  ): string[] {
    const nonce = this.nonces.issue(source, wallMs, this.random.bytes(6))
    const stale = options.stale === true ? ', stale=true' : ''
    const { only } = options
    const chosen = only === undefined ? [] : this.wordings.filter(({ algorithm }) => only.includes(algorithm))
    const wordings = chosen.length === 0 ? this.wordings : chosen
    return wordings.map(({ before, after }) => before + nonce + after + stale)
  }

  /**
   * The username that the request claims in this realm, for looking up its secret; undefined when it claims none, or
   * hides it.
   */
  usernameOf(request: SipRequest, header: CredentialsHeader): string | undefined {
    const identity = this.identityOf(request, header)
    return identity?.userhash === undefined ? identity?.username : undefined
  }

  /** Whom the request claims to be from in this realm; undefined when it claims nothing that can be right. */
  identityOf(request: SipRequest, header: CredentialsHeader): DigestIdentity | undefined {
    const claim = this.claimOf(request, header)
    this.read = { request, header, claim }
    if (typeof claim === 'string') return undefined
    if (!claim.isHashed) return { username: claim.username, userhash: undefined }
    return { username: claim.username.toLowerCase(), userhash: digestHash(claim.algorithm) }
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
    const { read } = this
    this.read = undefined
    const isRead = read !== undefined && read.request === request && read.header === header
    const claim = isRead ? read.claim : this.claimOf(request, header)
    if (typeof claim === 'string') return refuse(claim)
    // Before the password: whoever has no nonce of ours for its own address can neither try passwords nor have one
    // counted as wrong in another's name.
    const nonce = this.nonces.check(claim.nonce, source, wallMs)
    if (nonce.kind === 'foreign') return refuse('stale')
    const username = claim.isHashed ? (secret?.username ?? claim.username) : claim.username
    const ha1 = this.check(claim, username, secret, request)
    if (ha1 === undefined) return refuse('wrong')
    if (nonce.kind === 'expired') return refuse('stale')
    if (this.options.checkUri !== false && !isSameResource(claim.uri, request)) return refuse('uri-mismatch')
    if (!this.replay.use(nonce.serial, claim.count, nonce.issuedMs, wallMs)) return refuse('replayed')
    const proof = new DigestProof(claim, ha1, nonce.issuedMs, this.hashWith)
    return { ok: true, username, algorithm: claim.algorithm, proof }
  }

  /**
   * The value of Authentication-Info, or Proxy-Authentication-Info, for the 2xx to a verified request: proof that the
   * server knows the password too, and at times the nonce for the next request (RFC 7616 §3.5, RFC 7615).
   * @param body the body of the response, which counts with auth-int
   * @returns undefined when there is nothing to say
   */
  info(proof: DigestProof, source: string, wallMs: number, body?: Uint8Array): string | undefined {
    const { nextNonce = 'aging' } = this.options
    const isOld = wallMs - proof.issuedMs > this.lifetimeMs / 2
    // A new nonce would leave the key of a session behind, whose cnonce nothing here remembers.
    const isDue = !proof.isSession && (nextNonce === 'always' || (nextNonce === 'aging' && isOld))
    return proof.info(isDue ? this.nonces.issue(source, wallMs, this.random.bytes(6)) : undefined, body)
  }

  private claimOf(request: SipRequest, header: CredentialsHeader): Found {
    const found = this.find(request, header)
    if (typeof found === 'string') return found
    const claim = readClaim(found, this.limits.digestParameterBytesMax)
    if (typeof claim === 'string') return claim
    const { userhash, opaque, allowNoQop } = this.options
    if (!this.algorithms.includes(claim.algorithm) || (claim.isHashed && userhash !== true)) return 'unsupported'
    if (claim.qop === undefined ? allowNoQop !== true : !this.qop.includes(claim.qop)) return 'unsupported'
    return opaque !== undefined && claim.opaque !== opaque ? 'malformed' : claim
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

  /**
   * H(A1) when the response is right. The same hashes are computed whether the user exists or not, and whichever form
   * its secret has.
   */
  private check(
    claim: Claim,
    username: string,
    secret: DigestSecret | undefined,
    request: SipRequest,
  ): string | undefined {
    const hash = digestHash(claim.algorithm)
    const given = secret?.password ?? this.dummyPassword
    const password = this.options.charset === true ? given.normalize('NFC') : given
    const ofPassword = computeHa1(hash, username, this.realm, password, this.hashWith)
    const stored = storedHa1(secret, hash)
    const ha1 = stored ?? ofPassword
    const { algorithm, nonce, qop, nc, cnonce, uri } = claim
    const { method } = request
    const body = qop === 'auth-int' ? request.body : undefined
    const ha2 = qop === 'auth-int' ? undefined : this.ha2Of(hash, `${method}:${uri}`)
    const input = { algorithm, ha1, ha2, nonce, qop, nc, cnonce, method, uri, body }
    const expected = computeResponse(input, this.hashWith)
    const isEqual = isEqualDigest(expected, claim.response)
    return isEqual && (stored !== undefined || secret?.password !== undefined) ? ha1 : undefined
  }

  private ha2Of(hash: DigestHash, text: string): string {
    const { a2 } = this
    if (a2 !== undefined && a2.hash === hash && a2.text === text) return a2.ha2
    const ha2 = this.hashWith(hash, text)
    this.a2 = { hash, text, ha2 }
    return ha2
  }

  /** The parameters of a challenge before and after its nonce. */
  private paramsAround(algorithm: DigestAlgorithm): readonly [AuthParam[], AuthParam[]] {
    const { opaque, userhash, charset } = this.options
    const tail: AuthParam[] = [['algorithm', algorithm]]
    if (opaque !== undefined) tail.push(['opaque', opaque])
    tail.push(['qop', this.qop.join(',')])
    if (charset === true) tail.push(['charset', 'UTF-8'])
    if (userhash === true) tail.push(['userhash', 'true'])
    return [[['realm', this.realm]], tail]
  }
}

function storedHa1(secret: DigestSecret | undefined, hash: DigestHash): string | undefined {
  const ha1 = secret?.ha1
  if (ha1 === undefined) return undefined
  const text = typeof ha1 === 'string' ? (hash !== 'SHA-512-256' ? ha1 : undefined) : ha1[hash]
  return text?.length === digestLength(hash) ? text.toLowerCase() : undefined
}

/** RFC 7616 §3.4.6, RFC 3261 §22.4: proxies may have changed port and parameters, but user and host say who is meant. */
function isSameResource(digestUri: string, request: SipRequest): boolean {
  const wanted = request.uri
  if (digestUri === wanted.toString()) return true
  const parsed = parseUri(digestUri)
  if (!parsed.ok || !(parsed.value instanceof SipUri) || !(wanted instanceof SipUri)) return false
  const { user, host } = parsed.value
  return user === wanted.user && host.toLowerCase() === wanted.host.toLowerCase()
}

function refuse(reason: DigestRefusal): DigestVerdict {
  return { ok: false, reason }
}
