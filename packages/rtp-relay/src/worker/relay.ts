/** The relay as programs use it: one asynchronous interface over an engine in this thread, or over several in workers. */
import { addTotals, type MediaTotals, noTotals } from '../control/engine'
import { RelayEmitter, type RelayEvents, type RelayListener } from '../control/events'
import { checkOptions, limitsOf, portsOfWorker, type RelayOptions } from '../control/options'
import { RelayError } from '../errors'
import { nodeClock } from '../io/node-clock'
import type { RelayLimits } from '../limits'
import type { Clock } from '../ports'
import { pairsIn } from '../relay/port-pool'
import { type AnchorOptions, anchorOf, type MediaAnchor } from './anchor'
import { type EngineSlot, openLocalSlot, type WorkerStats } from './engine-slot'
import { spawnNodeWorker } from './node-worker'
import type { EngineEvent, WorkerStart } from './protocol'
import { type Abortable, RelaySession } from './session'
import { WorkerSlot, type WorkerThread, type WorkerThreadEvents } from './worker-slot'

/** Counters of a relay since it was made, and how it stands now. */
export interface RelayStats extends Readonly<MediaTotals> {
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
  /** Of each worker; empty where the relay has none. */
  readonly workers: readonly WorkerStats[]
}

/** Starts the worker of an index; tests have others than those of Node. */
export type SpawnWorker = (index: number, start: WorkerStart, events: WorkerThreadEvents) => WorkerThread

/**
 * Makes a relay. Rejects with RelayError INVALID_OPTIONS, INTERFACE_UNAVAILABLE when an address cannot be bound, or
 * WORKER_FAILED; nothing is open then, and nothing but timers and idle workers afterwards until a session takes an offer.
 */
export function createRelay(options: RelayOptions): Promise<Relay> {
  return openRelay(options, (index, start, events) => spawnNodeWorker(start, index, options.workerLimits, events))
}

/** The same with workers of another kind. */
export async function openRelay(options: RelayOptions, spawn: SpawnWorker): Promise<Relay> {
  checkOptions(options)
  const limits = limitsOf(options)
  const clock = options.clock ?? nodeClock
  const relay = new Relay(limits, clock)
  const slots = await openSlots(options, spawn, clock, relay)
  for (const slot of slots) relay[attach](slot)
  return relay
}

const attach = Symbol('attach')
const emitted = Symbol('emitted')

/** A userspace relay of RTP between the two sides of each of its sessions. */
export class Relay {
  readonly #limits: RelayLimits
  readonly #clock: Clock
  readonly #emitter = new RelayEmitter()
  readonly #slots: EngineSlot[] = []
  readonly #sessions = new Map<string, RelaySession>()
  #lastKey = 0
  #sessionsCreated = 0
  #sessionsTimedOut = 0
  #closed: Promise<void> | undefined

  /** Not for callers: use {@link createRelay}. */
  constructor(limits: RelayLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Sessions open now. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** Ports that no session holds, over all interfaces; those that rest before reuse are among them. Of workers, as last reported. */
  get portsFree(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.portsFree, 0)
  }

