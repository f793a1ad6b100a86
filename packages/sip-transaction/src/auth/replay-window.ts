/**
 * Nonce counts that have been used (RFC 7616 §3.4, nc; §5.5 replay), bounded in number and in time. Pure.
 * Only verified requests are recorded, so that a stranger can fill nothing.
 */

/** Counts that may arrive out of order below the highest one seen, as they do over UDP. */
const windowSize = 30

/** Nonces that there is room for at first. */
const firstCapacity = 64

/**
 * Remembers the counts used with each nonce. The nonces stand in a ring in the order of first use, so that the first
 * expires first, give or take one lifetime: a Map alone would have to skip everything deleted to find its oldest entry.
 */
export class ReplayWindow {
  private readonly slots = new Map<number, number>()
  private capacity: number
  private serials: Float64Array
  private issuedMs: Float64Array
  private untilMs: Float64Array
  private highest: Uint32Array
  /** Bit i: the count highest - i has been used. */
  private used: Uint32Array
  private first = 0
  /** Nonces issued up to then and not remembered may have been used before. */
  private forgottenUpToMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly noncesMax: number,
    private readonly lifetimeMs: number,
  ) {
    this.capacity = Math.max(1, Math.min(firstCapacity, noncesMax))
    this.serials = new Float64Array(this.capacity)
    this.issuedMs = new Float64Array(this.capacity)
    this.untilMs = new Float64Array(this.capacity)
    this.highest = new Uint32Array(this.capacity)
    this.used = new Uint32Array(this.capacity)
  }

  /** Number of nonces remembered. */
  get size(): number {
    return this.slots.size
  }

  /**
   * Uses a count of a nonce, once.
   * @param serial what tells this nonce from all others
   * @param count 1 or more; 0 for a peer that sends none, and then the nonce serves once
   * @param issuedMs when the nonce was made, on the wall clock
   * @returns false when the count was used before, or may have been
   */
  use(serial: number, count: number, issuedMs: number, wallMs: number): boolean {
    while (this.slots.size > 0 && this.untilMs[this.first]! < wallMs) this.forgetFirst()
    const known = this.slots.get(serial)
    if (known !== undefined) return this.useCount(known, count)
    if (issuedMs <= this.forgottenUpToMs) return false
    if (this.slots.size >= Math.max(1, this.noncesMax)) this.forgetFirst()
    else if (this.slots.size === this.capacity) this.grow()
    const slot = (this.first + this.slots.size) % this.capacity
    this.slots.set(serial, slot)
    this.serials[slot] = serial
    this.issuedMs[slot] = issuedMs
    this.untilMs[slot] = Math.max(issuedMs, wallMs) + this.lifetimeMs
    this.highest[slot] = count
    this.used[slot] = 1
    return true
  }

  private useCount(slot: number, count: number): boolean {
    const behind = this.highest[slot]! - count
    if (behind >= windowSize) return false
    const used = this.used[slot]!
    if (behind >= 0) {
      const bit = 1 << behind
      if ((used & bit) !== 0) return false
      this.used[slot] = used | bit
      return true
    }
    this.used[slot] = -behind >= windowSize ? 1 : (used << -behind) | 1
    this.highest[slot] = count
    return true
  }

  private forgetFirst(): void {
    const slot = this.first
    this.slots.delete(this.serials[slot]!)
    this.forgottenUpToMs = Math.max(this.forgottenUpToMs, this.issuedMs[slot]!)
    this.first = (slot + 1) % this.capacity
  }

  /** Twice the room, the first nonce in the first place. */
  private grow(): void {
    const { capacity, first } = this
    const wanted = Math.min(capacity * 2, this.noncesMax)
    this.serials = unrolled(this.serials, new Float64Array(wanted), first)
    this.issuedMs = unrolled(this.issuedMs, new Float64Array(wanted), first)
    this.untilMs = unrolled(this.untilMs, new Float64Array(wanted), first)
    this.highest = unrolled(this.highest, new Uint32Array(wanted), first)
    this.used = unrolled(this.used, new Uint32Array(wanted), first)
    this.capacity = wanted
    this.first = 0
    for (const [serial, slot] of this.slots) this.slots.set(serial, (slot - first + capacity) % capacity)
  }
}

function unrolled<T extends Float64Array | Uint32Array>(ring: T, into: T, first: number): T {
  into.set(ring.subarray(first), 0)
  into.set(ring.subarray(0, first), ring.length - first)
  return into
}
