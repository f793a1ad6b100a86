/** The session descriptions of one dialog, with the state of their negotiation: RFC 3264 §4 and §8, RFC 3261 §13.2.1. */
import { Negotiation, type NegotiationVerdict } from '../../dialog/negotiation'
import { detachedBytes } from './detached-bytes'

/** What was sent and heard last, and the offer of the peer that is open. What comes from messages is kept as a copy. */
export class SessionDescriptions extends Negotiation {
  /** The description that we sent last, for refreshes. */
  local: Uint8Array | string | undefined
  /** The description that the peer sent last. */
  remote: Uint8Array | undefined
  private openOffer: Uint8Array | undefined

  /** The offer of the peer that is open. */
  get offered(): Uint8Array | undefined {
    return this.state === 'remote-offer' ? this.openOffer : undefined
  }

  /** An INVITE of the peer; `isFirst` when it makes the dialog. */
  takeInvite(sdp: Uint8Array | undefined, isFirst: boolean): void {
    const verdict = this.invite('receive', sdp !== undefined)
    if (sdp === undefined) return
    this.noteRemote(verdict, sdp)
    // The first offer is all that there is to show, even before its answer.
    if (isFirst) this.remote = this.openOffer
  }

  /** A description of the peer in a request, or in the response to one but INVITE. */
  take(sdp: Uint8Array): NegotiationVerdict {
    return this.noteRemote(this.handle('receive'), sdp)
  }

  /** A description in a response to our INVITE that cannot be lost; copies of an earlier one mean nothing. */
  takeResponse(sdp: Uint8Array): NegotiationVerdict {
    return this.noteRemote(this.response('receive'), sdp)
  }

  /** A description of ours goes out in a request, or in the response to one but INVITE. */
  sent(sdp: Uint8Array | string): void {
    this.noteLocal(this.handle('send'), sdp)
  }

  /** A description of ours goes out in a response to the peer's INVITE that cannot be lost. */
  sentResponse(sdp: Uint8Array | string): void {
    this.noteLocal(this.response('send'), sdp)
  }

  private noteRemote(verdict: NegotiationVerdict, sdp: Uint8Array): NegotiationVerdict {
    if (verdict === 'answer') this.remote = detachedBytes(sdp)
    else if (verdict === 'offer') this.openOffer = detachedBytes(sdp)
    return verdict
  }

  private noteLocal(verdict: NegotiationVerdict, sdp: Uint8Array | string): void {
    if (verdict === 'offer' || verdict === 'answer') this.local = sdp
    if (verdict !== 'answer') return
    this.remote = this.openOffer ?? this.remote
    this.openOffer = undefined
  }
}
