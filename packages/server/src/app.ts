/**
 * The composition root: makes every part of the server and joins them. Nothing else knows them all.
 */
import {
  type Clock,
  createNodeRandom,
  DigestVerifier,
  type Logger,
  nodeClock,
  type Random,
  SipStack,
  SipTransportError,
  type StackStats,
  silentLogger,
  type TransportFactory,
} from '@carillon/sip-transaction'
import {
  type Config,
  type EffectiveAddresses,
  formatListenAddress,
  type ListenAddress,
  machineAddresses,
  resolveAddresses,
} from './config'
import { ServerError } from './errors'
import {
  DROPPED_REPORT_INTERVAL_MS,
  LOGIN_FAILURES_PER_ADDRESS_MAX,
  LOGIN_FAILURES_PER_USER_MAX,
  LOGIN_FAILURES_WINDOW_MS,
  LOGIN_SOURCES_MAX,
} from './limits'
import { openEmbeddedMedia } from './media/backends/embedded/embedded-media'
import type { MediaBackend, MediaStats } from './media/port'
import { Authenticator } from './signalling/authentication'
import { CallManager } from './signalling/calls/call-manager'
import { dispatch } from './signalling/dispatch'
import { OwnNames } from './signalling/own-names'
import { DroppedReport } from './signalling/protection/dropped-report'
import { LoginGuard } from './signalling/protection/login-guard'
import { Registrar } from './signalling/registrar/registrar'
import type { UserStore } from './store'
import { VERSION } from './version'
import { withinMs } from './within'

/** What a server is given beside its configuration. What is absent is made from Node. */
export interface ServerPorts {
  readonly users: UserStore
  readonly logger?: Logger
  /** Addresses already worked out; otherwise the machine is asked. */
  readonly addresses?: EffectiveAddresses
  readonly clock?: Clock
  readonly random?: Random
  /** Carries media; the relay in this process when absent. Closed with the server. */
  readonly media?: MediaBackend
  /** Transports to listen with; UDP and TCP when absent. */
  readonly transports?: readonly TransportFactory[]
}

/** Figures of a running server. */
export interface ServerStats {
  readonly calls: number
  readonly registrations: number
  readonly loginSources: number
  readonly media: MediaStats
  readonly stack: StackStats
}

/** How to stop. */
export interface StopOptions {
  /** How long live calls may go on; the configured time when absent. */
  readonly drainTimeoutMs?: number
  /** Aborting ends the waiting: live calls are hung up at once. */
  readonly signal?: AbortSignal
}

/** Makes a server. It does nothing until it is started. */
export function createServer(config: Config, ports: ServerPorts): Server {
  return new Server(config, ports)
}

interface Running {
  readonly stack: SipStack
  readonly media: MediaBackend
  readonly registrar: Registrar
  readonly calls: CallManager
  readonly guard: LoginGuard
  readonly dropped: DroppedReport
}

/** A telephone server: registrar, and calls between extensions with their media relayed. */
export class Server {
  readonly #config: Config
  readonly #ports: ServerPorts
  #running: Running | undefined
  #state: 'new' | 'started' | 'stopped' = 'new'
  #stopped: Promise<void> | undefined
  #cutShort: (() => void)[] = []

  /** Use {@link createServer}. */
  constructor(config: Config, ports: ServerPorts) {
    this.#config = config
    this.#ports = ports
  }

  /** The listeners as they were opened, with their real ports. Empty before the start. */
  get addresses(): readonly ListenAddress[] {
    const listeners = this.#running?.stack.listeners ?? []
    return listeners.map(({ transport, address, port }) => ({
      transport: transport.toLowerCase(),
      host: address,
      port,
    }))
  }

  /**
   * Opens the listeners and the media relay. Leaves nothing open when it fails.
   *
   * @throws ServerError with code LISTEN_FAILED, MEDIA_FAILED or NOT_STOPPED
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new ServerError('NOT_STOPPED', 'a server is started once')
    this.#state = 'started'
    const addresses = this.#ports.addresses ?? resolveAddresses(this.#config, await machineAddresses())
    const stack = await this.#openStack(addresses)
    try {
      const media = this.#ports.media ?? (await openEmbeddedMedia(this.#config, addresses.media))
      this.#running = this.#compose(stack, media, addresses)
    } catch (error) {
      await stack.close({ graceMs: 0 })
      throw error
    }
  }

  /** Figures of the moment. All zero before the start. */
  stats(): ServerStats {
    const running = this.#running
    if (!running) throw new ServerError('NOT_STOPPED', 'the server has not been started')
    return {
      calls: running.calls.active,
      registrations: running.registrar.size,
      loginSources: running.guard.size,
      media: running.media.stats(),
      stack: running.stack.stats(),
    }
  }

