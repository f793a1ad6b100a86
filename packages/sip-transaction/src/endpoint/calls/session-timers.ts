/** The session timer of one dialog (RFC 4028) with its wake: headers out, headers in, refresh and end when they are due. */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import {
  type SessionVerdict,
  sessionAgreed,
  sessionAnswer,
  sessionMinimum,
  sessionOffer,
  sessionSecondsMin,
} from '../../dialog/session-interval'
import { SessionTimer } from '../../dialog/session-timer'
import type { Core } from '../core'
import type { Appointment } from '../driver'

/** Whose session it is. */
export interface SessionTimerUser {
  /** Send a refresh; its outcome comes back as {@link SessionTimers.heard} or {@link SessionTimers.failed}. */
  refreshSession(): void
  /** The session has expired: end the dialog. */
  sessionExpired(): void
}

/** The session timer of one dialog. Every method runs inside an input. */
export class SessionTimers {
  private readonly timer = new SessionTimer()
  private minSeconds = sessionSecondsMin
  private wake: Appointment | undefined

  constructor(
    private readonly core: Core,
    private readonly user: SessionTimerUser,
  ) {
    this.minSeconds = core.capabilities.session?.minSeconds ?? sessionSecondsMin
  }

  /** The interval agreed on, in seconds, and whether we refresh; undefined when there is no timer. */
  get agreement(): { readonly seconds: number; readonly isLocal: boolean } | undefined {
    const { weRefresh, seconds } = this.timer
    return weRefresh === undefined ? undefined : { seconds, isLocal: weRefresh }
  }

  /** Headers of an INVITE or UPDATE in the dialog. */
  requestHeaders(): HeaderInit[] {
    const policy = this.core.capabilities.session
    const { weRefresh, seconds } = this.timer
    if (policy === undefined || (!policy.isOffered && weRefresh === undefined)) return []
    const refresher = weRefresh === undefined ? undefined : weRefresh ? 'uac' : 'uas'
    return sessionOffer(seconds > 0 ? seconds : policy.expiresSeconds, this.minSeconds, refresher)
  }

  /** What an INVITE or UPDATE of the peer asks for. */
  judge(request: SipRequest): SessionVerdict {
    return judgeSession(this.core, request, this.timer.weRefresh)
  }

  /** We answered 2xx with that. */
  answered(verdict: SessionVerdict): void {
    if (verdict.kind === 'agreed') this.agree(verdict.agreement.seconds, verdict.agreement.refresher === 'uas')
    else this.agree(0, false)
  }

  /** A 2xx to an INVITE or UPDATE of ours. */
  heard(response: SipResponse): void {
    if (this.core.capabilities.session === undefined) return
    const agreement = sessionAgreed(response)
    this.agree(agreement?.seconds ?? 0, agreement?.refresher === 'uac')
  }

  /** A 422: true when its Min-SE is news, so that the request may be sent again (RFC 4028 §7.3). */
  refused(response: SipResponse): boolean {
    const seconds = sessionMinimum(response)
    if (seconds === undefined || seconds <= this.minSeconds) return false
    this.minSeconds = seconds
    return true
  }

  /** A refresh of ours came to nothing. */
  failed(): void {
    this.timer.refreshFailed(this.core.driver.nowMs)
    this.rearm()
  }

  /** The dialog is over. */
  stop(): void {
    this.timer.close()
    this.rearm()
  }

  private agree(seconds: number, isLocal: boolean): void {
    if (seconds === 0 && this.timer.state === 'off') return
    this.timer.agree(seconds, isLocal, this.core.driver.nowMs)
    this.rearm()
  }

  private rearm(): void {
    this.wake?.cancel()
    this.wake = undefined
    const atMs = this.timer.deadline()
    if (atMs !== Number.POSITIVE_INFINITY) this.wake = this.core.driver.at(atMs, () => this.expire())
  }

  private expire(): void {
    this.wake = undefined
    const due = this.timer.expire(this.core.driver.nowMs)
    this.rearm()
    if (due === 'refresh') this.user.refreshSession()
    else if (due === 'expire') this.user.sessionExpired()
  }
}

/** What a request asks for, by the policy of the stack. */
export function judgeSession(core: Core, request: SipRequest, weRefresh: boolean | undefined): SessionVerdict {
  const policy = core.capabilities.session
  return policy === undefined ? { kind: 'none' } : sessionAnswer(policy, request, weRefresh)
}
