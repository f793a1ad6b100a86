/**
 * The engine: the interfaces and ports of one thread, its sessions, its one timer, and what it tells its owner. Programs
 * use the facade of ../worker, which is the same over one engine here or several in threads of their own.
 */
import { RelayError } from '../errors'
import { nodeClock, nodeRandom } from '../io/node-clock'
import { nodeDatagramNetwork } from '../io/node-udp'
import type { RelayLimits } from '../limits'
import type { Clock, DatagramNetwork, Random, ScheduledWake } from '../ports'
import type { DropCounts, Leg } from '../relay/leg'
import { PortPool } from '../relay/port-pool'
import { canonicalAddress, familyOf } from './address'
import { type CloseReason, RelayEmitter, type RelayEvents, type RelayListener } from './events'
import type { RelayInterface } from './interfaces'
import { checkOptions, limitsOf, type RelayOptions } from './options'
import { RelaySession, type SessionContext } from './relay-session'

/** Counters of an engine since it was made, and how it stands now. Plain data. */
export interface EngineStats {
  /** Sessions open now. */
  readonly sessions: number
  readonly sessionsCreated: number
  /** Sessions that the clock has ended. */
  readonly sessionsTimedOut: number
  readonly portsTotal: number
  /** Ports that no session holds, resting ones included. */
  readonly portsFree: number
  /** Ports that no session holds but that may not be used again yet. */
  readonly portsResting: number
  /** Packets and bytes accepted from parties, RTP only; lost is what did not come. */
  readonly packets: number
  readonly bytes: number
  readonly lost: number
  readonly dropped: Readonly<DropCounts>
}

/** Sums of what sessions have carried. */
export interface MediaTotals {
  packets: number
  bytes: number
  lost: number
  dropped: DropCounts
}

/**
 * Makes an engine. Rejects with RelayError INVALID_OPTIONS, or INTERFACE_UNAVAILABLE when an address cannot be bound;
 * nothing is open then, and nothing but a timer afterwards until a session takes an offer. `portStates` are the books of
 * an engine that had these ports before and has ended without giving them back, one for each interface.
 */
export async function createEngine(
  options: RelayOptions,
  portStates: readonly Uint8Array[] = [],
): Promise<RelayEngine> {
  checkOptions(options)
  const limits = limitsOf(options)
  const network = options.network ?? nodeDatagramNetwork
  const random = options.random ?? nodeRandom
  const clock = options.clock ?? nodeClock
  const interfaces = options.interfaces.map(({ name, address, advertisedAddress }, index): RelayInterface => {
    const family = familyOf(address) ?? 'IP4'
    const state = portStates[index]
    const former = state === undefined ? undefined : { state, nowMs: clock.monotonicMs() }
    const pool = new PortPool(options.portMin, options.portMax, limits.portQuarantineMs, random, former)
    return { index, name: name ?? 'default', family, address, advertisedAddress: advertisedAddress ?? address, pool }
  })
  for (const { address, family } of interfaces) await probe(network, address, family)
  return new RelayEngine(interfaces, limits, { network, clock, random })
}

/** What the engine needs of the world around it. */
interface RelayWorld {
  readonly network: DatagramNetwork
  readonly clock: Clock
  readonly random: Random
}

/** The relay of one thread. Its calls are synchronous where nothing has to be waited for. */
export class RelayEngine {
  readonly #interfaces: readonly RelayInterface[]
  readonly #limits: RelayLimits
  readonly #clock: Clock
  readonly #emitter = new RelayEmitter()
  readonly #context: SessionContext
  readonly #sessions = new Map<string, RelaySession>()
  readonly #closing = new Set<Promise<void>>()
  /** Of sessions and branches that are closed. */
  readonly #past = noTotals()
  #sessionsCreated = 0
  #sessionsTimedOut = 0
  #wake: ScheduledWake | undefined
  #closed: Promise<void> | undefined

  /** Not for callers: use {@link createEngine}. */
  constructor(interfaces: readonly RelayInterface[], limits: RelayLimits, world: RelayWorld) {
    this.#interfaces = interfaces
    this.#limits = limits
    this.#clock = world.clock
    const ownAddresses = new Set(
      interfaces.flatMap((one) => [one.address, one.advertisedAddress]).map(canonicalAddress),
    )
    this.#context = {
      ...world,
      limits,
      interfaces,
      emitter: this.#emitter,
      bindAttemptsMax: limits.bindAttemptsMax,
      learningWindowMs: limits.learningWindowMs,
      isOwnAddress: (address) => ownAddresses.has(address),
      track: (closing) => this.#track(closing),
      carried: (legs) => addLegs(this.#past, legs),
      sessionClosed: (session, reason) => this.#sessionClosed(session, reason),
    }
  }

  /** Sessions open now. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** Ports that no session holds, over all interfaces; those that rest before reuse are among them. */
  get portsFree(): number {
    return this.#interfaces.reduce((sum, { pool }) => sum + pool.portsFree, 0)
  }

