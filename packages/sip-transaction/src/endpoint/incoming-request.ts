/**
 * A request that waits for its answer: RFC 3261 §8.2.6 (responses), §13.3.1 (INVITE), §9.2 (CANCEL), §12.1.1 (dialogs).
 */
import {
  type HeaderInit,
  type NameAddr,
  responseTo,
  type SipRequest,
  type SipResponse,
  SipUri,
  type Uri,
} from '@carillon/sip-parser'
import { Dialog } from '../dialog/dialog'
import type { TransactionFailure, TransactionId } from '../effects'
import { SipTransactionError, SipUsageError } from '../errors'
import type { Flow, FlowAddress } from '../ports'
import type { Bridge } from './bridge'
import { startBridge } from './bridge-runner'
import { Call } from './call'
import type { Closable, Core } from './core'
import { DialogSession, type SessionOwner } from './dialog-session'
import type { Appointment, ServerUser } from './driver'
import type { AcceptOptions, BridgeOptions, BridgeTarget, ReplyOptions } from './options'

/** Where a request came from. */
export interface RequestSource extends FlowAddress {
  /** Names the flow, as destination of later requests to the same peer. */
  readonly flowId: number
  readonly isReliable: boolean
  readonly isSecure: boolean
}

/** A request for a handler. Answer it with `reply`, `accept` or `bridge`. */
export class IncomingRequest implements ServerUser, Closable {
  readonly message: SipRequest
  /** @internal */
  readonly flow: Flow
  /** @internal The dialog that the request is in, or has made. */
  session: DialogSession | undefined
  /** @internal What Allow says in the dialog that the request makes, when not what it says elsewhere. */
  dialogAllow: string | undefined
  /** @internal Told when the INVITE was cancelled or died before its answer. */
  onAbandoned: (() => void) | undefined
  private readonly core: Core
  private readonly transactionId: TransactionId
  private controller: AbortController | undefined
  private notes: Map<string, unknown> | undefined
  private isFinal = false
  private isAbandoned = false
  private ownTag: string | undefined
  private lateAnswer: Appointment | undefined

  /** @internal */
  constructor(core: Core, transactionId: TransactionId, message: SipRequest, flow: Flow, session?: DialogSession) {
    this.core = core
    this.transactionId = transactionId
    this.message = message
    this.flow = flow
    this.session = session
    core.waiting.add(this)
    core.driver.servers.set(transactionId, this)
    if (message.method !== 'INVITE') return
    core.ringing += 1
    if (session === undefined) core.alive.add(this)
    this.lateAnswer = core.driver.at(core.driver.nowMs + core.limits.inviteAnswerTimeoutMs, () => this.answer(480))
  }

  get method(): string {
    return this.message.method
  }

  get uri(): Uri {
    return this.message.uri
  }

  get from(): NameAddr {
    return this.message.from
  }

  get to(): NameAddr {
    return this.message.to
  }

  get callId(): string {
    return this.message.callId
  }

  get cseq(): { readonly seq: number; readonly method: string } {
    return this.message.cseq
  }

  /** The body; not to be changed. */
  get body(): Uint8Array {
    return this.message.body
  }

  /** What handlers of one request tell each other. */
  get locals(): Map<string, unknown> {
    this.notes ??= new Map()
    return this.notes
  }

  /** Where it came from. */
  get source(): RequestSource {
    const { remote, id, isReliable, isSecure } = this.flow
    return { ...remote, flowId: id, isReliable, isSecure }
  }

  /** The stack's wall clock, in milliseconds since the Unix epoch. */
  get wallMs(): number {
    return this.core.clock.wallMs()
  }

  /** Aborts when the INVITE is cancelled, or when its transaction dies before the answer. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController()
      if (this.isAbandoned) this.controller.abort(new SipTransactionError('CANCELLED'))
    }
    return this.controller.signal
  }

  /** Whether the final response has been given, by a handler or by the stack. */
  get isAnswered(): boolean {
    return this.isFinal
  }

