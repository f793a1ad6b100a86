/** A call with one peer, as its user sees it: RFC 3261 §13 to §15. */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import { SipTransactionError, type TransactionErrorCode } from '../errors'
import type { Closable, Core } from './core'
import { DialogHandle, type UpdateOptions } from './dialog-handle'
import type { DialogSession } from './dialog-session'
import { handOver } from './early-dialog'
import type { CallEnd, InDialogOptions } from './options'
import type { Answerer } from './provisional-responses'
import { sessionBody } from './session-body'

/** Options of {@link Call.reinvite}. */
export interface ReinviteOptions extends UpdateOptions {
  /** The offer; without it the peer makes one, and `answer` gives the answer. */
  readonly sdp?: Uint8Array | string
  readonly answer?: (offer: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>
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
    this.tellEnded(end)
  }

  /** @internal The stack closes. */
  hangUp(reason: string): void {
    this.core.submit(() => this.session?.bye(reason))
  }
}
