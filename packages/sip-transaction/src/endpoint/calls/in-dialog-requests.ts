/**
 * Requests that this end sends in a dialog: built by the dialog, sent as client requests, their outcomes told to the
 * negotiation, the session timer and the usage. RFC 3261 §12.2.1, §14.1; RFC 3311 §5.1; RFC 4028 §7.3 and §7.4;
 * RFC 5057 §5.1. Every method runs inside an input.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { RequestPlan } from '../../dialog/dialog'
import { hasOwnEnd } from '../../dialog/invite-usage'
import type { TransactionErrorCode } from '../../errors'
import type { Flow } from '../../ports'
import type { InDialogOptions } from '../options'
import { ClientRequest, type ClientRequestUser, credentialsOf } from '../requests/client-request'
import type { DialogSession } from './dialog-session'
import { endUnwanted } from './late-answers'
import { type Answerer, ProvisionalResponses } from './provisional-responses'
import { sdpOf } from './session-body'

/** Who hears of a request in the dialog. */
export interface SessionRequestUser {
  final(response: SipResponse): void
  error(code: TransactionErrorCode): void
}

/** Who hears of a re-INVITE. After a 2xx it calls `session.ack` with the request. */
export interface ReinviteUser {
  final(response: SipResponse, request: SipRequest): void
  error(code: TransactionErrorCode): void
  /** Answers an offer in a reliable provisional response. */
  readonly answer?: Answerer | undefined
}

/** A request under way that can be given up. */
export interface SentRequest {
  giveUp(code: TransactionErrorCode): void
}

/** Methods whose requests carry our Contact: they make or refresh a dialog. */
const withContact: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'REFER', 'SUBSCRIBE'])

/** How often a request goes out again for a 422. */
const intervalRetriesMax = 2

/** Sends the requests of one dialog. */
export class InDialogRequests {
  constructor(private readonly session: DialogSession) {}

  /** Sends a request that is neither INVITE nor ACK. */
  request(method: string, options: InDialogOptions, user: SessionRequestUser): SentRequest {
    return method === 'UPDATE' ? this.update(options, user, 0) : this.plain(method, options, user)
  }

  /** Makes a client request of this dialog, not yet sent. */
  make(method: string, options: InDialogOptions, own: readonly HeaderInit[], user: ClientRequestUser): ClientRequest {
    const { core, dialog, hop, auth } = this.session
    return new ClientRequest(
      core,
      {
        method,
        nextHop: () => dialog.nextHop,
        isSecure: () => hop.isSecure,
        plan: (credentials): RequestPlan =>
          dialog.nextRequest(method, [...credentials, ...own, ...(options.headers ?? [])]),
        destination: hop.direct() === undefined ? undefined : () => hop.direct(),
        mayLocate: true,
        extras: { contact: withContact.has(method), body: options.body, contentType: options.contentType },
        auth,
        timeoutMs: options.timeoutMs,
      },
      user,
    )
  }

  /** Sends a re-INVITE; undefined when another INVITE or offer is under way (RFC 3261 §14.1). */
  reinvite(options: InDialogOptions, user: ReinviteUser, tries = 0): SentRequest | undefined {
    const { session } = this
    if (session.negotiation.state !== 'stable') return undefined
    if (session.usage.handle('send-reinvite') !== 'proceed') return undefined
    session.negotiation.invite('send', options.body !== undefined)
    const offer = options.body
    const own = [...session.core.capabilityHeaders(session.allow), ...session.timers.requestHeaders()]
    let provisional: ProvisionalResponses | undefined
    let isSettled = false
    let instead: SentRequest | undefined
    const client: ClientRequest = this.make('INVITE', options, own, {
      provisional: (response) => {
        provisional ??= new ProvisionalResponses(session, client.request!.cseq.seq, {
          answer: user.answer,
          negotiationFailed: () => client.cancel(),
        })
        if (response.to.tag === session.dialog.remoteTag) provisional.receive(response)
      },
      final: (response, flow) => {
        provisional?.finish()
        if (this.isForeign(response, client.request!, flow)) return
        isSettled = true
        if (response.status !== 422 || tries >= intervalRetriesMax || !session.timers.refused(response)) {
          this.reinviteFinal(client.request!, response, flow, user, offer)
          return
        }
        this.reinviteFailed()
        instead = this.reinvite(options, user, tries + 1)
        if (instead === undefined) user.error('GLARE')
      },
      error: (code) => {
        isSettled = true
        this.reinviteFailed()
        session.lostBy(code)
        user.error(code)
      },
      gone: () => {
        session.inviteGone(client.request?.cseq.seq ?? 0)
        if (isSettled) return
        // All that came was the answer of another dialog.
        this.reinviteFailed()
        user.error('TIMEOUT')
      },
    })
    client.start()
    return { giveUp: (code) => (instead ?? client).giveUp(code) }
  }

