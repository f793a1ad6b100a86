/** Digest authentication as a client (RFC 3261 §22.2 and §22.3; RFC 7616 §3.4 to §3.6; RFC 8760 §2.5). Pure. */
import { type Challenge, Credentials, type SipRequest, type SipResponse, SipUri, type Uri } from '@carillon/sip-parser'
import { type DigestLimits, defaultDigestLimits } from '../limits'
import type { Random } from '../ports'
import { writeAuthParams } from './auth-params'
import {
  type AnswerHeader,
  type AnswerInput,
  answerParams,
  type ChallengeGroup,
  challengesOf,
  chooseChallenge,
  type DigestAccount,
} from './choose'
import { isSession } from './digest'
import { RealmMemory, type RealmState, realmKey } from './realm-memory'
import { judgeServer, type SentCredentials, type ServerProof } from './server-info'

/** What {@link answerChallenge} answers with. */
export interface ChallengeAnswer extends AnswerInput {}

/**
 * Answers the strongest of the challenges that it can answer; among equally strong ones the first.
 * @param challenges alternatives of one realm
 * @returns undefined when there is none: another scheme, an unknown algorithm or qop, nothing as strong as asked for
 */
export function answerChallenge(challenges: readonly Challenge[], answer: ChallengeAnswer): Credentials | undefined {
  const chosen = chooseChallenge(challenges, answer, defaultDigestLimits.digestParameterBytesMax)
  return chosen === undefined ? undefined : Credentials.of({ params: answerParams(chosen, answer) })
}

/** What a {@link DigestClient} is made of. */
export interface DigestClientOptions {
  readonly random: Random
  /** The account, or a function that knows one for each realm it serves. */
  readonly account: DigestAccount | ((realm: string) => DigestAccount | undefined)
  readonly limits?: Partial<DigestLimits>
}

/** The challenges that were answered for one request, however often it was sent. Make one for each request. */
export class DigestRounds {
  /** @internal */
  count = 0
  /** @internal */
  readonly realms = new Set<string>()
}

interface Used {
  readonly header: AnswerHeader
  readonly credentials: Credentials
}

/** Answers challenges, and keeps the nonces so that later requests need no challenge. */
export class DigestClient {
  private readonly options: DigestClientOptions
  private readonly limits: DigestLimits
  private readonly realms: RealmMemory
  /** Of a fork: the realms that have challenged requests of its own. Its later requests go the same way. */
  private readonly met: Set<string> | undefined

  /** @param realms what a fork shares with the client that it comes from */
  constructor(options: DigestClientOptions, realms?: RealmMemory) {
    this.options = options
    this.limits = { ...defaultDigestLimits, ...options.limits }
    this.realms = realms ?? new RealmMemory(this.limits.digestRealmsMax)
    this.met = realms === undefined ? undefined : new Set()
  }

  /**
   * A client that shares the nonces of this one. What it is challenged for itself it offers unasked wherever its later
   * requests go: make one for each call, whose requests go to other hosts than its INVITE (RFC 3261 §22.3).
   */
  fork(): DigestClient {
    return new DigestClient(this.options, this.realms)
  }

  /**
   * Makes the request to send after a 401 or 407: the challenged one with credentials for every realm that has asked
   * so far, and that there is an account for. Branch and CSeq are the caller's to renew (RFC 3261 §22.2).
   * @param rounds what was answered for this request before
   * @returns undefined when it would be of no use: wrong password, no account, nothing that can be answered, too many rounds
   */
  answer(
    request: SipRequest,
    response: SipResponse,
    rounds: DigestRounds = new DigestRounds(),
  ): SipRequest | undefined {
    if (rounds.count >= this.limits.digestRoundsMax) return undefined
    const used = this.usedBy(request)
    const states = new Set<RealmState>()
    for (const group of challengesOf(response).slice(0, this.limits.digestCredentialsMax)) {
      const state = this.meet(group, used, request, rounds)
      if (state === 'refused') return undefined
      if (state !== undefined) states.add(state)
    }
    if (states.size === 0) return undefined
    for (const { key } of states) rounds.realms.add(key)
    rounds.count += 1
    for (const { header, credentials } of used) {
      const state = this.realms.get(realmKey(header, credentials.realm ?? ''))
      if (state?.isUsable === true) states.add(state)
    }
    return this.sign(request, [...states])
  }

