/** The open ports of one branch: opened all or none for an offer, closed and given back one leg at a time. */

import type { BranchMedia } from '../relay/branch-media'
import { Leg, type LegContext, type LegPorts, type Side } from '../relay/leg'
import { Stream } from '../relay/stream'
import type { RelayEmitter } from './events'
import type { RelayInterface } from './interfaces'
import type { OwnPorts } from './own-ports'
import { closePair, openPair, type PairContext } from './port-pair'
import { type PortSink, type PortSinkOwner, rtcpSink, rtpSink } from './port-sink'

/** A leg that an offer needs and that is not there yet, or not in this address family. */
export interface WantedLeg {
  readonly index: number
  readonly side: Side
  readonly on: RelayInterface
}

/** What the ports of a branch need from the relay. */
export interface BranchPortsContext extends PairContext {
  readonly interfaces: readonly RelayInterface[]
  readonly emitter: RelayEmitter
  readonly learningWindowMs: number
  /** True for the addresses of the relay itself. */
  isOwnAddress(address: string): boolean
  /** Keeps a promise until it settles, so that closing the relay can wait for it. */
  track(closing: Promise<void>): void
}

interface OpenedLeg {
  readonly wanted: WantedLeg
  readonly ports: LegPorts
  readonly sinks: readonly [PortSink, PortSink]
}

/** Opens and closes the sockets of one branch. */
export class BranchPorts implements LegContext {
  private readonly sinks = new Map<Leg, readonly [PortSink, PortSink]>()

  constructor(
    private readonly context: BranchPortsContext,
    private readonly media: BranchMedia,
    private readonly owner: PortSinkOwner,
    private readonly ownPorts: OwnPorts,
  ) {}

  /** How long a peer's endpoint is learned. */
  get learningWindowMs(): number {
    return this.context.learningWindowMs
  }

  /** True for the ports that the session holds, those of its other branches too. */
  isOwnEndpoint(address: string, port: number): boolean {
    return this.ownPorts.has(port) && this.context.isOwnAddress(address)
  }

  /** Opens every wanted leg; rejects with the first error when one fails, and then none of them is open. */
  async open(wanted: readonly WantedLeg[]): Promise<readonly OpenedLeg[]> {
    const results = await Promise.allSettled(wanted.map((one) => this.openLeg(one)))
    const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const refused = results.find((result) => result.status === 'rejected')
    if (refused === undefined) return opened
    this.abandon(opened)
    throw refused.reason
  }

  /** Closes legs that were opened and never became part of the branch. */
  abandon(opened: readonly OpenedLeg[]): void {
    for (const { ports } of opened) this.close(ports)
  }

  /** Makes opened legs part of the branch; a leg that was there before is replaced and closed. */
  adopt(opened: readonly OpenedLeg[]): void {
    for (const { wanted, ports, sinks } of opened) {
      const stream = this.stream(wanted.index)
      const former = stream.leg(wanted.side)
      const leg = new Leg(stream, wanted.side, ports, this, former)
      if (former !== undefined) this.detach(former)
      for (const sink of sinks) sink.leg = leg
      this.sinks.set(leg, sinks)
      this.ownPorts.add(ports.port)
      if (wanted.side === 'a') stream.a = leg
      else stream.b = leg
    }
  }

  /** The stream at an index; made, with those before it, when it is not there yet. */
  stream(index: number): Stream {
    const { media } = this
    // An array that is pushed to has room for sixteen more.
    while (media.streams.length <= index) media.streams = [...media.streams, new Stream(media.streams.length)]
    return media.streams[index]!
  }

  /** Closes both legs of a stream and gives their ports back. */
  release(stream: Stream): void {
    if (stream.a !== undefined) this.detach(stream.a)
    if (stream.b !== undefined) this.detach(stream.b)
    stream.a = undefined
    stream.b = undefined
  }

  /** Closes everything. The legs stay readable for a last snapshot. */
  closeAll(): void {
    for (const leg of [...this.sinks.keys()]) this.detach(leg)
  }

  private async openLeg(wanted: WantedLeg): Promise<OpenedLeg> {
    const sinks = [rtpSink(this.owner), rtcpSink(this.owner)] as const
    return { wanted, ports: await openPair(this.context, wanted.on, sinks[0], sinks[1]), sinks }
  }

  private detach(leg: Leg): void {
    for (const sink of this.sinks.get(leg) ?? []) sink.leg = undefined
    this.sinks.delete(leg)
    this.ownPorts.remove(leg.ports.port)
    this.close(leg.ports)
  }

  private close(ports: LegPorts): void {
    const on = this.context.interfaces[ports.interfaceIndex]
    if (on !== undefined) this.context.track(closePair(this.context.clock, on, ports))
  }
}
