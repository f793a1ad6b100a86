/**
 * A network in memory: transports that bind to addresses of it and exchange messages over links that lose, repeat,
 * reorder, delay and cut, all from one seed and on a test's clock.
 */
import { SipTransportError } from '../errors'
import type { Clock, FlowAddress, Random, TransportContext, TransportFactory, TransportSink } from '../ports'
import { MemoryDatagramTransport } from './memory-datagram'
import { endpointKey, type MemoryEndpoint, type MemoryEndpointKind, type StreamOrder } from './memory-endpoint'
import { MemoryStreamTransport } from './memory-stream'
import { SeededRandom } from './seeded-random'

/** What a link does to the messages on it. Rates are probabilities from 0 to 1. Streams know delay only. */
export interface LinkConditions {
  readonly lossRate: number
  readonly duplicateRate: number
  /** The share of messages held back long enough to be overtaken. */
  readonly reorderRate: number
  readonly delayMinMs: number
  readonly delayMaxMs: number
}

/** A link that does no harm. */
export const perfectLink: LinkConditions = {
  lossRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  delayMinMs: 0,
  delayMaxMs: 0,
}

/** What became of a message: sent, lost, kept back by a partition, or without a connection to go by. */
export type MessageFate = 'sent' | 'lost' | 'cut' | 'unconnected'

/** A message as an observer of the network sees it, at the moment when it is sent. */
export interface ObservedMessage {
  readonly atMs: number
  readonly from: FlowAddress
  readonly to: FlowAddress
  /** The sender's bytes; not to be changed. */
  readonly bytes: Uint8Array
  readonly fate: MessageFate
}

/** What a network is made with. */
export interface MemoryNetworkOptions {
  readonly clock: Clock
  /** Decides what the links do. Default: seed 1. */
  readonly random?: Random
  /** The conditions of links that have none of their own. Default: {@link perfectLink}. */
  readonly conditions?: Partial<LinkConditions>
}

/** The kind of transport that a factory makes. */
export interface MemoryTransportOptions {
  /** Scheme of the listen URI, default 'memory'. */
  readonly scheme?: string
  /** Name in Via, default 'UDP'. */
  readonly transportName?: string
  /** True for connections that lose nothing and keep the order, as TCP; default false. */
  readonly isReliable?: boolean
  readonly isSecure?: boolean
}

/** How a message held back for reordering compares to the longest delay of its link. */
const REORDER_FACTOR = 3
const REORDER_MIN_MS = 20

const FIRST_EPHEMERAL_PORT = 49_152
const LAST_PORT = 65_535