  private plain(method: string, options: InDialogOptions, user: SessionRequestUser): SentRequest {
    const { session } = this
    const client = this.make(method, options, [], {
      final: (response) => {
        session.judge(method, response.status)
        user.final(response)
      },
      error: (code) => {
        if (!hasOwnEnd(method)) session.lostBy(code)
        user.error(code)
      },
    })
    client.start()
    return client
  }

  /** UPDATE (RFC 3311 §5.1); the caller has made sure that an offer may go. */
  private update(options: InDialogOptions, user: SessionRequestUser, tries: number): SentRequest {
    const { session } = this
    const isOffer = options.body !== undefined
    if (isOffer) session.negotiation.handle('send')
    const isEarly = session.usage.state === 'early'
    const own = [...session.core.capabilityHeaders(session.allow), ...(isEarly ? [] : session.timers.requestHeaders())]
    let instead: SentRequest | undefined
    const client = this.make('UPDATE', options, own, {
      final: (response) => {
        const isHere = response.to.tag === session.dialog.remoteTag
        const sdp = sdpOf(response)
        if (response.status < 300 && isHere) {
          session.dialog.refreshTarget(response)
          if (sdp !== undefined && isOffer) session.negotiation.take(sdp)
          if (isOffer) session.negotiation.local = options.body
          if (!isEarly) session.timers.heard(response)
        }
        if (isOffer && session.negotiation.state === 'local-offer') session.negotiation.handle('abandon')
        if (response.status === 422 && tries < intervalRetriesMax && session.timers.refused(response)) {
          instead = this.update(options, user, tries + 1)
          return
        }
        session.judge('UPDATE', response.status)
        user.final(response)
      },
      error: (code) => {
        if (isOffer) session.negotiation.handle('abandon')
        session.lostBy(code)
        user.error(code)
      },
    })
    client.start()
    return { giveUp: (code) => (instead ?? client).giveUp(code) }
  }

  private reinviteFailed(): void {
    this.session.negotiation.handle('abandon')
    this.session.usage.handle('receive-failure')
  }

  private reinviteFinal(
    request: SipRequest,
    response: SipResponse,
    flow: Flow,
    user: ReinviteUser,
    offer: Uint8Array | string | undefined,
  ): void {
    const { session } = this
    if (response.status >= 300) {
      this.reinviteFailed()
      session.judge('INVITE', response.status)
      user.final(response, request)
      return
    }
    if (session.repeatAck(request.cseq.seq)) return
    const action = session.usage.handle('receive-2xx')
    if (action === 'ignore') {
      if (session.usage.state !== 'terminated') return
      // The call has been forgotten meanwhile; the ACK is owed all the same (RFC 3261 §13.2.2.4).
      session.ack(request)
      user.error('CALL_ENDED')
      return
    }
    session.dialog.refreshTarget(response)
    session.hop.heardResponse(flow)
    session.learn(response)
    const sdp = sdpOf(response)
    if (sdp !== undefined) session.negotiation.takeResponse(sdp)
    session.timers.heard(response)
    if (offer !== undefined) session.negotiation.local = offer
    if (action === 'ack') session.ack(request)
    user.final(response, request)
  }

  /** A 2xx with another To tag is of another dialog: it is acknowledged and ended there (RFC 3261 §13.2.2.4). */
  private isForeign(response: SipResponse, request: SipRequest, flow: Flow): boolean {
    const { session } = this
    const { tag } = response.to
    if (response.status >= 300 || tag === session.dialog.remoteTag || (tag ?? '') === session.dialog.remoteTag)
      return false
    endUnwanted(session.core, response, flow, credentialsOf(request), session.auth)
    return true
  }
}
