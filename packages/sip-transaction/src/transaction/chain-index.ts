/**
 * A hash table from 64-bit hashes to slot numbers in typed arrays: it holds no object, so a million entries are nothing
 * to the garbage collector.
 */

/** Finds slots by their hash. The owner numbers the slots, from 0, and sees to it that a hash is entered once. */
export class ChainIndex {
  /** For each bucket its first slot plus one. */
  private readonly heads: Int32Array
  /** For each slot the next one of its bucket plus one. */
  private readonly nexts: Int32Array
  private readonly lows: Int32Array
  private readonly highs: Int32Array
  private readonly mask: number

  /** @param capacity how many slots there are: a power of two */
  constructor(capacity: number) {
    this.heads = new Int32Array(capacity)
    this.nexts = new Int32Array(capacity)
    this.lows = new Int32Array(capacity)
    this.highs = new Int32Array(capacity)
    this.mask = capacity - 1
  }

  /** The slot with that hash, or -1. */
  find(low: number, high: number): number {
    let slot = this.heads[low & this.mask]! - 1
    while (slot >= 0 && (this.lows[slot] !== low || this.highs[slot] !== high)) slot = this.nexts[slot]! - 1
    return slot
  }

  /** Enters a slot that is not in the table. */
  add(slot: number, low: number, high: number): void {
    this.lows[slot] = low
    this.highs[slot] = high
    this.nexts[slot] = this.heads[low & this.mask]!
    this.heads[low & this.mask] = slot + 1
  }

  /** Takes a slot out that is in the table. */
  remove(slot: number): void {
    const bucket = this.lows[slot]! & this.mask
    let before = -1
    let at = this.heads[bucket]! - 1
    while (at !== slot) {
      before = at
      at = this.nexts[at]! - 1
    }
    if (before < 0) this.heads[bucket] = this.nexts[slot]!
    else this.nexts[before] = this.nexts[slot]!
  }

  /** Enters a slot under the hash that it has in another table, where its number was `from`. */
  adopt(other: ChainIndex, from: number, slot: number): void {
    this.add(slot, other.lows[from]!, other.highs[from]!)
  }
}