  /**
   * Answers: provisional (100–199) as often as wanted, then one final response. A 2xx to an INVITE makes a call as
   * {@link accept} does. Late answers after CANCEL are ignored.
   * @throws SipUsageError ALREADY_ANSWERED, STATUS_INVALID
   */
  reply(status: number, options: ReplyOptions = {}): void {
    if (!Number.isInteger(status) || status < 100 || status > 699)
      throw new SipUsageError('STATUS_INVALID', `${status}`)
    if (this.isAbandoned) return
    if (this.isFinal) {
      if (status < 200) return
      throw new SipUsageError('ALREADY_ANSWERED', `${this.method} ${status}`)
    }
    if (status >= 200 && status < 300 && this.method === 'INVITE') {
      this.acceptSilently(status, options)
      return
    }
    if (status >= 200) this.isFinal = true
    this.core.submit(() => this.send(status, options))
  }

  /**
   * Accepts an INVITE with 200, repeated until its ACK comes.
   * @returns the call, when the ACK has come
   * @throws SipUsageError NOT_AN_INVITE, ALREADY_ANSWERED; SipTransactionError CANCELLED, ACK_MISSING, CALL_ENDED
   */
  accept(options: AcceptOptions = {}): Promise<Call> {
    const problem = this.acceptProblem()
    if (problem !== undefined) return Promise.reject(problem)
    const { promise, resolve, reject } = withResolvers<Call>()
    const call = this.callForAnswer()
    call.whenConfirmed(this.message.cseq.seq, resolve, reject)
    const { sdp, headers, signal } = options
    if (signal?.aborted) return Promise.reject(new SipTransactionError('ABORTED'))
    this.isFinal = true
    const abort = () => {
      reject(new SipTransactionError('ABORTED'))
      call.hangUp('aborted')
    }
    signal?.addEventListener('abort', abort, { once: true })
    const settled = () => signal?.removeEventListener('abort', abort)
    promise.then(settled, settled)
    this.core.submit(() => {
      const session = this.acceptInto(call, 200, { ...(headers === undefined ? {} : { headers }), ...bodyOf(sdp) })
      if (session === undefined) reject(new SipTransactionError('CALL_ENDED'))
      else call.attach(session)
    })
    return promise
  }

  /**
   * Calls one or several targets and connects the caller with the first that answers (back-to-back user agent).
   * Resolves as soon as the bridge is set up, not when it is answered.
   * @throws SipUsageError NOT_AN_INVITE, ALREADY_ANSWERED, TARGETS_MISSING, TARGET_INVALID; SipTransactionError CANCELLED
   */
  async bridge(
    targets: BridgeTarget | string | readonly (BridgeTarget | string)[],
    options: BridgeOptions = {},
  ): Promise<Bridge> {
    const problem = this.acceptProblem()
    if (problem !== undefined) throw problem
    const list = typeof targets === 'string' || !Array.isArray(targets) ? [targets as BridgeTarget | string] : targets
    return startBridge(this.core, this, list, options)
  }

  /**
   * @internal A request other than INVITE that nobody answers is given up when its sender must have given up: the 408
   * is never sent (RFC 4320 §4.2) and ends the transaction, which would wait for ever.
   */
  limitWaiting(): void {
    if (this.isFinal || this.method === 'INVITE') return
    const { driver, timers } = this.core
    this.lateAnswer = driver.at(driver.nowMs + timers.F, () => this.answer(408))
  }

  /** @internal The stack's own answer; does nothing when there is one. */
  answer(status: number, headers: readonly HeaderInit[] = [], reason?: string): void {
    if (this.isFinal) return
    if (status >= 200) this.isFinal = true
    this.core.submit(() => this.send(status, { headers, ...(reason === undefined ? {} : { reason }) }))
  }

  /** @internal A provisional response of the stack itself. */
  progress(status: number, sdp: Uint8Array | undefined): void {
    if (!this.isFinal) this.send(status, bodyOf(sdp))
  }

  /** @internal Sends the 2xx and gives the dialog to `owner`. Runs inside an input; `isFinal` may be set already. */
  acceptInto(owner: SessionOwner, status: number, options: ReplyOptions): DialogSession | undefined {
    this.isFinal = true
    const session = this.ensureSession()
    session.owner ??= owner
    const response = this.build(status, options)
    this.settle()
    if (!session.accept(this, response)) return undefined
    this.core.driver.layer.sendResponse(this.transactionId, response, this.core.driver.nowMs, this.core.driver.out)
    return session
  }

  /** @internal 487: the INVITE was cancelled or its dialog ended (RFC 3261 §9.2, §15.1.2). */
  terminate(): void {
    if (this.isFinal) return
    this.isFinal = true
    this.isAbandoned = true
    this.send(487, {})
    this.tellAbandoned()
  }

  /** @internal */
  cancelled(): void {
    this.terminate()
  }

