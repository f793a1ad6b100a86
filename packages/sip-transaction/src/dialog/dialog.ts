/**
 * A dialog: the peer-to-peer state that outlives one transaction, and the requests built from it.
 * RFC 3261 §12 (creation, route set, remote target, CSeq order), §16.12.1.1 (strict routing), §13.2.2.4 (ACK for 2xx).
 * Pure: no clock, no chance, no I/O.
 */
import {
  detachText,
  type HeaderInit,
  NameAddr,
  parseUri,
  type SipRequest,
  type SipResponse,
  SipUri,
  type Uri,
} from '@carillon/sip-parser'

/** A request as the dialog wants it; the endpoint adds Via and Contact, which depend on the listener it leaves by. */
export interface RequestPlan {
  readonly method: string
  readonly uri: Uri
  /** Everything but Via, Contact and the body's headers, in the order to be written. */
  readonly headers: readonly HeaderInit[]
  /** The user part for a Contact of our own. */
  readonly user: string | undefined
}

/** What a dialog is made of; see {@link Dialog.ofServer} and {@link Dialog.ofClient}. */
export interface DialogInit {
  readonly callId: string
  readonly local: NameAddr
  readonly remote: NameAddr
  readonly routeSet: readonly NameAddr[]
  readonly remoteTarget: Uri
  readonly localCseq: number
  readonly remoteCseq: number | undefined
  readonly isSecure: boolean
}

/** The largest CSeq number (RFC 3261 §8.1.1.5: below 2**31). */
const cseqMax = 2 ** 31 - 1

/** The default of Max-Forwards (RFC 3261 §8.1.1.6). */
export const initialMaxForwards = 70

/**
 * One dialog (RFC 3261 §12). Mutable; owned by the call that made it. It lives much longer than the messages that made
 * it, so all it keeps of them are copies.
 */
export class Dialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** Our From in requests that we send, tag included. */
  readonly local: NameAddr
  /** Our To in requests that we send, tag included when the peer has one. */
  readonly remote: NameAddr
  readonly isSecure: boolean
  private routes: readonly NameAddr[]
  private target: Uri
  private lastLocalCseq: number
  private lastRemoteCseq: number | undefined

  constructor(init: DialogInit) {
    this.callId = detachText(init.callId)
    this.local = detachedAddress(init.local)
    this.remote = detachedAddress(init.remote)
    this.localTag = this.local.tag ?? ''
    this.remoteTag = this.remote.tag ?? ''
    this.routes = detachedRoutes(init.routeSet)
    this.target = detachedUri(init.remoteTarget)
    this.lastLocalCseq = init.localCseq
    this.lastRemoteCseq = init.remoteCseq
    this.isSecure = init.isSecure
  }

  /**
   * The dialog that a response with `localTag` to this request makes on the answering side (RFC 3261 §12.1.1).
   * @param asked what the request answers, when it is a NOTIFY (RFC 6665 §4.4.1): the number that this side has used, and
   *   where it has asked, for the NOTIFY may lack a Contact
   */
  static ofServer(
    request: SipRequest,
    localTag: string,
    isSecureFlow: boolean,
    asked?: { readonly cseq: number; readonly target: Uri },
  ): Dialog {
    return new Dialog({
      callId: request.callId,
      local: request.to.withParam('tag', localTag),
      remote: request.from,
      routeSet: recordRoutesOf(request),
      remoteTarget: contactOf(request) ?? asked?.target ?? request.from.uri,
      localCseq: asked?.cseq ?? 0,
      remoteCseq: request.cseq.seq,
      isSecure: isSecureFlow && request.uri.scheme === 'sips',
    })
  }

  /** The dialog that this response makes on the asking side (RFC 3261 §12.1.2). */
  static ofClient(request: SipRequest, response: SipResponse, isSecureFlow: boolean): Dialog {
    return new Dialog({
      callId: request.callId,
      local: request.from,
      remote: response.to,
      routeSet: [...recordRoutesOf(response)].reverse(),
      remoteTarget: contactOf(response) ?? request.uri,
      localCseq: request.cseq.seq,
      remoteCseq: undefined,
      isSecure: isSecureFlow && request.uri.scheme === 'sips',
    })
  }

  /** The dialog of a 2xx whose INVITE is no more: all that is needed to acknowledge and end it (RFC 3261 §13.2.2.4). */
  static ofUnwanted(response: SipResponse, isSecureFlow: boolean): Dialog {
    const remoteTarget = contactOf(response) ?? response.to.uri
    return new Dialog({
      callId: response.callId,
      local: response.from,
      remote: response.to,
      routeSet: [...recordRoutesOf(response)].reverse(),
      remoteTarget,
      localCseq: response.cseq.seq,
      remoteCseq: undefined,
      isSecure: isSecureFlow && remoteTarget.scheme === 'sips',
    })
  }

  /** Call-ID, local tag and remote tag (RFC 3261 §12): the dialog's name at this end. */
  get key(): string {
    return dialogKey(this.callId, this.localTag, this.remoteTag)
  }

  /** The remote target: the Contact last heard from the peer. */
  get remoteTarget(): Uri {
    return this.target
  }

  /** The route set, nearest hop first. */
  get routeSet(): readonly NameAddr[] {
    return this.routes
  }

  /** The CSeq number last used by us. */
  get localCseq(): number {
    return this.lastLocalCseq
  }

  /** The CSeq number last seen from the peer in order. */
  get remoteCseq(): number | undefined {
    return this.lastRemoteCseq
  }

  /** The 2xx that turns an early dialog into a confirmed one: route set and target anew (RFC 3261 §13.2.2.4). */
  confirmByClient(response: SipResponse): void {
    this.routes = detachedRoutes([...recordRoutesOf(response)].reverse())
    this.refreshTarget(response)
  }

  /** Takes the peer's Contact of a target refresh request, or of the 2xx to ours (RFC 3261 §12.2). */
  refreshTarget(message: SipRequest | SipResponse): void {
    const contact = contactOf(message)
    if (contact !== undefined) this.target = detachedUri(contact)
  }

  /**
   * Takes note of a request in the dialog. False when its CSeq number is not above the last one: it is answered 500
   * (RFC 3261 §12.2.2). ACK and CANCEL carry the number of their INVITE and are not asked about.
   */
  acceptCseq(request: SipRequest): boolean {
    const seq = request.cseq.seq
    if (this.lastRemoteCseq !== undefined && seq <= this.lastRemoteCseq) return false
    this.lastRemoteCseq = seq
    return true
  }

  /** Whether another request can be numbered. */
  get hasCseqLeft(): boolean {
    return this.lastLocalCseq < cseqMax
  }

  /** The URI to locate for the next request: the first Route of a loose router, or the Request-URI. */
  get nextHop(): Uri {
    return routeRequest(this.target, this.routes).nextHop
  }

  /** The next request in the dialog, with the next CSeq number (RFC 3261 §12.2.1.1). */
  nextRequest(method: string, extra: readonly HeaderInit[] = []): RequestPlan {
    this.lastLocalCseq += 1
    return this.plan(method, this.lastLocalCseq, extra)
  }

  /** The ACK for a 2xx to our INVITE of that number; `extra` carries that INVITE's credentials (§13.2.2.4). */
  ackFor(inviteCseq: number, extra: readonly HeaderInit[] = []): RequestPlan {
    return this.plan('ACK', inviteCseq, extra)
  }

  private plan(method: string, seq: number, extra: readonly HeaderInit[]): RequestPlan {
    const { uri, routes } = routeRequest(this.target, this.routes)
    const headers: HeaderInit[] = [['Max-Forwards', initialMaxForwards]]
    for (const route of routes) headers.push(['Route', route])
    headers.push(['From', this.local.toString()], ['To', this.remote.toString()], ['Call-ID', this.callId])
    headers.push(['CSeq', `${seq} ${method}`], ...extra)
    const own = this.local.uri
    return { method, uri, headers, user: own instanceof SipUri ? own.user : undefined }
  }
}

