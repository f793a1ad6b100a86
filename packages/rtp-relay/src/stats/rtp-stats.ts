/**
 * Reception statistics of one direction of one stream: packets, bytes, loss, duplicates, reordering, jitter (RFC 3550
 * §6.4.1, appendices A.1, A.3, A.8). State is of fixed size whatever arrives: one synchronization source is followed,
 * and a change of source adds to the totals and starts anew; sources that send at the same time are counted, and one of them
 * is measured.
 */
import { sequenceDropoutMax, sequenceHistory, sequenceMisorderMax, transitJumpMaxMs } from '../limits'
import { clearBit, hasBit, setBit } from '../rtp/bits'
import { rtpPayloadType, rtpSequence, rtpSsrc, rtpTimestamp } from '../rtp/header'
import { sequenceDelta, timestampDelta } from '../rtp/sequence'

/** Clock rates in hertz by payload type (index 0–127); 0 where unknown. */
export type ClockRates = Uint32Array

/** What is said of a packet besides its bytes. An object, since a number that is handed on may cost one of its own. */
export interface Arrival {
  /** Bytes of the packet that count. */
  readonly length: number
  /** When it came, on the relay's clock. */
  readonly nowMs: number
}

/** Packets in a row with which another source takes the place of the one that is followed. */
const sourceRunMin = 2
const slotMask = sequenceHistory - 1

/** Follows one direction of one stream. */
export class RtpStats {
  /** Packets accepted, duplicates included. */
  packets = 0
  /** Bytes of the accepted packets, RTP headers included. */
  bytes = 0
  duplicates = 0
  /** Packets that came after one with a higher sequence number, and were no duplicates. */
  reordered = 0
  /** Synchronization sources seen one after the other. */
  sources = 0
  /** Times that sequence numbers were missing, whatever their number; those that come late are not taken back. */
  gaps = 0
  /** Payload type of the last accepted packet. */
  payloadType = 0
  /** Time of the last accepted packet; -1 before the first. */
  lastPacketMs = -1

  private ssrc = 0
  private other = 0
  private otherRun = 0
  private isStarted = false
  private lostBefore = 0
  private base = 0
  private highest = 0
  private unique = 0
  private expectedAfterJump = -1
  private readonly seen = new Int32Array(sequenceHistory / 32)

  private jitterUnits = 0
  private rate = 0
  private lastTimestamp = 0
  private lastArrivalMs = -1

  /** Takes an accepted RTP packet; its bytes are only read. */
  receive(packet: Uint8Array, arrival: Arrival, rates: ClockRates): void {
    this.packets++
    this.bytes += arrival.length
    this.lastPacketMs = arrival.nowMs
    this.payloadType = rtpPayloadType(packet)
    const ssrc = rtpSsrc(packet)
    const sequence = rtpSequence(packet)
    if (!this.isStarted || ssrc !== this.ssrc) {
      if (this.isStarted && !this.hasTakenOver(ssrc)) return
      this.sources++
      this.ssrc = ssrc
      this.restart(sequence)
      this.lastArrivalMs = -1
    } else {
      this.otherRun = 0
      if (!this.follow(sequence)) return
    }
    this.measureJitter(packet, arrival, rates)
  }

  /** Takes an accepted packet that is not RTP (DTLS, fax, data): counted, not measured. */
  receiveOpaque(arrival: Arrival): void {
    this.packets++
    this.bytes += arrival.length
    this.lastPacketMs = arrival.nowMs
  }

  /** Packets lost so far over all sources; never negative. */
  get lost(): number {
    return this.lostBefore + this.lostNow()
  }

  /** Interarrival jitter of the present source in milliseconds; 0 while its clock rate is unknown. */
  get jitterMs(): number {
    return this.rate === 0 ? 0 : (this.jitterUnits * 1000) / this.rate
  }

  /** One packet of another source between those of the present one is a guest; two with none between are its successor. */
  private hasTakenOver(ssrc: number): boolean {
    this.otherRun = ssrc === this.other ? this.otherRun + 1 : 1
    this.other = ssrc
    return this.otherRun >= sourceRunMin
  }

  private lostNow(): number {
    return this.isStarted ? Math.max(0, this.highest - this.base + 1 - this.unique) : 0
  }

  private restart(sequence: number): void {
    this.lostBefore += this.lostNow()
    this.isStarted = true
    // One cycle ahead, so that packets from before the first one have a positive number too.
    this.base = sequence + 65_536
    this.highest = this.base
    this.unique = 1
    this.expectedAfterJump = -1
    this.seen.fill(0)
    setBit(this.seen, this.base & slotMask)
  }

  /** Counts a sequence number; false when the packet must not move the jitter: late, repeated or out of any order. */
  private follow(sequence: number): boolean {
    const delta = sequenceDelta(this.highest & 0xffff, sequence)
    if (delta > sequenceDropoutMax || delta < -sequenceMisorderMax) return this.jump(sequence)
    this.expectedAfterJump = -1
    const extended = this.highest + delta
    const slot = extended & slotMask
    if (delta > 0) {
      if (delta > 1) this.skip(extended)
      this.highest = extended
      this.unique++
      setBit(this.seen, slot)
      return true
    }
    if (hasBit(this.seen, slot)) {
      this.duplicates++
      return false
    }
    setBit(this.seen, slot)
    this.unique++
    this.reordered++
    if (extended < this.base) this.base = extended
    return false
  }

  /** Those between the highest so far and this one have not come. */
  private skip(extended: number): void {
    this.gaps++
    for (let at = Math.max(this.highest + 1, extended - slotMask); at < extended; at++)
      clearBit(this.seen, at & slotMask)
  }

  /** One packet far away proves nothing; a second that follows it means that the sender has started anew. */
  private jump(sequence: number): boolean {
    if (sequence !== this.expectedAfterJump) {
      this.expectedAfterJump = (sequence + 1) & 0xffff
      return false
    }
    this.restart(sequence)
    this.lastArrivalMs = -1
    return true
  }

  private measureJitter(packet: Uint8Array, { nowMs }: Arrival, rates: ClockRates): void {
    const rate = rates[this.payloadType]!
    const timestamp = rtpTimestamp(packet)
    if (rate === 0) return
    if (rate !== this.rate) {
      // Timestamps of two clocks cannot be compared; the jitter in milliseconds lives on.
      this.jitterUnits = this.rate === 0 ? 0 : (this.jitterUnits * rate) / this.rate
      this.rate = rate
      this.lastArrivalMs = -1
    }
    const advance = timestampDelta(this.lastTimestamp, timestamp)
    // Packets of one frame, and of one telephone-event, share their timestamp and say nothing of the network's delay.
    if (this.lastArrivalMs >= 0 && advance === 0) return
    if (this.lastArrivalMs >= 0) {
      const change = Math.abs(((nowMs - this.lastArrivalMs) * rate) / 1000 - advance)
      if (change * 1000 <= transitJumpMaxMs * rate) this.jitterUnits += (change - this.jitterUnits) / 16
    }
    this.lastTimestamp = timestamp
    this.lastArrivalMs = nowMs
  }
}
