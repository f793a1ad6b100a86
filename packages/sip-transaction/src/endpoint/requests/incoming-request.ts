/**
 * A request that waits for its answer: RFC 3261 §8.2.6 (responses), §13.3.1 (INVITE), §9.2 (CANCEL), §12.1.1 (dialogs).
 */
import type { HeaderInit, Reason, SipRequest, SipResponse } from '@carillon/sip-parser'
import { Dialog } from '../../dialog/dialog'
import type { TransactionFailure, TransactionId } from '../../effects'
import { SipTransactionError, SipUsageError, type TransactionErrorCode } from '../../errors'
import type { Flow } from '../../ports'
import type { Bridge } from '../bridge/bridge'
import { startBridge } from '../bridge/bridge-start'
import { acceptCall } from '../calls/accept-call'
import { Call } from '../calls/call'
import { DialogSession } from '../calls/dialog-session'
import { type EarlyDialog, earlyDialogOf, handOver } from '../calls/early-dialog'
import { reasonsOf } from '../calls/reason'
import { isReliableReply, ReliableResponses, type ReliableUser } from '../calls/reliable-responses'
import { sessionBody } from '../calls/session-body'
import type { SessionOwner } from '../calls/session-owner'
import type { Closable, Core } from '../core'
import type { Appointment, ServerUser } from '../driver'
import { SubscribableRequest } from '../events/subscribable-request'
import type { AcceptOptions, BridgeOptions, BridgeTarget, CallEnd, ReplyOptions } from '../options'
import { answerOnce, sendResponse, statelessTag } from '../wire/stateless-answer'
import { buildResponse } from './response-builder'

/** A request for a handler. Answer it with `reply`, `accept` or `bridge`, or send it on with `proxy`. */
export class IncomingRequest extends SubscribableRequest implements ServerUser, Closable, ReliableUser {
  /** @internal The dialog that the request is in, or has made. */
  session: DialogSession | undefined
  /** @internal What Allow says in the dialog that the request makes, when not what it says elsewhere. */
  dialogAllow: string | undefined
  /** @internal Told when the INVITE was cancelled or died before its answer. */
  onAbandoned: (() => void) | undefined
  private controller: AbortController | undefined
  private notes: Map<string, unknown> | undefined
  private isFinal = false
  private isWaiting = true
  private isAbandoned = false
  private ownTag: string | undefined
  private reliable: ReliableResponses | undefined
  private cancel: SipRequest | undefined
  private lateAnswer: Appointment | undefined

  /** @internal */
  constructor(core: Core, transactionId: TransactionId, message: SipRequest, flow: Flow, session?: DialogSession) {
    super(core, transactionId, message, flow)
    this.session = session
    core.waiting += 1
    core.driver.servers.set(transactionId, this)
    if (message.method !== 'INVITE') return
    core.ringing += 1
    if (session === undefined) core.alive.add(this)
    this.lateAnswer = core.driver.at(core.driver.nowMs + core.limits.inviteAnswerTimeoutMs, () => this.answer(480))
  }

