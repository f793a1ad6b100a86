/** A call with one peer, as its user sees it: RFC 3261 §13 to §15; RFC 3515 and RFC 3891 (transfers), RFC 6086 (INFO). */
import type { SipRequest, SipResponse, SipUri } from '@carillon/sip-parser'
import { changedOffer, isHolding } from '../../dialog/hold'
import { SipTransactionError, SipUsageError, type TransactionErrorCode } from '../../errors'
import type { Closable, Core } from '../core'
import type { CallEnd, InDialogOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import { readUri } from '../requests/outgoing'
import { type CallEvents, CallListeners } from './call-requests'
import { CallTransfers, referToOf, type TransferOptions, type TransferOutcome } from './call-transfer'
import { DialogHandle, type UpdateOptions } from './dialog-handle'
import type { DialogSession } from './dialog-session'
import { dtmfDurationMs, isDigit, writeDtmf } from './dtmf'
import { handOver } from './early-dialog'
import { IncomingTransfer, type MakeCall } from './incoming-transfer'
import type { Answerer } from './provisional-responses'
import { readRefer } from './refer-target'
import { sessionBody } from './session-body'

/** Options of {@link Call.reinvite}. */
export interface ReinviteOptions extends UpdateOptions {
  /** The offer; without it the peer makes one, and `answer` gives the answer. */
  readonly sdp?: Uint8Array | string
  readonly answer?: (offer: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>
}

/** Options of {@link Call.sendDtmf}. */
export interface DtmfOptions {
  /** How long each digit is said to be; default 160. */
  readonly durationMs?: number
  /** Sends a digit in the media (RFC 4733) in place of INFO; the next one goes when it resolves. */
  readonly media?: (digit: string, durationMs: number) => void | Promise<void>
}

interface Waiter {
  readonly cseq: number
  readonly resolve: (call: Call) => void
  readonly reject: (error: Error) => void
}

/** What whoever waits for the ACK is told, by the reason of the end. */
const codeOfEnd: Readonly<Record<string, TransactionErrorCode>> = {
  'no ACK': 'ACK_MISSING',
  'no PRACK': 'PRACK_MISSING',
  cancelled: 'CANCELLED',
}

/** A call that has been answered. It lasts until either side hangs up or is lost. */
export class Call extends DialogHandle implements Closable {
  /** How it ended; never rejects. */
  readonly ended: Promise<CallEnd>
  private waiters: Waiter[] = []
  private end: CallEnd | undefined
  private tellEnded!: (end: CallEnd) => void
  private listeners: CallListeners | undefined
  private transfers: CallTransfers | undefined

  /** @internal */
  constructor(core: Core) {
    super(core)
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
  }

  get state(): 'active' | 'ended' {
    return this.end === undefined ? 'active' : 'ended'
  }

  /**
   * The session timer as agreed (RFC 4028): the interval in seconds, and whether this side refreshes; undefined when there
   * is none. The stack does the rest.
   */
  get sessionTimer(): { readonly seconds: number; readonly isLocal: boolean } | undefined {
    return this.session?.timers.agreement
  }

  /**
   * Changes the session (RFC 3261 §14.1). Resolves with the final response; a 2xx has been acknowledged. 491 means that
   * the peer was about to change it too: by default it is tried again after a random wait.
   * @throws SipTransactionError GLARE when another INVITE or offer of this call is under way; CALL_ENDED, TIMEOUT, TRANSPORT_FAILED, ABORTED
   */
  reinvite(options: ReinviteOptions = {}): Promise<SipResponse> {
    const { sdp, headers, timeoutMs, signal, answer } = options
    const body = sessionBody(sdp)
    const inDialog: InDialogOptions = {
      ...body,
      ...(headers === undefined ? {} : { headers }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }
    return this.afterGlare(options.glare ?? 'retry', signal, () =>
      this.withSession(signal, (session, resolve, reject, onAbort) => {
        const client = session.reinvite(inDialog, {
          answer,
          final: (response, invite) => {
            if (response.status < 300) this.confirm(session, response, invite, answer)
            resolve(response)
          },
          error: reject,
        })
        if (client === undefined) reject('GLARE')
        else onAbort(() => client.giveUp('ABORTED'))
      }),
    )
  }

  /** Who has put the other side on hold: we, by what we said last, and the peer, by what it said last. */
  get hold(): { readonly local: boolean; readonly remote: boolean } {
    const { local, remote } = this.session?.negotiation ?? {}
    return { local: isHolding(local), remote: isHolding(remote) }
  }

  /** Hears of transfers, digits and INFO of the peer. Returns a function that stops it. */
  on<K extends keyof CallEvents>(event: K, listener: (data: CallEvents[K]) => void): () => void {
    this.listeners ??= new CallListeners(this.core)
    return this.listeners.on(event, listener)
  }

  /**
   * Puts the peer on hold: the description of before, receiving nothing (RFC 3264 §8.4).
   * @throws SipUsageError SDP_MISSING without a description of ours to change; SipTransactionError as {@link reinvite}
   */
  holdPeer(options: Pick<ReinviteOptions, 'headers' | 'signal' | 'timeoutMs'> = {}): Promise<SipResponse> {
    return this.changeHold('hold', options)
  }

  /** Takes the peer off hold; otherwise as {@link holdPeer}. */
  resumePeer(options: Pick<ReinviteOptions, 'headers' | 'signal' | 'timeoutMs'> = {}): Promise<SipResponse> {
    return this.changeHold('resume', options)
  }

  /**
   * Asks the peer to call somebody else (blind transfer). Resolves when it is known what came of it, whatever that is; the
   * call goes on, and is usually hung up then.
   * @throws SipUsageError TARGET_INVALID; SipTransactionError CALL_ENDED, TIMEOUT, TRANSPORT_FAILED, ABORTED
   */
  async transfer(target: string | SipUri, options: TransferOptions = {}): Promise<TransferOutcome> {
    const value = referToOf(readUri(target, 'target'), undefined)
    return this.referTo(() => value, options)
  }

  /**
   * Asks the peer to take our place in another call of ours (attended transfer, RFC 3891). Otherwise as {@link transfer}.
   * @throws SipUsageError SAME_CALL for this very call; SipTransactionError as {@link transfer}
   */
  transferTo(other: Call, options: TransferOptions = {}): Promise<TransferOutcome> {
    if (other === this) return Promise.reject(new SipUsageError('SAME_CALL'))
    return this.referTo(() => {
      const { session } = other
      return session?.isAlive === true ? referToOf(session.dialog.remoteTarget, session) : undefined
    }, options)
  }

  /**
   * Sends digits one after the other, each as INFO with `application/dtmf-relay`, or in the media by a function of yours.
   * @throws SipUsageError DTMF_INVALID; SipTransactionError DTMF_REFUSED when the peer does not take INFO, CALL_ENDED, TIMEOUT
   */
  async sendDtmf(digits: string, options: DtmfOptions = {}): Promise<void> {
    const { durationMs = dtmfDurationMs, media } = options
    if (digits === '' || ![...digits].every(isDigit)) throw new SipUsageError('DTMF_INVALID')
    for (const digit of digits) {
      if (media !== undefined) await media(digit, durationMs)
      else {
        const body = writeDtmf({ digit, durationMs })
        const { status } = await this.request('INFO', { body, contentType: 'application/dtmf-relay' })
        if (status >= 300) throw new SipTransactionError('DTMF_REFUSED', `${status}`)
      }
    }
  }

  /** For what receives the media: a digit came there (RFC 4733). Listeners of `dtmf` hear of it as of one that came by INFO. */
  hearDtmf(digit: string, durationMs = dtmfDurationMs): void {
    if (!isDigit(digit)) throw new SipUsageError('DTMF_INVALID')
    this.listeners?.emit('dtmf', { digit, durationMs })
  }

  /**
   * Sends an INFO of a package (RFC 6086). Resolves with the final response; 469 says that the peer does not take it.
   * @throws SipTransactionError as `request`
   */
  info(infoPackage: string, options: InDialogOptions = {}): Promise<SipResponse> {
    const headers = [['Info-Package', infoPackage], ...(options.headers ?? [])] as const
    return this.request('INFO', { ...options, headers })
  }

  /** Sends a MESSAGE inside the call (RFC 3428 §7). Resolves with the final response. */
  message(text: string, options: Omit<InDialogOptions, 'body'> = {}): Promise<SipResponse> {
    return this.request('MESSAGE', { contentType: 'text/plain;charset=utf-8', ...options, body: text })
  }

  /**
   * Hangs up. Resolves when the peer has answered the BYE, or will not.
   * @param options `reason`: words for the Reason header, or a whole value of it: `Q.850 ;cause=16` (RFC 3326)
   */
  bye(options: { readonly reason?: string } = {}): Promise<void> {
    return new Promise((resolve) => {
      if (this.core.driver.isStopped) resolve()
      this.core.submit(() => {
        if (this.session === undefined) resolve()
        else this.session.bye(options.reason, resolve)
      })
    })
  }

  /** @internal */
  override received(incoming: IncomingRequest): void {
    const { method } = incoming
    if (method === 'NOTIFY' && this.transfers?.receive(incoming) === true) return
    if (method === 'INFO' && this.receiveInfo(incoming)) return
    if (method === 'REFER' && this.listeners?.has('transfer') === true) this.receiveRefer(incoming)
    else super.received(incoming)
  }

  /** @internal Gives the call its dialog. */
  attach(session: DialogSession): void {
    if (this.session !== undefined) return
    handOver(session, this)
    this.session = session
    this.core.calls += 1
    this.core.alive.add(this)
  }

  /** @internal Waits for the ACK of the 2xx to the INVITE of that number. */
  whenConfirmed(cseq: number, resolve: (call: Call) => void, reject: (error: Error) => void): void {
    this.waiters.push({ cseq, resolve, reject })
  }

  /** @internal Acknowledges a 2xx; one that carries an offer gets its answer in the ACK. */
  confirm(session: DialogSession, response: SipResponse, invite: SipRequest, answer: Answerer | undefined): void {
    if (answer === undefined || session.negotiation.state !== 'remote-offer') {
      session.ack(invite)
      return
    }
    session.onAckWanted = () => session.ack(invite)
    Promise.resolve()
      .then(() => answer(session.negotiation.offered ?? response.body))
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
    const code = codeOfEnd[end.reason ?? ''] ?? 'CALL_ENDED'
    for (const waiter of waiting) waiter.reject(new SipTransactionError(code))
    this.transfers?.end()
    this.tellEnded(end)
  }

  /** @internal The stack closes. */
  hangUp(reason: string): void {
    this.core.submit(() => this.session?.bye(reason))
  }

  private changeHold(kind: 'hold' | 'resume', options: Pick<ReinviteOptions, 'headers' | 'signal' | 'timeoutMs'>) {
    const sdp = changedOffer(this.session?.negotiation.local, kind)
    if (sdp === undefined) return Promise.reject(new SipUsageError('SDP_MISSING'))
    return this.reinvite({ ...options, sdp })
  }

  private referTo(value: () => string | undefined, options: TransferOptions): Promise<TransferOutcome> {
    this.transfers ??= new CallTransfers(() => this.session)
    return this.transfers.refer(value, options)
  }

  private receiveInfo(incoming: IncomingRequest): boolean {
    if (this.listeners === undefined && !incoming.message.has('Info-Package')) return false
    this.listeners ??= new CallListeners(this.core)
    return this.listeners.receiveInfo(incoming)
  }

  private receiveRefer(incoming: IncomingRequest): void {
    const { session, core } = this
    const facts = readRefer(incoming.message)
    if (session === undefined) incoming.answer(481)
    else if (facts.kind === 'refused') incoming.answer(facts.status)
    else {
      const made: MakeCall = (answered, response, invite, answer) => {
        const call = new Call(core)
        call.attach(answered)
        call.confirm(answered, response, invite, answer)
        return call
      }
      this.listeners?.emit('transfer', new IncomingTransfer(core, session, incoming, facts, made))
    }
  }
}
