/**
 * A registration of ours: RFC 3261 §10.2 as client, RFC 5626 §4 (several flows, each with a reg-id), RFC 5627 §4 (GRUUs),
 * RFC 3608 §6 (Service-Route).
 */
import { type HeaderInit, type NameAddr, type SipResponse, SipUri } from '@carillon/sip-parser'
import { SipTransactionError, SipUsageError } from '../../errors'
import type { Core } from '../core'
import { describeError } from '../driver'
import type { OutgoingInit, UserCredentials } from '../options'
import { readAddress, readUri } from '../requests/outgoing'
import { withResolvers } from '../resolvers'
import { type LegFailure, type LegPlan, RegistrationLeg } from './registration-leg'

/** Options of `SipStack.register`. */
export interface RegisterOptions {
  /** The address of record: `sip:alice@example.com`. */
  readonly aor: string | NameAddr
  /** The domain that registers it; that of the address of record when absent. */
  readonly registrar?: string | SipUri
  readonly credentials?: UserCredentials
  /** A Contact value in place of the stack's own. */
  readonly contact?: string
  /**
   * Names this device for good, `urn:uuid:…` (RFC 5626 §4.1). Asks for outbound: a flow of its own through each of the
   * `outboundProxies`, and for GRUUs.
   */
  readonly instance?: string
  /**
   * Route values: `<sip:edge1.example.com;lr>`. With an `instance` one flow through each, side by side; without, they are
   * tried in turn.
   */
  readonly outboundProxies?: readonly string[]
  /** How long the contact is to be bound; default 3600. The registrar has the last word. */
  readonly expiresSeconds?: number
  /**
   * Keeps flows open: datagrams by STUN, connections by pings, as often as the Flow-Timer of the registrar wants (RFC 5626
   * §4.4). By default where the registrar does outbound; true also where it does not, for connections if it sends Flow-Timer.
   */
  readonly keepAlive?: boolean
  readonly headers?: readonly HeaderInit[]
  /** Aborting unregisters. */
  readonly signal?: AbortSignal
}

/** One flow of a registration. */
export interface RegistrationFlow {
  /** 1 and so on (RFC 5626 §4.2); 1 without outbound. */
  readonly regId: number
  readonly state: 'registering' | 'registered' | 'waiting' | 'refused' | 'leaving' | 'ended'
  /** The proxy that it goes through. */
  readonly proxy: string | undefined
  /** Names the flow, while it is up. */
  readonly flowId: number | undefined
  /** Seconds that the contact is bound from now on. */
  readonly secondsLeft: number
  /** Whether the registrar keeps its flows apart (RFC 5626 §4.2.1). */
  readonly isOutbound: boolean
}

/** Events of a {@link Registration}. */
export interface RegistrationEvents {
  /** A flow has been registered or refreshed. */
  readonly registered: { readonly flow: RegistrationFlow }
  /** A REGISTER came to nothing, or a flow broke; it is tried again. */
  readonly failed: {
    readonly flow: RegistrationFlow
    /** The final response, when there was one. */
    readonly response: SipResponse | undefined
    readonly code: LegFailure['code']
    readonly retryInMs: number
  }
  /** The registrar will not have it: wrong password, unknown user. Nothing more is sent until `refresh()`. */
  readonly refused: { readonly flow: RegistrationFlow; readonly response: SipResponse }
  /** It is over: unregistered, or the stack has closed. */
  readonly ended: Readonly<Record<string, never>>
}

type Listeners = { readonly [K in keyof RegistrationEvents]: Set<(data: RegistrationEvents[K]) => void> }

/**
 * A registration that keeps itself: refreshes, answers challenges, goes to other servers, forms flows anew. It ends by
 * {@link Registration.unregister}, its AbortSignal, or the end of its stack.
 */
export class Registration {
  /** Resolves when the first flow is registered; rejects when all are refused, or it has ended before. */
  readonly ready: Promise<void>
  /** Resolves when it is over. */
  readonly ended: Promise<void>
  private readonly core: Core
  private readonly legs: readonly RegistrationLeg[]
  private readonly plan: LegPlan
  private readonly listeners: Listeners = {
    registered: new Set(),
    failed: new Set(),
    refused: new Set(),
    ended: new Set(),
  }
  private readonly own = { hangUp: () => this.leave(), close: () => this.close() }
  private settleReady: { resolve(): void; reject(error: Error): void }
  private tellEnded: () => void
  private isOver = false

