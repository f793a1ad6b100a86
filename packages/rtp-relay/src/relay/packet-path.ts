/**
 * What happens to every packet: demultiplex, check the source, open it where its leg is encrypted, count, and say where
 * it goes. Nothing is allocated here for a packet from a confirmed source (RFC 3550, RFC 3711, RFC 5761 §4, RFC 7983).
 *
 * A packet that cannot be authenticated changes nothing: it is counted, and it teaches nobody where a peer is.
 */
import { classify, packetKinds } from '../rtcp/demux'
import { isRtp } from '../rtp/header'
import { verdicts } from './latching'
import type { Component, Leg } from './leg'

/** Told of endpoints that become confirmed; the caller connects their channels after the packet is done with. */
export interface LearnedSink {
  push(component: Component): void
}

/** A packet in hand: where it came from and when. One object serves every packet of a thread. */
export class PacketInHand {
  /** Bytes of the packet that count; fewer than came when it was encrypted. */
  length = 0
  isRtcp = false
  address = ''
  port = 0
  nowMs = 0
}

/**
 * Takes a packet from the RTP port of a leg. Returns the component whose channel is to send it to its endpoint, or
 * undefined when it goes nowhere.
 */
export function forwardFromRtp(
  leg: Leg,
  packet: Uint8Array,
  hand: PacketInHand,
  learned: LearnedSink,
): Component | undefined {
  const { stream } = leg
  hand.isRtcp = false
  if (stream.kind === 'opaque') return forwardOpaque(leg, hand, learned)
  const kind = classify(packet)
  if (kind === packetKinds.RTCP) return forwardMuxedRtcp(leg, packet, hand)
  if (kind !== packetKinds.RTP) {
    if (kind === packetKinds.DTLS && stream.kind === 'dtls') return forwardOpaque(leg, hand, learned)
    return drop(leg, 'garbage')
  }
  if (!isRtp(packet)) return drop(leg, 'garbage')
  if (!isPossiblePeer(leg.rtp, hand)) return drop(leg, 'strangers')
  if (leg.isSecured && !open(leg, packet, hand)) return drop(leg, 'unauthenticated')
  if (!isFromPeer(leg.rtp, hand, learned)) return drop(leg, 'strangers')
  leg.stats.receive(packet, hand, stream.formats.clockRates)
  leg.tap?.(packet, hand.length)
  return deliver(leg)
}

/** Takes a packet from the RTCP port of a leg; returns as {@link forwardFromRtp}. */
export function forwardFromRtcp(
  leg: Leg,
  packet: Uint8Array,
  hand: PacketInHand,
  learned: LearnedSink,
): Component | undefined {
  const { kind } = leg.stream
  hand.isRtcp = true
  if (kind === 'opaque') return drop(leg, 'strayRtcp')
  const packetKind = classify(packet)
  const isDtls = kind === 'dtls' && packetKind === packetKinds.DTLS
  if (packetKind !== packetKinds.RTCP && !isDtls) return drop(leg, 'garbage')
  if (!isPossiblePeer(leg.rtcp, hand)) return drop(leg, 'strayRtcp')
  if (!isDtls && leg.isSecured && !open(leg, packet, hand)) return drop(leg, 'unauthenticated')
  if (!isFromPeer(leg.rtcp, hand, learned)) return drop(leg, 'strayRtcp')
  return isDtls ? deliverRtcp(leg) : passRtcp(leg, packet, hand)
}

/** RTCP on the RTP port: only where multiplexing is agreed, only from the source of the RTP, and it teaches nothing. */
function forwardMuxedRtcp(leg: Leg, packet: Uint8Array, hand: PacketInHand): Component | undefined {
  hand.isRtcp = true
  if (!leg.isMux || !isMuxedPeer(leg, hand)) return drop(leg, 'strayRtcp')
  if (leg.isSecured && !open(leg, packet, hand)) return drop(leg, 'unauthenticated')
  return passRtcp(leg, packet, hand)
}

function forwardOpaque(leg: Leg, hand: PacketInHand, learned: LearnedSink): Component | undefined {
  if (!isPossiblePeer(leg.rtp, hand) || !isFromPeer(leg.rtp, hand, learned)) return drop(leg, 'strangers')
  leg.stats.receiveOpaque(hand)
  return deliver(leg)
}

function passRtcp(leg: Leg, packet: Uint8Array, hand: PacketInHand): Component | undefined {
  const target = leg.stream.oppositeOf(leg)
  if (target === undefined) return drop(leg, 'undeliverable')
  leg.rtcpStats.receive(packet, hand.length, hand.nowMs, target.rtcpStats, leg.stream.isRtcpReadable)
  return deliverRtcp(leg)
}

/** Opens the packet with the peer's keys; where they have just changed, with those before too. */
function open(leg: Leg, packet: Uint8Array, hand: PacketInHand): boolean {
  const { srtpIn, formerSrtpIn } = leg
  if (srtpIn === undefined) return false
  const { length, isRtcp } = hand
  let left = isRtcp ? srtpIn.unprotectRtcp(packet, length) : srtpIn.unprotectRtp(packet, length)
  if (left < 0 && formerSrtpIn !== undefined) {
    left = isRtcp ? formerSrtpIn.unprotectRtcp(packet, length) : formerSrtpIn.unprotectRtp(packet, length)
  }
  if (left < 0) return false
  hand.length = left
  return true
}

/** The cheap question first: once a peer is known, whoever else sends costs no cryptography. */
function isPossiblePeer(component: Component, hand: PacketInHand): boolean {
  const { learning } = component
  if (learning.isPinned) return hand.port === learning.port && hand.address === learning.address
  return !component.leg.isOwnEndpoint(hand.address, hand.port)
}

function isFromPeer(component: Component, hand: PacketInHand, learned: LearnedSink): boolean {
  const { learning } = component
  if (learning.isPinned) return true
  const verdict = learning.receive(hand.address, hand.port, hand.nowMs)
  if ((verdict & verdicts.CONFIRMED) !== 0) learned.push(component)
  return (verdict & verdicts.ACCEPT) !== 0
}

function isMuxedPeer(leg: Leg, hand: PacketInHand): boolean {
  const { learning } = leg.rtp
  if (learning.isPresentSource(hand.address, hand.port)) return true
  return learning.isOpenToOthers() && !leg.isOwnEndpoint(hand.address, hand.port)
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
