/** Between a socket and the packet path: one sink for each open port. This is the only code of the relay per packet besides the path. */
import type { Buffer } from 'node:buffer'
import type { Clock, DatagramSink } from '../ports'
import type { Component, Leg } from '../relay/leg'
import { forwardFromRtcp, forwardFromRtp } from '../relay/packet-path'

/** What a sink tells the session it belongs to. */
export interface PortSinkOwner {
  readonly clock: Clock
  /** Components confirmed by the packet at hand; the owner empties it in `settle`. */
  readonly learned: Component[]
  settle(): void
  peerFailed(leg: Leg, code: string): void
}

/** Hands the packets of one port to the packet path and sends them on. Drops everything while it has no leg. */
export class PortSink implements DatagramSink {
  leg: Leg | undefined

  constructor(
    private readonly owner: PortSinkOwner,
    private readonly forward: typeof forwardFromRtp,
  ) {}

  /** Takes one datagram. */
  receive(packet: Buffer, address: string, port: number): void {
    const { leg, owner } = this
    if (leg === undefined) return
    const target = this.forward(leg, packet, address, port, owner.clock.monotonicMs(), owner.learned)
    if (target !== undefined) target.channel.send(packet, target.learning.address, target.learning.port)
    if (owner.learned.length > 0) owner.settle()
  }

  /** Takes an error of the socket. */
  failed(code: string): void {
    if (this.leg !== undefined) this.owner.peerFailed(this.leg, code)
  }
}

/** A sink for an RTP port. */
export function rtpSink(owner: PortSinkOwner): PortSink {
  return new PortSink(owner, forwardFromRtp)
}

/** A sink for an RTCP port. */
export function rtcpSink(owner: PortSinkOwner): PortSink {
  return new PortSink(owner, forwardFromRtcp)
}
