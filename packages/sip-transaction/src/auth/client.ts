/** Digest authentication as a client (RFC 3261 §22.2 and §22.3; RFC 7616 §3.4; RFC 8760 §2.5). Pure. */
import { type Challenge, Credentials, type SipRequest, type SipResponse, SipUri } from '@carillon/sip-parser'
import { type DigestLimits, defaultDigestLimits } from '../limits'
import type { Random } from '../ports'
import {
  computeHa1,
  computeResponse,
  type DigestAlgorithm,
  type DigestHash,
  type DigestQop,
  digestHash,
  parseDigestAlgorithm,
} from './digest'

/** Who answers a challenge. */
export interface DigestAccount {
  readonly username: string
  readonly password: string
}

/** What {@link answerChallenge} answers with. */
export interface ChallengeAnswer extends DigestAccount {
  readonly method: string
  /** The Request-URI as it is written into the request. */
  readonly uri: string
  readonly body?: Uint8Array | undefined
  /** Unpredictable, chosen by the client. */
  readonly cnonce: string
  /** How many requests have been sent with the nonce of the challenge, this one included. */
  readonly nc: number
}

const strength: Readonly<Record<DigestHash, number>> = { MD5: 1, 'SHA-256': 2, 'SHA-512-256': 3 }

/** A challenge that can be answered, and how. */
interface Chosen {
  readonly challenge: Challenge
  readonly algorithm: DigestAlgorithm
  readonly qop: DigestQop | undefined
  readonly realm: string
  readonly nonce: string
}

/**
 * Answers the strongest of the challenges that it can answer; among equally strong ones the first.
 * @param challenges alternatives of one realm
 * @returns undefined when there is none: another scheme, an unknown algorithm or qop
 */
export function answerChallenge(challenges: readonly Challenge[], answer: ChallengeAnswer): Credentials | undefined {
  const chosen = choose(challenges)
  return chosen === undefined ? undefined : write(chosen, answer)
}

/** What a {@link DigestClient} is made of. */
export interface DigestClientOptions {
  readonly random: Random
  /** The account, or a function that knows one for each realm it serves. */
  readonly account: DigestAccount | ((realm: string) => DigestAccount | undefined)
  readonly limits?: Partial<DigestLimits>
}

/** `Authorization` answers user agent servers, `Proxy-Authorization` proxies. */
type Header = 'Authorization' | 'Proxy-Authorization'

/** What is kept of one realm. */
interface RealmState {
  readonly header: Header
  readonly realm: string
  /** The host that challenged; only requests to it get credentials unasked. */
  readonly host: string
  chosen: Chosen
  /** Requests sent with this nonce. */
  count: number
}

/** Answers challenges, and keeps the nonces so that later requests need no challenge. */
export class DigestClient {
  private readonly random: Random
  private readonly accountOf: (realm: string) => DigestAccount | undefined
  private readonly limits: DigestLimits
  private readonly realms = new Map<string, RealmState>()

  constructor(options: DigestClientOptions) {
    const account = options.account
    this.random = options.random
    this.accountOf = typeof account === 'function' ? account : () => account
    this.limits = { ...defaultDigestLimits, ...options.limits }
  }

  /**
   * Makes the request to send after a 401 or 407: the challenged one with credentials for every realm that has asked
   * so far. Branch and CSeq are the caller's to renew (RFC 3261 §22.2).
   * @param round how many challenges of this request were answered before
   * @returns undefined when it would be of no use: wrong password, no account, nothing that can be answered, too many rounds
   */
  answer(request: SipRequest, response: SipResponse, round = 0): SipRequest | undefined {
    if (round >= this.limits.digestRoundsMax) return undefined
    const groups = challengesOf(response)
    const used = credentialsOf(request)
    if (groups === undefined || used === undefined || groups.length === 0) return undefined
    const states = new Set<RealmState>()
    for (const group of groups) {
      const state = this.meet(group, used, request, round)
      if (state === undefined) return undefined
      states.add(state)
    }
    for (const { header, credentials } of used) {
      const state = this.realms.get(keyOf(header, credentials.realm ?? ''))
      if (state !== undefined) states.add(state)
    }
    return this.sign(request, [...states])
  }

  /** Adds credentials for the realms that have challenged requests to this host before (RFC 3261 §22.2). */
  preempt(request: SipRequest): SipRequest {
    const host = hostOf(request)
    const states = [...this.realms.values()].filter((state) => state.host === host)
    return states.length === 0 ? request : (this.sign(request, states) ?? request)
  }

  /** Forgets every nonce. */
  clear(): void {
    this.realms.clear()
  }

