/**
 * Calls between extensions: authenticates the caller, routes, and bridges both legs with the media anchored
 * (RFC 3261 §8.2, §13.3, §16.6). Every call that got past authentication leaves one record in the log.
 */
import { NameAddr, SipUri } from '@carillon/sip-parser'
import {
  type Binding,
  type BridgeEvent,
  type Clock,
  type IncomingRequest,
  type Logger,
  type Random,
  SipTransactionError,
} from '@carillon/sip-transaction'
import { HANGUP_GRACE_MS, LOG_FIELD_CHARS_MAX, RETRY_AFTER_SECONDS } from '../../limits'
import type { MediaBackend, MediaParty, MediaSession, SrtpPolicy } from '../../media/port'
import type { User, UserStore } from '../../store'
import { withinMs } from '../../within'
import type { Authenticator } from '../authentication'
import { dialledName, type OwnNames } from '../own-names'
import type { Registrar } from '../registrar/registrar'
import { route } from '../routing/router'
import { LiveCall } from './call'
import { callRecord, dispositionOf } from './call-record'

/** What a {@link CallManager} is made of. */
export interface CallManagerPorts {
  readonly authenticator: Authenticator
  readonly users: UserStore
  readonly registrar: Registrar
  readonly media: MediaBackend
  readonly names: OwnNames
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Figures of a {@link CallManager}, from the configuration. */
export interface CallSettings {
  readonly max: number
  readonly ringTimeoutMs: number
  readonly durationMaxMs: number
  /** For users that say nothing of it themselves. */
  readonly srtp: SrtpPolicy
}

/** Answers INVITEs and keeps the calls that live. */
export class CallManager {
  readonly #ports: CallManagerPorts
  readonly #settings: CallSettings
  readonly #calls = new Map<string, LiveCall>()
  #isDraining = false
  #idle: (() => void)[] = []