  /** @internal */
  constructor(core: Core, plan: LegPlan, proxies: readonly string[], signal: AbortSignal | undefined) {
    const ready = withResolvers<void>()
    const ended = withResolvers<void>()
    this.core = core
    this.plan = plan
    this.ready = ready.promise
    this.ended = ended.promise
    // Nobody has to wait for it.
    this.ready.catch(() => {})
    this.settleReady = ready
    const abort = () => void this.unregister()
    this.tellEnded = () => {
      signal?.removeEventListener('abort', abort)
      ended.resolve()
    }
    const routes = plan.instance === undefined || proxies.length === 0 ? [proxies] : proxies.map((proxy) => [proxy])
    this.legs = routes.map((each, index) => new RegistrationLeg(core, plan, index + 1, each, this.legUser()))
    if (signal?.aborted || core.isClosing) {
      this.isOver = true
      ready.reject(new SipTransactionError(core.isClosing ? 'STACK_CLOSED' : 'ABORTED'))
      ended.resolve()
      for (const leg of this.legs) leg.state = 'terminated'
      return
    }
    signal?.addEventListener('abort', abort, { once: true })
    core.registrations.all.add(this.own)
    core.submit(() => {
      for (const leg of this.legs) leg.start()
    })
  }

  /** Its flows, in the order of their reg-id. */
  get flows(): readonly RegistrationFlow[] {
    return this.legs.map((leg) => this.view(leg))
  }

  /** True while a flow is registered. */
  get isRegistered(): boolean {
    return this.legs.some((leg) => this.isUp(leg))
  }

  /** The public GRUU of this device (RFC 5627), when the registrar gave one. */
  get publicGruu(): string | undefined {
    return this.best()?.contact?.pubGruu
  }

  /** The last temporary GRUU, when the registrar gave one: for calls that are not to tell who calls. */
  get temporaryGruu(): string | undefined {
    return this.best()?.contact?.tempGruu
  }

  /** Where requests of the user go first (RFC 3608), as the registrar said. */
  get serviceRoutes(): readonly string[] {
    return this.best()?.serviceRoutes ?? []
  }

  /**
   * What requests and calls of this user begin with: From, credentials, routes, Contact, and the flow that is up (RFC 5626
   * §4.3). `stack.invite(target, { ...registration.outgoing, sdp })`.
   */
  get outgoing(): OutgoingInit {
    const { plan } = this
    const leg = this.best()
    const flow = leg?.flow
    const proxy = leg?.proxy
    const service = this.serviceRoutes
    const routes = proxy === undefined || service.includes(proxy) ? service : [proxy, ...service]
    const gruu = this.publicGruu
    return {
      from: plan.from,
      ...(plan.credentials === undefined ? {} : { credentials: plan.credentials }),
      ...(routes.length === 0 ? {} : { routes }),
      ...(gruu === undefined ? {} : { contact: `<${gruu}>` }),
      ...(flow?.isOpen ? { destination: { flowId: flow.id } } : {}),
    }
  }

  /** Observes. Returns a function that stops it. */
  on<K extends keyof RegistrationEvents>(event: K, listener: (data: RegistrationEvents[K]) => void): () => void {
    this.listeners[event].add(listener)
    return () => {
      this.listeners[event].delete(listener)
    }
  }

  /** Registers every flow now: one that was refused too, and one that waits for its time. */
  refresh(): void {
    this.core.submit(() => {
      for (const leg of this.legs) leg.take('refresh')
    })
  }

  /** Removes its contacts. Resolves when the registrar has said so, or nothing more can be done. */
  unregister(): Promise<void> {
    this.core.submit(() => this.leave())
    return this.ended
  }