  /** Takes a challenge in, unless it says that what was sent before is wrong. */
  private meet(
    group: ChallengeGroup,
    used: readonly Used[],
    request: SipRequest,
    round: number,
  ): RealmState | undefined {
    const before = used.find((one) => one.header === group.header && one.credentials.realm === group.realm)
    const chosen = choose(group.challenges)
    if (chosen === undefined || this.accountOf(group.realm) === undefined) return undefined
    const key = keyOf(group.header, group.realm)
    if (before !== undefined) {
      const isStale = group.challenges.some((challenge) => challenge.stale)
      // The same password would be refused again, and a server that locks accounts would count it. Credentials that
      // were sent unasked (round 0) may have failed for an old nonce that the server does not call stale.
      if (before.credentials.nonce === chosen.nonce || (round > 0 && !isStale)) {
        this.realms.delete(key)
        return undefined
      }
    }
    const state: RealmState = { header: group.header, realm: group.realm, host: hostOf(request), chosen, count: 0 }
    this.realms.delete(key)
    this.realms.set(key, state)
    this.forgetOldest()
    return state
  }

  private sign(request: SipRequest, states: readonly RealmState[]): SipRequest | undefined {
    const editor = request.edit()
    editor.remove('Authorization')
    editor.remove('Proxy-Authorization')
    for (const state of states) {
      const account = this.accountOf(state.realm)
      if (account === undefined) return undefined
      state.count++
      const credentials = write(state.chosen, {
        ...account,
        method: request.method,
        uri: request.uri.toString(),
        body: request.body,
        cnonce: this.random.token(96),
        nc: state.count,
      })
      editor.append(state.header, credentials.toString())
    }
    return editor.build()
  }

  private forgetOldest(): void {
    if (this.realms.size <= this.limits.digestRealmsMax) return
    for (const key of this.realms.keys()) {
      this.realms.delete(key)
      return
    }
  }
}

interface ChallengeGroup {
  readonly header: Header
  readonly realm: string
  readonly challenges: Challenge[]
}

interface Used {
  readonly header: Header
  readonly credentials: Credentials
}

function choose(challenges: readonly Challenge[]): Chosen | undefined {
  let best: Chosen | undefined
  for (const challenge of challenges) {
    const algorithm = parseDigestAlgorithm(challenge.algorithm)
    const { realm, nonce } = challenge
    if (!challenge.isDigest || algorithm === undefined || realm === undefined || nonce === undefined) continue
    const offered = challenge.qop.map((value) => value.toLowerCase())
    const qop = offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : undefined
    if (qop === undefined && offered.length > 0) continue
    if (best !== undefined && strength[digestHash(algorithm)] <= strength[digestHash(best.algorithm)]) continue
    best = { challenge, algorithm, qop, realm, nonce }
  }
  return best
}

function write(chosen: Chosen, answer: ChallengeAnswer): Credentials {
  const { challenge, algorithm, qop, realm, nonce } = chosen
  const nc = answer.nc.toString(16).padStart(8, '0')
  const isSess = algorithm.endsWith('-sess')
  const ha1 = computeHa1(digestHash(algorithm), answer.username, realm, answer.password)
  const { method, uri, body, cnonce } = answer
  const response = computeResponse({ algorithm, ha1, nonce, qop, nc, cnonce, method, uri, body })
  const params: [string, string][] = [
    ['username', answer.username],
    ['realm', realm],
    ['nonce', nonce],
    ['uri', uri],
    ['response', response],
  ]
  if (challenge.algorithm !== undefined) params.push(['algorithm', challenge.algorithm])
  if (qop !== undefined || isSess) params.push(['cnonce', cnonce])
  if (challenge.opaque !== undefined) params.push(['opaque', challenge.opaque])
  if (qop !== undefined) params.push(['qop', qop], ['nc', nc])
  return Credentials.of({ scheme: 'Digest', params })
}

/** Challenges by header and realm; undefined when one is malformed. */
function challengesOf(response: SipResponse): ChallengeGroup[] | undefined {
  const groups = new Map<string, ChallengeGroup>()
  const add = (header: Header, challenges: readonly Challenge[]) => {
    for (const challenge of challenges) {
      const realm = challenge.realm ?? ''
      const group = groups.get(keyOf(header, realm)) ?? { header, realm, challenges: [] }
      group.challenges.push(challenge)
      groups.set(keyOf(header, realm), group)
    }
  }
  try {
    add('Authorization', response.wwwAuthenticate)
    add('Proxy-Authorization', response.proxyAuthenticate)
  } catch {
    return undefined
  }
  return [...groups.values()]
}

function credentialsOf(request: SipRequest): Used[] | undefined {
  try {
    return [
      ...request.authorizations.map((credentials): Used => ({ header: 'Authorization', credentials })),
      ...request.proxyAuthorizations.map((credentials): Used => ({ header: 'Proxy-Authorization', credentials })),
    ]
  } catch {
    return undefined
  }
}

function keyOf(header: Header, realm: string): string {
  return `${header} ${realm}`
}

function hostOf(request: SipRequest): string {
  return request.uri instanceof SipUri ? request.uri.host : ''
}
