/**
 * An outgoing INVITE with all of its forks: RFC 3261 §13.2.2.1 to §13.2.2.4, §9.1. The table is in ua/; this carries
 * its actions out. Every method runs inside an input.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import { Dialog } from '../dialog/dialog'
import type { TransactionErrorCode } from '../errors'
import type { Flow } from '../ports'
import { OutgoingInviteMachine } from '../ua/outgoing-invite'
import { ClientRequest } from './client-request'
import type { Closable, Core } from './core'
import { DialogSession } from './dialog-session'
import { clientSpec, type OutgoingSpec } from './outgoing'

/** Who made the call. After {@link OutgoingInvite.cancel} it hears nothing more. */
export interface OutgoingInviteUser {
  progress(response: SipResponse): void
  /** The call is made; the user acknowledges the 2xx with `session.ack(invite)`. */
  accepted(session: DialogSession, response: SipResponse, invite: SipRequest): void
  failed(response: SipResponse): void
  error(code: TransactionErrorCode): void
}

/** One outgoing INVITE. */
export class OutgoingInvite implements Closable {
  private readonly machine = new OutgoingInviteMachine()
  private readonly client: ClientRequest
  private readonly auth: ReturnType<typeof clientSpec>['auth']
  /** Dialogs by remote tag, early ones and the one that was answered. */
  private readonly dialogs = new Map<string, DialogSession>()
  private readonly isWayNamed: boolean

  constructor(
    private readonly core: Core,
    spec: OutgoingSpec,
    private readonly user: OutgoingInviteUser,
  ) {
    const request = clientSpec(core, spec)
    this.auth = request.auth
    this.isWayNamed = spec.destination !== undefined
    this.client = new ClientRequest(core, request, {
      provisional: (response, flow) => this.provisional(response, flow),
      final: (response, flow) => this.final(response, flow),
      error: (code) => this.failedWithout(code),
      gone: () => this.gone(),
    })
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

  private provisional(response: SipResponse, flow: Flow): void {
    if (response.status === 100) return
    this.earlyDialog(response, flow)
    if (this.machine.handle('provisional') === 'report-progress') this.user.progress(response)
  }

  private final(response: SipResponse, flow: Flow): void {
    if (response.status >= 300) {
      const action = this.machine.handle('failure')
      this.finish(undefined)
      if (action === 'report-failure') this.user.failed(response)
      return
    }
    const invite = this.client.request!
    const known = this.dialogs.get(response.to.tag ?? '')
    if (known?.repeatAck(invite.cseq.seq)) return
    // A repetition that came before the user has acknowledged: the ACK is on its way.
    if (known !== undefined && known.usage.state === 'owing-ack') return
    const session = known ?? this.makeDialog(response, flow)
    const action = this.machine.handle('success')
    session.accepted(response, flow)
    if (action === 'report-answer') {
      this.finish(session)
      this.user.accepted(session, response, invite)
    } else {
      session.ack(invite)
      session.bye(undefined)
      if (this.machine.state !== 'answered') this.finish(session)
    }
  }

  private failedWithout(code: TransactionErrorCode): void {
    const action = this.machine.handle('error')
    this.finish(undefined)
    if (action === 'report-error') this.user.error(code)
  }

  private gone(): void {
    this.machine.handle('gone')
    const cseq = this.client.request?.cseq.seq
    for (const session of this.dialogs.values()) if (cseq !== undefined) session.inviteGone(cseq)
    this.dialogs.clear()
  }

  private earlyDialog(response: SipResponse, flow: Flow): void {
    const tag = response.to.tag
    if (tag === undefined || this.dialogs.has(tag)) return
    if (this.dialogs.size >= this.core.limits.forkedDialogsMax) return
    if (this.machine.state === 'calling' || this.machine.state === 'proceeding') this.makeDialog(response, flow)
  }

  private makeDialog(response: SipResponse, flow: Flow): DialogSession {
    const invite = this.client.request!
    const session = new DialogSession(this.core, Dialog.ofClient(invite, response, flow.isSecure))
    session.auth = this.auth
    session.hop.heardResponse(flow, this.isWayNamed)
    if (invite.bodyLength > 0) session.negotiation.handle('send')
    // Over the cap nobody may make us remember more; such a dialog is ended as soon as it is answered.
    if (this.dialogs.size < this.core.limits.forkedDialogsMax) this.dialogs.set(response.to.tag ?? '', session)
    return session
  }

  /** The INVITE is decided: the other early dialogs end without a word (RFC 3261 §13.2.2.4). */
  private finish(winner: DialogSession | undefined): void {
    this.core.alive.delete(this)
    for (const [tag, session] of this.dialogs) {
      if (session === winner || session.usage.state !== 'early') continue
      session.failed()
      this.dialogs.delete(tag)
    }
    this.core.onChange()
  }
}
