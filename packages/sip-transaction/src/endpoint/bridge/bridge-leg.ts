/** One side of a bridge as the owner of its dialog: what happens there goes to the bridge as long as it has that side. */
import type { SipRequest } from '@carillon/sip-parser'
import type { BridgeInput, BridgeSide } from '../../b2bua/bridge-types'
import type { Call } from '../calls/call'
import type { DialogSession } from '../calls/dialog-session'
import type { SessionOwner } from '../calls/session-owner'
import type { Core } from '../core'
import type { CallEnd } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { BridgeView } from './bridge'
import type { Change, Replacing } from './bridge-changes'
import type { BridgeOptions } from './bridge-options'

/** The bridge, as its sides and what happens in them see it. Every method runs inside an input. */
export interface BridgeHost extends Replacing, BridgeView {
  readonly core: Core
  readonly options: BridgeOptions
  /** Whether both sides talk, so that one of them may be replaced. */
  readonly isActive: boolean
  /** Whether nobody has answered yet. */
  readonly isSettingUp: boolean
  /** The transfer that it carries out, if any. */
  transfer: { abort(): void } | undefined
  /** The dialog of a side. */
  sessionOf(side: BridgeSide): DialogSession | undefined
  /** Gives the machine an input, in its turn. */
  later(input: BridgeInput): void
  /** Somebody wants to change the session, as that side; `change` hears the answer. The result names it. */
  request(
    side: BridgeSide,
    change: Change,
    method: 'INVITE' | 'UPDATE',
    sdp: Uint8Array | undefined,
    branch?: number,
  ): number
  /** Whoever asked for that change has gone back on it. */
  abandon(request: number): void
  /** That side goes on in another bridge, which has its dialog from now on. */
  release(side: BridgeSide): void
  receivedFrom(side: BridgeSide, incoming: IncomingRequest, branch?: number): void
  acknowledgedBy(side: BridgeSide, ack: SipRequest): void
  answeredEarly(side: BridgeSide, sdp: Uint8Array): void
  legEnded(side: BridgeSide, end: CallEnd): void
}

/** One side. */
export class BridgeLeg implements SessionOwner {
  readonly isBridged = true
  private user: BridgeHost | undefined

  constructor(
    user: BridgeHost,
    /** Where the side is in its bridge. */
    readonly side: BridgeSide,
    /** The call that the dialog was before: its user still hears how it ends. */
    private readonly call: Call | undefined,
  ) {
    this.user = user
  }

  /** The bridge that has this side, if any. */
  get bridge(): BridgeHost | undefined {
    return this.user
  }

  /** The dialog goes its own way; the bridge hears no more of it. */
  detach(): void {
    this.user = undefined
  }

  received(incoming: IncomingRequest): void {
    if (this.user === undefined) incoming.answer(481)
    else this.user.receivedFrom(this.side, incoming)
  }

  acknowledged(ack: SipRequest): void {
    this.user?.acknowledgedBy(this.side, ack)
    this.call?.acknowledged(ack)
  }

  answered(sdp: Uint8Array): void {
    this.user?.answeredEarly(this.side, sdp)
  }

  endedBy(end: CallEnd): void {
    this.user?.legEnded(this.side, end)
    this.call?.endedBy(end)
  }
}

/** A called place that has not answered yet: requests in its early dialog. */
export class EarlyLeg implements SessionOwner {
  readonly isBridged = true

  constructor(
    private readonly user: BridgeHost,
    private readonly branch: number,
  ) {}

  received(incoming: IncomingRequest): void {
    this.user.receivedFrom('b', incoming, this.branch)
  }

  acknowledged(): void {}

  endedBy(): void {}
}
