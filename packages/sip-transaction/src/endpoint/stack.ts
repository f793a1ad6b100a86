/** A SIP endpoint in this process: the public face of the package. RFC 3261 as user agent, registrar and B2BUA. */
import { type HeaderInit, type SipResponse, SipUri, type Uri } from '@carillon/sip-parser'
import { CallFailedError, SipTransactionError, SipUsageError, type TransactionErrorCode } from '../errors'
import { type ReferProgress, referPackage } from '../events/packages/refer'
import type { FlowAddress } from '../ports'
import type { TlsOptions } from '../transport/tls/tls-options'
import type { Bridge } from './bridge/bridge'
import type { BridgeTarget } from './bridge/bridge-options'
import { type ConnectOptions, type ConnectParty, connectParties } from './bridge/bridge-start'
import { Call } from './calls/call'
import { earlyDialogOf } from './calls/early-dialog'
import { inviteHeaders } from './calls/invite-headers'
import { OutgoingInvite } from './calls/outgoing-invite'
import { reasonHeaders } from './calls/reason'
import type { Core } from './core'
import { type Publication, type PublishOptions, startPublication } from './events/publication'
import { type Subscription, startSubscription } from './events/subscription'
import type { ReferOptions, SubscribeOptions } from './events/subscription-options'
import type {
  Handler,
  InviteOptions,
  Listener,
  OutgoingInit,
  OutgoingRequestInit,
  SipStackOptions,
  StackEvents,
  StackStats,
} from './options'
import { type RegisterOptions, type Registration, startRegistration } from './registration/registration'
import { ClientRequest } from './requests/client-request'
import { clientSpec, type OutgoingSpec, readAddress, readUri } from './requests/outgoing'
import { closeStack } from './stack-close'
import { StackRuntime } from './stack-runtime'

/** A SIP stack with its listeners. Make it with {@link SipStack.create}, end it with {@link SipStack.close}. */
export class SipStack {
  private readonly runtime: StackRuntime
  private closing: Promise<void> | undefined

  private constructor(runtime: StackRuntime) {
    this.runtime = runtime
    runtime.observers.stack = this
  }

  /**
   * Binds every listener, all or none.
   * @throws SipUsageError LISTEN_INVALID, HEADERS_INVALID, TRANSPORT_UNKNOWN, TLS_MISSING, TLS_INVALID, ADVERTISE_INVALID, DNS_SERVER_INVALID; SipTransportError when an address cannot be bound
   */
  static async create(options: SipStackOptions): Promise<SipStack> {
    const stack = new SipStack(new StackRuntime(options))
    await stack.runtime.listen()
    return stack
  }

  /** The bound listeners, in the order of the options. */
  get listeners(): readonly Listener[] {
    return this.core.egress.entries.map((entry) => entry.listener)
  }

  /** The URI of the first listener: where this stack is reached. */
  get uri(): SipUri {
    const [first] = this.listeners
    if (first === undefined) throw new SipUsageError('LISTEN_INVALID', 'no listener')
    return first.uri
  }

  /**
   * How this stack names itself towards a peer, such as `request.source`: the advertised address, or that of the interface
   * that leads there. What a session description of ours wants in its `c=` line.
   * @returns undefined when no listener of that transport reaches the peer
   */
  localAddress(towards: FlowAddress): FlowAddress | undefined {
    const { egress } = this.core
    const entry = egress.entryFor(towards)
    return entry === undefined ? undefined : egress.shownAddress(entry, towards.address)
  }

  /** Adds handlers for a method; requests inside calls go to the call instead. Several calls add up. */
  method(name: string, ...handlers: Handler[]): this {
    if (['ACK', 'CANCEL', 'BYE'].includes(name)) throw new SipUsageError('METHOD_RESERVED', name)
    this.runtime.router.method(name, handlers)
    return this
  }

  /** Adds handlers that run before those of any method. */
  use(...handlers: Handler[]): this {
    this.runtime.router.use(handlers)
    return this
  }

  /** Observes. Returns a function that stops it. */
  on<K extends keyof StackEvents>(event: K, listener: (data: StackEvents[K]) => void): () => void {
    return this.runtime.observers.on(event, listener)
  }

