/**
 * A place that a bridge calls: by an INVITE of its own, or, for a call that is up already, by a re-INVITE (RFC 3725 §4.1
 * and §4.4). Every method runs inside an input.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import { continuedFrom } from '../../dialog/origin'
import type { TransactionErrorCode } from '../../errors'
import type { Call } from '../calls/call'
import type { DialogSession } from '../calls/dialog-session'
import type { SentRequest } from '../calls/in-dialog-requests'
import { OutgoingInvite } from '../calls/outgoing-invite'
import { reinvitePatiently } from '../calls/patient-reinvite'
import { sdpOf } from '../calls/session-body'
import type { Core } from '../core'
import type { OutgoingSpec } from '../requests/outgoing'

/** What a failure to reach a place counts as. */
const statusOfError: Readonly<Partial<Record<TransactionErrorCode, number>>> = {
  TIMEOUT: 408,
  NAME_NOT_FOUND: 404,
  NAME_LOOKUP_FAILED: 480,
  TRANSPORT_FAILED: 480,
  UNREACHABLE: 480,
  THROTTLED: 503,
}

/** An INVITE without its body: the bridge knows that when it calls. */
export type CalleeSpec = Omit<OutgoingSpec, 'body' | 'contentType'>

/** The bridge, as it hears of a place. */
export interface CalleeUser {
  progress(response: SipResponse): void
  accepted(sdp: Uint8Array | undefined): void
  rejected(status: number): void
  /** It names other places, which are to be called in its place; in place of `rejected`. */
  redirected?(status: number, places: readonly ((user: CalleeUser) => Callee)[]): void
  /** An early dialog has been made. */
  early?(session: DialogSession): void
  /** Whether offers in provisional responses can be answered. */
  readonly takesEarlyOffers?: boolean
}

/** One place. */
export interface Callee {
  /** The dialog: the early one with media, then the one that was answered. */
  readonly session: DialogSession | undefined
  /** The INVITE whose 2xx has to be acknowledged. */
  readonly request: SipRequest | undefined
  /** What it said last, for the headers that pass. */
  readonly response: SipResponse | undefined
  /** The call that it was before. */
  readonly call: Call | undefined
  start(sdp: Uint8Array | undefined): void
  cancel(headers: readonly HeaderInit[]): void
  /** Answers the offer of a reliable provisional response. */
  answer(sdp: Uint8Array): void
}

/** A place that is called by INVITE. */
export class InvitedCallee implements Callee {
  session: DialogSession | undefined
  request: SipRequest | undefined
  response: SipResponse | undefined
  readonly call = undefined
  private invite: OutgoingInvite | undefined
  private giveAnswer: ((sdp: Uint8Array) => void) | undefined

  constructor(
    private readonly core: Core,
    private readonly spec: CalleeSpec,
    private readonly user: CalleeUser,
  ) {}

  start(sdp: Uint8Array | undefined): void {
    const whole = { ...this.spec, body: sdp, contentType: sdp === undefined ? undefined : 'application/sdp' }
    const { user } = this
    this.invite = new OutgoingInvite(this.core, whole, {
      answer: user.takesEarlyOffers === true && sdp === undefined ? () => this.answerLater() : undefined,
      progress: (response, early) => {
        this.response = response
        if (early !== undefined) {
          this.session ??= early
          if (sdpOf(response) !== undefined) this.session = early
          user.early?.(early)
        }
        user.progress(response)
      },
      accepted: (session, response, request) => {
        this.session = session
        this.request = request
        this.response = response
        user.accepted(sdpOf(response))
      },
      failed: (response) => {
        this.response = response
        user.rejected(response.status)
      },
      error: (code) => {
        this.response = undefined
        user.rejected(statusOfError[code] ?? 500)
      },
    })
    this.invite.start()
  }

  cancel(headers: readonly HeaderInit[]): void {
    this.invite?.cancel(headers)
  }

  answer(sdp: Uint8Array): void {
    this.giveAnswer?.(sdp)
  }

  private answerLater(): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.giveAnswer = resolve
    })
  }
}

/** A call that is up, asked for an offer or given one by re-INVITE. */
export class JoinedCallee implements Callee {
  request: SipRequest | undefined
  response: SipResponse | undefined
  private sent: SentRequest | undefined
  private isCancelled = false

  constructor(
    readonly session: DialogSession,
    readonly call: Call | undefined,
    private readonly user: CalleeUser,
  ) {}

  start(sdp: Uint8Array | undefined): void {
    const { session, user } = this
    const offer = sdp === undefined ? undefined : continuedFrom(session.negotiation.local, sdp)
    this.sent = reinvitePatiently(session, offer, {
      final: (response, request) => {
        if (response.status >= 300) user.rejected(response.status)
        else if (this.isCancelled) session.ack(request)
        else {
          this.request = request
          this.response = response
          user.accepted(sdpOf(response))
        }
      },
      error: (code) => user.rejected(statusOfError[code] ?? 480),
    })
  }

  cancel(): void {
    this.isCancelled = true
    this.sent?.giveUp('CANCELLED')
  }

  answer(): void {}
}
