/**
 * Which challenge a client answers, and with what (RFC 7616 §3.3, §3.4; RFC 8760 §2.4): the strongest that it can
 * answer, in whatever order they come. Pure.
 */
import { type Challenge, createResponse, type SipResponse } from '@carillon/sip-parser'
import { type AuthParam, encodeExtended, isPlainText } from './auth-params'
import {
  computeHa1,
  computeResponse,
  computeUserhash,
  type DigestAlgorithm,
  type DigestHash,
  type DigestQop,
  digestHash,
  digestStrength,
  isSession,
  parseDigestAlgorithm,
} from './digest'

/** Who answers a challenge. */
export interface DigestAccount {
  readonly username: string
  readonly password: string
  /** The weakest hash to answer with: challenges with a weaker one are passed over. Default MD5. */
  readonly weakest?: DigestHash | undefined
  /** Protect the body too (auth-int) where a challenge offers it beside auth. Default false. */
  readonly integrity?: boolean | undefined
}

/** A challenge that can be answered, and how. */
export interface ChosenChallenge {
  readonly realm: string
  readonly nonce: string
  readonly algorithm: DigestAlgorithm
  /** As the challenge has it; undefined when it has none. */
  readonly algorithmText: string | undefined
  readonly qop: DigestQop | undefined
  readonly opaque: string | undefined
  readonly isUtf8: boolean
  readonly userhash: boolean
}

/** What goes into one answer beside the challenge. */
export interface AnswerInput extends DigestAccount {
  readonly method: string
  /** The Request-URI as it is written into the request. */
  readonly uri: string
  readonly body?: Uint8Array | undefined
  /** Unpredictable, chosen by the client. */
  readonly cnonce: string
  /** How many requests have been sent with the nonce of the challenge, this one included. */
  readonly nc: number
  /** For -sess: the nonce that began the session, when a nextnonce has replaced it. */
  readonly sessionNonce?: string | undefined
}

/** Where credentials go: `Authorization` answers user agent servers, `Proxy-Authorization` proxies. */
export type AnswerHeader = 'Authorization' | 'Proxy-Authorization'

/** The alternatives of one realm. */
export interface ChallengeGroup {
  readonly header: AnswerHeader
  readonly realm: string
  readonly challenges: Challenge[]
}

/**
 * The strongest of the challenges that can be answered; among equally strong ones the first. Others are passed over:
 * other schemes, unknown algorithms and qop, missing or huge parameters, whatever stands first.
 */
export function chooseChallenge(
  challenges: readonly Challenge[],
  choice: Pick<DigestAccount, 'weakest' | 'integrity'>,
  bytesMax: number,
): ChosenChallenge | undefined {
  let best: ChosenChallenge | undefined
  let strength = digestStrength[choice.weakest ?? 'MD5'] - 1
  for (const challenge of challenges) {
    const algorithm = parseDigestAlgorithm(challenge.algorithm)
    const { realm, nonce, opaque } = challenge
    if (!challenge.isDigest || algorithm === undefined || realm === undefined || nonce === undefined) continue
    if (realm.length > bytesMax || nonce.length > bytesMax || (opaque?.length ?? 0) > bytesMax) continue
    const qop = chooseQop(challenge.qop, choice.integrity === true)
    if (qop === 'unknown' || (qop === undefined && isSession(algorithm))) continue
    const own = digestStrength[digestHash(algorithm)]
    if (own <= strength) continue
    strength = own
    const isUtf8 = challenge.params.get('charset')?.toLowerCase() === 'utf-8'
    const { userhash, algorithm: algorithmText } = challenge
    best = { realm, nonce, algorithm, algorithmText, qop, opaque, isUtf8, userhash }
  }
  return best
}

/** The parameters of the credentials that answer a challenge, in order. */
export function answerParams(chosen: ChosenChallenge, input: AnswerInput): AuthParam[] {
  const { algorithm, qop, realm, nonce } = chosen
  const { method, uri, body, cnonce, sessionNonce } = input
  const nc = input.nc.toString(16).padStart(8, '0')
  const { username, ha1 } = secretOf(chosen, input)
  const response = computeResponse({ algorithm, ha1, nonce, qop, nc, cnonce, method, uri, body, sessionNonce })
  const params: AuthParam[] = []
  if (chosen.userhash) params.push(['username', computeUserhash(digestHash(algorithm), username, realm)])
  else if (!isPlainText(username) && (chosen.isUtf8 || hasControl(username)))
    params.push(['username*', encodeExtended(username)])
  else params.push(['username', username])
  params.push(['realm', realm], ['nonce', nonce], ['uri', uri], ['response', response])
  if (chosen.algorithmText !== undefined) params.push(['algorithm', chosen.algorithmText])
  if (qop !== undefined) params.push(['cnonce', cnonce])
  if (chosen.opaque !== undefined) params.push(['opaque', chosen.opaque])
  if (qop !== undefined) params.push(['qop', qop], ['nc', nc])
  if (chosen.userhash) params.push(['userhash', 'true'])
  return params
}

/** The name as it is hashed, and H(A1) before any -sess (RFC 7616 §3.4.2, §4). */
export function secretOf(chosen: ChosenChallenge, account: DigestAccount): { username: string; ha1: string } {
  const { isUtf8, algorithm, realm } = chosen
  const username = isUtf8 ? account.username.normalize('NFC') : account.username
  const password = isUtf8 ? account.password.normalize('NFC') : account.password
  return { username, ha1: computeHa1(digestHash(algorithm), username, realm, password) }
}

/** The challenges of a response by header and realm. What is malformed is left out. */
export function challengesOf(response: SipResponse): ChallengeGroup[] {
  const groups = new Map<string, ChallengeGroup>()
  const add = (header: AnswerHeader, challenges: readonly Challenge[]) => {
    for (const challenge of challenges) {
      const realm = challenge.realm ?? ''
      const key = `${header} ${realm}`
      const group = groups.get(key) ?? { header, realm, challenges: [] }
      group.challenges.push(challenge)
      groups.set(key, group)
    }
  }
  add('Authorization', readable(response, 'WWW-Authenticate', 'wwwAuthenticate'))
  add('Proxy-Authorization', readable(response, 'Proxy-Authenticate', 'proxyAuthenticate'))
  return [...groups.values()]
}

function readable(
  response: SipResponse,
  name: string,
  getter: 'wwwAuthenticate' | 'proxyAuthenticate',
): readonly Challenge[] {
  const all = response.decode(getter)
  if (all.ok) return all.value
  return response.getAll(name).flatMap((line) => {
    const one = createResponse({ status: response.status, headers: [[name, line]] }).decode(getter)
    return one.ok ? one.value : []
  })
}

function chooseQop(offered: readonly string[], prefersIntegrity: boolean): DigestQop | undefined | 'unknown' {
  if (offered.length === 0) return undefined
  const values = offered.map((value) => value.toLowerCase())
  const hasIntegrity = values.includes('auth-int')
  if (values.includes('auth') && !(prefersIntegrity && hasIntegrity)) return 'auth'
  return hasIntegrity ? 'auth-int' : 'unknown'
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
