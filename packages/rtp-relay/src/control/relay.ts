/** The relay: its interfaces and ports, its sessions, its one timer, and what it tells its owner. */
import { RelayError } from '../errors'
import { nodeClock, nodeRandom } from '../io/node-clock'
import { nodeDatagramNetwork } from '../io/node-udp'
import type { RelayLimits } from '../limits'
import type { Clock, DatagramNetwork, ScheduledWake } from '../ports'
import type { DropCounts, Side } from '../relay/leg'
import { PortPool } from '../relay/port-pool'
import { canonicalAddress, familyOf } from './address'
import { type CloseReason, RelayEmitter, type RelayEvents, type RelayListener } from './events'
import type { RelayInterface } from './interfaces'
import { checkOptions, limitsOf, type RelayOptions } from './options'
import type { SessionContext } from './relay-session'
import { type AnswerOptions, type OfferOptions, RelaySession } from './relay-session'
import type { SessionSnapshot } from './snapshot'

/** Counters of a relay since it was made, and how it stands now. */
export interface RelayStats {
  readonly sessions: number
  readonly sessionsCreated: number
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

/** What `Relay.anchor` may be told of the parties. */
export interface AnchorOptions {
  /** Address family towards each side; by default that of the other side's offer. */
  readonly families?: Partial<Record<Side, NonNullable<OfferOptions['addressFamily']>>>
  /** Interface name towards each side; give both or none. */
  readonly interfaces?: Readonly<Record<Side, string>>
  /** The IP address that each side's signalling comes from. May be changed while the anchor lives. */
  readonly receivedFrom?: Partial<Record<Side, string>>
}

/** What a B2BUA needs of a session: its offers and answers, and its end. */
export interface MediaAnchor {
  /** Side `side` offers; resolves with the offer for the other side. */
  offer(side: Side, sdp: Uint8Array): Promise<Uint8Array>
  /** Side `side` answers; resolves with the answer for the other side. */
  answer(side: Side, sdp: Uint8Array): Promise<Uint8Array>
  /** Closes the session. */
  release(): void
}

/**
 * Makes a relay. Rejects with RelayError INVALID_OPTIONS, or INTERFACE_UNAVAILABLE when an address cannot be bound;
 * nothing is open then, and nothing but a timer afterwards until a session takes an offer.
 */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  checkOptions(options)
  const limits = limitsOf(options)
  const network = options.network ?? nodeDatagramNetwork
  const random = options.random ?? nodeRandom
  const interfaces = options.interfaces.map(({ name, address, advertisedAddress }, index): RelayInterface => {
    const family = familyOf(address) ?? 'IP4'
    const pool = new PortPool(options.portMin, options.portMax, limits.portQuarantineMs, random)
    return { index, name: name ?? 'default', family, address, advertisedAddress: advertisedAddress ?? address, pool }
  })
  for (const { address, family } of interfaces) await probe(network, address, family)
  return new Relay(interfaces, limits, network, options.clock ?? nodeClock)
}

/** A userspace relay of RTP between the two sides of each of its sessions. */
export class Relay {
  readonly #interfaces: readonly RelayInterface[]
  readonly #limits: RelayLimits
  readonly #clock: Clock
  readonly #emitter = new RelayEmitter()
  readonly #context: SessionContext
  readonly #sessions = new Map<string, RelaySession>()
  readonly #closing = new Set<Promise<void>>()
  readonly #past = { packets: 0, bytes: 0, lost: 0, strangers: 0, garbage: 0, strayRtcp: 0, undeliverable: 0 }
  #sessionsCreated = 0
  #sessionsTimedOut = 0
  #wake: ScheduledWake | undefined
  #closed: Promise<void> | undefined

  /** Not for callers: use {@link createRelay}. */
  constructor(interfaces: readonly RelayInterface[], limits: RelayLimits, network: DatagramNetwork, clock: Clock) {
    this.#interfaces = interfaces
    this.#limits = limits
    this.#clock = clock
    const ownAddresses = new Set(
      interfaces.flatMap((one) => [one.address, one.advertisedAddress]).map(canonicalAddress),
    )
    this.#context = {
      network,
      clock,
      limits,
      interfaces,
      emitter: this.#emitter,
      bindAttemptsMax: limits.bindAttemptsMax,
      learningWindowMs: limits.learningWindowMs,
      isOwnAddress: (address) => ownAddresses.has(address),
      track: (closing) => this.#track(closing),
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

  /** A session as the media anchor of a B2BUA: initial offers, early answers, re-INVITEs of either side, late offers. */
  anchor(session: RelaySession, options: AnchorOptions = {}): MediaAnchor {
    const party = (from: Side): AnswerOptions => {
      const receivedFrom = options.receivedFrom?.[from]
      return { from, ...(receivedFrom === undefined ? {} : { receivedFrom }) }
    }
    return {
      offer: (side, sdp) => {
        const to: Side = side === 'a' ? 'b' : 'a'
        const addressFamily = options.families?.[to]
        const names = options.interfaces
        return session.offer(sdp, {
          ...party(side),
          ...(addressFamily === undefined ? {} : { addressFamily }),
          ...(names === undefined ? {} : { direction: [names[side], names[to]] as const }),
        })
      },
      answer: (side, sdp) => session.answer(sdp, party(side)),
      release: () => {
        session.close()
      },
    }
  }

  /** Counters and gauges over all sessions, closed ones included. */
  stats(): RelayStats {
    const nowMs = this.#clock.monotonicMs()
    const sum = { ...this.#past }
    for (const session of this.#sessions.values()) addTo(sum, session.snapshot())
    const { packets, bytes, lost, ...dropped } = sum
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
      packets,
      bytes,
      lost,
      dropped,
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

  /** Same as {@link Relay.close}. */
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
    if (reason === 'silence' || reason === 'offer') this.#sessionsTimedOut++
    const snapshot = session.snapshot()
    addTo(this.#past, snapshot)
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

function addTo(sum: { packets: number; bytes: number; lost: number } & DropCounts, snapshot: SessionSnapshot): void {
  for (const stream of snapshot.streams) {
    for (const leg of [stream.a, stream.b]) {
      if (leg === undefined) continue
      sum.packets += leg.packets
      sum.bytes += leg.bytes
      sum.lost += leg.lost
      sum.strangers += leg.dropped.strangers
      sum.garbage += leg.dropped.garbage
      sum.strayRtcp += leg.dropped.strayRtcp
      sum.undeliverable += leg.dropped.undeliverable
    }
  }
}
