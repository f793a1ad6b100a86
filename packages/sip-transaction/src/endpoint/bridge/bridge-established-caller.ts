/**
 * The calling side of a bridge when we have called it, or when its call is up already: third party call control. RFC 3725
 * §4.1 (flow I: its 2xx carries the offer, our ACK the answer), §4.4 (flow IV: the answered call gets the offer of the
 * other side by re-INVITE). Every method runs inside an input.
 */
import type { HeaderInit, SipRequest } from '@carillon/sip-parser'
import { continuedFrom } from '../../dialog/origin'
import type { Call } from '../calls/call'
import type { DialogSession } from '../calls/dialog-session'
import { reinvitePatiently } from '../calls/patient-reinvite'
import { sdpOf } from '../calls/session-body'
import type { SessionOwner } from '../calls/session-owner'
import type { CallLeg } from './bridge'
import type { BridgeCaller, TellBridge } from './bridge-caller'

/** How its call stands. */
export interface EstablishedCall {
  readonly session: DialogSession
  /** It goes back to being this call when nobody answers. */
  readonly call: Call | undefined
  /** Flow I: the INVITE whose 2xx has not been acknowledged, and the offer in that 2xx. */
  readonly owed: { readonly invite: SipRequest; readonly offer: Uint8Array } | undefined
}

/** A side whose call is up. */
export class EstablishedCaller implements BridgeCaller {
  readonly reasons: readonly HeaderInit[] = []
  private owed: EstablishedCall['owed']
  private tell: TellBridge = () => {}

  constructor(private readonly established: EstablishedCall) {
    this.owed = established.owed
  }

  get leg(): CallLeg {
    return this.session.dialog
  }

  get session(): DialogSession {
    return this.established.session
  }

  get call(): Call | undefined {
    return this.established.call
  }

  start(branches: number, owner: SessionOwner, tell: TellBridge): void {
    const { session, owed } = this
    this.tell = tell
    session.owner = owner
    if (owed !== undefined) session.onAckWanted = () => session.ack(owed.invite)
    tell({ kind: 'start', sdp: owed?.offer, branches })
    if (!session.isAlive) tell({ kind: 'cancelled' })
  }

  /** It hears nothing of how the other side rings. */
  progress(): void {}

  accept(sdp: Uint8Array | undefined): DialogSession | undefined {
    const { session, owed } = this
    if (!session.isAlive) return undefined
    if (owed !== undefined) {
      this.owed = undefined
      session.ack(owed.invite, sdp)
      session.core.submit(() => this.tell({ kind: 'acknowledged', side: 'a', sdp: undefined }))
      return session
    }
    const offer = sdp === undefined ? undefined : continuedFrom(session.negotiation.local, sdp)
    reinvitePatiently(session, offer, {
      final: (response, request) => {
        if (response.status < 300) session.ack(request)
        const answer = response.status < 300 ? sdpOf(response) : undefined
        this.tell({ kind: 'acknowledged', side: 'a', sdp: answer })
      },
      error: () => this.tell({ kind: 'acknowledged', side: 'a', sdp: undefined }),
    })
    return session
  }

  reject(status: number): void {
    const { session, call, owed } = this
    if (owed !== undefined) session.ack(owed.invite)
    if (call === undefined) session.bye(`SIP ;cause=${status} ;text="The other side was not reached"`)
    else session.owner = call
  }

  settled(): void {
    this.tell = () => {}
  }
}
