/**
 * A publication as its user sees it: RFC 3903 §4 (publish, refresh, modify, remove), §4.1 (entity tags), §11.2 (412: it is
 * gone, and published anew). One PUBLISH is under way at a time, since each changes the tag; of what is published
 * meanwhile only the newest goes out.
 */
import { EventType, type HeaderInit, type SipResponse } from '@carillon/sip-parser'
import { SipTransactionError, SubscriptionFailedError, type TransactionErrorCode } from '../../errors'
import type { EventPackage } from '../../events/event-package'
import type { Core } from '../core'
import type { Appointment } from '../driver'
import type { OutgoingInit } from '../options'
import { ClientRequest } from '../requests/client-request'
import { clientSpec, type OutgoingSpec } from '../requests/outgoing'
import { expiresOf, minExpiresOf } from './subscription-leg'

/** Options of `SipStack.publish`. */
export interface PublishOptions<State>
  extends Omit<OutgoingInit, 'callId' | 'cseq' | 'timeoutMs' | 'body' | 'contentType' | 'contact'> {
  readonly event: EventPackage<State>
  /** The state to publish. */
  readonly state: State
  /** The lifetime to ask for, in seconds; default that of the package. */
  readonly expiresSeconds?: number
}

/** How a publication ended. */
export interface PublicationEnd {
  readonly by: 'local' | 'remote'
  /** The status that ended it. */
  readonly status?: number
}

type Body = Pick<OutgoingInit, 'body' | 'contentType'>

/** How often one PUBLISH goes out again for 412 or 423 before that is the answer. */
const retriesMax = 3

/** A publication. Make it with `SipStack.publish`; it is refreshed until it is removed. */
export class Publication<State> {
  /** How it ended; never rejects. */
  readonly ended: Promise<PublicationEnd>
  private tellEnded!: (end: PublicationEnd) => void
  private body: Body
  private tag: string | undefined
  private wantedSeconds: number
  /** What the PUBLISH under way is for. */
  private current: 'publish' | 'refresh' | 'remove' | undefined
  private wants: 'publish' | 'remove' | undefined
  private timer: Appointment | undefined
  private failures = 0
  private retries = 0
  private version = -1
  private isOver = false
  private hasBegun = false

  /** @internal Call {@link start} inside an input. */
  constructor(
    private readonly core: Core,
    private readonly options: PublishOptions<State>,
    private readonly makeSpec: (own: readonly HeaderInit[], body: Body) => OutgoingSpec,
    private readonly begun: (error: Error | undefined) => void,
  ) {
    this.body = this.write(options.state)
    this.wantedSeconds = options.expiresSeconds ?? options.event.expiresSeconds
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
  }

  /** Whether the server holds the state. */
  get isPublished(): boolean {
    return this.tag !== undefined && !this.isOver
  }

  /** Publishes another state in place of the one before. */
  update(state: State): void {
    const body = this.write(state)
    this.core.submit(() => {
      if (this.isOver || this.wants === 'remove') return
      this.body = body
      this.want('publish')
    })
  }

  /** Takes it back. Resolves when the server has answered, or will not. */
  remove(): Promise<PublicationEnd> {
    this.core.submit(() => this.hangUp())
    return this.ended
  }

  /** @internal */
  start(): void {
    this.core.events.resting.add(this)
    this.want('publish')
  }

  /** @internal The stack closes. */
  hangUp(): void {
    if (!this.isOver) this.want('remove')
  }

  /** @internal */
  close(): void {
    this.finish({ by: 'local' })
  }

  /** At once, so that what cannot be written is told to whoever gives it. */
  private write(state: State): Body {
    const { event } = this.options
    this.version += 1
    return { body: event.write(state, this.version), contentType: event.contentType }
  }

  private want(what: 'publish' | 'remove'): void {
    this.wants = what
    this.timer?.cancel()
    if (this.current === undefined) this.next()
  }

  private next(): void {
    const what = this.wants
    this.wants = undefined
    if (what === 'remove' && this.tag === undefined) this.finish({ by: 'local' })
    else if (what !== undefined) this.send(what)
  }

  private send(what: 'publish' | 'refresh' | 'remove'): void {
    const { core, options } = this
    const { event } = options
    this.current = what
    const own: HeaderInit[] = [
      ['Event', EventType.of(event.name).toString()],
      ['Expires', what === 'remove' ? 0 : this.wantedSeconds],
      ...(options.headers ?? []),
    ]
    if (this.tag !== undefined) own.push(['SIP-If-Match', this.tag])
    const spec = this.makeSpec(own, what === 'publish' ? this.body : {})
    const client = new ClientRequest(core, clientSpec(core, spec), {
      final: (response) => this.answered(what, response),
      error: (code) => this.unanswered(what, code),
    })
    client.start()
  }

