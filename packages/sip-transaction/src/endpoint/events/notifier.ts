/**
 * The notifier's end of one subscription: its machine, its clock, its NOTIFYs. RFC 6665 §4.2; RFC 3515 §2.4.4 for the one
 * that a REFER makes.
 */
import { detachText, type HeaderInit, SubscriptionState } from '@carillon/sip-parser'
import { Dialog, dialogKey } from '../../dialog/dialog'
import { endsNotifier, NotifierUsage } from '../../dialog/subscribe-usage-notifier'
import { SipUsageError } from '../../errors'
import type { EventPackage } from '../../events/event-package'
import type { Core } from '../core'
import { type Appointment, describeError } from '../driver'
import type { IncomingRequest } from '../requests/incoming-request'
import type { EventDialog, EventUsage } from './event-dialog'
import { eventHeader, lifetimeFor } from './notifier-request'

/** Options of `IncomingRequest.subscription`. */
export interface NotifierOptions<State> {
  /** The package; a SUBSCRIBE for another gets 489. */
  readonly event: EventPackage<State>
  /** What to tell at once, and whenever the subscriber asks. Undefined: a NOTIFY without a body (RFC 6665 §4.2.1.2). */
  readonly state?: State | (() => State | undefined)
  /** True when somebody has still to decide: {@link NotifierSubscription.approve} or `terminate('rejected')`. */
  readonly pending?: boolean
  /** The longest lifetime to grant, in seconds; default what the package and the limits say. */
  readonly expiresSecondsMax?: number
  /** Headers of the 2xx. */
  readonly headers?: readonly HeaderInit[]
}

/** How a subscription of a peer ended. */
export interface NotifierEnd {
  /** `remote`: it unsubscribed, or is gone (`lost`); `timeout`: its lifetime is over. */
  readonly by: 'local' | 'remote' | 'timeout'
  readonly reason: string
}

/** Options of {@link NotifierSubscription.terminate}. */
export interface TerminateOptions<State> {
  /** The last state to tell. */
  readonly state?: State
  /** Seconds after which the subscriber may come again. */
  readonly retryAfter?: number
}

/** A subscription of a peer. Make it with `IncomingRequest.subscription`. */
export class NotifierSubscription<State> implements EventUsage {
  /** @internal */
  readonly role = 'notifier'
  /** How it ended; never rejects. */
  readonly ended: Promise<NotifierEnd>
  private readonly usage = new NotifierUsage()
  private tellEnded!: (end: NotifierEnd) => void
  private isOver = false
  private isPending: boolean
  private current: State | undefined
  private last: { readonly reason: string; readonly retryAfter: number | undefined } | undefined
  private version = -1
  private expiresAtMs = 0
  private expireAt: Appointment | undefined

  /** @internal */
  constructor(
    private readonly core: Core,
    private readonly dialog: EventDialog,
    private readonly options: NotifierOptions<State>,
    /** The id parameter of its Event. */
    readonly id: string | undefined,
  ) {
    this.isPending = options.pending === true
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
  }

  /** The name of its package. */
  get event(): string {
    return this.options.event.name
  }

  get callId(): string {
    return this.dialog.dialog.callId
  }

  get state(): 'pending' | 'active' | 'ended' {
    return this.isOver ? 'ended' : this.isPending ? 'pending' : 'active'
  }

  /** Seconds that it still lasts. */
  get secondsLeft(): number {
    return Math.max(0, Math.ceil((this.expiresAtMs - this.core.driver.nowMs) / 1000))
  }

  /**
   * Tells the subscriber the state. Of several while a NOTIFY is under way only the newest goes out. Does nothing when
   * the subscription is over.
   */
  notify(state: State): void {
    this.core.submit(() => {
      if (this.isOver) return
      this.current = state
      this.send('notify')
    })
  }

  /** Makes a pending subscription active, and tells so. */
  approve(state?: State): void {
    this.core.submit(() => {
      if (this.isOver || !this.isPending) return
      this.isPending = false
      if (state !== undefined) this.current = state
      this.send('notify')
    })
  }

  /**
   * Ends it with a last NOTIFY.
   * @param reason what the subscriber makes of it (RFC 6665 §4.1.3); default `noresource`: it is not to come again
   */
  terminate(
    reason: 'deactivated' | 'probation' | 'rejected' | 'timeout' | 'giveup' | 'noresource' | 'invariant' = 'noresource',
    options: TerminateOptions<State> = {},
  ): void {
    this.core.submit(() => {
      if (options.state !== undefined) this.current = options.state
      this.finish(reason, { by: 'local', reason }, options.retryAfter)
    })
  }

  /** @internal */
  matches(event: string, id: string | undefined): boolean {
    return event === this.event && id === this.id
  }

  /** @internal The first request: it has been looked at, and is answered. */
  start(incoming: IncomingRequest, seconds: number): void {
    const { method } = incoming
    if (method === 'REFER') incoming.reply(202, { headers: this.options.headers ?? [] })
    else incoming.reply(200, { headers: [['Expires', seconds], ...(this.options.headers ?? [])] })
    this.dialog.add(this)
    this.core.submit(() => this.granted(seconds))
  }

  /** @internal A SUBSCRIBE of this subscription. */
  receive(incoming: IncomingRequest): void {
    const verdict = lifetimeFor(this.core, incoming, this.options)
    if (typeof verdict !== 'number') {
      incoming.answer(verdict.status, verdict.headers)
      return
    }
    if (this.isOver) {
      incoming.answer(481)
      return
    }
    this.dialog.dialog.refreshTarget(incoming.message)
    incoming.answer(200, [['Expires', verdict]])
    this.core.submit(() => this.granted(verdict))
  }