/** The key of a dialog at the end that has `localTag`. */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`
}

/**
 * Request-URI, Route values and next hop from a remote target and a route set (RFC 3261 §12.2.1.1). When the first
 * hop is a strict router, it becomes the Request-URI and the target goes to the end of the routes.
 */
export function routeRequest(
  target: Uri,
  routeSet: readonly NameAddr[],
): { readonly uri: Uri; readonly routes: readonly string[]; readonly nextHop: Uri } {
  const first = routeSet[0]
  if (first === undefined) return { uri: target, routes: [], nextHop: target }
  if (isLooseRouter(first.uri)) return { uri: target, routes: routeSet.map(String), nextHop: first.uri }
  const uri = withoutUriHeaders(first.uri)
  return { uri, routes: [...routeSet.slice(1).map(String), `<${target.toString()}>`], nextHop: uri }
}

/** Shared by all dialogs without proxies. */
const noRoutes: readonly NameAddr[] = []

function detachedRoutes(routes: readonly NameAddr[]): readonly NameAddr[] {
  return routes.length === 0 ? noRoutes : routes.map(detachedAddress)
}

/** A copy that keeps no message alive. */
function detachedAddress(address: NameAddr): NameAddr {
  const { displayName } = address
  const params = new Map<string, string | null>()
  for (const [name, value] of address.params) params.set(detachText(name), value === null ? null : detachText(value))
  const uri = detachedUri(address.uri)
  return NameAddr.of({ uri, params, ...(displayName === undefined ? {} : { displayName: detachText(displayName) }) })
}

function detachedUri(uri: Uri): Uri {
  const copy = parseUri(detachText(uri.toString()))
  // What only a lenient reader takes stays as it is: better a long string than no way to the peer.
  return copy.ok ? copy.value : uri
}

/** The peer's Contact; one that cannot be read counts as absent, so that a 2xx can still be acknowledged. */
function contactOf(message: SipRequest | SipResponse): Uri | undefined {
  const contacts = message.decode('contacts')
  return contacts.ok ? contacts.value[0]?.uri : undefined
}

function recordRoutesOf(message: SipRequest | SipResponse): readonly NameAddr[] {
  const routes = message.decode('recordRoutes')
  return routes.ok ? routes.value : []
}

function isLooseRouter(uri: Uri): boolean {
  return uri instanceof SipUri && uri.isLooseRouter
}

/** A Request-URI may carry neither headers nor a method parameter (RFC 3261 §19.1.1). */
function withoutUriHeaders(uri: Uri): Uri {
  if (!(uri instanceof SipUri)) return uri
  if (uri.headers.size === 0 && !uri.params.has('method')) return uri
  const params = new Map(uri.params)
  params.delete('method')
  return uri.with({ params, headers: new Map() })
}
