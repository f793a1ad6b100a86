/**
 * A subscription as its user sees it, through forks, failures and new beginnings: RFC 6665 §4.1.2 (request and answers),
 * §4.1.3 (what the end means), §4.1.2.4 and §4.4.1 (NOTIFY before the 2xx, forks), §4.4.3 (fetch).
 */
import { EventType, type HeaderInit, type SipResponse, type SubscriptionState } from '@carillon/sip-parser'
import { Dialog } from '../../dialog/dialog'
import { comebackFor } from '../../dialog/subscribe-usage'
import { SipTransactionError, SubscriptionFailedError, type TransactionErrorCode } from '../../errors'
import type { Core } from '../core'
import { type Appointment, describeError } from '../driver'
import type { InDialogOptions } from '../options'
import { ClientRequest } from '../requests/client-request'
import { digestClientFor } from '../requests/digest-clients'
import type { IncomingRequest } from '../requests/incoming-request'
import { clientSpec, type OutgoingSpec } from '../requests/outgoing'
import type { NotifyWaiter } from './event-dialog'
import { NotificationQueue } from './notification-queue'
import { expiresOf, type LegEnd, type LegUser, minExpiresOf, SubscriptionLeg } from './subscription-leg'
import type { Notification, SubscribeOptions, SubscriptionEnd } from './subscription-options'

/** How often the first SUBSCRIBE goes out again for a 423. */
const briefRetriesMax = 2

/** A subscription that has lasted so long was a good one: the next try comes at once. */
const soundMs = 60_000

/** Statuses after which a subscription that was alive is made anew: its dialog is lost, not its resource. */
const lostStatuses: ReadonlySet<number> = new Set([408, 480, 481, 500, 502, 503, 504])

/** A subscription. Make it with `SipStack.subscribe`; iterate over it for its notifications. */
export class Subscription<State> implements AsyncIterable<Notification<State>>, LegUser, NotifyWaiter {
  /** How it ended; never rejects. */
  readonly ended: Promise<SubscriptionEnd>
  /** @internal */
  readonly options: InDialogOptions
  private tellEnded!: (end: SubscriptionEnd) => void
  private readonly queue: NotificationQueue<Notification<State>>
  private readonly legs = new Map<SubscriptionLeg, State | undefined>()
  private first: SubscriptionLeg | undefined
  private request: ClientRequest | undefined
  private spec: OutgoingSpec | undefined
  /** The 2xx to it. */
  private response: SipResponse | undefined
  private stopExpecting: (() => void) | undefined
  private forksUntil: Appointment | undefined
  private retryAt: Appointment | undefined
  private wantedSeconds: number
  private lastCseq = 1
  private briefs = 0
  private failures = 0
  private begunMs = 0
  private hasBegun = false
  private isLeaving = false
  private isOver = false
  private newest: State | undefined

  /** @internal Call {@link start} inside an input. `method`: REFER for the subscription that one outside of dialogs makes. */
  constructor(
    private readonly core: Core,
    private readonly wish: SubscribeOptions<State>,
    private readonly makeSpec: (own: readonly HeaderInit[]) => OutgoingSpec,
    private readonly begun: (error: Error | undefined) => void,
    private readonly method: 'SUBSCRIBE' | 'REFER' = 'SUBSCRIBE',
  ) {
    this.wantedSeconds = wish.expiresSeconds ?? wish.event.expiresSeconds
    this.queue = new NotificationQueue(core.limits.notificationsQueuedMax)
    const { event } = wish
    const accept = wish.accept ?? [event.contentType, ...(event.alsoReads ?? [])]
    this.options = {
      headers: [['Accept', accept.join(', ')], ...(wish.headers ?? [])],
      ...(wish.body === undefined ? {} : { body: wish.body }),
      ...(wish.contentType === undefined ? {} : { contentType: wish.contentType }),
    }
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
  }

