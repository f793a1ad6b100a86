/**
 * The subscriber's end of one subscription in one dialog: its machine, its clock, its refreshes. RFC 6665 §4.1.2;
 * RFC 3515 §2.4.4 for the one that a REFER outside of calls makes. Every method runs inside an input.
 */
import { EventType, type HeaderInit, type SipResponse, type SubscriptionState } from '@carillon/sip-parser'
import { endsSubscription, type SubscriberInput, SubscriberUsage } from '../../dialog/subscribe-usage'
import type { TransactionErrorCode } from '../../errors'
import type { Core } from '../core'
import type { Appointment } from '../driver'
import type { InDialogOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { EventDialog, EventUsage } from './event-dialog'

/** Why a subscription is over, as its leg knows. */
export interface LegEnd {
  readonly by: 'local' | 'remote' | 'timeout' | 'transport'
  /** The peer's reason (RFC 6665 §4.1.3), or a few words of ours. */
  readonly reason?: string | undefined
  /** Seconds that the peer wants us to wait before another try. */
  readonly retryAfter?: number | undefined
  /** The status that ended it. */
  readonly status?: number | undefined
}

/** What a subscription is for, and who hears of it. */
export interface LegUser {
  /** What a refresh carries beside Event and Expires: Accept and the user's own. */
  readonly options: InDialogOptions
  /** A NOTIFY. Returns the status to answer it with. */
  notified(leg: SubscriptionLeg, incoming: IncomingRequest, state: SubscriptionState): number
  /** It is over; called once. */
  legEnded(leg: SubscriptionLeg, end: LegEnd): void
}

/** How often a SUBSCRIBE goes out again for a 423. */
const briefRetriesMax = 2

/** One end of one subscription. */
export class SubscriptionLeg implements EventUsage {
  readonly role = 'subscriber'
  private readonly usage = new SubscriberUsage()
  private dialog: EventDialog | undefined
  private refreshAt: Appointment | undefined
  private expireAt: Appointment | undefined
  private notifyBy: Appointment | undefined
  private expiresAtMs = Number.POSITIVE_INFINITY
  private nextGapMs = 0
  private owesLeave = false
  private isRefreshing = false
  private end: LegEnd = { by: 'local' }

  /**
   * @param id the id parameter of Event; `isImplied` when a NOTIFY may leave it out (RFC 3515 §2.4.6)
   * @param wantedSeconds the lifetime to ask for; 0 for a fetch
   */
  constructor(
    private readonly core: Core,
    private readonly user: LegUser,
    private readonly event: string,
    private readonly id: () => string | undefined,
    private readonly isImplied: boolean,
    private wantedSeconds: number,
  ) {
    if (wantedSeconds === 0) this.usage.handle('unsubscribe')
    this.waitForNotify()
  }

  /** `ended` as soon as nothing more comes. */
  get state(): 'waiting' | 'pending' | 'active' | 'leaving' | 'ended' {
    const { state } = this.usage
    return state === 'notify-wait' ? 'waiting' : state === 'terminated' ? 'ended' : state
  }

  /** True while no NOTIFY has given it a dialog. */
  get isUnbound(): boolean {
    return this.dialog === undefined
  }

  /** Seconds until it expires, as agreed last. */
  get secondsLeft(): number {
    return Math.max(0, Math.ceil((this.expiresAtMs - this.core.driver.nowMs) / 1000))
  }

  matches(event: string, id: string | undefined): boolean {
    return event === this.event && (id === this.id() || (id === undefined && this.isImplied))
  }

  /** Gives it its dialog: that of a call, or the one that a NOTIFY has made. */
  bind(dialog: EventDialog): void {
    this.dialog = dialog
    dialog.add(this)
    if (!this.owesLeave) return
    this.owesLeave = false
    this.leave()
  }

  /** A NOTIFY of this subscription. */
  receive(incoming: IncomingRequest): void {
    const decoded = incoming.message.decode('subscriptionState')
    const state = decoded.ok ? decoded.value : undefined
    if (state === undefined) {
      incoming.answer(400, [], 'Subscription-State missing')
      return
    }
    this.dialog?.dialog.refreshTarget(incoming.message)
    const input: SubscriberInput =
      state.state === 'terminated'
        ? 'notify-terminated'
        : state.state === 'pending'
          ? 'notify-pending'
          : 'notify-active'
    const action = this.usage.handle(input)
    if (action === 'ignore') {
      incoming.answer(481)
      return
    }
    // While it leaves, the wait for the last word goes on, however much is said before.
    if (this.usage.state !== 'leaving') this.notifyBy?.cancel()
    const status = this.user.notified(this, incoming, state)
    const accept = (this.user.options.headers ?? []).filter(([name]) => name === 'Accept')
    incoming.answer(status, status === 415 ? accept : [])
    if (action === 'deliver-and-end') {
      this.finish({ by: 'remote', reason: state.reason, retryAfter: state.retryAfter })
    } else if (this.usage.state !== 'leaving' && state.expires !== undefined) this.lives(state.expires)
  }

  /**
   * The 2xx to the request for it, if it is of its dialog, says where the notifier is; and by which way, when the NOTIFY
   * did not: not every proxy puts Record-Route into that (RFC 6665 §4.3).
   */
  heard(response: SipResponse): void {
    const { dialog } = this.dialog ?? {}
    if (dialog === undefined || response.to.tag !== dialog.remoteTag) return
    if (dialog.routeSet.length === 0) dialog.confirmByClient(response)
    else dialog.refreshTarget(response)
  }

  /** The request for it was answered 2xx, with this Expires. */
  accepted(expires: number | undefined): void {
    const action = this.usage.handle('accepted')
    if (action === 'wait') this.waitForNotify()
    if (action !== 'ignore' && this.usage.state !== 'leaving' && expires !== undefined) this.lives(expires)
  }

  /** The request for it was refused. */
  refused(status: number): void {
    this.endBy('lost', { by: 'remote', reason: 'refused', status })
  }

  /** The request for it had no answer. */
  failed(code: TransactionErrorCode): void {
    this.endBy('lost', { by: code === 'TIMEOUT' ? 'timeout' : 'transport', reason: 'no answer' })
  }

  /** Asks for the state anew, and for the whole lifetime. */
  refresh(): void {
    if (this.isRefreshing || this.dialog === undefined) return
    if (this.usage.handle('refresh-due') === 'refresh') this.subscribe(this.wantedSeconds, 0)
  }

  /** A change is missing: the whole is asked for, once within timer N, for not every notifier has it. */
  refreshAfterGap(): void {
    const { nowMs } = this.core.driver
    if (nowMs < this.nextGapMs) return
    this.nextGapMs = nowMs + 64 * this.core.timers.T1
    this.core.submit(() => this.refresh())
  }

  /** Wants no more of it; the last NOTIFY is waited for. */
  unsubscribe(): void {
    this.end = { by: 'local', reason: 'unsubscribed' }
    if (this.usage.handle('unsubscribe') !== 'leave') return
    this.refreshAt?.cancel()
    this.expireAt?.cancel()
    this.waitForNotify()
    if (this.dialog === undefined) this.owesLeave = true
    else this.leave()
  }

  hangUp(): void {
    this.unsubscribe()
  }

  close(): void {
    this.endBy('close', { by: 'local', reason: 'closed' })
  }

  private leave(): void {
    this.subscribe(0, 0)
  }

  private subscribe(seconds: number, tries: number): void {
    const { dialog, core } = this
    if (dialog === undefined) return
    this.isRefreshing = true
    const id = this.id()
    const event = EventType.of(this.event, id).toString()
    const own: HeaderInit[] = [
      ['Event', event],
      ['Expires', seconds],
    ]
    const final = (response: SipResponse) => {
      this.isRefreshing = false
      if (!this.usage.isAlive) return
      const brief = response.status === 423 && tries < briefRetriesMax ? minExpiresOf(response) : undefined
      if (brief !== undefined && brief > seconds && seconds > 0) {
        this.wantedSeconds = Math.min(brief, core.limits.subscriptionSecondsMax)
        this.subscribe(this.wantedSeconds, tries + 1)
      } else if (response.status < 300) {
        dialog.dialog.refreshTarget(response)
        this.accepted(expiresOf(response) ?? seconds)
      } else if (endsSubscription(response.status)) this.refused(response.status)
      else this.kept(response.status)
    }
    const error = (code: TransactionErrorCode) => {
      this.isRefreshing = false
      if (this.usage.isAlive) this.failed(code)
    }
    dialog.request('SUBSCRIBE', own, this.user.options, { final, error })
  }

  /** A refresh has failed, and the subscription goes on: once more, when half of the rest is over. */
  private kept(status: number): void {
    if (this.usage.handle('refused') === 'end') this.finish({ by: 'remote', reason: 'refused', status })
    else this.refreshIn(this.secondsLeft / 2)
  }

  private lives(granted: number): void {
    const { driver, random, limits } = this.core
    const seconds = Math.min(granted, limits.subscriptionSecondsMax)
    this.expiresAtMs = driver.nowMs + seconds * 1000
    this.expireAt?.cancel()
    this.expireAt = driver.at(this.expiresAtMs, () => this.endBy('expired', { by: 'timeout', reason: 'expired' }))
    // Not all at once: those that began together are not to be refreshed together.
    this.refreshIn(seconds * (0.75 + random.fraction() / 8))
  }

  private refreshIn(seconds: number): void {
    const { driver } = this.core
    this.refreshAt?.cancel()
    this.refreshAt = undefined
    // What is granted for a moment is not kept alive by a request each moment.
    if (seconds >= 1) this.refreshAt = driver.at(driver.nowMs + seconds * 1000, () => this.refresh())
  }

  private waitForNotify(): void {
    const { driver, timers } = this.core
    this.notifyBy?.cancel()
    this.notifyBy = driver.at(driver.nowMs + 64 * timers.T1, () => {
      const wasLeaving = this.usage.state === 'leaving'
      this.endBy('no-notify', wasLeaving ? this.end : { by: 'timeout', reason: 'no NOTIFY' })
    })
  }

  private endBy(input: SubscriberInput, end: LegEnd): void {
    if (this.usage.handle(input) === 'end') this.finish(end)
  }

  private finish(end: LegEnd): void {
    this.refreshAt?.cancel()
    this.expireAt?.cancel()
    this.notifyBy?.cancel()
    this.dialog?.remove(this)
    // After unsubscribing, how the peer ends it is no news.
    this.user.legEnded(this, this.end.reason === 'unsubscribed' ? this.end : end)
  }
}

/** Expires of a response; undefined when it is absent or unreadable. */
export function expiresOf(response: SipResponse): number | undefined {
  const decoded = response.decode('expires')
  return decoded.ok ? decoded.value : undefined
}

/** Min-Expires of a 423. */
export function minExpiresOf(response: SipResponse): number | undefined {
  const decoded = response.decode('minExpires')
  return decoded.ok ? decoded.value : undefined
}
