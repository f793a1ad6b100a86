/** What proxying asks of its user, and what it tells: RFC 3261 §16, RFC 3327 (Path), RFC 5393 (forking). */
import type { HeaderInit, SipResponse, SipUri, Uri } from '@carillon/sip-parser'
import type { HistoryOptions } from '../../identity/proxied-history'
import type { ReceivedRequest } from '../../identity/trust-domain'
import type { ExplicitDestination } from '../options'

/** One place that a request is proxied to. A `Binding` of a registrar becomes one by `toTarget()`. */
export interface ProxyTarget {
  /** The new Request-URI. */
  readonly uri: string | SipUri | Uri
  /** Preference, 0 to 1; 1 when absent. */
  readonly q?: number
  /** Where the request goes when not where its routes or its URI say. A flow that is gone fails with 430. */
  readonly destination?: ExplicitDestination
  /** The URI that leads to where it goes, when that is not its routes or its URI. Nothing of it is written anywhere. */
  readonly nextHop?: string | SipUri
  /** Route values before those of the request, nearest hop first: the Path of a registration (RFC 3327). */
  readonly routes?: readonly string[]
  /** Further headers of the request to this target. */
  readonly headers?: readonly HeaderInit[]
  /**
   * The device that this is a flow of. Of several targets with the same one a device gets the request by the first, and by
   * the next when that fails with 430, 408 or without a response (RFC 5626 §7).
   */
  readonly instance?: string
  /** Short for `destination: { flowId }`. */
  readonly flowId?: number
}

/** Headers that a proxy changes, in this order; Via, Route, Record-Route, Max-Forwards and Content-Length are the core's. */
export interface HeaderChanges {
  readonly remove?: readonly string[]
  /** Put in place of all lines of the same name. */
  readonly set?: readonly HeaderInit[]
  /** Added after the lines of the same name. */
  readonly add?: readonly HeaderInit[]
}

/** Where one copy of a request goes. */
export interface ProxyHop {
  /** The IP address. */
  readonly address: string
  /** The URI that led there: of the target, of a Route, or the next hop. */
  readonly uri: Uri
}

/** A branch of a proxied request that did not succeed. */
export interface BranchFailure {
  readonly target: ProxyTarget
  /** A final response, no answer in time, or nobody to be reached. */
  readonly reason: 'status' | 'timeout' | 'transport'
  /** The status it counts as: 408 for a timeout, 503 or 430 for a transport error. */
  readonly status: number
  /** The response, when there was one. */
  readonly response: SipResponse | undefined
}

/** Where to: a URI, or a place with what belongs to it; one or several. */
export type ProxyTargets = ProxyTarget | string | Uri | readonly (ProxyTarget | string | Uri)[]

/** More targets, or nothing. */
export type MoreTargets = ProxyTargets | undefined

/** Options of `IncomingRequest.proxy`. */
export interface ProxyOptions {
  /**
   * In what order targets are tried: all at once, one after another by falling `q`, or those of the same `q` at once
   * (`mixed`, the default: all at once when none has a `q`).
   */
  readonly mode?: 'parallel' | 'serial' | 'mixed'
  /** Stays on the way of the dialog that the request makes: its further requests come here and are forwarded. */
  readonly recordRoute?: boolean
  /** Adds a Path to a REGISTER, so that requests to the contact come back on this flow (RFC 3327, RFC 5626 §5.1). */
  readonly path?: boolean
  /** Follows redirections: the contacts of a 3xx become targets (RFC 3261 §16.7 step 4). Default false: passed back. */
  readonly recurse?: boolean
  /** How long a branch of an INVITE may ring without a sign of progress, more than 180 000; the stack's timer C if absent. */
  readonly timerCMs?: number
  /** How long one target may take until the next is tried; nothing but the timers of its transaction when absent. */
  readonly branchTimeoutMs?: number
  /** Sends without any state: one target, no forking, no failover (RFC 3261 §16.11). As `IncomingRequest.forward`. */
  readonly stateless?: boolean
  /** Aborting cancels every branch; the caller gets the best response so far, or 487. */
  readonly signal?: AbortSignal
  /** Changes of the request, the same for all targets or for each. */
  readonly headers?: HeaderChanges | ((target: ProxyTarget, hop: ProxyHop) => HeaderChanges | undefined)
  /**
   * Changes of every response that goes back. A function is told where it came from; target and hop are undefined for a
   * response that was made here.
   */
  readonly responseHeaders?:
    | HeaderChanges
    | ((response: SipResponse, target: ProxyTarget | undefined, hop: ProxyHop | undefined) => HeaderChanges | undefined)
  /**
   * Keeps the history of the request: an entry of History-Info for each target that it goes to, with the reasons why
   * others were left, also in responses to those who support it (RFC 7044). Default false: it passes as it is.
   */
  readonly history?: boolean | HistoryOptions
  /** Told of each response of a branch but 100. */
  readonly onResponse?: (response: SipResponse, target: ProxyTarget) => void
  /** Told of each branch that failed; what it gives is tried as well, a next gateway for instance. */
  readonly onBranchFailed?: (failure: BranchFailure) => MoreTargets | Promise<MoreTargets>
}

/** What makes a stack a proxy: option `proxy` of `SipStack.create`. */
export interface ProxyStackOptions {
  /**
   * Signs the marks in Record-Route and Path, so that nobody can have us forward by inventing one. Give the same to
   * all members of a cluster, and to the next start of the program, or dialogs do not survive it. Random when absent.
   */
  readonly secret?: string
  /**
   * What is changed in requests that are forwarded without any handler: those inside a recorded dialog and those that come
   * by a Path of ours. `(request) => trust.guard(request)` keeps the edge of a trust domain there too.
   */
  readonly guard?: (request: ReceivedRequest) => Pick<ProxyOptions, 'headers' | 'responseHeaders'>
  /** Option tags that handlers see to: they are not refused in Proxy-Require. `privacy` for instance (RFC 3323 §4.3). */
  readonly extensions?: readonly string[]
  /** Host names that mean this proxy in a Route, besides the addresses of its listeners. */
  readonly names?: readonly string[]
  /**
   * Methods whose Require is for the one that they are proxied to and is not looked at here (RFC 3261 §16.3 wants
   * Proxy-Require looked at only). Default: every method but REGISTER, OPTIONS and SUBSCRIBE.
   */
  readonly passes?: (method: string) => boolean
}
