/**
 * What a user can do inside a dialog, early or answered: RFC 3261 §12.2, RFC 3311 (UPDATE), RFC 3261 §14.1 and RFC 3311
 * §5.1 (the wait after 491).
 */
import type { NameAddr, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { Dialog } from '../../dialog/dialog'
import { glareWaitMs } from '../../dialog/glare'
import { SipTransactionError, SipUsageError, type TransactionErrorCode } from '../../errors'
import { answerByDefault } from '../answer-by-default'
import type { Core } from '../core'
import type { CallEnd, Handler, InDialogOptions } from '../options'
import { runHandlers } from '../requests/handler-chain'
import type { IncomingRequest } from '../requests/incoming-request'
import type { Listed } from '../roster'
import type { DialogSession } from './dialog-session'
import { sessionBody } from './session-body'
import type { SessionOwner } from './session-owner'

/** Options of {@link DialogHandle.update}. */
export interface UpdateOptions extends Pick<InDialogOptions, 'headers' | 'signal' | 'timeoutMs'> {
  /** The offer; without it only target and session are refreshed. */
  readonly sdp?: Uint8Array | string
  /**
   * What a 491 leads to: `retry`, the default, tries again after the random wait of RFC 3261 §14.1; `report` resolves
   * with it.
   */
  readonly glare?: 'retry' | 'report'
}

type Settle = (response: SipResponse) => void
type Fail = (code: TransactionErrorCode) => void

/** A dialog in the hands of its user. */
export abstract class DialogHandle implements SessionOwner {
  /** @internal */
  protected readonly core: Core
  /** @internal */
  protected session: DialogSession | undefined
  private readonly handlers: Handler[] = []

  /** @internal */
  constructor(core: Core) {
    this.core = core
  }

  get callId(): string {
    return this.dialog.callId
  }

  get localTag(): string {
    return this.dialog.localTag
  }

  get remoteTag(): string {
    return this.dialog.remoteTag
  }

  /** Our side, as we write it in From. */
  get local(): NameAddr {
    return this.dialog.local
  }

  /** The peer, as we write it in To. */
  get remote(): NameAddr {
    return this.dialog.remote
  }

  /** The session description that the peer sent last; a copy, the caller's to keep. */
  get remoteSdp(): Uint8Array | undefined {
    return this.session?.negotiation.remote
  }

  /** Handlers of requests inside the dialog: INFO, MESSAGE, UPDATE, re-INVITE. BYE, ACK and PRACK belong to the stack. */
  onRequest(...handlers: Handler[]): this {
    this.handlers.push(...handlers)
    return this
  }

  /**
   * Sends a request inside the dialog. Resolves with its final response, whatever its status.
   * @throws SipUsageError METHOD_RESERVED; SipTransactionError CALL_ENDED, TIMEOUT, TRANSPORT_FAILED, ABORTED
   */
  request(method: string, options: InDialogOptions = {}): Promise<SipResponse> {
    if (['ACK', 'BYE', 'CANCEL', 'INVITE', 'PRACK'].includes(method))
      return Promise.reject(new SipUsageError('METHOD_RESERVED', method))
    return this.withSession(options.signal, (session, resolve, reject, onAbort) => {
      const isOffer = method === 'UPDATE' && options.body !== undefined
      if (isOffer && session.negotiation.state !== 'stable') {
        reject('GLARE')
        return
      }
      const client = session.request(method, options, { final: resolve, error: reject })
      onAbort(() => client.giveUp('ABORTED'))
    })
  }

  /**
   * Changes the session by UPDATE (RFC 3311), which may be done before the call is answered too. Resolves with the final
   * response; the answer is then in `remoteSdp`.
   * @throws SipTransactionError GLARE when another offer of this dialog is open; CALL_ENDED, TIMEOUT, TRANSPORT_FAILED, ABORTED
   */
  update(options: UpdateOptions = {}): Promise<SipResponse> {
    const { sdp, glare = 'retry', ...rest } = options
    const body = sessionBody(sdp)
    return this.afterGlare(glare, options.signal, () => this.request('UPDATE', { ...rest, ...body }))
  }

  /** @internal A request in the dialog. */
  received(incoming: IncomingRequest): void {
    const last = (request: IncomingRequest) => answerByDefault(request, this.session)
    if (this.handlers.length === 0) last(incoming)
    else runHandlers(this.core, this.handlers, incoming, last)
  }

  /** @internal */
  abstract acknowledged(ack: SipRequest): void

  /** @internal */
  abstract endedBy(end: CallEnd): void

  /** @internal Its dialog, for whoever connects it with another one. */
  get dialogSession(): DialogSession | undefined {
    return this.session
  }

  /** @internal The handlers, for whoever takes the dialog over. */
  get requestHandlers(): readonly Handler[] {
    return this.handlers
  }

  /** @internal */
  protected get dialog(): Dialog {
    if (this.session === undefined) throw new SipTransactionError('CALL_ENDED')
    return this.session.dialog
  }

  /** @internal Runs a request until it is answered with anything but 491, or often enough. */
  protected async afterGlare(
    mode: 'retry' | 'report',
    signal: AbortSignal | undefined,
    run: () => Promise<SipResponse>,
  ): Promise<SipResponse> {
    for (let tries = 0; ; tries += 1) {
      const isLast = mode === 'report' || tries >= this.core.limits.glareRetriesMax
      try {
        const response = await run()
        if (response.status !== 491 || isLast) return response
      } catch (error) {
        // While we waited, the peer may have begun what it got its own 491 for.
        const isGlare = error instanceof SipTransactionError && error.code === 'GLARE'
        if (!isGlare || tries === 0 || isLast) throw error
      }
      await this.wait(glareWaitMs(this.session?.isCallIdOwner ?? false, this.core.random.fraction()), signal)
    }
  }

  /** @internal */
  protected withSession(
    signal: AbortSignal | undefined,
    run: (session: DialogSession, resolve: Settle, reject: Fail, onAbort: (stop: () => void) => void) => void,
  ): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted || this.core.driver.isStopped) {
        reject(new SipTransactionError(signal?.aborted ? 'ABORTED' : 'STACK_CLOSED'))
        return
      }
      let stop: (() => void) | undefined
      const abort = () => {
        reject(new SipTransactionError('ABORTED'))
        this.core.submit(() => stop?.())
      }
      signal?.addEventListener('abort', abort, { once: true })
      const settle = () => signal?.removeEventListener('abort', abort)
      const fail = (code: TransactionErrorCode) => {
        settle()
        reject(new SipTransactionError(code))
      }
      this.core.submit(() => {
        const { session } = this
        if (session === undefined || !session.isAlive) fail('CALL_ENDED')
        else {
          const succeed = (response: SipResponse) => {
            settle()
            resolve(response)
          }
          run(session, succeed, fail, (give) => {
            stop = give
          })
        }
      })
    })
  }

  private wait(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { core } = this
    return new Promise((resolve, reject) => {
      const waiting: Listed & { abandon(): void } = { abandon: () => end('STACK_CLOSED') }
      const abort = () => end('ABORTED')
      const end = (code?: TransactionErrorCode) => {
        appointment.cancel()
        signal?.removeEventListener('abort', abort)
        if (core.requests.delete(waiting)) core.onChange()
        if (code === undefined) resolve()
        else reject(new SipTransactionError(code))
      }
      const appointment = core.driver.at(core.driver.nowMs + durationMs, () => end())
      core.requests.add(waiting)
      if (signal?.aborted) end('ABORTED')
      else signal?.addEventListener('abort', abort, { once: true })
    })
  }
}