  constructor(ports: CallManagerPorts, settings: CallSettings) {
    this.#ports = ports
    this.#settings = settings
    ports.media.onSilence((id) => this.#calls.get(id)?.hangUp('media timeout'))
    ports.media.onFailure((id) => this.#calls.get(id)?.hangUp('media failed'))
  }

  /** How many calls live. */
  get active(): number {
    return this.#calls.size
  }

  /** Answers an INVITE that belongs to no dialog. */
  readonly handle = async (request: IncomingRequest): Promise<void> => {
    if (this.#isDraining) return refuse(request, 503)
    const caller = await this.#ports.authenticator.user(request, 'proxy')
    if (!caller) return
    const startMs = this.#ports.clock.wallMs()
    const reject = (status: number, why: string) => this.#reject(request, caller, startMs, status, why)
    if (dialledName(request.from.uri) !== caller.extension) return reject(403, 'the caller is another than the user')
    const found = await this.#route(request, caller)
    // Whoever cancelled while the store was asked has had the answer, 487.
    if (request.signal.aborted) return reject(487, 'cancelled')
    if (found.kind === 'reject') return reject(found.status, found.why)
    if (this.#isDraining || this.#calls.size >= this.#settings.max) return reject(503, 'no room for another call')
    await this.#connect(request, caller, found.extension, found.srtp)
  }

  /** From now on new calls are answered 503. */
  startDraining(): void {
    this.#isDraining = true
  }

  /** Resolves when no call lives any more. */
  idle(): Promise<void> {
    return this.#calls.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Hangs up every call, both sides; resolves when they are over, or after a grace. */
  async hangUpAll(reason: string): Promise<void> {
    for (const call of this.#calls.values()) call.hangUp(reason)
    await withinMs(this.#ports.clock, HANGUP_GRACE_MS, this.idle())
  }

  /** Reads what routing needs to know, and asks it. */
  async #route(request: IncomingRequest, caller: User) {
    const { users, registrar, names } = this.#ports
    const dialled = dialledName(request.uri)
    const isOurDomain = names.includes(request.uri)
    const user = dialled === undefined || !isOurDomain ? undefined : await users.find(dialled)
    const extension = user && { name: user.extension, registeredPhones: registrar.lookup(user.extension).length }
    const found = route({ caller: caller.extension, dialled, isOurDomain, extension })
    return { ...found, srtp: user?.srtp }
  }

  async #connect(request: IncomingRequest, caller: User, extension: string, calleeSrtp?: SrtpPolicy): Promise<void> {
    const { registrar, media, names, clock, random, logger } = this.#ports
    const bindings = registrar.lookup(extension)
    const targets = bindings.map((binding) => binding.toTarget((flowId) => registrar.isFlowOpen(flowId)))
    const id = random.token(96)
    let session: MediaSession
    try {
      const { srtp } = this.#settings
      session = media.openSession(id, {
        a: { srtp: caller.srtp ?? srtp, address: request.source.address },
        b: { srtp: calleeSrtp ?? srtp, ...onlyAddress(bindings) },
      })
    } catch (error) {
      const why = `the media relay takes no session: ${(error as Error).message}`
      return this.#reject(request, caller, clock.wallMs(), 503, why)
    }
    const call = new LiveCall(logText(request.callId), caller.extension, extension, session, () => clock.wallMs())
    this.#calls.set(id, call)
    try {
      const bridge = await request.bridge(targets, {
        sdp: session.anchor,
        from: callerAddress(caller, request.from.displayName, names.domain),
        to: NameAddr.of({ uri: SipUri.of({ user: extension, host: names.domain }) }),
        ringTimeoutMs: this.#settings.ringTimeoutMs,
        maxDurationMs: this.#settings.durationMaxMs,
        onEvent: (event) => this.#observe(call, event),
      })
      call.attach(bridge)
      logger.info(
        { event: 'call.started', callId: call.callId, source: call.source, destination: extension },
        'call started',
      )
      const end = await bridge.ended
      logger.info({ event: 'call.ended', ...(await call.record(end)) }, 'call ended')
    } catch (error) {
      await session.anchor.release()
      await this.#failed(request, call, error)
    } finally {
      this.#forget(id)
    }
  }

  #observe(call: LiveCall, event: BridgeEvent): void {
    call.observe(event)
    const { logger } = this.#ports
    const { callId, source, destination } = call
    if (event.kind === 'ringing') logger.debug({ event: 'call.ringing', callId, source, destination }, 'call ringing')
    if (event.kind === 'answered') {
      const setupMs = Math.round(event.setupMs)
      logger.info({ event: 'call.answered', callId, source, destination, setupMs }, 'call answered')
    }
  }

  /** The bridge never came to be: the caller was quicker with CANCEL, or the fault is ours and ends this call only. */
  async #failed(request: IncomingRequest, call: LiveCall, error: unknown): Promise<void> {
    const { logger } = this.#ports
    const isCancelled = error instanceof SipTransactionError && error.code === 'CANCELLED'
    if (!isCancelled) {
      logger.error({ event: 'call.failed', callId: call.callId, error: (error as Error).message }, 'a call failed')
      if (!request.isAnswered) request.reply(500)
    }
    const end = isCancelled
      ? ({ disposition: 'CANCELLED', status: 487, by: 'a' } as const)
      : ({ disposition: 'FAILED', status: 500, by: 'core' } as const)
    logger.info({ event: 'call.ended', ...(await call.record(end)) }, 'call ended')
  }

  #forget(id: string): void {
    this.#calls.delete(id)
    if (this.#calls.size > 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }

  #reject(request: IncomingRequest, caller: User, startMs: number, status: number, why: string): void {
    refuse(request, status)
    const record = callRecord({
      callId: logText(request.callId),
      source: caller.extension,
      destination: logText(dialledName(request.uri) ?? ''),
      startMs,
      answerMs: undefined,
      endMs: this.#ports.clock.wallMs(),
      disposition: dispositionOf(status),
      sipStatus: status,
      hangUpSide: status === 487 ? 'source' : 'server',
      media: undefined,
    })
    this.#ports.logger.info({ event: 'call.ended', ...record, why }, 'call refused')
  }
}

function refuse(request: IncomingRequest, status: number): void {
  request.reply(status, status === 503 ? { headers: [['Retry-After', RETRY_AFTER_SECONDS]] } : {})
}

/** Who the called phone is shown: the user's own name if the store has one, and an address that can be called back. */
function callerAddress(caller: User, saidName: string | undefined, domain: string): NameAddr {
  const displayName = caller.displayName ?? saidName
  const uri = SipUri.of({ user: caller.extension, host: domain })
  return NameAddr.of(displayName === undefined ? { uri } : { displayName, uri })
}

/** The address of the called side, when all of its phones have the same; which of them answers is not known yet. */
function onlyAddress(bindings: readonly Binding[]): Pick<MediaParty, 'address'> {
  const addresses = new Set(bindings.map((binding) => binding.receivedFrom.address))
  const [address] = addresses
  return addresses.size === 1 && address !== undefined ? { address } : {}
}

function logText(text: string): string {
  return text.length > LOG_FIELD_CHARS_MAX ? `${text.slice(0, LOG_FIELD_CHARS_MAX)}…` : text
}