/** The network: every transport of its factories can reach every other one of the same name. */
export class MemoryNetwork {
  readonly clock: Clock
  private readonly random: Random
  private conditions: LinkConditions
  private readonly links = new Map<string, LinkConditions>()
  private readonly bound = new Map<string, MemoryEndpoint>()
  private readonly observers = new Set<(message: ObservedMessage) => void>()
  private cutGroups: readonly ReadonlySet<string>[] = []
  private readonly stalled: { from: FlowAddress; to: FlowAddress; release: () => void }[] = []
  private nextPort = FIRST_EPHEMERAL_PORT
  private flying = 0

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock
    this.random = options.random ?? new SeededRandom(1)
    this.conditions = { ...perfectLink, ...options.conditions }
  }

  /** Messages on their way, those that wait for the end of a partition included. */
  get inFlight(): number {
    return this.flying + this.stalled.length
  }

  /** A factory of transports on this network, to hand to a stack. */
  factory(options: MemoryTransportOptions = {}): TransportFactory {
    const { scheme = 'memory', transportName = 'UDP', isReliable = false, isSecure = false } = options
    return {
      scheme,
      listen: async (address, port, sink, context) => {
        const local = this.claim(transportName, address, port)
        const kind = { name: transportName, isSecure, local }
        return this.bind(isReliable, kind, sink, context)
      },
    }
  }

  /** Changes the conditions of every link that has none of its own. */
  setConditions(conditions: Partial<LinkConditions>): void {
    this.conditions = { ...this.conditions, ...conditions }
  }

  /** Gives one direction of one link conditions of its own, by the hosts' addresses. */
  setLink(from: string, to: string, conditions: Partial<LinkConditions>): void {
    this.links.set(`${from} ${to}`, { ...this.conditions, ...conditions })
  }

  /**
   * Cuts the network into groups of hosts that cannot reach each other; hosts of no group reach all. What is on its
   * way still arrives. Datagrams across the cut are lost; streams wait until {@link heal}.
   */
  partition(...groups: readonly (readonly string[])[]): void {
    this.cutGroups = groups.map((group) => new Set(group))
  }

  /** Ends the partition. */
  heal(): void {
    this.cutGroups = []
    for (const { release } of this.stalled.splice(0)) release()
  }

  /** Breaks every connection between two hosts, as a reset does; both sides are told. Datagrams do not notice. */
  resetStreams(oneHost: string, otherHost: string): void {
    for (const endpoint of this.bound.values()) {
      if (endpoint.local.address === oneHost) endpoint.resetStreamsTo(otherHost)
    }
  }

  /** Calls `observer` for every message that is sent, until the returned function is called. */
  observe(observer: (message: ObservedMessage) => void): () => void {
    this.observers.add(observer)
    return () => this.observers.delete(observer)
  }

  /** For transports: the one that listens at an address. */
  endpointAt(address: FlowAddress): MemoryEndpoint | undefined {
    return this.bound.get(endpointKey(address))
  }

  /** For transports: gives an address back. */
  release(local: FlowAddress): void {
    this.bound.delete(endpointKey(local))
  }

  /** For transports: a port that nobody else uses. */
  ephemeralPort(): number {
    const port = this.nextPort
    this.nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1
    return port
  }

  /** For transports: carries a datagram, as many times and as late as the link wants. */
  carryDatagram(from: FlowAddress, to: FlowAddress, bytes: Uint8Array, deliver: (copy: Uint8Array) => void): void {
    const link = this.linkBetween(from, to)
    const isCut = this.isCut(from, to)
    const isLost = this.random.fraction() < link.lossRate
    this.tell(from, to, bytes, isCut ? 'cut' : isLost ? 'lost' : 'sent')
    if (isCut || isLost) return
    const copies = this.random.fraction() < link.duplicateRate ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      let delayMs = this.delayOf(link)
      if (this.random.fraction() < link.reorderRate) {
        delayMs += this.random.fraction() * Math.max(link.delayMaxMs * REORDER_FACTOR, REORDER_MIN_MS)
      }
      this.later(delayMs, () => deliver(bytes.slice()))
    }
  }

  /** For transports: carries one message of a stream; `order` keeps those of one direction in order. */
  carrySegment(from: FlowAddress, to: FlowAddress, bytes: Uint8Array, order: StreamOrder, deliver: () => void): void {
    this.tell(from, to, bytes, 'sent')
    this.carryEvent(from, to, order, deliver)
  }

  /** For transports: tells that there is no connection for a message. */
  drop(from: FlowAddress, to: FlowAddress, bytes: Uint8Array): void {
    this.tell(from, to, bytes, 'unconnected')
  }

  /** For transports: carries what is no message (connected, closed) in the order of the stream. */
  carryEvent(from: FlowAddress, to: FlowAddress, order: StreamOrder, deliver: () => void): void {
    const go = () => {
      const atMs = Math.max(this.clock.monotonicMs() + this.delayOf(this.linkBetween(from, to)), order.lastMs)
      order.lastMs = atMs
      this.later(atMs - this.clock.monotonicMs(), deliver)
    }
    if (!this.isCut(from, to)) go()
    else this.stalled.push({ from, to, release: go })
  }

  /** For transports: true when the two hosts cannot reach each other. */
  isCut(from: FlowAddress, to: FlowAddress): boolean {
    const fromGroup = this.cutGroups.findIndex((group) => group.has(from.address))
    const toGroup = this.cutGroups.findIndex((group) => group.has(to.address))
    return fromGroup >= 0 && toGroup >= 0 && fromGroup !== toGroup
  }

  /** For transports: does something after a delay, never at once. */
  later(delayMs: number, act: () => void): void {
    this.flying += 1
    this.clock.schedule(this.clock.monotonicMs() + delayMs, () => {
      this.flying -= 1
      act()
    })
  }

  private bind(
    isReliable: boolean,
    kind: MemoryEndpointKind,
    sink: TransportSink,
    context: TransportContext,
  ): MemoryEndpoint {
    const endpoint = isReliable
      ? new MemoryStreamTransport(this, kind, sink, context)
      : new MemoryDatagramTransport(this, kind, sink, context)
    this.bound.set(endpointKey(kind.local), endpoint)
    return endpoint
  }

  private claim(transport: string, address: string, port: number): FlowAddress {
    if (address === '0.0.0.0' || address === '::') throw new SipTransportError('ADDRESS_NOT_AVAILABLE', address)
    let local: FlowAddress = { transport, address, port: port === 0 ? this.ephemeralPort() : port }
    while (port === 0 && this.bound.has(endpointKey(local))) local = { transport, address, port: this.ephemeralPort() }
    if (this.bound.has(endpointKey(local))) throw new SipTransportError('ADDRESS_IN_USE', endpointKey(local))
    return local
  }

  private linkBetween(from: FlowAddress, to: FlowAddress): LinkConditions {
    return this.links.get(`${from.address} ${to.address}`) ?? this.conditions
  }

  private delayOf(link: LinkConditions): number {
    return link.delayMinMs + this.random.fraction() * (link.delayMaxMs - link.delayMinMs)
  }

  private tell(from: FlowAddress, to: FlowAddress, bytes: Uint8Array, fate: MessageFate): void {
    if (this.observers.size === 0) return
    const message: ObservedMessage = { atMs: this.clock.monotonicMs(), from, to, bytes, fate }
    for (const observer of this.observers) observer(message)
  }
}
