/** Callers without a name: the anonymous From of RFC 3323 §4.1.1.3, and a call that shows nobody (§4.1, RFC 3325 §6). */
import { type HeaderInit, NameAddr, SipUri, type Uri } from '@carillon/sip-parser'
import { type PrivacyValue, writePrivacy } from './privacy-request'

/** A host that leads nowhere (RFC 3323 §4.1.1.3). */
const anonymousHost = 'anonymous.invalid'

/** The URI of nobody. */
export const anonymousUri: SipUri = SipUri.of({ user: 'anonymous', host: anonymousHost })

/** From and To of somebody who is not to be known: `"Anonymous" <sip:anonymous@anonymous.invalid>`. */
export const anonymousAddress: NameAddr = NameAddr.of({ displayName: 'Anonymous', uri: anonymousUri })

/** Whether a URI is that of nobody, or at a host that leads nowhere. */
export function isAnonymous(uri: Uri): boolean {
  return uri instanceof SipUri && uri.host === anonymousHost
}

/** How a call is anonymous. */
export interface AnonymousCallOptions {
  /** What is to be hidden; `id` when absent: the network knows who calls, and tells nobody. */
  readonly levels?: readonly Exclude<PrivacyValue, 'none' | 'critical'>[]
  /** True when the call is to fail rather than show what is to be hidden. */
  readonly critical?: boolean
  /** Who calls, for the network alone: one of the identities that it knows of us (P-Preferred-Identity). */
  readonly preferred?: NameAddr | Uri
}

/** Part of the options of `stack.invite` and `stack.request`. */
export interface AnonymousCall {
  readonly from: NameAddr
  readonly headers: readonly HeaderInit[]
}

/**
 * Options of an anonymous call: `stack.invite(uri, { sdp, ...anonymousCall() })`. The From names nobody, and the network is
 * asked to hide the rest. With `critical` a proxy that cannot refuses the call (420, 500).
 */
export function anonymousCall(options: AnonymousCallOptions = {}): AnonymousCall {
  const { levels = ['id'], critical = false, preferred } = options
  const headers: HeaderInit[] = [['Privacy', writePrivacy(critical ? [...levels, 'critical'] : levels)]]
  if (critical) headers.push(['Proxy-Require', 'privacy'])
  if (preferred !== undefined) {
    const address = preferred instanceof NameAddr ? preferred : NameAddr.of({ uri: preferred })
    headers.push(['P-Preferred-Identity', address.toString()])
  }
  return { from: anonymousAddress, headers }
}
