/** The open ports of one session: opened all or none for an offer, closed and given back one leg at a time. */

import { Leg, type LegPorts, type Side } from '../relay/leg'
import type { MediaSession } from '../relay/session'
import { Stream } from '../relay/stream'
import type { RelayEmitter } from './events'
import type { RelayInterface } from './interfaces'
import { closePair, openPair, type PairContext } from './port-pair'
import { type PortSink, type PortSinkOwner, rtcpSink, rtpSink } from './port-sink'

/** A leg that an offer needs and that is not there yet, or not in this address family. */
export interface WantedLeg {
  readonly index: number
  readonly side: Side
  readonly on: RelayInterface
}

/** What the ports of a session need from the relay. */
export interface SessionPortsContext extends PairContext {
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

/** Opens and closes the sockets of one session. */
export class SessionPorts {
  private readonly sinks = new Map<Leg, readonly [PortSink, PortSink]>()

  constructor(
    private readonly context: SessionPortsContext,
    private readonly media: MediaSession,
    private readonly owner: PortSinkOwner,
  ) {}

  /** True for the ports that the session holds. */
  isOwnEndpoint(address: string, port: number): boolean {
    return this.media.ownPorts.has(port - (port % 2)) && this.context.isOwnAddress(address)
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

  /** Closes legs that were opened and never became part of the session. */
  abandon(opened: readonly OpenedLeg[]): void {
    for (const { ports } of opened) this.close(ports)
  }

  /** Makes opened legs part of the session; a leg that was there before is replaced and closed. */
  adopt(opened: readonly OpenedLeg[]): void {
    for (const { wanted, ports, sinks } of opened) {
      const stream = this.stream(wanted.index)
      const former = stream.leg(wanted.side)
      const leg = new Leg(
        stream,
        wanted.side,
        ports,
        {
          learningWindowMs: this.context.learningWindowMs,
          isOwnEndpoint: (address, port) => this.isOwnEndpoint(address, port),
        },
        former,
      )
      if (former !== undefined) this.detach(former)
      for (const sink of sinks) sink.leg = leg
      this.sinks.set(leg, sinks)
      this.media.ownPorts.add(ports.port)
      if (wanted.side === 'a') stream.a = leg
      else stream.b = leg
    }
  }

  /** The stream at an index; made, with those before it, when it is not there yet. */
  stream(index: number): Stream {
    while (this.media.streams.length <= index) this.media.streams.push(new Stream(this.media.streams.length))
    return this.media.streams[index]!
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
    this.media.ownPorts.delete(leg.ports.port)
    this.close(leg.ports)
  }

  private close(ports: LegPorts): void {
    const on = this.context.interfaces[ports.interfaceIndex]
    if (on !== undefined) this.context.track(closePair(this.context.clock, on, ports))
  }
}
