/**
 * One flow of a registration at work: sends its REGISTERs, keeps its flow alive, reads what the registrar grants.
 * RFC 3261 §10.2, RFC 5626 §4, RFC 5627 §4.2, RFC 3608 §6.1. Internal.
 */
import type { Contact, HeaderInit, NameAddr, SipRequest, SipResponse, SipUri } from '@carillon/sip-parser'
import type { TransactionErrorCode } from '../../errors'
import type { Flow } from '../../ports'
import { type RegistrationInput, type RegistrationState, stepRegistration } from '../../ua/registration'
import { refreshDelayMs, retryDelayMs, stableMs } from '../../ua/registration-times'
import type { Core } from '../core'
import type { Appointment } from '../driver'
import type { UserCredentials } from '../options'
import { ClientRequest } from '../requests/client-request'
import { clientSpec } from '../requests/outgoing'

/** What all flows of a registration share. */
export interface LegPlan {
  readonly registrar: SipUri
  readonly from: NameAddr
  readonly to: NameAddr
  readonly contact: string | undefined
  readonly instance: string | undefined
  readonly wantsGruu: boolean
  readonly credentials: UserCredentials | undefined
  readonly headers: readonly HeaderInit[]
  readonly expiresSeconds: number
  readonly keepAlive: boolean | undefined
}

/** Who hears of a leg. */
export interface LegUser {
  readonly isAnyUp: (but: RegistrationLeg) => boolean
  registered(leg: RegistrationLeg): void
  failed(leg: RegistrationLeg, why: LegFailure): void
  refused(leg: RegistrationLeg, response: SipResponse): void
  ended(leg: RegistrationLeg): void
}

/** Why a REGISTER came to nothing for now. */
export interface LegFailure {
  /** The final response, when there was one. */
  readonly response: SipResponse | undefined
  /** What went wrong, when there was none; `FLOW_LOST` for a connection that broke. */
  readonly code: TransactionErrorCode | 'FLOW_LOST' | undefined
  readonly retryInMs: number
}

/** Statuses that may be another one next time (RFC 3261 §21.4.9, §21.5; RFC 5626 §11.5). */
const passing: ReadonlySet<number> = new Set([408, 430, 480, 491, 500, 502, 503, 504])

/** One flow. All methods run inside an input. */
export class RegistrationLeg {
  state: RegistrationState = 'registering'
  /** The flow that the last 2xx came on. */
  flow: Flow | undefined
  /** As the registrar lists it. */
  contact: Contact | undefined
  serviceRoutes: readonly string[] = []
  isOutbound = false
  expiresAtMs = 0
  private readonly callId: string
  private readonly fromTag: NameAddr
  private cseq = 0
  private client: ClientRequest | undefined
  private timer: Appointment | undefined
  private failures = 0
  private upSinceMs = Number.POSITIVE_INFINITY
  private asksOutbound: boolean
  private seconds: number
  private route = 0
  /** What the Flow-Timer of the last 2xx said. */
  private timerMs: number | undefined
  private stopWatching = () => {}

  /** @param routes the proxy of this flow, or, without outbound, those that are tried in turn */
  constructor(
    private readonly core: Core,
    private readonly plan: LegPlan,
    readonly regId: number,
    private readonly routes: readonly string[],
    private readonly user: LegUser,
  ) {
    this.callId = core.newCallId()
    this.fromTag = plan.from.withParam('tag', core.newTag())
    this.asksOutbound = plan.instance !== undefined
    this.seconds = plan.expiresSeconds
  }

  /** The proxy in use. */
  get proxy(): string | undefined {
    return this.routes[this.route % Math.max(1, this.routes.length)]
  }

  start(): void {
    this.send(false)
  }

  /** The user, or time, wants something. */
  take(input: Extract<RegistrationInput, 'refresh' | 'due' | 'lost'>): void {
    if (input === 'lost') {
      const isNews = this.state === 'registered'
      this.forgetFlow()
      if (isNews) this.retry('FLOW_LOST', undefined, 'lost')
      return
    }
    if (this.step(input) === 'send') this.send(false)
  }

  /** Removes the contact if it may be bound. */
  leave(): void {
    const isBound = this.expiresAtMs > this.core.driver.nowMs
    const action = this.step(isBound ? 'leave' : 'stop')
    if (action === 'remove') this.send(true)
    else if (action === 'done') this.done()
  }

  /** Ends it without a word. */
  close(): void {
    if (this.state === 'terminated') return
    this.state = 'terminated'
    this.done()
  }