  /** @internal */
  failed(_reason: TransactionFailure): void {
    if (this.isAbandoned) return
    const wasFinal = this.isFinal
    this.isFinal = true
    this.isAbandoned = true
    this.settle()
    if (wasFinal) return
    this.session?.rejected(this)
    this.tellAbandoned()
  }

  /** @internal */
  terminated(): void {
    if (this.isFinal) this.settle()
    else this.failed('timeout')
  }

  /** @internal The stack closes. */
  hangUp(): void {
    this.terminate()
  }

  private acceptProblem(): Error | undefined {
    if (this.method !== 'INVITE') return new SipUsageError('NOT_AN_INVITE', this.method)
    if (this.isAbandoned) return new SipTransactionError('CANCELLED')
    return this.isFinal ? new SipUsageError('ALREADY_ANSWERED') : undefined
  }

  /** The call that a 2xx makes, or the one that a re-INVITE belongs to. */
  private callForAnswer(): Call {
    const owner = this.session?.owner
    const call = owner instanceof Call ? owner : new Call(this.core)
    if (this.message.bodyLength > 0) call.remoteSdp = this.message.body
    return call
  }

  private acceptSilently(status: number, options: ReplyOptions): void {
    const call = this.callForAnswer()
    this.isFinal = true
    this.core.submit(() => {
      const session = this.acceptInto(call, status, options)
      if (session !== undefined) call.attach(session)
    })
  }

  private send(status: number, options: ReplyOptions): void {
    const { driver } = this.core
    if (this.method === 'INVITE' && status > 100 && status < 200) this.ensureSession()
    driver.layer.sendResponse(this.transactionId, this.build(status, options), driver.nowMs, driver.out)
    if (status < 200) return
    this.settle()
    if (this.method === 'INVITE') this.session?.rejected(this)
    else if (this.method === 'UPDATE') this.session?.updateAnswered(status, options.body !== undefined)
  }

  private build(status: number, options: ReplyOptions): SipResponse {
    const makesDialog = (this.method === 'INVITE' || this.method === 'UPDATE') && status > 100 && status < 300
    const headers: HeaderInit[] = []
    if (typeof options.contact === 'string') headers.push(['Contact', options.contact])
    else if (options.contact ?? makesDialog) this.addContact(headers)
    if (makesDialog) headers.push(...this.core.capabilityHeaders(this.session?.allow))
    if (this.core.capabilities.server !== undefined) headers.push(['Server', this.core.capabilities.server])
    headers.push(...(options.headers ?? []))
    const { body, contentType, reason } = options
    return responseTo(this.message, status, {
      ...(status > 100 ? { toTag: this.localTag } : {}),
      ...(reason === undefined ? {} : { reason }),
      ...(body === undefined ? {} : { body, contentType: contentType ?? 'application/sdp' }),
      headers,
      recordRoute: makesDialog,
    })
  }

  private addContact(headers: HeaderInit[]): void {
    const entry = this.core.egress.entryOf(this.flow)
    if (entry === undefined) return
    const { uri } = this.message.to
    const user = uri instanceof SipUri ? uri.user : undefined
    headers.push(['Contact', this.core.egress.contactFor(entry, this.flow.remote.address, user)])
  }

  private get localTag(): string {
    this.ownTag ??= this.session?.dialog.localTag ?? this.core.newTag()
    return this.ownTag
  }

  private ensureSession(): DialogSession {
    if (this.session !== undefined) return this.session
    const session = new DialogSession(this.core, Dialog.ofServer(this.message, this.localTag, this.flow.isSecure))
    session.allow = this.dialogAllow
    session.open(this)
    this.session = session
    return session
  }

  /** It waits for no answer any more. */
  private settle(): void {
    this.lateAnswer?.cancel()
    this.lateAnswer = undefined
    this.core.driver.servers.delete(this.transactionId)
    if (!this.core.waiting.delete(this)) return
    if (this.method === 'INVITE') this.core.ringing -= 1
    this.core.alive.delete(this)
    this.core.onChange()
  }

  private tellAbandoned(): void {
    this.onAbandoned?.()
    this.controller?.abort(new SipTransactionError('CANCELLED'))
  }
}

function bodyOf(sdp: Uint8Array | string | undefined): ReplyOptions {
  return sdp === undefined ? {} : { body: sdp, contentType: 'application/sdp' }
}

interface Resolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

function withResolvers<T>(): Resolvers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
