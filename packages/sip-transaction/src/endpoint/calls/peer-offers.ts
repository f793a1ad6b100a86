/** Offers that a peer makes outside of INVITE: in UPDATE (RFC 3311 §5.2) and in PRACK (RFC 3262 §5). Inside an input. */

import type { IncomingRequest } from '../requests/incoming-request'
import type { DialogSession } from './dialog-session'
import { sdpOf } from './session-body'

/** 500 with a Retry-After between 0 and 10 seconds, chosen at random (RFC 3261 §14.2, RFC 3311 §5.2). */
export function answerLater(incoming: IncomingRequest, fraction: number): void {
  incoming.answer(500, [['Retry-After', Math.floor(fraction * 11)]])
}

/** The offers of one peer. */
export class PeerOffers {
  /** The peer's UPDATE that has no final response. */
  private pendingUpdate: IncomingRequest | undefined
  /** The UPDATE or PRACK of the peer whose offer is open. */
  private pendingOffer: IncomingRequest | undefined

  constructor(private readonly session: DialogSession) {}

  /** An UPDATE in the dialog. */
  receiveUpdate(incoming: IncomingRequest): void {
    const { session } = this
    const { negotiation, owner, core } = session
    const sdp = sdpOf(incoming.message)
    // RFC 3311 §5.2
    if (this.pendingUpdate !== undefined) {
      answerLater(incoming, core.random.fraction())
      return
    }
    if (sdp !== undefined) {
      const { state } = negotiation
      if (state === 'local-offer') incoming.answer(491)
      else if (state === 'remote-offer' || owner === undefined) answerLater(incoming, core.random.fraction())
      if (state !== 'stable' || owner === undefined) return
      negotiation.take(sdp)
      this.pendingOffer = incoming
    }
    session.dialog.refreshTarget(incoming.message)
    session.learn(incoming.message)
    // Without a body it only refreshes target and session, whoever uses the dialog (RFC 3311 §5.2, RFC 4028 §7.4).
    if (incoming.message.bodyLength === 0 || owner === undefined) {
      incoming.answer(200)
      return
    }
    this.pendingUpdate = incoming
    owner.received(incoming)
  }

  /** A PRACK has been matched: its description is an answer or, after an answer, a new offer (RFC 3262 §5). */
  prackAccepted(incoming: IncomingRequest): void {
    const { negotiation, owner } = this.session
    const sdp = sdpOf(incoming.message)
    if (sdp === undefined) {
      if (negotiation.state === 'local-offer') negotiation.handle('abandon')
      incoming.answerNow(200)
      return
    }
    const verdict = negotiation.take(sdp)
    if (verdict === 'offer') this.pendingOffer = incoming
    if (verdict === 'answer') {
      incoming.answerNow(200)
      owner?.answered?.(sdp)
    } else if (verdict === 'offer' && owner !== undefined) owner.received(incoming)
    else incoming.answerNow(488)
  }

  /** An offer of the peer in UPDATE or PRACK has got its final answer. */
  answered(incoming: IncomingRequest, status: number, sdp: Uint8Array | string | undefined): void {
    const { negotiation, timers, usage } = this.session
    if (this.pendingUpdate === incoming) this.pendingUpdate = undefined
    if (incoming.method === 'UPDATE' && status < 300 && usage.state !== 'early')
      timers.answered(timers.judge(incoming.message))
    if (this.pendingOffer !== incoming) return
    this.pendingOffer = undefined
    if (status < 300 && sdp !== undefined) negotiation.sent(sdp)
    else negotiation.handle('abandon')
  }
}
