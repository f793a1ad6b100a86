/**
 * One dialog with an INVITE usage, as the endpoint runs it: what comes in goes through the usage's table, what goes out
 * is built by the dialog. RFC 3261 §12.2, §13.3.1.4, §14, §15; RFC 5057. Every method runs inside an input.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { DigestClient } from '../auth/client'
import { ClientAcks } from '../dialog/ack-2xx'
import type { Dialog, RequestPlan } from '../dialog/dialog'
import { InviteUsage, type UsageAction } from '../dialog/invite-usage'
import { Negotiation } from '../dialog/negotiation'
import type { TransactionErrorCode } from '../errors'
import type { Destination, Flow } from '../ports'
import { responseDestination } from '../transport/via'
import { AnswerRepeater } from './answer-repeater'
import { answerByDefault } from './call'
import { ClientRequest, type ClientRequestUser, credentialsOf } from './client-request'
import type { Core } from './core'
import type { IncomingRequest } from './incoming-request'
import type { CallEnd, InDialogOptions } from './options'
import { PeerHop } from './peer-hop'
import { reasonHeaders } from './reason'

/** Who uses the dialog: a call or a bridge. */
export interface SessionOwner {
  /** A request in the dialog that is neither ACK nor BYE; it waits for an answer. */
  received(incoming: IncomingRequest): void
  /** The first ACK for a 2xx of ours. */
  acknowledged(ack: SipRequest): void
  /** The dialog is over; called once. */
  endedBy(end: CallEnd): void
}

/** Who hears of a request in the dialog. */
export interface SessionRequestUser {
  final(response: SipResponse): void
  error(code: TransactionErrorCode): void
}

interface SentAck {
  readonly bytes: Uint8Array
  readonly destination: Destination
}

/** A dialog that is alive. */
export class DialogSession {
  readonly usage = new InviteUsage('early')
  readonly negotiation = new Negotiation()
  owner: SessionOwner | undefined
  auth: DigestClient | undefined
  /** What Allow says in this dialog, when not what it says elsewhere. */
  allow: string | undefined
  private readonly answers: AnswerRepeater
  private readonly acks = new ClientAcks<SentAck>()
  /** The peer's INVITE that has no final response. */
  private pendingInvite: IncomingRequest | undefined
  /** The way to the peer. */
  readonly hop: PeerHop
  private isOver = false
  private byeDone: (() => void) | undefined
  private deferredBye: readonly HeaderInit[] = []

  constructor(
    readonly core: Core,
    readonly dialog: Dialog,
  ) {
    this.answers = new AnswerRepeater(core, () => {
      this.carryOut(this.usage.handle('ack-lost'), { by: 'timeout', reason: 'no ACK' })
    })
    this.hop = new PeerHop(core, dialog)
    core.sessions.set(dialog.key, this)
  }

  /** True until the call is over. */
  get isAlive(): boolean {
    return this.usage.isAlive
  }

  /** A request of the peer in this dialog, ACK excepted. */
  receive(incoming: IncomingRequest): void {
    const { message, method } = incoming
    if (method !== 'CANCEL' && !this.dialog.acceptCseq(message)) {
      incoming.answer(500, [['Retry-After', 1]], 'CSeq out of order')
      return
    }
    this.hop.heardRequest(message, incoming.flow)
    if (method === 'BYE') this.receiveBye(incoming)
    else if (method === 'INVITE') this.receiveInvite(incoming)
    else if (!this.isAlive) incoming.answer(481)
    else if (method === 'UPDATE') this.receiveUpdate(incoming)
    else if (this.owner !== undefined) this.owner.received(incoming)
    else if (method === 'INFO' || method === 'MESSAGE') this.answerLater(incoming)
    else answerByDefault(incoming)
  }

  /** An ACK in this dialog; false when it acknowledges nothing that waits. */
  receiveAck(ack: SipRequest): boolean {
    if (!this.answers.acknowledged(ack.cseq.seq)) return false
    if (ack.bodyLength > 0) this.negotiation.handle('receive')
    else if (this.negotiation.state === 'local-offer') this.negotiation.handle('abandon')
    const action = this.usage.handle('receive-ack')
    this.owner?.acknowledged(ack)
    this.carryOut(action, { by: 'local' })
    return true
  }