  /** `waiting` for the first NOTIFY, or for another try after it was lost. */
  get state(): 'waiting' | 'pending' | 'active' | 'ended' {
    if (this.isOver) return 'ended'
    const states = [...this.legs.keys()].map((leg) => leg.state)
    if (states.includes('active')) return 'active'
    return states.includes('pending') ? 'pending' : 'waiting'
  }

  /** The state told last; undefined before the first one. */
  get latest(): State | undefined {
    return this.newest
  }

  /** Notifications left out because nobody had read those before them. */
  get missed(): number {
    return this.queue.missed
  }

  /** Asks for the state anew. */
  refresh(): void {
    this.core.submit(() => {
      for (const leg of [...this.legs.keys()]) leg.refresh()
    })
  }

  /** Ends it. Resolves when the notifier has said its last word, or will not. */
  unsubscribe(): Promise<SubscriptionEnd> {
    this.core.submit(() => this.hangUp())
    return this.ended
  }

  /** The notifications from here on, until it ends. */
  [Symbol.asyncIterator](): AsyncIterator<Notification<State>, undefined> {
    return {
      next: () => this.queue.next(),
      return: async () => {
        await this.unsubscribe()
        return { done: true, value: undefined }
      },
    }
  }

  /** @internal */
  get isUnbound(): boolean {
    return this.first?.isUnbound === true
  }

  /** @internal */
  start(): void {
    const { core, wish } = this
    const id = wish.id
    const { name } = wish.event
    const asks: HeaderInit[] = [
      ['Event', EventType.of(name, id).toString()],
      ['Expires', this.wantedSeconds],
    ]
    const own = this.method === 'REFER' ? (wish.headers ?? []) : [...asks, ...(this.options.headers ?? [])]
    const spec = this.makeSpec(own)
    this.spec = spec
    this.begunMs = core.driver.nowMs
    const isImplied = this.method === 'REFER'
    const numbered = () => (isImplied ? String(this.cseq) : id)
    const leg = new SubscriptionLeg(core, this, name, numbered, isImplied, this.wantedSeconds)
    this.first = leg
    this.legs.set(leg, undefined)
    this.stopExpecting = core.events.expect(spec.callId, spec.from.tag ?? '', this)
    // Forks may answer as long as the request may live, and timer N after that.
    this.forksUntil = core.driver.at(core.driver.nowMs + 128 * core.timers.T1, () => this.forgetRequest())
    const client = new ClientRequest(core, clientSpec(core, spec), {
      final: (response) => this.answered(leg, response),
      error: (code) => this.unanswered(leg, code),
    })
    this.request = client
    client.start()
  }

  /** @internal */
  firstNotify(incoming: IncomingRequest): boolean {
    const { core, first, spec } = this
    const { message, flow } = incoming
    const event = message.decode('event')
    if (first === undefined || spec === undefined || !event.ok || event.value === undefined) return false
    if (!first.matches(event.value.package, event.value.id)) return false
    const isFork = !first.isUnbound
    if (isFork && (this.wish.event.forks === 'one' || this.legs.size >= core.limits.forkedDialogsMax)) return false
    let leg = first
    if (isFork) {
      leg = new SubscriptionLeg(core, this, this.wish.event.name, () => this.wish.id, false, this.wantedSeconds)
      this.legs.set(leg, undefined)
    }
    const { credentials } = spec
    const asked = { cseq: this.cseq, target: spec.uri }
    const dialog = Dialog.ofServer(message, message.to.tag ?? '', flow.isSecure, asked)
    const auth = credentials === undefined ? undefined : digestClientFor(core, credentials)
    leg.bind(core.events.made(dialog, incoming, auth))
    if (this.response !== undefined) leg.heard(this.response)
    leg.receive(incoming)
    return true
  }

  /** @internal */
  notified(leg: SubscriptionLeg, incoming: IncomingRequest, subscription: SubscriptionState): number {
    this.tellBegun(undefined)
    const { state, problem, status } = this.read(leg, incoming)
    if (state !== undefined) this.newest = state
    this.tell({
      state,
      subscription:
        subscription.state === 'terminated' || subscription.state === 'pending' ? subscription.state : 'active',
      reason: subscription.reason,
      notifier: incoming.from.tag ?? '',
      problem,
      request: incoming.message,
    })
    return status
  }

