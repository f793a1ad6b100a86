/**
 * The index of packets and the replay list of one synchronization source (RFC 3711 §3.3.1, §3.3.2). Nothing here moves
 * before `accept`, which is for packets that have been authenticated.
 */
import { clearBit, hasBit, setBit } from '../rtp/bits'

/** Half of the space of sequence numbers. */
const half = 32_768
/** What a roll-over counts. */
const cycle = 65_536

/** The smallest window that RFC 3711 §3.3.2 allows, and the largest that 16 bits can hold. */
export const windowSizes = { min: 64, usual: 128, max: 32_768 } as const

/** Follows one source. Indexes are below 2^48: roll-over counter times 65 536, plus sequence number. */
export class PacketWindow {
  /** The highest index so far; -1 before the first packet. */
  highest = -1
  private readonly seen: Int32Array
  private readonly mask: number

  /** @param size packets behind the highest that can still be told apart; rounded up to a power of two */
  constructor(size: number = windowSizes.usual) {
    const wanted = Math.min(windowSizes.max, Math.max(windowSizes.min, size))
    const rounded = 2 ** Math.ceil(Math.log2(wanted))
    this.seen = new Int32Array(rounded / 32)
    this.mask = rounded - 1
  }

  /** The most likely index of a packet with this sequence number. */
  estimate(sequence: number): number {
    const { highest } = this
    if (highest < 0) return sequence
    const last = highest % cycle
    const start = highest - last
    if (last < half) return sequence - last > half && start > 0 ? start - cycle + sequence : start + sequence
    return last - half > sequence ? start + cycle + sequence : start + sequence
  }

  /** False for an index that has been accepted, or is too old to tell. */
  isNew(index: number): boolean {
    const behind = this.highest - index
    if (behind < 0) return true
    if (behind > this.mask) return false
    return !hasBit(this.seen, index & this.mask)
  }

  /** Remembers an index. */
  accept(index: number): void {
    const { highest, mask, seen } = this
    if (index > highest) {
      const skipped = index - highest - 1
      if (highest < 0 || skipped > mask) seen.fill(0)
      else for (let between = highest + 1; between < index; between++) clearBit(seen, between & mask)
      this.highest = index
    }
    setBit(seen, index & mask)
  }
}