  private send(isRemoval: boolean): void {
    this.timer?.cancel()
    const { core, plan, routes } = this
    const { flow } = this
    const known = flow?.isOpen ? flow : undefined
    const proxy = this.proxy
    const seconds = isRemoval ? 0 : this.seconds
    const option = [...(this.asksOutbound ? ['outbound'] : []), 'path', ...(plan.wantsGruu ? ['gruu'] : [])]
    const spec = clientSpec(core, {
      method: 'REGISTER',
      uri: plan.registrar,
      from: this.fromTag,
      to: plan.to,
      callId: this.callId,
      firstCseq: this.cseq + 1,
      headers: [['Supported', option.join(', ')], ['Expires', seconds], ...plan.headers],
      contact: plan.contact ?? true,
      routes: proxy === undefined || routes.length === 0 ? [] : [proxy],
      destination: undefined,
      credentials: plan.credentials,
      body: undefined,
      contentType: undefined,
    })
    const numbered: typeof spec.plan = (credentials) => {
      this.cseq += 1
      return spec.plan(credentials)
    }
    const client = new ClientRequest(
      core,
      {
        ...spec,
        plan: numbered,
        extras: { ...spec.extras, contactParams: this.contactParams() },
        destination: known === undefined ? undefined : () => (known.isOpen ? { kind: 'flow', flow: known } : undefined),
        mayLocate: true,
      },
      {
        final: (response, on) => this.answered(client, response, on, known),
        error: (code) => this.failed(code, undefined, known),
      },
    )
    this.client = client
    client.start()
  }

  private contactParams(): string {
    const { instance } = this.plan
    if (instance === undefined) return ''
    return `;+sip.instance="<${instance}>"${this.asksOutbound ? `;reg-id=${this.regId}` : ''}`
  }

  private answered(client: ClientRequest, response: SipResponse, flow: Flow, known: Flow | undefined): void {
    const { status } = response
    if (this.client !== client || this.state === 'terminated') return
    if (status >= 200 && status < 300) this.accepted(client.request, response, flow)
    else if (this.mayAdjust(response)) this.decide('adjust')
    else if (passing.has(status) || response.has('Retry-After')) this.failed(undefined, response, known)
    else this.refused(response)
  }

  private accepted(request: SipRequest | undefined, response: SipResponse, flow: Flow): void {
    const isRemoval = this.state === 'leaving'
    const { core } = this
    const contact = isRemoval ? undefined : ownContact(request, response)
    const granted = this.grantedSeconds(contact, response)
    if (!isRemoval && granted <= 0) {
      this.failed(undefined, response, undefined)
      return
    }
    const nowMs = core.driver.nowMs
    if (!isRemoval) {
      this.contact = contact
      const routes = response.decode('serviceRoutes')
      this.serviceRoutes = routes.ok ? routes.value.map(String) : []
      this.isOutbound = this.asksOutbound && tagsOf(response).includes('outbound')
      this.expiresAtMs = nowMs + granted * 1_000
      this.useFlow(flow, nowMs, flowTimerMs(response))
    } else this.expiresAtMs = 0
    const action = this.step('accepted')
    if (action === 'hold') {
      if (nowMs - this.upSinceMs >= stableMs) this.failures = 0
      const { registrationRefreshMsMin } = core.limits
      this.wakeIn(refreshDelayMs(granted * 1_000, registrationRefreshMsMin, core.random.fraction()))
      this.user.registered(this)
    } else if (action === 'remove') this.send(true)
    else if (action === 'done') this.done()
  }

  private grantedSeconds(contact: Contact | undefined, response: SipResponse): number {
    const expires = response.decode('expires')
    const granted = contact?.expires ?? (expires.ok ? expires.value : undefined) ?? this.seconds
    return Math.min(granted, this.core.limits.registrationSecondsMax)
  }

  /** 423: ask for more (RFC 3261 §10.2.8). 439: go without outbound (RFC 5626 §4.2.1). Once each. */
  private mayAdjust(response: SipResponse): boolean {
    if (this.state === 'leaving') return false
    if (response.status === 439 && this.asksOutbound) {
      this.asksOutbound = false
      return true
    }
    if (response.status !== 423) return false
    const least = response.decode('minExpires')
    const wanted = least.ok ? (least.value ?? 0) : 0
    if (wanted <= this.seconds || wanted > this.core.limits.registrationSecondsMax) return false
    this.seconds = wanted
    return true
  }

  private decide(input: 'adjust'): void {
    const action = this.step(input)
    if (action === 'send') this.send(false)
    else if (action === 'done') this.done()
  }

  private refused(response: SipResponse): void {
    const action = this.step('refused')
    this.forgetFlow()
    if (action === 'rest') {
      this.timer?.cancel()
      this.user.refused(this, response)
    } else if (action === 'done') this.done()
  }

  private failed(
    code: TransactionErrorCode | undefined,
    response: SipResponse | undefined,
    known: Flow | undefined,
  ): void {
    if (this.state === 'terminated') return
    const { locator, driver } = this.core
    // Whoever stopped answering is tried last.
    if (known !== undefined && response === undefined) locator.blocklist.block(known.remote, driver.nowMs)
    this.route += 1
    this.forgetFlow()
    this.retry(code, response, 'failed')
  }