  /** @internal The stack closes. */
  hangUp(): void {
    this.finish('probation', { by: 'local', reason: 'closed' }, this.core.limits.retryAfterSeconds)
  }

  /** @internal */
  close(): void {
    this.over({ by: 'local', reason: 'closed' })
    if (this.usage.handle('close') === 'end') this.gone()
  }

  private granted(seconds: number): void {
    const { driver } = this.core
    this.expireAt?.cancel()
    this.expiresAtMs = driver.nowMs + seconds * 1000
    if (seconds === 0) {
      this.finish('timeout', { by: 'remote', reason: 'unsubscribed' })
      return
    }
    this.expireAt = driver.at(this.expiresAtMs, () => this.finish('timeout', { by: 'timeout', reason: 'expired' }))
    // Who asks anew is told what is so now, whatever was told before.
    if (typeof this.options.state === 'function') this.current = undefined
    this.send('notify')
  }

  private finish(reason: string, end: NotifierEnd, retryAfter?: number): void {
    if (this.isOver) return
    this.last = { reason, retryAfter }
    this.over(end)
    this.send('finish')
  }

  private send(input: 'notify' | 'finish'): void {
    this.carryOut(this.usage.handle(input))
  }

  private carryOut(action: ReturnType<NotifierUsage['handle']>): void {
    if (action === 'send' || action === 'send-last') this.transmit()
    else if (action === 'end') {
      this.over({ by: 'remote', reason: 'lost' })
      this.gone()
    }
  }

  private transmit(): void {
    const { last, isPending } = this
    const state =
      last === undefined
        ? SubscriptionState.of({ state: isPending ? 'pending' : 'active', expires: this.secondsLeft })
        : SubscriptionState.of({ state: 'terminated', reason: last.reason, retryAfter: last.retryAfter })
    const own: HeaderInit[] = [
      ['Event', eventHeader(this.event, this.id)],
      ['Subscription-State', state.toString()],
    ]
    this.version += 1
    this.dialog.request('NOTIFY', own, this.body(), {
      final: ({ status }) => {
        const input = status < 300 ? 'notify-accepted' : endsNotifier(status) ? 'notify-lost' : 'notify-refused'
        this.carryOut(this.usage.handle(input))
      },
      error: () => this.carryOut(this.usage.handle('notify-lost')),
    })
  }

  /** The newest state. Whoever is still to be let in is told nothing of it (RFC 6665 §6.1). */
  private body(): { readonly body?: Uint8Array | string; readonly contentType?: string } {
    const { event, state } = this.options
    if (this.isPending) return {}
    try {
      const value = this.current ?? (typeof state === 'function' ? (state as () => State | undefined)() : state)
      if (value === undefined) return {}
      return { body: event.write(value, this.version), contentType: event.contentType }
    } catch (error) {
      // The NOTIFY goes out all the same: without it the subscription would never end.
      this.core.counters.handlerErrors += 1
      this.core.logger.error({ event: event.name, error: describeError(error) }, 'An event package failed')
      return {}
    }
  }

  private over(end: NotifierEnd): void {
    if (this.isOver) return
    this.isOver = true
    this.expireAt?.cancel()
    this.tellEnded(end)
  }

  private gone(): void {
    this.dialog.remove(this)
  }
}

/**
 * Accepts a SUBSCRIBE, or the subscription of a REFER (which is answered 202), and tells the state at once.
 * Undefined when it has been refused: 489 for another package, 406, 423, 503.
 */
export function acceptSubscription<State>(
  core: Core,
  incoming: IncomingRequest,
  options: NotifierOptions<State>,
): NotifierSubscription<State> | undefined {
  const { method } = incoming
  if (method !== 'SUBSCRIBE' && method !== 'REFER') throw new SipUsageError('NOT_A_SUBSCRIBE', method)
  if (incoming.isAnswered) throw new SipUsageError('ALREADY_ANSWERED', method)
  const { limits } = core
  if (core.isClosing || core.events.count >= limits.subscriptionsMax) {
    incoming.answer(503, [['Retry-After', limits.retryAfterSeconds]])
    return undefined
  }
  const verdict = lifetimeFor(core, incoming, options)
  if (typeof verdict !== 'number') {
    incoming.answer(verdict.status, verdict.headers)
    return undefined
  }
  const dialog = dialogOf(core, incoming)
  if (dialog.usages.size >= limits.subscriptionsPerDialogMax) {
    incoming.answer(403)
    return undefined
  }
  const notifier = new NotifierSubscription(core, dialog, options, subscriptionId(incoming, dialog))
  notifier.start(incoming, verdict)
  return notifier
}

/** The dialog of the request: that of a call, one that has subscriptions already, or a new one. */
function dialogOf(core: Core, incoming: IncomingRequest): EventDialog {
  const { message, session, flow } = incoming
  if (session !== undefined) return core.events.within(session)
  const { tag } = message.to
  const key = dialogKey(message.callId, tag ?? '', message.from.tag ?? '')
  const known = tag === undefined ? undefined : core.events.dialogs.get(key)
  return known ?? core.events.made(Dialog.ofServer(message, incoming.localTag, flow.isSecure), incoming, undefined)
}

/** The id of a SUBSCRIBE's Event; of a REFER its number, when it is not the first in the dialog (RFC 3515 §2.4.6). */
function subscriptionId(incoming: IncomingRequest, dialog: EventDialog): string | undefined {
  const { message, method, cseq } = incoming
  const id = message.event?.id
  // A subscription lives much longer than the request that made it.
  if (method !== 'REFER') return id === undefined ? undefined : detachText(id)
  return dialog.hasReferred(cseq.seq) ? String(cseq.seq) : undefined
}
