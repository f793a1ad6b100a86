/**
 * Provisional responses to one INVITE of ours in one dialog: the reliable ones are acknowledged with PRACK in their order
 * (RFC 3262 §4), an offer in one of them is answered in its PRACK (§5). Every method runs inside an input.
 */
import type { SipResponse } from '@carillon/sip-parser'
import { ReliableClient } from '../../dialog/reliable-provisional'
import { hasTag } from '../../dialog/session-interval'
import type { DialogSession } from './dialog-session'
import { sdpOf, sessionBody } from './session-body'

/** Gives the answer to an offer of the peer. */
export type Answerer = (offer: Uint8Array) => string | Uint8Array | Promise<string | Uint8Array>

/** Who sent the INVITE. */
export interface ProvisionalUser {
  /** Answers an offer in a reliable response; without it such an offer cannot be answered. */
  readonly answer: Answerer | undefined
  /** The PRACK of an offer or answer was refused, so that the session cannot come about: cancel the INVITE. */
  negotiationFailed(reason: string): void
}

/** The provisional responses of one INVITE in one dialog. */
export class ProvisionalResponses {
  private readonly client = new ReliableClient()

  constructor(
    private readonly session: DialogSession,
    /** CSeq number of the INVITE. */
    private readonly cseq: number,
    private readonly user: ProvisionalUser,
  ) {}

  /** A provisional response; false when it is a repetition, or out of order, and nobody is to hear of it. */
  receive(response: SipResponse): boolean {
    const rseq = this.reliableNumber(response)
    if (rseq === undefined) return true
    if (this.client.heard(rseq) === 'discard') return false
    const sdp = sdpOf(response)
    const verdict = sdp === undefined ? 'none' : this.session.negotiation.takeResponse(sdp)
    if (sdp !== undefined && verdict === 'offer') this.answerOffer(rseq, sdp)
    else this.acknowledge(rseq, undefined)
    return true
  }

  /** The INVITE has its final response. */
  finish(): void {
    this.client.handle('final')
  }

  private reliableNumber(response: SipResponse): number | undefined {
    const { core } = this.session
    if (core.capabilities.reliable === 'never' || !hasTag(response, '100rel')) return undefined
    const rseq = response.decode('rseq')
    return rseq.ok && rseq.value !== undefined && rseq.value > 0 ? rseq.value : undefined
  }

  private answerOffer(rseq: number, offer: Uint8Array): void {
    const { core } = this.session
    const { answer } = this.user
    if (answer === undefined) {
      this.giveUp(rseq, 'no answer to the offer')
      return
    }
    Promise.resolve()
      .then(() => answer(offer))
      .then(
        (sdp) => core.submit(() => this.acknowledge(rseq, sdp)),
        () => core.submit(() => this.giveUp(rseq, 'no answer to the offer')),
      )
  }

  private giveUp(rseq: number, reason: string): void {
    this.session.negotiation.handle('abandon')
    this.acknowledge(rseq, undefined)
    this.user.negotiationFailed(reason)
  }

  private acknowledge(rseq: number, sdp: string | Uint8Array | undefined): void {
    const { session, cseq, user } = this
    if (!session.isAlive) return
    const headers = [['RAck', `${rseq} ${cseq} INVITE`]] as const
    const body = sessionBody(sdp)
    if (sdp !== undefined) session.negotiation.sent(sdp)
    session.request(
      'PRACK',
      { headers, ...body },
      {
        final: (response) => {
          if (sdp !== undefined && response.status >= 300)
            user.negotiationFailed(`PRACK refused with ${response.status}`)
        },
        error: () => {
          if (sdp !== undefined) user.negotiationFailed('PRACK failed')
        },
      },
    )
  }
}