  private retry(code: LegFailure['code'], response: SipResponse | undefined, input: 'failed' | 'lost'): void {
    const { core } = this
    const nowMs = core.driver.nowMs
    const wasStable = nowMs - this.upSinceMs >= stableMs
    this.upSinceMs = Number.POSITIVE_INFINITY
    const action = this.step(input)
    if (action === 'done') this.done()
    if (action !== 'retry-later') return
    if (wasStable) this.failures = 0
    this.failures += 1
    const asked = response?.decode('retryAfter')
    const askedMs = asked?.ok && asked.value !== undefined ? asked.value.seconds * 1_000 : undefined
    // Without outbound the proxies stand in for each other: the next one is asked at once.
    const isNextProxy = input === 'failed' && this.routes.length > 1 && this.failures % this.routes.length !== 0
    const { registrationRetryMs: baseMs, registrationRetryMsMax: mostMs } = core.limits
    const facts = { failures: this.failures, isOtherUp: this.user.isAnyUp(this), askedMs, wasStable, baseMs, mostMs }
    const retryInMs = isNextProxy ? 0 : retryDelayMs(facts, core.random.fraction())
    this.wakeIn(retryInMs)
    this.user.failed(this, { response, code, retryInMs })
  }

  /** @param timerMs how long the edge keeps a flow that says nothing; undefined when it does not tell */
  private useFlow(flow: Flow, nowMs: number, timerMs: number | undefined): void {
    if (this.flow === flow && this.timerMs === timerMs) return
    if (this.flow !== flow) {
      this.forgetFlow()
      this.upSinceMs = nowMs
    } else this.stopWatching()
    this.flow = flow
    this.timerMs = timerMs
    const { core } = this
    const lost = () => core.submit(() => this.take('lost'))
    const unwatch = core.registrations.watch(flow.id, lost)
    const stopPings = this.keepAlive(flow, timerMs, lost)
    this.stopWatching = () => {
      unwatch()
      stopPings?.()
    }
  }

  /** RFC 5626 §4.4: often enough for what lies between, and for the edge that says how long it waits. */
  private keepAlive(flow: Flow, timerMs: number | undefined, lost: () => void): (() => void) | undefined {
    if (!(this.plan.keepAlive ?? this.isOutbound)) return undefined
    const { limits, egress } = this.core
    const transport = egress.entryOf(flow)?.transport
    const { registrationKeepAliveMs, registrationRefreshMsMin } = limits
    const wanted = Math.max(timerMs ?? Number.POSITIVE_INFINITY, registrationRefreshMsMin)
    if (transport?.keepAlive !== undefined)
      return transport.keepAlive(flow.remote, Math.min(wanted, registrationKeepAliveMs), lost)
    // Who neither does outbound nor names a time may not answer pings, and a flow without answers is closed.
    if (!this.isOutbound && timerMs === undefined) return undefined
    return transport?.keepFlowAlive?.(flow, Math.min(wanted, 4 * registrationKeepAliveMs))
  }

  private forgetFlow(): void {
    this.stopWatching()
    this.stopWatching = () => {}
    this.flow = undefined
  }

  private wakeIn(ms: number): void {
    const { driver } = this.core
    this.timer?.cancel()
    this.timer = driver.at(driver.nowMs + ms, () => this.take('due'))
  }

  private step(input: RegistrationInput) {
    const { next, action } = stepRegistration(this.state, input)
    this.state = next
    return action
  }

  private done(): void {
    this.timer?.cancel()
    this.forgetFlow()
    this.expiresAtMs = 0
    this.user.ended(this)
  }
}

/** Ours among the contacts of a 2xx: by instance and reg-id, or by URI; the only one when there is but one. */
function ownContact(request: SipRequest | undefined, response: SipResponse): Contact | undefined {
  const sent = request?.decode('contacts')
  const own = sent?.ok ? sent.value[0] : undefined
  const listed = response.decode('contacts')
  if (own === undefined || !listed.ok) return undefined
  const { instance, regId } = own
  const byFlow = listed.value.find((one) => regId !== undefined && one.instance === instance && one.regId === regId)
  const same = byFlow ?? listed.value.find((one) => one.uri.toString() === own.uri.toString())
  return same ?? (listed.value.length === 1 ? listed.value[0] : undefined)
}

/** RFC 5626 §4.4.1: the edge closes a flow that says nothing for so long. */
function flowTimerMs(response: SipResponse): number | undefined {
  const timer = response.decode('flowTimer')
  return timer.ok && timer.value !== undefined && timer.value > 0 ? timer.value * 1_000 : undefined
}

function tagsOf(response: SipResponse): readonly string[] {
  const require = response.decode('require')
  return require.ok ? require.value : []
}
