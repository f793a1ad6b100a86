/**
 * Who has asked a bridge to change its session, and how that one is answered: a side by re-INVITE, UPDATE or PRACK; a
 * party that takes the place of a side, by INVITE with Replaces or because a transfer called it (RFC 3891, RFC 5589).
 */
import type { SipRequest } from '@carillon/sip-parser'
import type { BridgeSide } from '../../b2bua/bridge-types'
import { continuedFrom } from '../../dialog/origin'
import type { DialogSession } from '../calls/dialog-session'
import { sessionBody } from '../calls/session-body'
import type { SessionOwner } from '../calls/session-owner'
import type { IncomingRequest } from '../requests/incoming-request'
import type { BridgeLeg } from './bridge-leg'

/** A change that waits for its answer. */
export interface Change {
  answer(status: number, sdp: Uint8Array | undefined): void
}

/** A request of a side that is there already. */
export class RequestedChange implements Change {
  constructor(
    private readonly bridge: Replacing,
    private readonly incoming: IncomingRequest,
    private readonly owner: SessionOwner,
  ) {}

  answer(status: number, sdp: Uint8Array | undefined): void {
    const { bridge, incoming, owner } = this
    if (incoming.isAnswered) return
    const body = sessionBody(sdp && bridge.continued(incoming.session, sdp))
    if (status >= 300) incoming.answer(status)
    else if (incoming.method === 'INVITE') incoming.acceptInto(owner, status, body)
    else incoming.reply(status, body)
  }
}

/** The bridge in which somebody takes a place. */
export interface Replacing {
  /** A description for that dialog: once a side has been replaced, the next one after what went there before. */
  continued(session: DialogSession | undefined, sdp: Uint8Array): Uint8Array
  /** That dialog has the side from now on. */
  replace(side: BridgeSide, session: DialogSession, owner: BridgeLeg, reason: 'transfer' | 'replaces'): void
}

/** An INVITE with Replaces: its caller takes the place. */
export class ReplacingInvite implements Change {
  constructor(
    private readonly bridge: Replacing,
    private readonly side: BridgeSide,
    private readonly incoming: IncomingRequest,
    private readonly owner: BridgeLeg,
  ) {}

  answer(status: number, sdp: Uint8Array | undefined): void {
    const { incoming, bridge, side, owner } = this
    if (incoming.isAnswered) return
    if (status >= 300) {
      incoming.answer(status)
      return
    }
    const session = incoming.acceptInto(owner, status, sessionBody(sdp))
    if (session !== undefined) bridge.replace(side, session, owner, 'replaces')
  }
}

/** Somebody who was called for a transfer and has answered with an offer. */
export class AnsweredTransfer implements Change {
  constructor(
    private readonly session: DialogSession,
    private readonly invite: SipRequest,
    /** What is to be done with the outcome; the ACK has been sent. */
    private readonly done: (status: number) => void,
  ) {}

  answer(status: number, sdp: Uint8Array | undefined): void {
    // Glare with the side that stays is waited out, and the 2xx waits as well.
    const answer = sdp === undefined ? undefined : continuedFrom(this.session.negotiation.local, sdp)
    if (status !== 491) this.session.ack(this.invite, status < 300 ? answer : undefined)
    this.done(status)
  }
}