  private answered(what: 'publish' | 'refresh' | 'remove', response: SipResponse): void {
    this.current = undefined
    const { status } = response
    if (this.isOver) return
    if (status < 300) {
      this.accepted(what, response)
      return
    }
    const brief = status === 423 ? minExpiresOf(response) : undefined
    const isRetriable = status === 412 || (brief !== undefined && brief > this.wantedSeconds)
    if (what !== 'remove' && isRetriable && this.retries < retriesMax) {
      this.retries += 1
      // RFC 3903 §4.4: what the server does not know any more is published anew.
      if (status === 412) this.tag = undefined
      if (brief !== undefined) this.wantedSeconds = Math.min(brief, this.core.limits.subscriptionSecondsMax)
      if (this.wants === undefined) this.wants = 'publish'
      this.next()
      return
    }
    if (what === 'remove') this.finish({ by: 'local', status })
    else if (status >= 500 && status < 600 && this.hasBegun) this.again()
    else {
      this.tellBegun(new SubscriptionFailedError(status, response))
      this.finish({ by: 'remote', status })
    }
  }

  private accepted(what: 'publish' | 'refresh' | 'remove', response: SipResponse): void {
    this.retries = 0
    this.failures = 0
    if (what === 'remove') {
      this.finish({ by: 'local' })
      return
    }
    const tag = response.decode('sipETag')
    this.tag = tag.ok ? tag.value : undefined
    this.tellBegun(undefined)
    if (this.wants !== undefined) this.next()
    else this.refreshIn(expiresOf(response) ?? this.wantedSeconds)
  }

  private unanswered(what: 'publish' | 'refresh' | 'remove', code: TransactionErrorCode): void {
    this.current = undefined
    if (this.isOver) return
    if (what === 'remove') this.finish({ by: 'local' })
    else if (this.hasBegun && code !== 'STACK_CLOSED' && code !== 'REQUEST_INVALID') this.again()
    else {
      this.tellBegun(new SipTransactionError(code))
      this.finish({ by: 'remote' })
    }
  }

  private refreshIn(seconds: number): void {
    const { driver, random, limits } = this.core
    // What is granted for a moment is not kept alive by a request each moment.
    const delayMs =
      Math.max(Math.min(seconds, limits.subscriptionSecondsMax) * (0.75 + random.fraction() / 8), 1) * 1000
    this.timer = driver.at(driver.nowMs + delayMs, () => {
      // Without a tag there is nothing to refresh: it goes out whole.
      if (this.current === undefined && !this.isOver) this.send(this.tag === undefined ? 'publish' : 'refresh')
    })
  }

  /** The server is out of order: once more, later and later. */
  private again(): void {
    const { driver, limits, random } = this.core
    if (this.wants === 'remove') {
      this.next()
      return
    }
    this.failures += 1
    const pauseMs = Math.min(1000 * 2 ** Math.min(this.failures, 30), limits.eventRetryMsMax)
    this.timer = driver.at(driver.nowMs + pauseMs * (0.5 + random.fraction() / 2), () => this.want('publish'))
  }

  private tellBegun(error: Error | undefined): void {
    if (this.hasBegun) return
    this.hasBegun = true
    this.begun(error)
  }

  private finish(end: PublicationEnd): void {
    if (this.isOver) return
    this.isOver = true
    this.timer?.cancel()
    this.tellBegun(new SipTransactionError('ABORTED'))
    this.core.events.resting.delete(this)
    this.core.onChange()
    this.tellEnded(end)
  }
}

/** Begins a publication; see `SipStack.publish`. */
export function startPublication<State>(
  core: Core,
  options: PublishOptions<State>,
  spec: (own: readonly HeaderInit[], body: Body) => OutgoingSpec,
): Promise<Publication<State>> {
  return new Promise((resolve, reject) => {
    const { signal } = options
    if (signal?.aborted || core.isClosing || core.driver.isStopped) {
      reject(new SipTransactionError(signal?.aborted ? 'ABORTED' : 'STACK_CLOSED'))
      return
    }
    // What cannot be written is the caller's mistake, and told at once.
    spec([], {})
    const begun = (error: Error | undefined) => {
      if (error === undefined) resolve(publication)
      else reject(error)
    }
    const publication: Publication<State> = new Publication(core, options, spec, begun)
    const abort = () => void publication.remove()
    signal?.addEventListener('abort', abort, { once: true })
    void publication.ended.then(() => signal?.removeEventListener('abort', abort))
    core.submit(() => publication.start())
  })
}
