/**
 * What happens to every packet: demultiplex, check the source, count, and say where it goes. The bytes are passed on
 * as they came. Nothing is allocated here for a packet from a confirmed source (RFC 3550, RFC 5761 §4, RFC 7983).
 */
import { classify, packetKinds } from '../rtcp/demux'
import { isRtp } from '../rtp/header'
import { verdicts } from './latching'
import type { Component, Leg } from './leg'

/** Told of endpoints that become confirmed; the caller connects their channels after the packet is done with. */
export interface LearnedSink {
  push(component: Component): void
}

/**
 * Takes a packet from the RTP port of a leg. Returns the component whose channel is to send it to its endpoint, or
 * undefined when it goes nowhere.
 */
export function forwardFromRtp(
  leg: Leg,
  packet: Uint8Array,
  address: string,
  port: number,
  nowMs: number,
  learned: LearnedSink,
): Component | undefined {
  const { stream } = leg
  if (stream.kind !== 'opaque') {
    const kind = classify(packet)
    if (kind === packetKinds.RTCP) return forwardMuxedRtcp(leg, packet, address, port, nowMs)
    if (kind === packetKinds.RTP) {
      if (!isRtp(packet)) return drop(leg, 'garbage')
    } else if (kind !== packetKinds.DTLS || stream.kind !== 'dtls') {
      return drop(leg, 'garbage')
    } else {
      return forwardOpaque(leg, packet, address, port, nowMs, learned)
    }
    if (!isFromPeer(leg.rtp, address, port, nowMs, learned)) return drop(leg, 'strangers')
    leg.stats.receive(packet, nowMs, stream.clockRates)
    return deliver(leg)
  }
  return forwardOpaque(leg, packet, address, port, nowMs, learned)
}

/** Takes a packet from the RTCP port of a leg; returns as {@link forwardFromRtp}. */
export function forwardFromRtcp(
  leg: Leg,
  packet: Uint8Array,
  address: string,
  port: number,
  nowMs: number,
  learned: LearnedSink,
): Component | undefined {
  const { kind } = leg.stream
  if (kind === 'opaque') return drop(leg, 'strayRtcp')
  const packetKind = classify(packet)
  const isDtls = kind === 'dtls' && packetKind === packetKinds.DTLS
  if (packetKind !== packetKinds.RTCP && !isDtls) return drop(leg, 'garbage')
  if (!isFromPeer(leg.rtcp, address, port, nowMs, learned)) return drop(leg, 'strayRtcp')
  return isDtls ? deliverRtcp(leg) : passRtcp(leg, packet, nowMs)
}

/** RTCP on the RTP port: only where multiplexing is agreed, only from the source of the RTP, and it teaches nothing. */
function forwardMuxedRtcp(
  leg: Leg,
  packet: Uint8Array,
  address: string,
  port: number,
  nowMs: number,
): Component | undefined {
  if (!leg.isMux || !leg.rtp.learning.isPresentSource(address, port)) return drop(leg, 'strayRtcp')
  return passRtcp(leg, packet, nowMs)
}

function forwardOpaque(
  leg: Leg,
  packet: Uint8Array,
  address: string,
  port: number,
  nowMs: number,
  learned: LearnedSink,
): Component | undefined {
  if (!isFromPeer(leg.rtp, address, port, nowMs, learned)) return drop(leg, 'strangers')
  leg.stats.receiveOpaque(packet.length, nowMs)
  return deliver(leg)
}

function passRtcp(leg: Leg, packet: Uint8Array, nowMs: number): Component | undefined {
  const target = leg.stream.oppositeOf(leg)
  if (target === undefined) return drop(leg, 'undeliverable')
  leg.rtcpStats.receive(packet, nowMs, target.rtcpStats, leg.stream.isRtcpReadable)
  return deliverRtcp(leg)
}

function isFromPeer(component: Component, address: string, port: number, nowMs: number, learned: LearnedSink): boolean {
  const { learning } = component
  if (learning.isConfirmed) return port === learning.port && address === learning.address
  if (component.leg.isOwnEndpoint(address, port)) return false
  const verdict = learning.receive(address, port, nowMs)
  if ((verdict & verdicts.CONFIRMED) !== 0) learned.push(component)
  return (verdict & verdicts.ACCEPT) !== 0
}

function deliver(leg: Leg): Component | undefined {
  const target = leg.stream.oppositeOf(leg)
  if (target === undefined || target.isMuted || !leg.stream.isActive || target.rtp.learning.address === '') {
    return drop(leg, 'undeliverable')
  }
  return target.rtp
}

function deliverRtcp(leg: Leg): Component | undefined {
  const target = leg.stream.oppositeOf(leg)
  if (target === undefined || target.isMuted || !leg.stream.isActive) return drop(leg, 'undeliverable')
  const component = target.isMux ? target.rtp : target.rtcp
  return component.learning.address === '' ? drop(leg, 'undeliverable') : component
}

function drop(leg: Leg, reason: keyof Leg['drops']): undefined {
  leg.drops[reason]++
  return undefined
}
