/**
 * An outgoing INVITE with all of its forks: RFC 3261 §13.2.2.1 to §13.2.2.4, §9.1. The table is in ua/; this carries
 * its actions out. Every method runs inside an input.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import { Dialog } from '../../dialog/dialog'
import { sessionMinimum, sessionOffer, sessionSecondsMin } from '../../dialog/session-interval'
import type { TransactionErrorCode } from '../../errors'
import type { Flow } from '../../ports'
import { OutgoingInviteMachine } from '../../ua/outgoing-invite'
import type { Closable, Core } from '../core'
import { ClientRequest, type ClientRequestSpec, credentialsOf } from '../requests/client-request'
import { clientSpec, type OutgoingSpec } from '../requests/outgoing'
import type { RosterPlace } from '../roster'
import { AnsweredInvite } from './answered-invite'
import { DialogSession } from './dialog-session'
import { endUnwanted, rememberRefused } from './late-answers'
import { type Answerer, ProvisionalResponses } from './provisional-responses'
import { reasonHeaders } from './reason'
import { sdpOf } from './session-body'

/** How often the INVITE goes out again for a 422. */
const intervalRetriesMax = 2

/** Who made the call. After {@link OutgoingInvite.cancel} it hears nothing more. */
export interface OutgoingInviteUser {
  /** `early` is the early dialog of the response, if it has one. */
  progress(response: SipResponse, early: DialogSession | undefined): void
  /** The call is made; the user acknowledges the 2xx with `session.ack(invite)`. */
  accepted(session: DialogSession, response: SipResponse, invite: SipRequest): void
  failed(response: SipResponse): void
  error(code: TransactionErrorCode): void
  /** Answers an offer in a reliable provisional response. */
  readonly answer?: Answerer | undefined
}

interface Fork {
  readonly session: DialogSession
  readonly provisional: ProvisionalResponses
}

/** One outgoing INVITE. */
export class OutgoingInvite implements Closable {
  rosterPlace: RosterPlace | undefined = undefined
  private readonly machine = new OutgoingInviteMachine()
  private readonly spec: ClientRequestSpec
  private client: ClientRequest
  private readonly auth: ReturnType<typeof clientSpec>['auth']
  /** Dialogs by remote tag, early ones and the one that was answered. */
  private readonly dialogs = new Map<string, Fork>()
  private readonly isWayNamed: boolean
  private minSeconds: number
  private tries = 0

  constructor(
    private readonly core: Core,
    spec: OutgoingSpec,
    private readonly user: OutgoingInviteUser,
  ) {
    const request = clientSpec(core, spec)
    this.auth = request.auth
    this.isWayNamed = spec.destination !== undefined
    this.minSeconds = core.capabilities.session?.minSeconds ?? sessionSecondsMin
    const { plan } = request
    this.spec = { ...request, plan: (credentials) => plan([...credentials, ...this.sessionHeaders()]) }
    this.client = this.makeClient()
  }

  /** Sends the INVITE. */
  start(): void {
    this.core.alive.add(this)
    this.client.start()
  }

  /** Gives up: CANCEL, and BYE for a 2xx that crosses it. */
  cancel(headers: readonly HeaderInit[] = []): void {
    if (this.machine.handle('cancel') === 'send-cancel') this.client.cancel(headers)
  }

  hangUp(): void {
    this.user.error('STACK_CLOSED')
    this.cancel()
  }

  private makeClient(): ClientRequest {
    return new ClientRequest(this.core, this.spec, {
      provisional: (response, flow) => this.provisional(response, flow),
      final: (response, flow) => this.final(response, flow),
      error: (code) => this.failedWithout(code),
      gone: () => this.gone(),
    })
  }

  private sessionHeaders(): HeaderInit[] {
    const policy = this.core.capabilities.session
    return policy?.isOffered === true ? sessionOffer(policy.expiresSeconds, this.minSeconds, undefined) : []
  }

  private provisional(response: SipResponse, flow: Flow): void {
    if (response.status === 100) return
    const fork = this.earlyDialog(response, flow)
    if (fork !== undefined && !fork.provisional.receive(response)) return
    if (this.machine.handle('provisional') === 'report-progress') this.user.progress(response, fork?.session)
  }

