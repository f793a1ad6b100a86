/** A call with one peer, as its user sees it: RFC 3261 §13 to §15. */
import type { NameAddr, SipRequest, SipResponse } from '@carillon/sip-parser'
import { SipTransactionError, SipUsageError, type TransactionErrorCode } from '../errors'
import type { Closable, Core } from './core'
import type { DialogSession, SessionOwner } from './dialog-session'
import { runHandlers } from './handler-chain'
import type { IncomingRequest } from './incoming-request'
import type { CallEnd, Handler, InDialogOptions } from './options'

/** Options of {@link Call.reinvite}. */
export interface ReinviteOptions extends Pick<InDialogOptions, 'headers' | 'signal' | 'timeoutMs'> {
  /** The offer; without it the peer makes one, and `answer` gives the answer. */
  readonly sdp?: Uint8Array | string
  readonly answer?: (offer: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>
}

interface Waiter {
  readonly cseq: number
  readonly resolve: (call: Call) => void
  readonly reject: (error: Error) => void
}

/** A call that has been answered. It lasts until either side hangs up or is lost. */
export class Call implements SessionOwner, Closable {
  /** How it ended; never rejects. */
  readonly ended: Promise<CallEnd>
  /** The session description that the peer sent last. */
  remoteSdp: Uint8Array | undefined
  private readonly core: Core
  private readonly handlers: Handler[] = []
  private session: DialogSession | undefined
  private waiters: Waiter[] = []
  private end: CallEnd | undefined
  private tellEnded!: (end: CallEnd) => void

