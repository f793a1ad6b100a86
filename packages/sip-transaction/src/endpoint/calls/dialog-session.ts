/**
 * One dialog with an INVITE usage, as the endpoint runs it: what comes in goes through the usage's table, what goes out
 * is built by the dialog. RFC 3261 §12.2, §13.3.1.4, §14, §15; RFC 3262 §3; RFC 3311 §5.2; RFC 4028; RFC 5057. Every
 * method runs inside an input.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { DigestClient } from '../../auth/client'
import type { Dialog } from '../../dialog/dialog'
import { endsDialog, InviteUsage, type UsageAction } from '../../dialog/invite-usage'
import type { TransactionErrorCode } from '../../errors'
import type { Flow } from '../../ports'
import { responseDestination } from '../../transport/via'
import { answerByDefault } from '../answer-by-default'
import type { Core } from '../core'
import type { CallEnd, InDialogOptions } from '../options'
import { credentialsOf } from '../requests/client-request'
import type { IncomingRequest } from '../requests/incoming-request'
import { PeerHop } from '../wire/peer-hop'
import { AckSender, type KeptAck } from './ack-sender'
import { AnswerRepeater } from './answer-repeater'
import { InDialogRequests, type ReinviteUser, type SentRequest, type SessionRequestUser } from './in-dialog-requests'
import { answerLater, PeerOffers } from './peer-offers'
import { reasonHeaders, reasonsOf } from './reason'
import type { ReliableResponses } from './reliable-responses'
import { endReplaced } from './replaces'
import { sdpOf } from './session-body'
import { SessionDescriptions } from './session-descriptions'
import type { SessionOwner } from './session-owner'
import { refreshSession } from './session-refresh'
import { SessionTimers, type SessionTimerUser } from './session-timers'

/** An INVITE of ours that waits for its answer. */
export interface PendingInvite {
  /** Gives it up; its user hears of it. */
  abandon(reason: string): void
}

/** A dialog that is alive. */
export class DialogSession implements SessionTimerUser {
  readonly usage = new InviteUsage('early')
  readonly negotiation = new SessionDescriptions()
  readonly timers: SessionTimers
  readonly requests: InDialogRequests
  /** What the peer offers outside of INVITE. */
  readonly offers = new PeerOffers(this)
  /** The way to the peer. */
  readonly hop: PeerHop
  owner: SessionOwner | undefined
  auth: DigestClient | undefined
  /** What Allow says in this dialog, when not what it says elsewhere. */
  allow: string | undefined
  /** Whether the peer's Allow names UPDATE. */
  mayUpdate = false
  /** Reliable responses to the peer's INVITE, until it sends another one. */
  reliable: ReliableResponses | undefined
  /** Our INVITE that made this dialog, until it is answered. */
  invite: PendingInvite | undefined
  /** Sends the ACK that is still owed, when the call ends before its user has sent it. */
  onAckWanted: (() => void) | undefined
  /** Told when the dialog has been forgotten. */
  onClosed: (() => void) | undefined
  private readonly answers: AnswerRepeater
  private readonly acks: AckSender
  /** The peer's INVITE that has no final response. */
  private pendingInvite: IncomingRequest | undefined
  private isOver = false
  private byeDone: (() => void) | undefined
  private deferredBye: readonly HeaderInit[] = []

  /** @param isCallIdOwner true when this end sent the first INVITE (RFC 3261 §14.1) */
  constructor(
    readonly core: Core,
    readonly dialog: Dialog,
    readonly isCallIdOwner: boolean,
  ) {
    this.answers = new AnswerRepeater(core, () => {
      this.carryOut(this.usage.handle('ack-lost'), { by: 'timeout', reason: 'no ACK' })
    })
    this.hop = new PeerHop(core, dialog)
    this.acks = new AckSender(core, dialog, this.hop)
    this.timers = new SessionTimers(core, this)
    this.requests = new InDialogRequests(this)
    core.sessions.set(dialog.key, this)
    core.onDialog('early', this)
  }

  /** True until the call is over. */
  get isAlive(): boolean {
    return this.usage.isAlive
  }

  /** True once the dialog has been forgotten. */
  get isClosed(): boolean {
    return this.usage.state === 'terminated'
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
    else if (method === 'PRACK') this.receivePrack(incoming)
    else if (method === 'UPDATE') this.offers.receiveUpdate(incoming)
    else if (this.owner !== undefined) this.owner.received(incoming)
    else if (method === 'INFO' || method === 'MESSAGE') this.answerLater(incoming)
    else answerByDefault(incoming, this)
  }

  /** An ACK in this dialog; false when it acknowledges nothing that waits. */
  receiveAck(ack: SipRequest): boolean {
    if (!this.answers.acknowledged(ack.cseq.seq)) return false
    this.releaseReliable()
    const sdp = sdpOf(ack)
    if (sdp !== undefined && this.negotiation.state === 'local-offer') this.negotiation.take(sdp)
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
    this.takeInvite(incoming)
  }