  private final(response: SipResponse, flow: Flow): void {
    if (response.status >= 300) {
      if (response.status === 422 && this.tryLonger(response)) return
      const action = this.machine.handle('failure')
      this.finish(undefined)
      rememberRefused(this.core, this.client.request)
      if (action === 'report-failure') this.user.failed(response)
      return
    }
    const invite = this.client.request!
    const tag = response.to.tag ?? ''
    const known = this.dialogs.get(tag)?.session
    if (known?.repeatAck(invite.cseq.seq)) return
    // An early dialog that was lost on the way is found again.
    if (known !== undefined && !known.isAlive) this.dialogs.delete(tag)
    // A repetition that came before the user has acknowledged: the ACK is on its way.
    if (known !== undefined && known.usage.state === 'owing-ack') return
    const action = this.machine.handle('success')
    if (!this.dialogs.has(tag) && action !== 'report-answer') {
      endUnwanted(this.core, response, flow, credentialsOf(invite), this.auth, this.isWayNamed)
      if (this.machine.state !== 'answered') this.finish(undefined)
      return
    }
    const { session } = this.dialogs.get(tag) ?? this.makeDialog(response, flow)
    session.accepted(response, flow)
    if (action === 'report-answer') {
      this.finish(session)
      this.user.accepted(session, response, invite)
      const { auth, isWayNamed } = this
      const sent = { cseq: invite.cseq.seq, credentials: credentialsOf(invite), auth, isWayNamed }
      this.client.handOver(new AnsweredInvite(this.core, session, sent))
    } else {
      session.ack(invite)
      session.bye(undefined)
      if (this.machine.state !== 'answered') this.finish(session)
    }
  }

  /** RFC 4028 §7.3: the same INVITE again, with the interval that the 422 asks for. */
  private tryLonger(response: SipResponse): boolean {
    const seconds = sessionMinimum(response)
    const isWanted = this.machine.state === 'calling' || this.machine.state === 'proceeding'
    if (!isWanted || seconds === undefined || seconds <= this.minSeconds || this.tries >= intervalRetriesMax)
      return false
    this.tries += 1
    this.minSeconds = seconds
    this.endForks(undefined)
    this.client = this.makeClient()
    this.client.start()
    return true
  }

  private failedWithout(code: TransactionErrorCode): void {
    const action = this.machine.handle('error')
    this.finish(undefined)
    rememberRefused(this.core, this.client.request)
    if (action === 'report-error') this.user.error(code)
  }

  private gone(): void {
    this.machine.handle('gone')
    const cseq = this.client.request?.cseq.seq
    for (const { session } of this.dialogs.values()) if (cseq !== undefined) session.inviteGone(cseq)
    this.dialogs.clear()
  }

  /** The early dialog of a provisional response, made when it is new. */
  private earlyDialog(response: SipResponse, flow: Flow): Fork | undefined {
    const tag = response.to.tag
    if (tag === undefined) return undefined
    const known = this.dialogs.get(tag)
    if (known !== undefined || this.dialogs.size >= this.core.limits.forkedDialogsMax) return known
    const isOpen = this.machine.state === 'calling' || this.machine.state === 'proceeding'
    return isOpen ? this.makeDialog(response, flow) : undefined
  }

  private makeDialog(response: SipResponse, flow: Flow): Fork {
    const invite = this.client.request!
    const session = new DialogSession(this.core, Dialog.ofClient(invite, response, flow.isSecure), true)
    session.auth = this.auth
    session.invite = this
    session.learn(response)
    session.hop.heardResponse(flow, this.isWayNamed)
    const sdp = sdpOf(invite)
    session.negotiation.invite('send', sdp !== undefined)
    session.negotiation.local = this.spec.extras.body
    const provisional = new ProvisionalResponses(session, invite.cseq.seq, {
      answer: this.user.answer,
      negotiationFailed: (reason) => this.abandon(reason),
    })
    const fork = { session, provisional }
    // Over the cap nobody may make us remember more; such a dialog is ended as soon as it is answered.
    if (this.dialogs.size < this.core.limits.forkedDialogsMax) this.dialogs.set(response.to.tag ?? '', fork)
    return fork
  }

  /** The session cannot come about: the INVITE is cancelled, and its user hears how it ended. */
  abandon(reason: string): void {
    this.client.cancel(reasonHeaders(reason))
  }

  /** The INVITE is decided: the other early dialogs end without a word (RFC 3261 §13.2.2.4). */
  private finish(winner: DialogSession | undefined): void {
    this.core.alive.delete(this)
    this.endForks(winner)
    this.core.onChange()
  }

  private endForks(winner: DialogSession | undefined): void {
    for (const [tag, { session, provisional }] of this.dialogs) {
      provisional.finish()
      if (session === winner || session.usage.state !== 'early') continue
      session.failed()
      this.dialogs.delete(tag)
    }
  }
}
