/**
 * What a server says of itself after a verified request, judged by the client: Authentication-Info and
 * Proxy-Authentication-Info (RFC 7616 §3.5, RFC 7615 §3 and §4). Pure.
 */
import type { Credentials, Params, SipResponse } from '@carillon/sip-parser'
import { readAuthParams } from './auth-params'
import { type AnswerHeader, type DigestAccount, secretOf } from './choose'
import { computeResponse } from './digest'
import { isEqualDigest } from './equal-digest'
import type { RealmState } from './realm-memory'

/**
 * Whether the server has shown that it knows the password: `verified`, `absent` when it has shown nothing, `wrong` when
 * its proof is none.
 */
export type ServerProof = 'absent' | 'verified' | 'wrong'

/** Credentials that a request carried, and the realm that they were made for. */
export interface SentCredentials {
  readonly credentials: Credentials
  readonly state: RealmState
  readonly account: DigestAccount
}

const infoHeaders: Readonly<Record<AnswerHeader, string>> = {
  Authorization: 'Authentication-Info',
  'Proxy-Authorization': 'Proxy-Authentication-Info',
}

/**
 * Checks each proof and takes each nextnonce in, but none that comes with a wrong proof.
 * @param linesMax header lines that are looked at
 */
export function judgeServer(
  response: SipResponse,
  sent: readonly SentCredentials[],
  linesMax: number,
  bytesMax: number,
): ServerProof {
  let outcome: ServerProof = 'absent'
  for (const header of ['Authorization', 'Proxy-Authorization'] as const) {
    const mine = sent.filter(({ state }) => state.header === header)
    if (mine.length === 0 || !response.has(infoHeaders[header])) continue
    for (const line of response.getAll(infoHeaders[header]).slice(0, linesMax)) {
      const params = readAuthParams(line)
      const meant = params === undefined ? undefined : whomItMeans(params, mine)
      if (params === undefined || meant === undefined) continue
      const proof = judge(params, meant, response.body)
      if (proof === 'wrong') return 'wrong'
      if (proof === 'verified') outcome = 'verified'
      takeNextNonce(params, meant.state, bytesMax)
    }
  }
  return outcome
}

/** These headers name no realm: the cnonce tells which credentials they answer, when there are several. */
function whomItMeans(params: Params, sent: readonly SentCredentials[]): SentCredentials | undefined {
  const cnonce = params.get('cnonce')
  if (cnonce === undefined || cnonce === null) return sent.length === 1 ? sent[0] : undefined
  return sent.find(({ credentials }) => credentials.cnonce === cnonce) ?? (sent.length === 1 ? sent[0] : undefined)
}

function judge(params: Params, { credentials, state, account }: SentCredentials, body: Uint8Array): ServerProof {
  const rspauth = params.get('rspauth')
  if (rspauth === undefined || rspauth === null) return 'absent'
  const { cnonce, nc, nonce, uri } = credentials
  const told = params.get('qop')?.toLowerCase() ?? credentials.qop
  if ((told !== 'auth' && told !== 'auth-int') || nonce === undefined || uri === undefined) return 'wrong'
  if (different(params.get('cnonce'), cnonce) || different(params.get('nc')?.toLowerCase(), nc)) return 'wrong'
  const expected = computeResponse({
    algorithm: state.chosen.algorithm,
    ha1: secretOf(state.chosen, account).ha1,
    nonce,
    qop: told,
    nc,
    cnonce,
    method: '',
    uri,
    body,
    sessionNonce: state.chosen.nonce,
  })
  return isEqualDigest(expected, rspauth) ? 'verified' : 'wrong'
}

/** Told values must be those that were sent; they may be left out. */
function different(told: string | null | undefined, sent: string | undefined): boolean {
  return told !== undefined && told !== sent
}

function takeNextNonce(params: Params, state: RealmState, bytesMax: number): void {
  const next = params.get('nextnonce')
  if (next === undefined || next === null || next === '' || next.length > bytesMax || next === state.nonce) return
  state.nonce = next
  state.count = 0
}