  /** Whether an INVITE of the peer may be answered 2xx now. */
  get mayAccept(): boolean {
    return this.usage.state === 'early' || this.usage.state === 'reinvited'
  }

  /** A 2xx to the peer's INVITE goes out now, and again until its ACK comes. False when it may not be sent any more. */
  accept(incoming: IncomingRequest, response: SipResponse, sdp: Uint8Array | string | undefined): boolean {
    const { state } = this.usage
    if (this.usage.handle('send-2xx') !== 'proceed') return false
    if (state === 'early') {
      this.core.onDialog('confirmed', this)
      endReplaced(this.core, incoming.message)
    }
    this.pendingInvite = undefined
    if (sdp !== undefined) this.negotiation.sentResponse(sdp)
    this.timers.answered(this.timers.judge(incoming.message))
    const destination = responseDestination(incoming.flow, incoming.message.via)
    this.answers.sent(incoming.message.cseq.seq, response.toBytes(), destination)
    return true
  }

  /** An INVITE of the peer has been refused, or its transaction died. One that never got through changes nothing. */
  rejected(incoming: IncomingRequest, end: CallEnd = { by: 'local' }): void {
    if (this.pendingInvite !== incoming) return
    this.pendingInvite = undefined
    this.negotiation.handle('abandon')
    if (this.usage.handle('send-failure') === 'end') this.end(end)
  }

  /** Our INVITE has got a failure, so the early dialog is over. */
  failed(): void {
    if (this.usage.handle('receive-failure') === 'end') this.end({ by: 'remote' })
  }

  /** The first 2xx to our INVITE; an ACK is owed from now on. */
  accepted(response: SipResponse, flow: Flow): void {
    this.invite = undefined
    this.dialog.confirmByClient(response)
    this.core.onDialog('confirmed', this)
    this.hop.heardResponse(flow)
    this.learn(response)
    const sdp = sdpOf(response)
    if (sdp !== undefined) this.negotiation.takeResponse(sdp)
    const action = this.usage.handle('receive-2xx')
    if (action === 'proceed') this.timers.heard(response)
    this.carryOut(action, { by: 'local' })
  }

  /** A repetition of a 2xx: the same ACK again (RFC 3261 §13.2.2.4). False when none has been sent. */
  repeatAck(cseq: number): boolean {
    return this.acks.repeat(cseq)
  }

  /** The ACK that has been sent for that INVITE, to be repeated when the dialog is over. */
  keptAck(cseq: number): KeptAck | undefined {
    return this.acks.kept(cseq)
  }

  /** Acknowledges the 2xx to that INVITE of ours; `sdp` answers the offer that it carried. */
  ack(invite: SipRequest, sdp?: Uint8Array | string): void {
    this.acknowledge(invite.cseq.seq, credentialsOf(invite), sdp)
  }

  /** The same for an INVITE of which only number and credentials are known. */
  acknowledge(cseq: number, credentials: readonly HeaderInit[], sdp?: Uint8Array | string): void {
    if (this.acks.hasSent(cseq)) return
    this.usage.handle('send-ack')
    if (sdp !== undefined) this.negotiation.sent(sdp)
    else if (this.negotiation.state === 'remote-offer') this.negotiation.handle('abandon')
    this.acks.send(cseq, credentials, sdp)
  }

  /** The client transaction of our INVITE is gone. */
  inviteGone(cseq: number): void {
    this.acks.forget(cseq)
  }

  /** Sends a request in the dialog; for INVITE use {@link reinvite}. */
  request(method: string, options: InDialogOptions, user: SessionRequestUser): SentRequest {
    return this.requests.request(method, options, user)
  }

  /** Sends a re-INVITE; undefined when glare forbids it (RFC 3261 §14.1). */
  reinvite(options: InDialogOptions, user: ReinviteUser): SentRequest | undefined {
    return this.requests.reinvite(options, user)
  }

  /** Ends the dialog: BYE now, or as soon as it may be sent (RFC 3261 §15). `done` is called when it is over. */
  bye(reason: string | undefined, done?: () => void): void {
    if (!this.isAlive) {
      done?.()
      return
    }
    this.deferredBye = reason === undefined ? [] : reasonHeaders(reason)
    // While the BYE waits for an ACK it may be asked for again, and everybody is told.
    if (done !== undefined) this.byeDone = both(this.byeDone, done)
    const action = this.usage.handle('send-bye')
    this.carryOut(action, reason === undefined ? { by: 'local' } : { by: 'local', reason })
  }