  /**
   * Sends a request outside of any call. Resolves with its final response, whatever its status; answers challenges
   * when credentials are given.
   * @throws SipUsageError METHOD_RESERVED, TARGET_INVALID; SipTransactionError TIMEOUT, TRANSPORT_FAILED, UNREACHABLE, NAME_NOT_FOUND, NAME_LOOKUP_FAILED, REQUEST_INVALID, ABORTED, STACK_CLOSED
   */
  request(init: OutgoingRequestInit): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      if (['ACK', 'CANCEL', 'INVITE', 'BYE'].includes(init.method))
        throw new SipUsageError('METHOD_RESERVED', init.method)
      const { core } = this
      // RFC 3428 §7: a text, if nothing else is said.
      const isText = init.method === 'MESSAGE' && init.body !== undefined && init.contentType === undefined
      const body = isText ? { ...init, contentType: 'text/plain;charset=utf-8' } : init
      const spec = this.spec(init.method, init.uri, body, init.contact ?? init.method === 'REGISTER')
      const fail = (code: TransactionErrorCode) => reject(new SipTransactionError(code))
      if (this.runtime.isClosed) fail('STACK_CLOSED')
      else if (init.signal?.aborted) fail('ABORTED')
      else {
        const abort = () => core.submit(() => client.giveUp('ABORTED'))
        const settle = () => init.signal?.removeEventListener('abort', abort)
        const client = new ClientRequest(core, clientSpec(core, spec), {
          final: (response) => {
            settle()
            resolve(response)
          },
          error: (code) => {
            settle()
            fail(code)
          },
        })
        init.signal?.addEventListener('abort', abort, { once: true })
        core.submit(() => client.start())
      }
    })
  }

  /**
   * Calls. Resolves when the call is answered; its ACK has been sent. Aborting the signal cancels it; a string as the
   * reason of the abort goes into the CANCEL (RFC 3326).
   * @throws CallFailedError with the failure status; SipUsageError TARGET_INVALID; SipTransactionError as {@link request}
   */
  invite(target: string | SipUri, options: InviteOptions = {}): Promise<Call> {
    return new Promise((resolve, reject) => {
      const { core } = this
      const { sdp, signal, timeoutMs } = options
      const body = sdp === undefined ? {} : { body: sdp, contentType: 'application/sdp' }
      const headers = [...inviteHeaders(core, options.reliable), ...(options.headers ?? [])]
      const spec = this.spec('INVITE', target, { ...options, ...body, headers }, options.contact ?? true)
      if (this.runtime.isClosed || core.isClosing) {
        reject(new SipTransactionError('STACK_CLOSED'))
        return
      }
      let stopWaiting = () => {}
      const fail = (error: Error) => {
        stopWaiting()
        reject(error)
      }
      const invite = new OutgoingInvite(core, spec, {
        answer: sdp === undefined ? options.answer : undefined,
        progress: (response, session) => {
          const { onProvisional } = options
          if (onProvisional === undefined) return
          const early = session === undefined ? undefined : earlyDialogOf(core, session)
          this.runtime.shield(() => onProvisional(response, early))
        },
        accepted: (session, response, request) => {
          stopWaiting()
          const call = new Call(core)
          call.attach(session)
          call.confirm(session, response, request, sdp === undefined ? options.answer : undefined)
          resolve(call)
        },
        failed: (response) => fail(new CallFailedError(response.status, response)),
        error: (code) => fail(new SipTransactionError(code)),
      })
      const giveUp = (code: TransactionErrorCode) => {
        fail(new SipTransactionError(code))
        const { reason } = signal ?? {}
        core.submit(() => invite.cancel(typeof reason === 'string' ? reasonHeaders(reason) : []))
      }
      if (signal?.aborted) {
        fail(new SipTransactionError('ABORTED'))
        return
      }
      const abort = () => giveUp('ABORTED')
      const late =
        timeoutMs === undefined ? undefined : core.driver.at(core.driver.nowMs + timeoutMs, () => giveUp('TIMEOUT'))
      stopWaiting = () => {
        signal?.removeEventListener('abort', abort)
        late?.cancel()
      }
      signal?.addEventListener('abort', abort, { once: true })
      core.submit(() => invite.start())
    })
  }

  /**
   * Connects two parties, each a place to call or a call that is up (third party call control, RFC 3725). The first one is
   * called first; resolves when it has answered, and the second one is being called. A call that is a party belongs to the
   * bridge from then on; when nobody answers it is a call of its own again.
   * @param second a place, several of which the first to answer wins, or a call
   * @throws CallFailedError when the first party refuses; SipUsageError SAME_CALL, ALREADY_BRIDGED, TARGET_INVALID, TARGETS_MISSING; SipTransactionError CALL_ENDED, TIMEOUT, ABORTED, STACK_CLOSED, as {@link invite}
   */
  connect(
    first: ConnectParty,
    second: ConnectParty | readonly (string | BridgeTarget)[],
    options: ConnectOptions = {},
  ): Promise<Bridge> {
    if (this.runtime.isClosed) return Promise.reject(new SipTransactionError('STACK_CLOSED'))
    return connectParties(this.core, first, second, options)
  }

  /**
   * Subscribes to the state of something (RFC 6665), or with `expiresSeconds: 0` fetches it once. Resolves when the
   * notifier has accepted, or has notified. It is refreshed, and made anew when it was lost, until `unsubscribe` or the
   * signal ends it.
   * @throws SubscriptionFailedError with the failure status; SipUsageError TARGET_INVALID; SipTransactionError as {@link request}
   */
  subscribe<State>(target: string | Uri, options: SubscribeOptions<State>): Promise<Subscription<State>> {
    const spec = (headers: readonly HeaderInit[]) =>
      this.spec('SUBSCRIBE', target, { ...options, headers }, options.contact ?? true)
    return startSubscription(this.core, options, spec)
  }

  /**
   * Asks another party, outside of any call, to send a request to `referTo` (RFC 3515), and to tell what comes of it: the
   * subscription ends with the outcome in `latest`. A call is transferred with {@link Call.transfer}.
   * @throws SubscriptionFailedError with the failure status; SipUsageError TARGET_INVALID; SipTransactionError as {@link request}
   */
  refer(target: string | Uri, referTo: string | Uri, options: ReferOptions = {}): Promise<Subscription<ReferProgress>> {
    const headers: HeaderInit[] = [['Refer-To', `<${readUri(referTo, 'Refer-To')}>`], ...(options.headers ?? [])]
    const spec = () => this.spec('REFER', target, { ...options, headers }, options.contact ?? true)
    return startSubscription(this.core, { ...options, event: referPackage }, spec, 'REFER')
  }

  /**
   * Publishes a state (RFC 3903). Resolves when the server has taken it. It is refreshed, and published anew when the server
   * has lost it, until `remove` or the signal takes it back.
   * @throws SubscriptionFailedError with the failure status; SipUsageError TARGET_INVALID; SipTransactionError as {@link request}
   */
  publish<State>(target: string | Uri, options: PublishOptions<State>): Promise<Publication<State>> {
    const spec = (headers: readonly HeaderInit[], body: Pick<OutgoingInit, 'body' | 'contentType'>) =>
      this.spec('PUBLISH', target, { ...options, headers, ...body }, false)
    return startPublication(this.core, options, spec)
  }

  /**
   * Registers an address of record, and keeps it registered until told otherwise. The first REGISTER goes out at once;
   * `ready` of what is returned tells how it went.
   * @throws SipUsageError TARGET_INVALID, REGISTRATION_INVALID
   */
  register(options: RegisterOptions): Registration {
    return startRegistration(this.core, options)
  }

  /**
   * Replaces the certificates and authorities of the TLS listeners. Connections that are up go on with what they have;
   * new ones, and requests that open one, use the new. When the options do not hold together nothing changes.
   * @throws SipUsageError TLS_MISSING when the stack was made without `tls`, TLS_INVALID
   */
  reloadTls(options: TlsOptions): void {
    this.runtime.reloadTls(options)
  }

  /**
   * Keeps the way to a UDP peer open through address translators, and tells when it is gone: STUN binding requests
   * (RFC 5626 §4.4.2). For a client towards its registrar or proxy, which has to answer them. Connections are kept
   * alive by `limits.transport.keepAliveMs`.
   * @param options `everyMs`: how often, at most; `lost`: called once, with the reason, when no answer came or our
   *   address has changed on the way; a phone then registers anew, and starts anew
   * @returns ends it
   * @throws SipUsageError TARGET_INVALID when no UDP listener reaches that address
   */
  keepAlive(
    destination: FlowAddress,
    options: { readonly everyMs?: number; readonly lost?: (reason: string) => void } = {},
  ): () => void {
    return this.runtime.keepAlive(destination, options.everyMs, options.lost ?? (() => {}))
  }

  /** Gauges and counters, as they are now. */
  stats(): StackStats {
    return this.runtime.stats()
  }

  /**
   * Ends in order: new INVITEs get 503, live calls may finish for `graceMs`, then they are ended with BYE, CANCEL or
   * 487; open transactions get a moment more; then the listeners are closed and nothing is left that keeps a process.
   */
  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.closing ??= closeStack(this.runtime, options.graceMs ?? this.core.limits.closeGraceMs)
    return this.closing
  }

  /** As {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private get core(): Core {
    return this.runtime.core
  }

  private spec(method: string, uri: string | Uri, init: OutgoingInit, contact: boolean | string): OutgoingSpec {
    const { core } = this
    const target = readUri(uri, 'target')
    const from =
      init.from === undefined ? readAddress(core.egress.defaultFrom(), 'From') : readAddress(init.from, 'From')
    return {
      method,
      uri: target,
      from: from.tag === undefined ? from.withParam('tag', core.newTag()) : from,
      to: readAddress(init.to ?? `<${withoutUriParts(target)}>`, 'To'),
      callId: init.callId ?? core.newCallId(),
      firstCseq: init.cseq ?? 1,
      headers: init.headers ?? [],
      contact,
      routes: init.routes ?? [],
      destination: init.destination,
      credentials: init.credentials,
      body: init.body,
      contentType: init.contentType,
      timeoutMs: init.timeoutMs,
    }
  }
}

/** To names a user, not a way to reach it (RFC 3261 §19.1.1). */
function withoutUriParts(uri: Uri): string {
  if (!(uri instanceof SipUri)) return uri.toString()
  return uri.with({ params: new Map(), headers: new Map(), password: undefined, port: undefined }).toString()
}