  /** @internal */
  constructor(core: Core) {
    this.core = core
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
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

  get state(): 'active' | 'ended' {
    return this.end === undefined ? 'active' : 'ended'
  }

  /** Handlers of requests inside the call: INFO, MESSAGE, UPDATE, re-INVITE. BYE and ACK belong to the stack. */
  onRequest(...handlers: Handler[]): this {
    this.handlers.push(...handlers)
    return this
  }

  /**
   * Sends a request inside the call. Resolves with its final response, whatever its status.
   * @throws SipUsageError METHOD_RESERVED; SipTransactionError CALL_ENDED, TIMEOUT, TRANSPORT_FAILED, ABORTED
   */
  request(method: string, options: InDialogOptions = {}): Promise<SipResponse> {
    if (['ACK', 'BYE', 'CANCEL', 'INVITE'].includes(method))
      return Promise.reject(new SipUsageError('METHOD_RESERVED', method))
    return this.withSession(options.signal, (session, resolve, reject, onAbort) => {
      const client = session.request(method, options, { final: resolve, error: reject })
      onAbort(() => client.giveUp('ABORTED'))
    })
  }

  /**
   * Changes the session (RFC 3261 §14.1). Resolves with the final response; a 2xx has been acknowledged. 491 means that
   * the peer was about to change it too: try again after a random wait.
   * @throws SipTransactionError GLARE when another INVITE of this call is under way; CALL_ENDED, TIMEOUT, TRANSPORT_FAILED, ABORTED
   */
  reinvite(options: ReinviteOptions = {}): Promise<SipResponse> {
    const { sdp, headers, timeoutMs } = options
    const body = sdp === undefined ? {} : { body: sdp, contentType: 'application/sdp' }
    const inDialog: InDialogOptions = {
      ...body,
      ...(headers === undefined ? {} : { headers }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }
    return this.withSession(options.signal, (session, resolve, reject, onAbort) => {
      const client = session.reinvite(inDialog, {
        final: (response, invite) => {
          if (response.status < 300) this.confirm(session, response, invite, options)
          resolve(response)
        },
        error: reject,
      })
      if (client === undefined) reject('GLARE')
      else onAbort(() => client.giveUp('ABORTED'))
    })
  }

  /** Hangs up. Resolves when the peer has answered the BYE, or will not. */
  bye(options: { readonly reason?: string } = {}): Promise<void> {
    return new Promise((resolve) => {
      if (this.core.driver.isStopped) resolve()
      this.core.submit(() => {
        if (this.session === undefined) resolve()
        else this.session.bye(options.reason, resolve)
      })
    })
  }

  /** @internal Gives the call its dialog. */
  attach(session: DialogSession): void {
    if (this.session !== undefined) return
    this.session = session
    session.owner = this
    this.core.calls += 1
    this.core.alive.add(this)
  }

  /** @internal Waits for the ACK of the 2xx to the INVITE of that number. */
  whenConfirmed(cseq: number, resolve: (call: Call) => void, reject: (error: Error) => void): void {
    this.waiters.push({ cseq, resolve, reject })
  }

  /** @internal */
  confirm(
    session: DialogSession,
    response: SipResponse,
    invite: SipRequest,
    options: Pick<ReinviteOptions, 'answer' | 'sdp'>,
  ): void {
    if (response.bodyLength > 0) this.remoteSdp = response.body
    if (options.sdp !== undefined || options.answer === undefined || response.bodyLength === 0) {
      session.ack(invite)
      return
    }
    const { answer } = options
    session.onAckWanted = () => session.ack(invite)
    Promise.resolve()
      .then(() => answer(response.body))
      .then(
        (sdp) => this.core.submit(() => session.ack(invite, sdp)),
        () =>
          this.core.submit(() => {
            session.ack(invite)
            session.bye('no answer to the offer')
          }),
      )
  }

  /** @internal */
  acknowledged(ack: SipRequest): void {
    if (ack.bodyLength > 0) this.remoteSdp = ack.body
    const waiting = this.waiters
    this.waiters = waiting.filter((waiter) => waiter.cseq !== ack.cseq.seq)
    for (const waiter of waiting) if (waiter.cseq === ack.cseq.seq) waiter.resolve(this)
  }

  /** @internal */
  endedBy(end: CallEnd): void {
    if (this.end !== undefined) return
    this.end = end
    if (this.core.alive.delete(this)) this.core.calls -= 1
    const waiting = this.waiters
    this.waiters = []
    const code = end.reason === 'no ACK' ? 'ACK_MISSING' : 'CALL_ENDED'
    for (const waiter of waiting) waiter.reject(new SipTransactionError(code))
    this.tellEnded(end)
  }

  /** @internal The stack closes. */
  hangUp(reason: string): void {
    this.core.submit(() => this.session?.bye(reason))
  }

  /** @internal A request in the dialog. */
  received(incoming: IncomingRequest): void {
    if (this.handlers.length === 0) answerByDefault(incoming)
    else runHandlers(this.core, this.handlers, incoming, answerByDefault)
  }

  private get dialog() {
    if (this.session === undefined) throw new SipTransactionError('CALL_ENDED')
    return this.session.dialog
  }

  private withSession(
    signal: AbortSignal | undefined,
    run: (
      session: DialogSession,
      resolve: (response: SipResponse) => void,
      reject: (code: TransactionErrorCode) => void,
      onAbort: (stop: () => void) => void,
    ) => void,
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
}

/** What a request in a call gets when its user does not care (RFC 3261 §8.2.1, §14.2). */
export function answerByDefault(incoming: IncomingRequest): void {
  if (incoming.method === 'INVITE' || incoming.method === 'UPDATE') incoming.answer(488)
  else if (incoming.method === 'OPTIONS') incoming.answer(200)
  else incoming.answer(isKnownMethod(incoming.method) ? 405 : 501, [['Allow', inCallAllow]])
}

const inCallAllow = 'INVITE, ACK, CANCEL, BYE, OPTIONS'

/** Methods that RFC 3261 and its extensions define: 405 when not wanted; others are 501 (RFC 3261 §8.2.1, §21.5.2). */
export function isKnownMethod(method: string): boolean {
  return knownMethods.has(method)
}

const knownMethods: ReadonlySet<string> = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE'.split(' '),
)