  private legUser() {
    return {
      isAnyUp: (but: RegistrationLeg) => this.legs.some((leg) => leg !== but && this.isUp(leg)),
      registered: (leg: RegistrationLeg) => {
        this.settleReady.resolve()
        this.emit('registered', { flow: this.view(leg) })
      },
      failed: (leg: RegistrationLeg, why: LegFailure) => this.emit('failed', { flow: this.view(leg), ...why }),
      refused: (leg: RegistrationLeg, response: SipResponse) => {
        if (this.legs.every(({ state }) => state === 'refused'))
          this.settleReady.reject(new SipTransactionError('REGISTRATION_REFUSED', String(response.status)))
        this.emit('refused', { flow: this.view(leg), response })
      },
      ended: () => this.legEnded(),
    }
  }

  private legEnded(): void {
    if (this.isOver || this.legs.some(({ state }) => state !== 'terminated')) return
    this.isOver = true
    this.core.registrations.all.delete(this.own)
    this.core.onChange()
    this.settleReady.reject(new SipTransactionError('ABORTED'))
    this.tellEnded()
    this.emit('ended', {})
  }

  private leave(): void {
    for (const leg of this.legs) leg.leave()
  }

  private close(): void {
    for (const leg of this.legs) leg.close()
  }

  private isUp(leg: RegistrationLeg): boolean {
    return leg.state === 'registered' || leg.state === 'refreshing'
  }

  private best(): RegistrationLeg | undefined {
    return this.legs.find((leg) => this.isUp(leg) && leg.flow?.isOpen) ?? this.legs.find((leg) => this.isUp(leg))
  }

  private view(leg: RegistrationLeg): RegistrationFlow {
    const { regId, proxy, flow, isOutbound, expiresAtMs } = leg
    const secondsLeft = Math.max(0, Math.round((expiresAtMs - this.core.driver.nowMs) / 1_000))
    return { regId, state: shownState[leg.state], proxy, flowId: flow?.id, secondsLeft, isOutbound }
  }

  private emit<K extends keyof RegistrationEvents>(event: K, data: RegistrationEvents[K]): void {
    for (const listener of this.listeners[event]) {
      try {
        listener(data)
      } catch (error) {
        this.core.logger.error({ error: describeError(error) }, 'A listener of a registration failed')
      }
    }
  }
}

const shownState: Readonly<Record<RegistrationLeg['state'], RegistrationFlow['state']>> = {
  registering: 'registering',
  registered: 'registered',
  refreshing: 'registered',
  waiting: 'waiting',
  refused: 'refused',
  stopping: 'leaving',
  leaving: 'leaving',
  terminated: 'ended',
}

/**
 * Begins a registration.
 * @throws SipUsageError TARGET_INVALID, REGISTRATION_INVALID
 */
export function startRegistration(core: Core, options: RegisterOptions): Registration {
  const { aor, credentials, contact, instance, outboundProxies = [], expiresSeconds = 3_600, headers = [] } = options
  const to = readAddress(aor, 'aor')
  const { uri } = to
  if (!(uri instanceof SipUri)) throw new SipUsageError('TARGET_INVALID', 'aor')
  const registrar = options.registrar === undefined ? domainOf(uri) : readUri(options.registrar, 'registrar')
  if (!(registrar instanceof SipUri)) throw new SipUsageError('TARGET_INVALID', 'registrar')
  for (const proxy of outboundProxies) readAddress(proxy, 'outbound proxy')
  const isNamed = instance === undefined || /^[\w:.+~%-]{1,128}$/.test(instance)
  const { registrationFlowsMax, registrationSecondsMax } = core.limits
  const isTimed = Number.isSafeInteger(expiresSeconds) && expiresSeconds > 0 && expiresSeconds <= registrationSecondsMax
  if (!isNamed || !isTimed || outboundProxies.length > registrationFlowsMax)
    throw new SipUsageError('REGISTRATION_INVALID')
  const plan: LegPlan = {
    ...{ registrar, from: to, to, contact, instance, credentials, headers, expiresSeconds },
    wantsGruu: instance !== undefined,
    keepAlive: options.keepAlive,
  }
  return new Registration(core, plan, outboundProxies, options.signal)
}

function domainOf(aor: SipUri): SipUri {
  return aor.with({ user: undefined, password: undefined, params: new Map(), headers: new Map() })
}