  /** The INVITE that makes this dialog, still without a final response. */
  open(incoming: IncomingRequest): void {
    this.pendingInvite = incoming
    this.hop.heardRequest(incoming.message, incoming.flow)
    if (incoming.message.bodyLength > 0) this.negotiation.handle('receive')
  }

  /** Answers the peer's INVITE with 2xx and repeats it until the ACK. False when it may not be sent any more. */
  accept(incoming: IncomingRequest, response: SipResponse): boolean {
    if (this.usage.handle('send-2xx') !== 'proceed') return false
    this.pendingInvite = undefined
    if (response.bodyLength > 0) this.negotiation.handle('send')
    const destination = responseDestination(incoming.flow, incoming.message.via)
    this.answers.sent(incoming.message.cseq.seq, response.toBytes(), destination)
    return true
  }

  /** An INVITE of the peer has been refused, or its transaction died. One that never got through changes nothing. */
  rejected(incoming: IncomingRequest): void {
    if (this.pendingInvite !== incoming) return
    this.pendingInvite = undefined
    this.negotiation.handle('abandon')
    const action = this.usage.handle('send-failure')
    if (action === 'end') this.end({ by: 'local' })
  }

  /** Our INVITE has got a failure, so the early dialog is over. */
  failed(): void {
    if (this.usage.handle('receive-failure') === 'end') this.end({ by: 'remote' })
  }

  /** The first 2xx to our INVITE; an ACK is owed from now on. */
  accepted(response: SipResponse, flow: Flow): void {
    this.dialog.confirmByClient(response)
    this.hop.heardResponse(flow)
    if (response.bodyLength > 0) this.negotiation.handle('receive')
    this.carryOut(this.usage.handle('receive-2xx'), { by: 'local' })
  }

  /** A repetition of a 2xx: the same ACK again (RFC 3261 §13.2.2.4). False when none has been sent. */
  repeatAck(cseq: number): boolean {
    const ack = this.acks.forRetransmission(cseq)
    if (ack === undefined) return false
    this.core.driver.out.push({ kind: 'send', ...ack, transactionId: undefined })
    return true
  }

  /** Acknowledges the 2xx to our INVITE of that number. */
  ack(invite: SipRequest, sdp?: Uint8Array | string): void {
    const cseq = invite.cseq.seq
    if (this.acks.forRetransmission(cseq) !== undefined) return
    this.usage.handle('send-ack')
    if (sdp !== undefined) this.negotiation.handle('send')
    else if (this.negotiation.state === 'remote-offer') this.negotiation.handle('abandon')
    const extras =
      sdp === undefined ? { contact: false } : { contact: false, body: sdp, contentType: 'application/sdp' }
    this.hop.locate((destination) => {
      const entry = this.core.egress.entryTo(destination)
      if (entry === undefined) return
      const remote = destination.kind === 'flow' ? destination.flow.remote.address : destination.address.address
      const plan = this.dialog.ackFor(cseq, credentialsOf(invite))
      const bytes = this.core.egress.build(plan, entry, remote, extras).toBytes()
      this.acks.sent(cseq, { bytes, destination })
      this.core.driver.out.push({ kind: 'send', bytes, destination, transactionId: undefined })
    })
  }

  /** The client transaction of our INVITE is gone. */
  inviteGone(cseq: number): void {
    this.acks.forget(cseq)
  }

  /** Sends a request in the dialog; for INVITE use {@link reinvite}. */
  request(method: string, options: InDialogOptions, user: SessionRequestUser): ClientRequest {
    if (method === 'UPDATE' && options.body !== undefined) this.negotiation.handle('send')
    const client = this.clientRequest(method, options, {
      final: (response) => {
        if (method === 'UPDATE') this.settleUpdate(response)
        this.judge(response.status)
        user.final(response)
      },
      error: (code) => {
        if (method === 'UPDATE') this.negotiation.handle('abandon')
        this.lostBy(code)
        user.error(code)
      },
    })
    client.start()
    return client
  }