  /**
   * Adds credentials for the realms that have challenged this client, or requests to the same host, before
   * (RFC 3261 §22.2, §22.3).
   */
  preempt(request: SipRequest): SipRequest {
    const usable = this.realms.usable()
    if (usable.length === 0) return request
    const states = usable.filter(
      ({ key, header, host }) => this.met?.has(key) === true || host === hostFor(request, header),
    )
    return states.length === 0 ? request : (this.sign(request, states) ?? request)
  }

  /**
   * Takes in what a response says to the credentials of its request: whether the server knows the password too, and
   * which nonce comes next (RFC 7616 §3.5).
   */
  learn(request: SipRequest, response: SipResponse): ServerProof {
    if (!response.has('Authentication-Info') && !response.has('Proxy-Authentication-Info')) return 'absent'
    const sent: SentCredentials[] = []
    for (const { header, credentials } of this.usedBy(request)) {
      const state = this.realms.get(realmKey(header, credentials.realm ?? ''))
      const account = this.accountOf(credentials.realm ?? '')
      if (state === undefined || account === undefined || state.nonce !== credentials.nonce) continue
      sent.push({ credentials, state, account })
    }
    return judgeServer(response, sent, this.limits.digestCredentialsMax, this.limits.digestParameterBytesMax)
  }

  /** Forgets every nonce. */
  clear(): void {
    this.realms.clear()
    this.met?.clear()
  }

  private accountOf(realm: string): DigestAccount | undefined {
    const { account } = this.options
    return typeof account === 'function' ? account(realm) : account
  }

  /** Takes a challenge in, unless it says that what was sent before is wrong. */
  private meet(
    group: ChallengeGroup,
    used: readonly Used[],
    request: SipRequest,
    rounds: DigestRounds,
  ): RealmState | 'refused' | undefined {
    const { header, realm, challenges } = group
    const key = realmKey(header, realm)
    const account = this.accountOf(realm)
    if (account === undefined) return undefined
    const chosen = chooseChallenge(challenges, account, this.limits.digestParameterBytesMax)
    if (chosen === undefined || this.realms.isDowngrade(key, chosen)) return undefined
    const before = used.find((one) => one.header === header && one.credentials.realm === realm)
    if (before !== undefined) {
      const isStale = challenges.some((challenge) => challenge.stale)
      // The same password would be refused again, and a server that locks accounts would count it. Credentials that
      // were sent unasked may have failed for an old nonce that the server does not call stale.
      if (before.credentials.nonce === chosen.nonce || (rounds.realms.has(key) && !isStale)) {
        const known = this.realms.get(key)
        if (known !== undefined) known.isUsable = false
        return 'refused'
      }
    }
    const sessionCnonce = isSession(chosen.algorithm) ? this.options.random.token(96) : undefined
    const { nonce } = chosen
    const host = hostFor(request, header)
    const state = { key, header, host, chosen, nonce, count: 0, sessionCnonce, isUsable: true }
    this.realms.keep(state)
    if (this.met !== undefined && this.met.size < this.limits.digestRealmsMax) this.met.add(key)
    return state
  }

  private sign(request: SipRequest, states: readonly RealmState[]): SipRequest | undefined {
    const editor = request.edit()
    editor.remove('Authorization')
    editor.remove('Proxy-Authorization')
    for (const state of states.slice(0, this.limits.digestCredentialsMax)) {
      const { chosen, nonce } = state
      const account = this.accountOf(chosen.realm)
      if (account === undefined) return undefined
      state.count += 1
      const params = answerParams(nonce === chosen.nonce ? chosen : { ...chosen, nonce }, {
        ...account,
        method: request.method,
        uri: request.uri.toString(),
        body: request.body,
        cnonce: state.sessionCnonce ?? this.options.random.token(96),
        nc: state.count,
        sessionNonce: chosen.nonce,
      })
      editor.append(state.header, `Digest ${writeAuthParams(params, false)}`)
    }
    return editor.build()
  }

  private usedBy(request: SipRequest): Used[] {
    const own = request.decode('authorizations')
    const proxies = request.decode('proxyAuthorizations')
    return [
      ...(own.ok ? own.value : []).map((credentials): Used => ({ header: 'Authorization', credentials })),
      ...(proxies.ok ? proxies.value : []).map((credentials): Used => ({ header: 'Proxy-Authorization', credentials })),
    ]
  }
}

/** The host that a request is for, or, for proxies, that it goes to first. */
function hostFor(request: SipRequest, header: AnswerHeader): string {
  let uri: Uri = request.uri
  if (header === 'Proxy-Authorization') {
    const routes = request.decode('routes')
    uri = (routes.ok ? routes.value[0]?.uri : undefined) ?? uri
  }
  return uri instanceof SipUri ? uri.host.toLowerCase() : ''
}
