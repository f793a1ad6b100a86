/**
 * Taps: copies of the RTP packets that a session accepts, decrypted where the relay has the keys. A leg without a tap
 * costs nothing; one with a tap costs a copy for each packet.
 */
import type { RelaySession as EngineSession } from '../control/relay-session'
import { tapPacketsMax } from '../limits'
import type { TappedPacket } from './protocol'

/** Takes the packets of a tap, one at a time. */
export type TapListener = (packet: TappedPacket) => void

/**
 * Has `listener` called with a copy of each packet that the session's legs accept, those that it has now. Called again
 * after each offer it reaches the legs that are new. An undefined listener ends it.
 */
export function tapLegs(session: EngineSession, now: () => number, listener: TapListener | undefined): void {
  for (const { media, viaBranch } of session.branches) {
    const branch = viaBranch === undefined ? {} : { viaBranch }
    for (const leg of media.legs()) {
      const about = { ...branch, stream: leg.stream.index, side: leg.side }
      leg.tap =
        listener === undefined
          ? undefined
          : (packet, length) => listener({ ...about, packet: packet.slice(0, length), atMs: now() })
    }
  }
}

/** Packets on their way to another thread: bounded, and what finds it full is counted. */
export class TapQueue {
  private waiting: TappedPacket[] = []
  private underWay = 0
  /** Packets that found it full. */
  dropped = 0

  /** Puts a packet in, unless as many as there may be are waiting or under way. */
  push(packet: TappedPacket): void {
    if (this.waiting.length + this.underWay >= tapPacketsMax) this.dropped++
    else this.waiting.push(packet)
  }

  /** Takes out everything that waits; it is under way until `arrived` tells of it. */
  take(): readonly TappedPacket[] {
    const packets = this.waiting
    this.waiting = []
    this.underWay += packets.length
    return packets
  }

  /** The other thread has dealt with so many packets. */
  arrived(count: number): void {
    this.underWay = Math.max(0, this.underWay - count)
  }
}
