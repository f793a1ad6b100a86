/**
 * What can be said of a signed identity before its certificate is known: RFC 8224 §6.2. Whether it is about this request, and
 * fresh, costs nothing to find out; only then is anything fetched. Pure.
 */
import type { Identity, SipRequest, Uri } from '@carillon/sip-parser'
import { canonicalIdentity, isSameIdentity, type PassportIdentity } from './canonical-identity'
import { passportFreshMs } from './limits'
import { type Passport, type PassportClaims, readPassport, signedText } from './passport'

/** Why an identity is not believed, with the answer that says so (RFC 8224 §6.2.2). */
export interface IdentityRefusal {
  readonly status: 403 | 428 | 436 | 437 | 438
  readonly reason: string
  /** For the log: what was wrong. No data of the message. */
  readonly detail: string
}

/** A PASSporT that is about this request. */
export interface Pertinent {
  readonly passport: Passport
}

const unsupported = 'unsupported'

/**
 * Reads one Identity header of a request.
 * @param callers who the request may be from: From, and what was asserted by somebody trusted
 * @returns `unsupported` for an extension that means nothing here, which is passed over (§6.2 step 1)
 */
export function judgeIdentity(
  request: SipRequest,
  identity: Identity,
  callers: readonly Uri[],
  nowMs: number,
): Pertinent | IdentityRefusal | typeof unsupported {
  const { ppt, alg, info } = identity
  if (ppt !== undefined && ppt !== 'shaken') return unsupported
  if (alg !== undefined && alg !== 'ES256') return invalid('its algorithm is not ES256')
  if (info === undefined) return refusal(436, 'it names no certificate')
  const x5u = info.toString()
  const read = identity.signature.startsWith('..')
    ? readCompact(request, identity.signature, x5u)
    : readPassport(identity.signature)
  if ('problem' in read) return invalid(read.problem)
  if (read.x5u !== x5u) return invalid('header and token name different certificates')
  if (read.ppt !== ppt) return invalid('header and token name different extensions')
  const { claims } = read
  if (!isFresh(request, claims, nowMs)) return refusal(403, 'it was not signed within the last minute')
  if (!callers.some((uri) => isSameIdentity(canonicalIdentity(uri), claims.orig))) return invalid('somebody else calls')
  return isFor(request, claims) ? { passport: read } : invalid('somebody else is called')
}

/** A refusal with the phrase that RFC 8224 §6.2.2 has for it. */
export function refusal(status: IdentityRefusal['status'], detail: string): IdentityRefusal {
  return { status, reason: phrases[status], detail }
}

const phrases = {
  403: 'Stale Date',
  428: 'Use Identity Header',
  436: 'Bad Identity Info',
  437: 'Unsupported Credential',
  438: 'Invalid Identity Header',
} as const

function invalid(detail: string): IdentityRefusal {
  return refusal(438, detail)
}

/** RFC 8224 §4.1: the compact form is the signature alone; what was signed stands in the request. */
function readCompact(request: SipRequest, token: string, x5u: string): Passport | { readonly problem: string } {
  const date = dateOf(request)
  if (date === undefined) return { problem: 'without a Date nobody knows what was signed' }
  const dest = canonicalIdentity(request.to.uri)
  const claims: PassportClaims = {
    orig: canonicalIdentity(request.from.uri),
    dest: 'tn' in dest ? { tn: [dest.tn] } : { uri: [dest.uri] },
    iat: Math.floor(date / 1000),
  }
  return readPassport(`${signedText(claims, x5u, undefined)}.${token.slice(2)}`)
}

/** RFC 8224 §6.2 step 4: signed a minute ago at most, by our clock and by the Date of the request. */
function isFresh(request: SipRequest, { iat }: PassportClaims, nowMs: number): boolean {
  const date = dateOf(request)
  const isNear = (oneMs: number, otherMs: number) => Math.abs(oneMs - otherMs) <= passportFreshMs
  return isNear(iat * 1000, nowMs) && (date === undefined || isNear(date, iat * 1000))
}

function isFor(request: SipRequest, { dest }: PassportClaims): boolean {
  const named: PassportIdentity[] = [
    ...(dest.tn ?? []).map((tn) => ({ tn })),
    ...(dest.uri ?? []).map((uri) => ({ uri })),
  ]
  const callee = canonicalIdentity(request.to.uri)
  return named.some((one) => isSameIdentity(one, callee))
}

function dateOf(request: SipRequest): number | undefined {
  const read = request.decode('date')
  return read.ok ? read.value : undefined
}
