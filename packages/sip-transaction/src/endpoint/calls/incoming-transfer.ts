/**
 * A transfer that the peer of a call asks for: it wants this end to talk to somebody else. RFC 3515 §2.4.2 to §2.4.5,
 * RFC 3891 §4 and §7.1 (attended), RFC 3892 §3 (Referred-By goes on to the target).
 */
import type { HeaderInit, ReferredBy, Replaces, SipRequest, SipResponse, Uri } from '@carillon/sip-parser'
import { CallFailedError, SipTransactionError, SipUsageError } from '../../errors'
import type { Core } from '../core'
import type { InviteOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import { readAddress } from '../requests/outgoing'
import type { Call } from './call'
import type { DialogSession } from './dialog-session'
import { inviteHeaders } from './invite-headers'
import { OutgoingInvite } from './outgoing-invite'
import { ReferReporter } from './refer-reporter'
import { isSamePlace, type ReferFacts } from './refer-target'

/** What `follow` makes a call with: most of what `SipStack.invite` takes. */
export type FollowOptions = Pick<
  InviteOptions,
  'sdp' | 'answer' | 'headers' | 'from' | 'routes' | 'destination' | 'credentials' | 'signal'
>

/** Makes the call of an answered INVITE. */
export type MakeCall = (
  session: DialogSession,
  response: SipResponse,
  invite: SipRequest,
  answer: InviteOptions['answer'],
) => Call

/** A transfer that waits for a decision: `follow`, or `accept` with reports of one's own, or `refuse`. */
export class IncomingTransfer {
  /** Whom to call. */
  readonly target: Uri
  /** The call that is to be replaced there: an attended transfer. */
  readonly replaces: Replaces | undefined
  /** Who asks, in the peer's words: no proof. */
  readonly referredBy: ReferredBy | undefined
  private reporter: ReferReporter | undefined
  private isAnswered = false

  /** @internal */
  constructor(
    private readonly core: Core,
    private readonly session: DialogSession,
    /** The REFER. */
    readonly request: IncomingRequest,
    facts: ReferFacts,
    private readonly makeCall: MakeCall,
  ) {
    this.target = facts.target
    this.replaces = facts.replaces
    this.referredBy = facts.referredBy
  }

  /** Whether the target is this very end of the call, or its peer: following it leads nowhere. */
  get isToOneself(): boolean {
    const { target, session, core } = this
    const { remoteTarget, remote, local } = session.dialog
    const known = [remoteTarget, remote.uri, local.uri, ...core.egress.entries.map(({ listener }) => listener.uri)]
    return this.replaces === undefined && known.some((uri) => isSamePlace(target, uri))
  }

  /**
   * Says that it will not be done.
   * @throws SipUsageError ALREADY_ANSWERED, STATUS_INVALID
   */
  refuse(status = 603): void {
    if (status < 300 || status > 699) throw new SipUsageError('STATUS_INVALID', `${status}`)
    this.take()
    this.request.answer(status)
  }

  /**
   * Takes it, and leaves the rest to the caller of this: report with {@link report}.
   * @throws SipUsageError ALREADY_ANSWERED
   */
  accept(): void {
    this.take()
    this.core.submit(() => {
      this.reporter = new ReferReporter(this.session, this.request)
    })
  }

  /** Tells the peer how it goes on; a final status is the last word. */
  report(status: number): void {
    this.core.submit(() => (status < 200 ? this.reporter?.progress(status) : this.reporter?.done(status)))
  }

  /**
   * Calls the target, with all that a transfer wants: Referred-By, Replaces, reports to the peer. The call with the peer
   * goes on; the peer, or the caller of this, hangs it up.
   * @throws SipUsageError ALREADY_ANSWERED; CallFailedError with the failure status (403, without a call, for a target that
   *   is this end or the peer itself); SipTransactionError as `SipStack.invite`
   */
  follow(options: FollowOptions = {}): Promise<Call> {
    if (this.isToOneself) {
      this.refuse(403)
      return Promise.reject(new CallFailedError(403))
    }
    this.accept()
    return new Promise((resolve, reject) => {
      const { core, session } = this
      const { sdp, signal, answer } = options
      const { local, remote } = session.dialog
      const from = options.from === undefined ? local : readAddress(options.from, 'From')
      const referredBy = this.referredBy?.toString() ?? `<${remote.uri.toString()}>`
      const headers: HeaderInit[] = [...inviteHeaders(core, undefined), ['Referred-By', referredBy]]
      if (this.replaces !== undefined) headers.push(['Replaces', this.replaces.toString()], ['Require', 'replaces'])
      const settle = (act: () => void) => {
        signal?.removeEventListener('abort', abort)
        act()
      }
      const fail = (status: number, error: Error) =>
        settle(() => {
          this.report(status)
          reject(error)
        })
      const abort = () => {
        fail(487, new SipTransactionError('ABORTED'))
        core.submit(() => invite.cancel())
      }
      const spec = {
        method: 'INVITE',
        uri: this.target,
        from: from.withParam('tag', core.newTag()),
        to: readAddress(`<${this.target.toString()}>`, 'To'),
        callId: core.newCallId(),
        firstCseq: 1,
        headers: [...headers, ...(options.headers ?? [])],
        contact: true,
        routes: options.routes ?? [],
        destination: options.destination,
        credentials: options.credentials,
        body: sdp,
        contentType: sdp === undefined ? undefined : 'application/sdp',
      }
      const invite = new OutgoingInvite(core, spec, {
        answer: sdp === undefined ? answer : undefined,
        progress: (response) => this.report(response.status),
        accepted: (made, response, request) =>
          settle(() => {
            this.report(200)
            resolve(this.makeCall(made, response, request, sdp === undefined ? answer : undefined))
          }),
        failed: (response) => fail(response.status, new CallFailedError(response.status, response)),
        error: (code) => fail(code === 'TIMEOUT' ? 408 : 503, new SipTransactionError(code)),
      })
      if (signal?.aborted) fail(487, new SipTransactionError('ABORTED'))
      else {
        signal?.addEventListener('abort', abort, { once: true })
        core.submit(() => invite.start())
      }
    })
  }

  private take(): void {
    if (this.isAnswered || this.request.isAnswered) throw new SipUsageError('ALREADY_ANSWERED', 'REFER')
    this.isAnswered = true
  }
}