  /** The state after a NOTIFY, and how to answer that. */
  private read(
    leg: SubscriptionLeg,
    incoming: IncomingRequest,
  ): { readonly state: State | undefined; readonly problem: string | undefined; readonly status: number } {
    const { event } = this.wish
    const known = this.legs.get(leg)
    const { body } = incoming
    if (body.length === 0) return { state: known, problem: undefined, status: 200 }
    const type = (incoming.message.get('Content-Type') ?? '').trim()
    if (!reads([event.contentType, ...(event.alsoReads ?? [])], type))
      return { state: known, problem: 'content type', status: 415 }
    try {
      const news = event.read(body, type)
      if (!news.ok) return { state: known, problem: news.reason, status: 400 }
      const state = event.merge === undefined ? news.state : event.merge(known, news.state)
      if (state !== undefined) {
        this.legs.set(leg, state)
        return { state, problem: undefined, status: 200 }
      }
      leg.refreshAfterGap()
      return { state: known, problem: 'a change is missing', status: 200 }
    } catch (error) {
      this.core.logger.error({ event: event.name, error: describeError(error) }, 'An event package failed')
      return { state: known, problem: 'package failed', status: 500 }
    }
  }

  /** @internal */
  legEnded(leg: SubscriptionLeg, end: LegEnd): void {
    if (!this.legs.delete(leg) || this.legs.size > 0 || this.isOver) return
    this.quieten()
    const isFetch = this.wish.expiresSeconds === 0
    const mayReturn = this.hasBegun && !this.isLeaving && !isFetch && this.wish.resubscribe !== false
    const afterMs = mayReturn && this.method !== 'REFER' ? this.comebackMs(end) : undefined
    if (afterMs === undefined) this.finish(end)
    else this.rest(afterMs)
  }

  /** @internal */
  hangUp(): void {
    this.isLeaving = true
    const legs = [...this.legs.keys()]
    if (legs.length === 0) this.finish({ by: 'local', reason: 'unsubscribed' })
    for (const leg of legs) leg.unsubscribe()
  }

  /** @internal */
  close(): void {
    this.isLeaving = true
    for (const leg of [...this.legs.keys()]) leg.close()
    this.finish({ by: 'local', reason: 'closed' })
  }

  private rest(afterMs: number): void {
    const { driver, events } = this.core
    events.resting.add(this)
    this.retryAt = driver.at(driver.nowMs + afterMs, () => {
      events.resting.delete(this)
      this.start()
    })
  }

  private answered(leg: SubscriptionLeg, response: SipResponse): void {
    const { status } = response
    if (status < 300) {
      const wish = response.decode('referSub')
      // RFC 4488 §4: the REFER is taken, and nobody will tell what comes of it.
      if (this.method === 'REFER' && wish.ok && wish.value?.value === false) {
        this.tellBegun(undefined)
        leg.close()
        return
      }
      if (leg.isUnbound) this.response = response
      else leg.heard(response)
      leg.accepted(expiresOf(response) ?? this.wantedSeconds)
      this.tellBegun(undefined)
      return
    }
    const brief = status === 423 && this.briefs < briefRetriesMax ? minExpiresOf(response) : undefined
    if (
      brief !== undefined &&
      leg.isUnbound &&
      brief > this.wantedSeconds &&
      this.wantedSeconds > 0 &&
      !this.isLeaving
    ) {
      this.briefs += 1
      this.wantedSeconds = Math.min(brief, this.core.limits.subscriptionSecondsMax)
      this.legs.delete(leg)
      leg.close()
      this.quieten()
      this.start()
      return
    }
    this.tellBegun(new SubscriptionFailedError(status, response))
    leg.refused(status)
  }

