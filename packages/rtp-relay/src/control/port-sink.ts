/** Between a socket and the packet path: one sink for each open port. This is the only code of the relay per packet besides the path. */
import { Buffer } from 'node:buffer'
import { datagramBytesMax } from '../limits'
import type { Clock, DatagramSink } from '../ports'
import type { Component, Leg } from '../relay/leg'
import { forwardFromRtcp, forwardFromRtp, PacketInHand } from '../relay/packet-path'
import { srtpOverheadMax } from '../srtp/suites'

/** What a sink tells the session it belongs to. */
export interface PortSinkOwner {
  readonly clock: Clock
  /** Components confirmed by the packet at hand; the owner empties it in `settle`. */
  readonly learned: Component[]
  settle(): void
  peerFailed(leg: Leg, code: string): void
}

/** The packet in hand: there is one at a time in a thread. */
const hand = new PacketInHand()
/** Where packets are encrypted to; what leaves from here is with the system before the next one comes. */
let scratch = Buffer.allocUnsafeSlow(datagramBytesMax + srtpOverheadMax)
/** The last part of it that was sent: packets of one codec are all of one length. */
let scratchView = scratch.subarray(0, 0)

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
    hand.length = packet.length
    hand.address = address
    hand.port = port
    hand.nowMs = owner.clock.monotonicMs()
    const target = this.forward(leg, packet, hand, owner.learned)
    if (target !== undefined) send(target, packet)
    if (owner.learned.length > 0) owner.settle()
  }

  /** Takes an error of the socket. */
  failed(code: string): void {
    if (this.leg !== undefined) this.owner.peerFailed(this.leg, code)
  }
}

function send(target: Component, packet: Buffer): void {
  const { channel, learning, leg } = target
  const { length } = hand
  const protector = leg.srtpOut
  if (!leg.isSecured) {
    channel.send(length === packet.length ? packet : packet.subarray(0, length), learning.address, learning.port)
    return
  }
  const written = hand.isRtcp
    ? protector?.protectRtcp(packet, length, scratch)
    : protector?.protectRtp(packet, length, scratch)
  if (written === undefined || written < 0) {
    leg.drops.unprotectable++
    return
  }
  if (scratchView.length !== written) scratchView = scratch.subarray(0, written)
  channel.send(scratchView, learning.address, learning.port)
  if (channel.isSending) renewScratch()
}

/** The system still needs the bytes: its own queue is full. They are its, and the next packet has others. */
function renewScratch(): void {
  scratch = Buffer.allocUnsafeSlow(scratch.length)
  scratchView = scratch.subarray(0, 0)
}

/** A sink for an RTP port. */
export function rtpSink(owner: PortSinkOwner): PortSink {
  return new PortSink(owner, forwardFromRtp)
}

/** A sink for an RTCP port. */
export function rtcpSink(owner: PortSinkOwner): PortSink {
  return new PortSink(owner, forwardFromRtcp)
}