  /**
   * Sends a re-INVITE. Its user hears the final response; after a 2xx it must call {@link ack} with the request.
   * Undefined when glare forbids it (RFC 3261 §14.1).
   */
  reinvite(
    options: InDialogOptions,
    user: { final(response: SipResponse, request: SipRequest): void; error(code: TransactionErrorCode): void },
  ): ClientRequest | undefined {
    if (this.usage.handle('send-reinvite') !== 'proceed') return undefined
    if (options.body !== undefined) this.negotiation.handle('send')
    const client: ClientRequest = this.clientRequest('INVITE', options, {
      final: (response, flow) => this.reinviteFinal(client, response, flow, user),
      error: (code) => {
        this.negotiation.handle('abandon')
        this.usage.handle('receive-failure')
        this.lostBy(code)
        user.error(code)
      },
      gone: () => this.inviteGone(client.request?.cseq.seq ?? 0),
    })
    client.start()
    return client
  }

  /** Ends the dialog: BYE now, or as soon as it may be sent (RFC 3261 §15). `done` is called when it is over. */
  bye(reason: string | undefined, done?: () => void): void {
    if (!this.isAlive) {
      done?.()
      return
    }
    this.deferredBye = reason === undefined ? [] : reasonHeaders(reason)
    if (done !== undefined) this.byeDone = done
    const action = this.usage.handle('send-bye')
    this.carryOut(action, reason === undefined ? { by: 'local' } : { by: 'local', reason })
  }

  /** Forgets the dialog without a word. */
  close(): void {
    this.usage.handle('close')
    this.answers.stop()
    if (this.core.sessions.get(this.dialog.key) === this) this.core.sessions.delete(this.dialog.key)
    const done = this.byeDone
    this.byeDone = undefined
    done?.()
    this.core.onChange()
  }

  private reinviteFinal(
    client: ClientRequest,
    response: SipResponse,
    flow: Flow,
    user: { final(response: SipResponse, request: SipRequest): void },
  ): void {
    const request = client.request!
    if (response.status >= 300) {
      this.negotiation.handle('abandon')
      this.usage.handle('receive-failure')
      this.judge(response.status)
      user.final(response, request)
      return
    }
    if (this.repeatAck(request.cseq.seq)) return
    const action = this.usage.handle('receive-2xx')
    if (action === 'ignore') return
    this.dialog.refreshTarget(response)
    this.hop.heardResponse(flow)
    if (response.bodyLength > 0) this.negotiation.handle('receive')
    if (action === 'ack') this.ack(request)
    user.final(response, request)
  }

  private settleUpdate(response: SipResponse): void {
    if (response.status >= 300) {
      this.negotiation.handle('abandon')
      return
    }
    this.dialog.refreshTarget(response)
    if (response.bodyLength > 0) this.negotiation.handle('receive')
  }

  private receiveBye(incoming: IncomingRequest): void {
    const pending = this.pendingInvite
    const action = this.usage.handle('receive-bye')
    incoming.answer(200)
    this.pendingInvite = undefined
    if (action === 'answer-bye-and-reject') pending?.terminate()
    const reason = incoming.message.get('Reason')
    this.end(reason === undefined ? { by: 'remote' } : { by: 'remote', reason })
  }

  private receiveInvite(incoming: IncomingRequest): void {
    const action = this.usage.handle('receive-reinvite')
    if (action === 'refuse-glare') incoming.answer(491)
    else if (action === 'refuse-busy') this.answerLater(incoming)
    else if (action !== 'proceed' || this.owner === undefined) incoming.answer(481)
    else {
      this.dialog.refreshTarget(incoming.message)
      this.pendingInvite = incoming
      if (incoming.message.bodyLength > 0) this.negotiation.handle('receive')
      this.owner.received(incoming)
    }
  }

