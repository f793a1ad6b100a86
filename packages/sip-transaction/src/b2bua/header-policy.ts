/**
 * Which headers go from one leg of a bridge to the other. What names a dialog, a way or a capability belongs to its own leg
 * and never passes (RFC 3261 §6 "B2BUA": a user agent on each side; RFC 7092 §3); the rest passes where the policy says so. Pure.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'

/** What passes in one direction, in INVITE, INFO, MESSAGE and their responses. */
export interface HeaderPolicy {
  /** Names of headers that pass: `Subject`; `X-*` for all that begin so; `*` for all that may pass at all. */
  readonly pass?: readonly string[]
  /** Names, as in `pass`, that do not pass after all. */
  readonly drop?: readonly string[]
  /** Headers of our own, in place of those of the same name. */
  readonly set?: readonly HeaderInit[]
}

/** Headers of one leg; everything that the stack writes itself on the other one, and what is said to the next hop only. */
const ownNames: ReadonlySet<string> = new Set(
  (
    'via v from f to t call-id i cseq contact m max-forwards route record-route path service-route require proxy-require ' +
    'supported k unsupported allow allow-events u session-expires x min-se expires min-expires rseq rack replaces join ' +
    'target-dialog refer-to r referred-by b refer-sub event o subscription-state authorization proxy-authorization ' +
    'www-authenticate proxy-authenticate authentication-info content-length l content-type c content-encoding e ' +
    'mime-version user-agent server timestamp recv-info flow-timer retry-after sip-etag sip-if-match max-breadth ' +
    'security-client security-server security-verify date'
  ).split(' '),
)

/** The headers that go along with a message to the other leg. */
export function passedHeaders(message: SipRequest | SipResponse, policy: HeaderPolicy | undefined): HeaderInit[] {
  if (policy === undefined) return []
  const { pass = [], drop = [], set = [] } = policy
  const own = new Set(set.map(([name]) => name.toLowerCase()))
  const headers: HeaderInit[] = []
  if (pass.length > 0) {
    for (const name of namesOf(message)) {
      const lower = name.toLowerCase()
      if (ownNames.has(lower) || own.has(lower) || !matches(pass, lower) || matches(drop, lower)) continue
      for (const value of message.getAll(name)) headers.push([name, value])
    }
  }
  headers.push(...set)
  return headers
}

function matches(patterns: readonly string[], lowerName: string): boolean {
  return patterns.some((pattern) => {
    const lower = pattern.toLowerCase()
    return lower.endsWith('*') ? lowerName.startsWith(lower.slice(0, -1)) : lower === lowerName
  })
}

/** Each name once, as it is written first. */
function namesOf(message: SipRequest | SipResponse): Iterable<string> {
  const names = new Map<string, string>()
  for (const line of message.head.split('\r\n').slice(1)) {
    const name = /^([^\s:]+)\s*:/.exec(line)?.[1]
    if (name !== undefined && !names.has(name.toLowerCase())) names.set(name.toLowerCase(), name)
  }
  return names.values()
}