  private unanswered(leg: SubscriptionLeg, code: TransactionErrorCode): void {
    this.tellBegun(new SipTransactionError(code))
    leg.failed(code)
  }

  /** When to try again; undefined for not at all. */
  private comebackMs(end: LegEnd): number | undefined {
    const { limits, random, driver } = this.core
    const isLost = end.by !== 'remote' || (end.status !== undefined && lostStatuses.has(end.status))
    if (end.status !== undefined && !isLost) return undefined
    const comeback = isLost ? { afterSeconds: 0 } : comebackFor(end.reason, end.retryAfter)
    if (comeback === 'never') return undefined
    if (driver.nowMs - this.begunMs > soundMs) this.failures = 0
    const pauseMs = this.failures === 0 ? 0 : Math.min(1000 * 2 ** Math.min(this.failures, 30), limits.eventRetryMsMax)
    this.failures += 1
    const wishedMs = Math.min(comeback.afterSeconds, limits.subscriptionSecondsMax) * 1000
    return Math.max(wishedMs, pauseMs * (0.5 + random.fraction() / 2))
  }

  private tell(notification: Notification<State>): void {
    const { onNotify } = this.wish
    if (onNotify === undefined) {
      this.queue.push(notification)
      return
    }
    try {
      onNotify(notification)
    } catch (error) {
      this.core.counters.handlerErrors += 1
      this.core.logger.error({ error: describeError(error) }, 'A callback failed')
    }
  }

  private tellBegun(error: Error | undefined): void {
    if (this.hasBegun) return
    if (error === undefined) this.hasBegun = true
    this.begun(error)
  }

  /** The number of the request, as last sent. */
  private get cseq(): number {
    return this.request?.request?.cseq.seq ?? this.lastCseq
  }

  /** No fork can answer any more, and a subscription lives much longer than the messages that made it. */
  private forgetRequest(): void {
    this.stopExpecting?.()
    this.lastCseq = this.cseq
    this.request = undefined
    this.spec = undefined
    this.response = undefined
  }

  private quieten(): void {
    this.forgetRequest()
    this.forksUntil?.cancel()
    this.first = undefined
  }

  private finish(end: SubscriptionEnd): void {
    if (this.isOver) return
    this.isOver = true
    this.quieten()
    this.retryAt?.cancel()
    this.core.events.resting.delete(this)
    this.core.onChange()
    this.tellBegun(new SipTransactionError(this.isLeaving ? 'ABORTED' : 'TIMEOUT'))
    this.queue.close()
    const { by, reason, status } = end
    this.tellEnded({ by, ...(reason === undefined ? {} : { reason }), ...(status === undefined ? {} : { status }) })
  }
}

/** Begins a subscription; see `SipStack.subscribe`. */
export function startSubscription<State>(
  core: Core,
  options: SubscribeOptions<State>,
  spec: (own: readonly HeaderInit[]) => OutgoingSpec,
  method: 'SUBSCRIBE' | 'REFER' = 'SUBSCRIBE',
): Promise<Subscription<State>> {
  return new Promise((resolve, reject) => {
    const { signal } = options
    if (signal?.aborted || core.isClosing || core.driver.isStopped) {
      reject(new SipTransactionError(signal?.aborted ? 'ABORTED' : 'STACK_CLOSED'))
      return
    }
    // What cannot be written is the caller's mistake, and told at once.
    spec([])
    const begun = (error: Error | undefined) => {
      if (error === undefined) resolve(subscription)
      else reject(error)
    }
    const subscription: Subscription<State> = new Subscription(core, options, spec, begun, method)
    const abort = () => void subscription.unsubscribe()
    signal?.addEventListener('abort', abort, { once: true })
    void subscription.ended.then(() => signal?.removeEventListener('abort', abort))
    core.submit(() => subscription.start())
  })
}

function reads(types: readonly string[], contentType: string): boolean {
  const bare = (type: string) => type.split(';')[0]!.trim().toLowerCase()
  return types.some((type) => bare(type) === bare(contentType))
}
