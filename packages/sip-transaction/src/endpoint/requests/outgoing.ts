/** Requests outside of dialogs, from what the user gives: RFC 3261 §8.1.1, §12.2.1.1 for a preset route set. */
import { type HeaderInit, NameAddr, parseUri, SipUri, type Uri } from '@carillon/sip-parser'
import type { DigestClient } from '../../auth/client'
import { initialMaxForwards, type RequestPlan, routeRequest } from '../../dialog/dialog'
import { SipUsageError } from '../../errors'
import type { Core } from '../core'
import type { ExplicitDestination, UserCredentials } from '../options'
import type { ClientRequestSpec } from './client-request'
import { digestClientFor } from './digest-clients'

/** A request that begins outside of any dialog, its addresses parsed. */
export interface OutgoingSpec {
  readonly method: string
  readonly uri: Uri
  readonly from: NameAddr
  readonly to: NameAddr
  readonly callId: string
  readonly firstCseq: number
  readonly maxForwards?: number | undefined
  readonly headers: readonly HeaderInit[]
  readonly contact: boolean | string
  readonly routes: readonly string[]
  readonly destination: ExplicitDestination | undefined
  readonly credentials: UserCredentials | undefined
  readonly body: Uint8Array | string | undefined
  readonly contentType: string | undefined
  readonly timeoutMs?: number | undefined
}

/** The client request of a spec; each attempt has the next CSeq number. */
export function clientSpec(
  core: Core,
  spec: OutgoingSpec,
): ClientRequestSpec & Required<Pick<ClientRequestSpec, 'plan'>> & { readonly auth: DigestClient | undefined } {
  const routeSet = spec.routes.map((route) => readAddress(route, 'Route'))
  const { uri, routes, nextHop } = routeRequest(spec.uri, routeSet)
  const user = spec.from.uri instanceof SipUri ? spec.from.uri.user : undefined
  let cseq = spec.firstCseq - 1
  const plan = (credentials: readonly HeaderInit[]): RequestPlan => {
    cseq += 1
    const headers: HeaderInit[] = [['Max-Forwards', spec.maxForwards ?? initialMaxForwards]]
    for (const route of routes) headers.push(['Route', route])
    headers.push(['From', spec.from.toString()], ['To', spec.to.toString()], ['Call-ID', spec.callId])
    headers.push(['CSeq', `${cseq} ${spec.method}`], ...credentials, ...spec.headers)
    return { method: spec.method, uri, headers, user }
  }
  const { destination, credentials } = spec
  return {
    method: spec.method,
    nextHop: () => nextHop,
    isSecure: () => spec.uri.scheme === 'sips',
    plan,
    destination: destination === undefined ? undefined : () => core.explicit(destination),
    extras: { contact: spec.contact, body: spec.body, contentType: spec.contentType },
    auth: credentials === undefined ? undefined : digestClientFor(core, credentials),
    timeoutMs: spec.timeoutMs,
  }
}

/**
 * Reads a URI that the user gives.
 * @throws SipUsageError TARGET_INVALID
 */
export function readUri(value: string | Uri, what: string): Uri {
  if (typeof value !== 'string') return value
  const parsed = parseUri(value)
  if (!parsed.ok) throw new SipUsageError('TARGET_INVALID', what)
  return parsed.value
}

/**
 * Reads a From, To or Route value that the user gives: `"Name" <sip:user@host>;params` or a bare URI.
 * @throws SipUsageError TARGET_INVALID
 */
export function readAddress(value: string | NameAddr, what: string): NameAddr {
  if (typeof value !== 'string') return value
  const open = value.lastIndexOf('<')
  const close = value.indexOf('>', open)
  if (open < 0) return NameAddr.of({ uri: readUri(value.trim(), what) })
  if (close < 0) throw new SipUsageError('TARGET_INVALID', what)
  const uri = readUri(value.slice(open + 1, close), what)
  const displayName = unquoted(value.slice(0, open).trim())
  const params = readParams(value.slice(close + 1))
  return NameAddr.of({ uri, params, ...(displayName === '' ? {} : { displayName }) })
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text
}

function readParams(text: string): Map<string, string | null> {
  const params = new Map<string, string | null>()
  for (const part of text.split(';').slice(1)) {
    const [name = '', value] = part.split('=', 2)
    if (name.trim() !== '') params.set(name.trim().toLowerCase(), value?.trim() ?? null)
  }
  return params
}