  /**
   * Makes a session; it holds no port before its first offer. `id` is the controller's name for the call. Throws
   * RelayError SESSION_EXISTS, SESSION_LIMIT or RELAY_CLOSED.
   */
  createSession(id: string): RelaySession {
    if (this.#closed !== undefined) throw new RelayError('RELAY_CLOSED')
    if (this.#sessions.has(id)) throw new RelayError('SESSION_EXISTS')
    if (this.#sessions.size >= this.#limits.sessionsMax) throw new RelayError('SESSION_LIMIT')
    const session = new RelaySession(id, this.#context)
    this.#sessions.set(id, session)
    this.#sessionsCreated++
    this.#scheduleCheck()
    return session
  }

  /** The open session with that id. */
  session(id: string): RelaySession | undefined {
    return this.#sessions.get(id)
  }

  /** Counters and gauges over all sessions, closed ones included. */
  stats(): EngineStats {
    const nowMs = this.#clock.monotonicMs()
    const totals = noTotals()
    addTotals(totals, this.#past)
    for (const session of this.#sessions.values()) addLegs(totals, session.legs())
    let portsResting = 0
    let portsTotal = 0
    for (const { pool } of this.#interfaces) {
      pool.settle(nowMs)
      portsResting += pool.portsResting
      portsTotal += pool.portsTotal
    }
    return {
      sessions: this.#sessions.size,
      sessionsCreated: this.#sessionsCreated,
      sessionsTimedOut: this.#sessionsTimedOut,
      portsTotal,
      portsFree: this.portsFree,
      portsResting,
      ...totals,
    }
  }

  /** Calls `listener` at each event of that name until `off`. Listeners observe: nothing they do changes the packet at hand. */
  on<K extends keyof RelayEvents>(name: K, listener: RelayListener<K>): this {
    this.#emitter.on(name, listener)
    return this
  }

  /** Undoes `on`. */
  off<K extends keyof RelayEvents>(name: K, listener: RelayListener<K>): this {
    this.#emitter.off(name, listener)
    return this
  }

  /** Closes every session and socket; resolves when all are closed. Pending offers reject. Again: the same promise. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  /** Same as {@link RelayEngine.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #shutDown(): Promise<void> {
    this.#wake?.cancel()
    this.#wake = undefined
    const sessions = [...this.#sessions.values()]
    for (const session of sessions) session.end('relay-closed')
    // An offer that is opening ports right now closes them when it finds its session gone.
    await Promise.all(sessions.map((session) => session.idle()))
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  #track(closing: Promise<void>): void {
    this.#closing.add(closing)
    void closing.finally(() => this.#closing.delete(closing))
  }

  #sessionClosed(session: RelaySession, reason: CloseReason): void {
    this.#sessions.delete(session.id)
    if (reason === 'silence' || reason === 'offer' || reason === 'duration') this.#sessionsTimedOut++
    const snapshot = session.snapshot()
    addLegs(this.#past, session.legs())
    if (this.#sessions.size === 0) {
      this.#wake?.cancel()
      this.#wake = undefined
    }
    this.#emitter.emit('session-closed', { sessionId: session.id, reason, snapshot })
  }

  #scheduleCheck(): void {
    if (this.#wake !== undefined || this.#closed !== undefined || this.#sessions.size === 0) return
    this.#wake = this.#clock.schedule(this.#clock.monotonicMs() + this.#limits.livenessIntervalMs, () => {
      this.#wake = undefined
      const nowMs = this.#clock.monotonicMs()
      for (const session of this.#sessions.values()) session.check(nowMs, this.#limits)
      this.#scheduleCheck()
    })
  }
}

async function probe(network: DatagramNetwork, address: string, family: 'IP4' | 'IP6'): Promise<void> {
  try {
    const channel = await network.open(address, 0, family, { receive: () => undefined, failed: () => undefined })
    await channel.close()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new RelayError('INTERFACE_UNAVAILABLE', `${address}: ${code}`)
  }
}

const noDrops: Readonly<DropCounts> = {
  strangers: 0,
  garbage: 0,
  strayRtcp: 0,
  undeliverable: 0,
  unauthenticated: 0,
  unprotectable: 0,
}
const dropReasons = Object.keys(noDrops) as readonly (keyof DropCounts)[]

/** Nothing carried yet. */
export function noTotals(): MediaTotals {
  return { packets: 0, bytes: 0, lost: 0, dropped: { ...noDrops } }
}

/** Adds `more` to `sum`. */
export function addTotals(sum: MediaTotals, more: Readonly<MediaTotals>): void {
  sum.packets += more.packets
  sum.bytes += more.bytes
  sum.lost += more.lost
  for (const reason of dropReasons) sum.dropped[reason] += more.dropped[reason]
}

function addLegs(sum: MediaTotals, legs: readonly Leg[]): void {
  for (const { stats, drops } of legs) {
    sum.packets += stats.packets
    sum.bytes += stats.bytes
    sum.lost += stats.lost
    for (const reason of dropReasons) sum.dropped[reason] += drops[reason]
  }
}