  /** What handlers of one request tell each other. */
  get locals(): Map<string, unknown> {
    this.notes ??= new Map()
    return this.notes
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

  /** Why the INVITE was cancelled: the Reason header of the CANCEL (RFC 3326); empty when it did not say. */
  get cancelReasons(): readonly Reason[] {
    return (this.cancel === undefined ? undefined : reasonsOf(this.cancel).reasons) ?? []
  }

  /**
   * The early dialog that a provisional response with a To tag has made, for UPDATE and other requests before the answer;
   * undefined before that and after the final response.
   */
  get early(): EarlyDialog | undefined {
    const { session } = this
    return this.method !== 'INVITE' || session === undefined ? undefined : earlyDialogOf(this.core, session)
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
    // A handler finds the early dialog of its response at once, though the response goes out when the handler has paused.
    else if (status > 100 && this.method === 'INVITE' && !this.core.driver.isStopped) this.ensureSession()
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
    if (options.signal?.aborted) return Promise.reject(new SipTransactionError('ABORTED'))
    const call = this.callForAnswer()
    this.isFinal = true
    const { seq } = this.message.cseq
    return acceptCall(this.core, call, seq, options, (reply) => this.acceptInto(call, 200, reply))
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

  /** @internal True when the caller has given up. */
  override get wasAbandoned(): boolean {
    return this.isAbandoned
  }

  /** @internal Whoever proxies the request answers it. */
  override handOver(): void {
    this.isFinal = true
    this.settle()
  }

  /** @internal The caller of a proxied request gave up. */
  override abandonedBy(cancel: SipRequest | undefined): void {
    this.cancel = cancel
    this.isAbandoned = true
    this.tellAbandoned()
  }

  /** @internal Gives up what nobody answers, INVITE apart: 408 is never sent (RFC 4320 §4.2), but ends the transaction. */
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

  /** @internal The same at once, before whatever else this input leads to. Runs inside an input. */
  answerNow(status: number): void {
    if (this.isFinal) return
    this.isFinal = true
    this.send(status, {})
  }

  /**
   * @internal A provisional response of a bridge. A description that another branch may still replace (`mayChange`) is
   * left out of a reliable response, where it would be the answer for good (RFC 3262 §5).
   */
  progress(status: number, sdp: Uint8Array | undefined, options: ReplyOptions & { readonly mayChange: boolean }): void {
    const isUnsure = options.mayChange && isReliableReply(this.core, this.message, {})
    if (!this.isFinal) this.send(status, { ...options, ...sessionBody(isUnsure ? undefined : sdp) })
  }

  /**
   * @internal Sends the 2xx, as soon as no PRACK stands against it, and gives the dialog to `owner`. Runs inside an input;
   * `isFinal` may be set already.
   */
  acceptInto(owner: SessionOwner, status: number, options: ReplyOptions): DialogSession | undefined {
    this.isFinal = true
    const session = this.ensureSession()
    handOver(session, owner)
    if (!session.mayAccept) {
      this.settle()
      return undefined
    }
    const deliver = () => this.sendSuccess(session, status, options)
    if (this.reliable === undefined) deliver()
    else this.reliable.sendFinal(true, deliver)
    return session
  }

  /** @internal 487: the INVITE was cancelled or its dialog ended (RFC 3261 §9.2, §15.1.2). */
  terminate(): void {
    if (this.isFinal && !this.isHeld) return
    this.isFinal = true
    this.isAbandoned = true
    this.send(487, {}, { by: 'remote', reason: 'cancelled' })
    this.tellAbandoned()
  }

  /** @internal A final response of the stack, in place of a 2xx that waits for its PRACK as well. */
  refuse(status: number): void {
    if (this.isFinal && !this.isHeld) return
    this.isFinal = true
    this.isAbandoned = true
    this.send(status, {})
    this.tellAbandoned()
  }

  /** @internal */
  cancelled(cancel: SipRequest): void {
    this.cancel = cancel
    this.terminate()
  }

  /** @internal */
  transmit(status: number, options: ReplyOptions, rseq: number): SipResponse {
    const { session } = this
    const { body, headers = [] } = options
    const response = this.build(status, { ...options, headers: [...headers, ['Require', '100rel'], ['RSeq', rseq]] })
    if (body !== undefined) session?.negotiation.sentResponse(body)
    this.repeat(response)
    return response
  }

  /** @internal */
  repeat(response: SipResponse, isKept = true): void {
    if (isKept) sendResponse(this.core, this.transactionId, response, this.ownTag)
    else answerOnce(this.core, this.transactionId, this.message, response, this.flow)
    this.core.onAnswer?.(this.message, this.flow, response.status)
  }

  /** @internal */
  acknowledged(prack: IncomingRequest): void {
    if (this.session === undefined) prack.answer(481)
    else this.session.offers.prackAccepted(prack)
  }

  /** @internal RFC 3262 §3: the caller has lost touch. */
  gaveUp(): void {
    if (this.isAbandoned) return
    this.isFinal = true
    this.isAbandoned = true
    this.deliver(504, {}, { by: 'timeout', reason: 'no PRACK' })
    this.tellAbandoned('PRACK_MISSING')
  }

  /** @internal */
  failed(_reason: TransactionFailure): void {
    if (this.isAbandoned) return
    const wasFinal = this.isFinal && !this.isHeld
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

  protected override expectUntouched(): void {
    const isTouched = this.session !== undefined || (this.isFinal && !this.isAbandoned)
    if (isTouched) throw new SipUsageError('ALREADY_ANSWERED', this.method)
  }

  /** The call that a 2xx makes, or the one that a re-INVITE belongs to. */
  private callForAnswer(): Call {
    const owner = this.session?.owner
    return owner instanceof Call ? owner : new Call(this.core)
  }

  private acceptSilently(status: number, options: ReplyOptions): void {
    const call = this.callForAnswer()
    this.isFinal = true
    this.core.submit(() => {
      const session = this.acceptInto(call, status, options)
      if (session !== undefined) call.attach(session)
    })
  }

  /** True while a 2xx waits for a PRACK. */
  private get isHeld(): boolean {
    return this.reliable?.isHolding === true
  }

  private send(status: number, options: ReplyOptions, end?: CallEnd): void {
    if (this.method === 'INVITE' && status > 100 && status < 200) {
      this.ensureSession()
      if (isReliableReply(this.core, this.message, options)) {
        this.reliableResponses().send(status, options)
        return
      }
    }
    if (status >= 200 && this.reliable !== undefined) {
      this.reliable.sendFinal(false, () => this.deliver(status, options, end))
    } else this.deliver(status, options, end)
  }

  private deliver(status: number, options: ReplyOptions, end?: CallEnd): void {
    const isKept = options.stateless !== true || this.method === 'INVITE' || this.session !== undefined
    if (!isKept) this.ownTag = statelessTag(this.core, this.message)
    this.repeat(this.build(status, options), isKept)
    if (status < 200) return
    this.settle()
    if (this.method === 'INVITE') this.session?.rejected(this, end)
    else if (this.method === 'UPDATE' || this.method === 'PRACK')
      this.session?.offers.answered(this, status, options.body)
  }

  private sendSuccess(session: DialogSession, status: number, options: ReplyOptions): void {
    const response = this.build(status, options)
    this.settle()
    if (!session.accept(this, response, options.body)) return
    this.core.driver.layer.release(this.transactionId)
    this.repeat(response)
  }

  private reliableResponses(): ReliableResponses {
    this.reliable ??= new ReliableResponses(this.core, this.message.cseq.seq, this)
    if (this.session !== undefined) this.session.reliable = this.reliable
    return this.reliable
  }

  private build(status: number, options: ReplyOptions): SipResponse {
    return buildResponse(this.core, this, this.localTag, status, options)
  }

  /** @internal Our tag, in every answer but 100. */
  get localTag(): string {
    this.ownTag ??= this.session?.dialog.localTag ?? this.core.newTag()
    return this.ownTag
  }

  private ensureSession(): DialogSession {
    if (this.session !== undefined) return this.session
    const dialog = Dialog.ofServer(this.message, this.localTag, this.flow.isSecure)
    const session = new DialogSession(this.core, dialog, false)
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
    if (!this.isWaiting) return
    this.isWaiting = false
    this.core.waiting -= 1
    if (this.method === 'INVITE') this.core.ringing -= 1
    this.core.alive.delete(this)
    this.core.onChange()
  }

  private tellAbandoned(code: TransactionErrorCode = 'CANCELLED'): void {
    this.onAbandoned?.()
    this.controller?.abort(new SipTransactionError(code))
  }
}