  private receiveUpdate(incoming: IncomingRequest): void {
    if (incoming.message.bodyLength > 0) {
      // RFC 3311 §5.2
      const verdict = this.negotiation.state
      if (verdict === 'local-offer') incoming.answer(491)
      else if (verdict === 'remote-offer' || this.owner === undefined) this.answerLater(incoming)
      if (verdict !== 'stable' || this.owner === undefined) return
      this.negotiation.handle('receive')
    }
    this.dialog.refreshTarget(incoming.message)
    // Before the answer nobody uses the dialog; 481 would make the peer give it up (RFC 3261 §12.2.1.2).
    if (this.owner === undefined) incoming.answer(200)
    else this.owner.received(incoming)
  }

  /** 500 with a Retry-After between 0 and 10 seconds, chosen at random (RFC 3261 §14.2, RFC 3311 §5.2). */
  private answerLater(incoming: IncomingRequest): void {
    incoming.answer(500, [['Retry-After', Math.floor(this.core.random.fraction() * 11)]])
  }

  /** An UPDATE of the peer got its final answer. */
  updateAnswered(status: number, hasBody: boolean): void {
    if (this.negotiation.state !== 'remote-offer' || this.pendingInvite !== undefined) return
    this.negotiation.handle(status < 300 && hasBody ? 'send' : 'abandon')
  }

  private clientRequest(method: string, options: InDialogOptions, user: ClientRequestUser): ClientRequest {
    const contact = method === 'INVITE' || method === 'UPDATE' || method === 'REFER' || method === 'SUBSCRIBE'
    const own: readonly HeaderInit[] = method === 'INVITE' ? this.core.capabilityHeaders(this.allow) : []
    return new ClientRequest(
      this.core,
      {
        method,
        nextHop: () => this.dialog.nextHop,
        plan: (credentials): RequestPlan =>
          this.dialog.nextRequest(method, [...credentials, ...own, ...(options.headers ?? [])]),
        destination: this.hop.direct() === undefined ? undefined : () => this.hop.direct(),
        extras: { contact, body: options.body, contentType: options.contentType },
        auth: this.auth,
        timeoutMs: options.timeoutMs,
      },
      user,
    )
  }

  /** A request in the dialog was answered; 481 and 408 mean that the peer has no dialog (RFC 3261 §12.2.1.2). */
  private judge(status: number): void {
    if (status === 481 || status === 408) this.lost('remote', `${status}`)
  }

  private lostBy(code: TransactionErrorCode): void {
    if (code === 'TIMEOUT') this.lost('timeout', 'no answer')
    else if (code === 'TRANSPORT_FAILED' || code === 'UNREACHABLE') this.lost('transport', 'unreachable')
  }

  private lost(by: CallEnd['by'], reason: string): void {
    this.carryOut(this.usage.handle('dialog-lost'), { by, reason })
  }

  private carryOut(action: UsageAction | 'ignore', end: CallEnd): void {
    if (action === 'bye') this.sendBye(end)
    else if (action === 'reject-and-bye') {
      this.pendingInvite?.terminate()
      this.pendingInvite = undefined
      this.sendBye(end)
    } else if (action === 'ack-and-bye') {
      this.onAckWanted?.()
      this.sendBye(end)
    } else if (action === 'end') this.end(end)
    else if (action === 'refuse-local') {
      // A callee may not send BYE in an early dialog: its INVITE is refused instead (RFC 3261 §15).
      this.pendingInvite?.answer(480)
    }
  }

  /** Sends the ACK that is still owed, when the call ends before its user has sent it. */
  onAckWanted: (() => void) | undefined

  private sendBye(end: CallEnd): void {
    const headers = this.deferredBye
    const client = this.clientRequest('BYE', { headers }, { final: () => this.close(), error: () => this.close() })
    this.end(end, true)
    client.start()
  }

  private end(end: CallEnd, isByeUnderWay = false): void {
    if (this.isOver) return
    this.isOver = true
    this.answers.stop()
    this.owner?.endedBy(end)
    if (!isByeUnderWay) this.close()
  }
}