  /**
   * Stops in order: new calls are refused, live ones may finish until the drain time is over and are then hung up on
   * both sides, and every socket is closed. A second call joins the first, and cuts its waiting short if it says so.
   */
  stop(options: StopOptions = {}): Promise<void> {
    const drainTimeoutMs = options.drainTimeoutMs ?? this.#config.drainTimeoutMs
    this.#stopped ??= this.#stop(drainTimeoutMs)
    if (drainTimeoutMs === 0 || options.signal?.aborted) this.#cut()
    else options.signal?.addEventListener('abort', () => this.#cut(), { once: true })
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(drainTimeoutMs: number): Promise<void> {
    this.#state = 'stopped'
    const running = this.#running
    if (!running) return
    running.calls.startDraining()
    await this.#drained(running.calls, drainTimeoutMs)
    await running.calls.hangUpAll('server stopping')
    running.dropped.close()
    running.registrar.close()
    await running.stack.close({ graceMs: 0 })
    await running.media.close()
  }

  async #drained(calls: CallManager, drainTimeoutMs: number): Promise<void> {
    const cut = new Promise<void>((resolve) => this.#cutShort.push(resolve))
    await withinMs(this.#ports.clock ?? nodeClock, drainTimeoutMs, Promise.race([calls.idle(), cut]))
  }

  #cut(): void {
    const waiting = this.#cutShort
    this.#cutShort = []
    for (const resolve of waiting) resolve()
  }

  async #openStack(addresses: EffectiveAddresses): Promise<SipStack> {
    const { logger, clock, random, transports } = this.#ports
    try {
      return await SipStack.create({
        // What the registrar can do (RFC 5626, RFC 3327), for phones that require it.
        supported: ['outbound', 'path'],
        listen: this.#config.sip.listen.map(formatListenAddress),
        userAgent: `Carillon/${VERSION}`,
        ...(addresses.advertisedAddress === undefined ? {} : { advertise: addresses.advertisedAddress }),
        ...(logger && { logger }),
        ...(clock && { clock }),
        ...(random && { random }),
        ...(transports && { transports }),
      })
    } catch (error) {
      if (!(error instanceof SipTransportError)) throw error
      throw new ServerError('LISTEN_FAILED', listenFailure(error, this.#config), { cause: error })
    }
  }

  #compose(stack: SipStack, media: MediaBackend, addresses: EffectiveAddresses): Running {
    const { users, logger = silentLogger, clock = nodeClock, random = createNodeRandom() } = this.#ports
    const { auth, registration, calls: callSettings, sip, media: mediaSettings } = this.#config
    const guard = new LoginGuard({
      sourcesMax: LOGIN_SOURCES_MAX,
      failuresPerUserMax: LOGIN_FAILURES_PER_USER_MAX,
      failuresPerAddressMax: LOGIN_FAILURES_PER_ADDRESS_MAX,
      windowMs: LOGIN_FAILURES_WINDOW_MS,
    })
    const verifier = new DigestVerifier({
      realm: addresses.domain,
      algorithms: auth.algorithms,
      secret: random.bytes(32),
      nonceLifetimeMs: auth.nonceLifetimeMs,
      // Phones and test tools are about that write another URI into the digest than into the request line.
      checkUri: false,
      random,
    })
    const names = new OwnNames(addresses.domain, addresses.isDomainExplicit, [
      ...sip.listen.map((item) => item.host),
      ...addresses.media.map((item) => item.address),
      addresses.serverAddress,
      'localhost',
    ])
    const authenticator = new Authenticator({ verifier, users, guard, clock, logger })
    const registrar = new Registrar({ authenticator, names, clock, logger }, registration)
    registrar.watch(stack)
    const calls = new CallManager(
      { authenticator, users, registrar, media, names, clock, random, logger },
      { ...callSettings, srtp: mediaSettings.srtp },
    )
    dispatch(stack, { registrar, calls })
    const dropped = new DroppedReport(
      () => stack.stats().counters.dropped,
      { clock, logger },
      DROPPED_REPORT_INTERVAL_MS,
    )
    return { stack, media, registrar, calls, guard, dropped }
  }
}

/** One line that says which listener failed, and what can be done. */
function listenFailure(error: SipTransportError, config: Config): string {
  const wanted = config.sip.listen.map(formatListenAddress).join(', ')
  const hint =
    error.code === 'ADDRESS_IN_USE' ? '; stop the other program, or choose another port with --sip-listen' : ''
  return `cannot listen on ${wanted}: ${error.message.replace(/\.$/, '')}${hint}`
}