  /**
   * Makes a session; it holds no port before its first offer. `id` is the controller's name for the call. A signal that
   * is aborted closes the session. Throws RelayError SESSION_EXISTS, SESSION_LIMIT, WORKER_UNAVAILABLE or RELAY_CLOSED,
   * and the reason of a signal that is aborted already.
   */
  createSession(id: string, { signal }: Abortable = {}): RelaySession {
    signal?.throwIfAborted()
    if (this.#closed !== undefined) throw new RelayError('RELAY_CLOSED')
    if (this.#sessions.has(id)) throw new RelayError('SESSION_EXISTS')
    if (this.#sessions.size >= this.#limits.sessionsMax) throw new RelayError('SESSION_LIMIT')
    const client = this.#leastLoaded()?.client
    if (client === undefined) throw new RelayError('WORKER_UNAVAILABLE')
    const owner = {
      pendingOperationsMax: this.#limits.pendingOperationsMax,
      now: () => this.#clock.monotonicMs(),
      left: (left: RelaySession) => void this.#sessions.delete(left.id),
      happened: (event: EngineEvent) => this.#happened(event),
    }
    const session = new RelaySession(id, ++this.#lastKey, client, owner, signal)
    this.#sessions.set(id, session)
    this.#sessionsCreated++
    return session
  }

  /** The open session with that id. */
  session(id: string): RelaySession | undefined {
    return this.#sessions.get(id)
  }

  /** A session as the media anchor of a B2BUA: initial offers, early answers, re-INVITEs of either side, late offers. */
  anchor(session: RelaySession, options: AnchorOptions = {}): MediaAnchor {
    return anchorOf(session, options)
  }

  /**
   * Counters and gauges over all sessions, closed ones included. A worker that does not answer counts with its last
   * report, one that has crashed with what it last reported.
   */
  async stats(): Promise<RelayStats> {
    const totals = noTotals()
    let [portsTotal, portsFree, portsResting] = [0, 0, 0]
    for (const stats of await Promise.all(this.#slots.map((slot) => slot.stats()))) {
      if (stats === undefined) continue
      addTotals(totals, stats)
      portsTotal += stats.portsTotal
      portsFree += stats.portsFree
      portsResting += stats.portsResting
    }
    for (const { past } of this.#slots) addTotals(totals, past)
    return {
      sessions: this.#sessions.size,
      sessionsCreated: this.#sessionsCreated,
      sessionsTimedOut: this.#sessionsTimedOut,
      portsTotal,
      portsFree,
      portsResting,
      ...totals,
      workers: this.#slots.map((slot) => slot.workerStats()).filter((stats) => stats !== undefined),
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
    this.#closed ??= Promise.all(this.#slots.map((slot) => slot.close())).then(() => undefined)
    return this.#closed
  }

  /** Same as {@link Relay.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  [attach](slot: EngineSlot): void {
    this.#slots.push(slot)
  }

  /** @internal */
  [emitted]<K extends keyof RelayEvents>(name: K, event: RelayEvents[K]): void {
    this.#emitter.emit(name, event)
  }

  /** The slot whose engine runs with the fewest sessions; of equal ones that with the fewest packets. */
  #leastLoaded(): EngineSlot | undefined {
    let least: EngineSlot | undefined
    for (const slot of this.#slots) {
      if (slot.client === undefined) continue
      const more = (least?.client?.sessions ?? Number.POSITIVE_INFINITY) - slot.client.sessions
      if (more > 0 || (more === 0 && least !== undefined && slot.packetsPerSecond < least.packetsPerSecond))
        least = slot
    }
    return least
  }

  #happened({ name, event }: EngineEvent): void {
    if (name === 'session-timeout') this.#sessionsTimedOut++
    emitOne(this.#emitter, name, event)
  }
}

/** Name and event belong together, which the type of a pair taken apart no longer says. */
function emitOne<K extends keyof RelayEvents>(
  emitter: RelayEmitter,
  name: K,
  event: RelayEvents[keyof RelayEvents],
): void {
  emitter.emit(name, event as RelayEvents[K])
}

async function openSlots(
  options: RelayOptions,
  spawn: SpawnWorker,
  clock: Clock,
  relay: Relay,
): Promise<readonly EngineSlot[]> {
  const { workers = 0 } = options
  if (workers === 0) return [await openLocalSlot(options)]
  const slots = Array.from({ length: workers }, (_, index) => {
    const ports = portsOfWorker(options, index)
    const pairs = pairsIn(ports.portMin, ports.portMax)
    const start: WorkerStart = {
      options: { ...options, ...ports, workers: 0 },
      portStates: options.interfaces.map(() => new Uint8Array(new SharedArrayBuffer(pairs))),
    }
    return new WorkerSlot({
      index,
      clock,
      spawn: (events) => spawn(index, start, events),
      crashed: (code, detail, sessions) => relay[emitted]('worker-crashed', { worker: index, code, detail, sessions }),
      restarted: () => relay[emitted]('worker-restarted', { worker: index }),
    })
  })
  const results = await Promise.allSettled(slots.map((slot) => slot.start()))
  const refused = results.find((result) => result.status === 'rejected')
  if (refused === undefined) return slots
  await Promise.all(slots.map((slot) => slot.close()))
  throw refused.reason
}
