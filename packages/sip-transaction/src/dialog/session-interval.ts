/**
 * Who refreshes a session, and how often: the headers of RFC 4028 §4 to §9 (Session-Expires, Min-SE, Supported), read
 * and written for both sides. Pure.
 */
import {
  type HeaderInit,
  type Refresher,
  SessionExpires,
  type SipRequest,
  type SipResponse,
} from '@carillon/sip-parser'

/** The smallest interval that anyone may ask for, in seconds (RFC 4028 §5). */
export const sessionSecondsMin = 90

/** What this end wants of session timers. */
export interface SessionTimerPolicy {
  /** The interval that we ask for, in seconds. */
  readonly expiresSeconds: number
  /** The smallest interval that we take, in seconds; at least 90. */
  readonly minSeconds: number
  /** Whether we ask for a session timer ourselves, or only go along with the peer's. */
  readonly isOffered: boolean
  /** Who is to refresh a call that comes to us, where its caller leaves that open. */
  readonly refresher: Refresher
}

/** What both sides have agreed on. */
export interface SessionAgreement {
  readonly seconds: number
  /** In the terms of the request that was answered. */
  readonly refresher: Refresher
}

/** What the answering side makes of a request. */
export type SessionVerdict =
  /** Answer 422 with this Min-SE. */
  | { readonly kind: 'too-small'; readonly minSeconds: number }
  /** No session timer. */
  | { readonly kind: 'none' }
  | { readonly kind: 'agreed'; readonly agreement: SessionAgreement; readonly isRequired: boolean }

/** Headers of an INVITE or UPDATE of ours (RFC 4028 §7.1, §7.4). `refresher` is absent where the peer may choose. */
export function sessionOffer(seconds: number, minSeconds: number, refresher: Refresher | undefined): HeaderInit[] {
  const headers: HeaderInit[] = [['Session-Expires', SessionExpires.of(Math.max(seconds, minSeconds), refresher)]]
  if (minSeconds > sessionSecondsMin) headers.push(['Min-SE', minSeconds])
  return headers
}

/**
 * What to answer an INVITE or UPDATE (RFC 4028 §9).
 * @param weRefresh whether this end refreshes now; undefined when no timer runs
 */
export function sessionAnswer(
  policy: SessionTimerPolicy,
  request: SipRequest,
  weRefresh: boolean | undefined,
): SessionVerdict {
  const isSupported = hasTag(request, 'timer')
  const asked = readOf(request.decode('sessionExpires'))
  const floor = Math.max(readOf(request.decode('minSE'))?.seconds ?? 0, policy.minSeconds)
  if (asked === undefined) {
    if (!isSupported) {
      if (weRefresh !== true) return { kind: 'none' }
      // The peer knows no timers; we go on refreshing all the same.
      return agreed(Math.max(policy.expiresSeconds, floor), 'uas', false)
    }
    if (!policy.isOffered && weRefresh === undefined) return { kind: 'none' }
    return agreed(Math.max(policy.expiresSeconds, floor), chosen(policy, weRefresh), true)
  }
  if (asked.seconds < policy.minSeconds) {
    // Only a caller that knows 422 can ask again; one that does not had the header put in by a proxy.
    return isSupported ? { kind: 'too-small', minSeconds: policy.minSeconds } : { kind: 'none' }
  }
  const seconds = Math.min(asked.seconds, Math.max(policy.expiresSeconds, floor))
  return agreed(seconds, isSupported ? (asked.refresher ?? chosen(policy, weRefresh)) : 'uas', isSupported)
}

/** Headers of the 2xx that carries an agreement (RFC 4028 §9). */
export function sessionAnswerHeaders(verdict: SessionVerdict): HeaderInit[] {
  if (verdict.kind !== 'agreed') return []
  const { seconds, refresher } = verdict.agreement
  const headers: HeaderInit[] = [['Session-Expires', SessionExpires.of(seconds, refresher)]]
  if (verdict.isRequired) headers.push(['Require', 'timer'])
  return headers
}

/**
 * What a 2xx to our request says; undefined: no session timer (RFC 4028 §7.2). A proxy may have made the interval
 * smaller; one below what anyone may ask for is taken for the smallest, so that nobody can make us refresh all the time.
 */
export function sessionAgreed(response: SipResponse): SessionAgreement | undefined {
  const value = readOf(response.decode('sessionExpires'))
  if (value === undefined) return undefined
  return { seconds: Math.max(value.seconds, sessionSecondsMin), refresher: value.refresher ?? 'uac' }
}

/** The Min-SE of a 422, in seconds; undefined when it says nothing that can be followed (RFC 4028 §7.3). */
export function sessionMinimum(response: SipResponse): number | undefined {
  const seconds = readOf(response.decode('minSE'))?.seconds
  return seconds === undefined || seconds > sessionSecondsMax ? undefined : Math.max(seconds, sessionSecondsMin)
}

/** More than a day between two signs of life is none: such a Min-SE is not followed. */
const sessionSecondsMax = 86_400

/** Whether Supported or Require names an option; a header that cannot be read names none. */
export function hasTag(message: SipRequest | SipResponse, tag: string): boolean {
  for (const name of ['supported', 'require'] as const) {
    const tags = message.decode(name)
    if (tags.ok && tags.value.some((each) => each.toLowerCase() === tag)) return true
  }
  return false
}

function agreed(seconds: number, refresher: Refresher, isRequired: boolean): SessionVerdict {
  return { kind: 'agreed', agreement: { seconds, refresher }, isRequired }
}

/** The roles stay as they are unless someone asks otherwise (RFC 4028 §7.4). */
function chosen(policy: SessionTimerPolicy, weRefresh: boolean | undefined): Refresher {
  if (weRefresh === undefined) return policy.refresher
  return weRefresh ? 'uas' : 'uac'
}

function readOf<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T | undefined {
  return result.ok ? result.value : undefined
}