  /** The stack is gone: what lives is over for its owner, whatever it still waits for. */
  abandon(): void {
    if (this.isAlive) this.owner?.endedBy({ by: 'local', reason: 'shutting down' })
  }

  /** Forgets the dialog without a word. */
  close(): void {
    this.usage.handle('close')
    if (!this.isOver) this.core.onDialog('ended', this)
    this.quieten()
    if (this.core.sessions.get(this.dialog.key) === this) this.core.sessions.delete(this.dialog.key)
    const { byeDone, onClosed } = this
    this.byeDone = undefined
    this.onClosed = undefined
    byeDone?.()
    onClosed?.()
    this.core.onChange()
  }

  /** A session timer wants a refresh (RFC 4028 §7.4). */
  refreshSession(): void {
    refreshSession(this)
  }

  /** No refresh came in time (RFC 4028 §10). */
  sessionExpired(): void {
    this.lost('timeout', 'SIP ;cause=408 ;text="Session timer expired"')
  }

  /** Learns what the peer can do. */
  learn(message: SipRequest | SipResponse): void {
    const allow = message.decode('allow')
    if (allow.ok && allow.value.length > 0) this.mayUpdate = allow.value.includes('UPDATE')
  }

  /** A request in the dialog was answered. */
  judge(method: string, status: number): void {
    if (endsDialog(method, status)) this.lost('remote', `${status}`)
  }

  /** A request in the dialog was not answered. */
  lostBy(code: TransactionErrorCode): void {
    if (code === 'TIMEOUT') this.lost('timeout', 'no answer')
    else if (code === 'TRANSPORT_FAILED' || code === 'UNREACHABLE') this.lost('transport', 'unreachable')
  }

  private receiveBye(incoming: IncomingRequest): void {
    const pending = this.pendingInvite
    // A peer that could not wait for its ACK gets it all the same (RFC 3261 §13.2.2.4).
    if (this.usage.state === 'owing-ack') this.onAckWanted?.()
    const action = this.usage.handle('receive-bye')
    incoming.answer(200)
    this.pendingInvite = undefined
    if (action === 'answer-bye-and-reject') pending?.terminate()
    const reason = incoming.message.get('Reason')
    this.end(reason === undefined ? { by: 'remote' } : { by: 'remote', reason, ...reasonsOf(incoming.message) })
  }

  private receiveInvite(incoming: IncomingRequest): void {
    // An UPDATE of ours with an open offer is glare as well (RFC 3311 §5.1).
    const isOfferOpen = this.usage.state === 'confirmed' && this.negotiation.state !== 'stable'
    const action = isOfferOpen ? 'refuse-glare' : this.usage.handle('receive-reinvite')
    if (action === 'refuse-glare') incoming.answer(491)
    else if (action === 'refuse-busy') this.answerLater(incoming)
    else if (action !== 'proceed' || this.owner === undefined) incoming.answer(481)
    else {
      this.dialog.refreshTarget(incoming.message)
      this.pendingInvite = incoming
      this.takeInvite(incoming)
      this.owner.received(incoming)
    }
  }

  private takeInvite(incoming: IncomingRequest): void {
    this.reliable?.close()
    this.reliable = undefined
    this.learn(incoming.message)
    this.negotiation.takeInvite(sdpOf(incoming.message), this.usage.state === 'early')
  }

  private receivePrack(incoming: IncomingRequest): void {
    if (this.reliable === undefined) incoming.answer(481)
    else this.reliable.receive(incoming)
  }

  private releaseReliable(): void {
    const { reliable } = this
    reliable?.release(() => {
      if (this.reliable === reliable) this.reliable = undefined
    })
  }

  private answerLater(incoming: IncomingRequest): void {
    answerLater(incoming, this.core.random.fraction())
  }

  private lost(by: CallEnd['by'], reason: string): void {
    if (this.deferredBye.length === 0 && by !== 'remote') this.deferredBye = reasonHeaders(reason)
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
      this.pendingInvite?.refuse(480)
    }
  }

  private sendBye(end: CallEnd): void {
    const close = () => this.close()
    const client = this.requests.make('BYE', {}, this.deferredBye, { final: close, error: close })
    this.end(end, true)
    client.start()
  }

  private end(end: CallEnd, isByeUnderWay = false): void {
    if (this.isOver) return
    this.isOver = true
    this.core.onDialog('ended', this, end)
    this.pendingInvite?.refuse(480)
    this.quieten()
    this.owner?.endedBy(end)
    if (!isByeUnderWay) this.close()
  }

  private quieten(): void {
    this.invite = undefined
    this.answers.stop()
    this.timers.stop()
    this.reliable?.close()
    this.negotiation.handle('close')
  }
}

function both(first: (() => void) | undefined, second: () => void): () => void {
  if (first === undefined) return second
  return () => {
    first()
    second()
  }
}
