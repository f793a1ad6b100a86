/**
 * A hierarchical timer wheel: nine levels of 32 slots over whole milliseconds. Scheduling and cancelling cost the same
 * however many timers run, expiry happens in due order, and timers with the same due time fire in the order in which
 * they were scheduled. It has no clock: the driver brings the time along. It serves RFC 3261 §17 and everything above.
 *
 * A timer sits on the lowest level whose block it shares with the current time, so that every timer of a level is due
 * before every timer of the levels above it, and the earliest one is found without searching.
 */

const SLOT_BITS = 5
const SLOTS = 1 << SLOT_BITS
const LEVELS = 9
const TICK_MAX = SLOTS ** LEVELS - 1

/** How many timers of one slot `deadline()` looks at before it settles for a lower bound. */
const SCAN_MAX = 64

/** Milliseconds that one slot of each level spans. */
const SPANS: readonly number[] = Array.from({ length: LEVELS + 1 }, (_, level) => SLOTS ** level)

/**
 * One timer. Make it once and schedule it as often as needed: the wheel links it into its lists and allocates nothing.
 * `owner` and `kind` mean nothing to the wheel; they tell the owner what has fired.
 */
export class Timer<Owner, Kind> {
  owner: Owner
  kind: Kind
  /** The due time in whole milliseconds of the monotonic clock; meaningful while {@link isScheduled}. */
  dueMs = 0
  /** The wheel's own; -1 when not scheduled. */
  slot = -1
  /** The wheel's own. */
  previous: Timer<Owner, Kind>
  /** The wheel's own. */
  next: Timer<Owner, Kind>

  constructor(owner: Owner, kind: Kind) {
    this.owner = owner
    this.kind = kind
    this.previous = this
    this.next = this
  }

  /** True from schedule until it fires or is cancelled. */
  get isScheduled(): boolean {
    return this.slot >= 0
  }
}

/** Timers in due order, under one deadline. */
export class TimerWheel<Owner, Kind> {
  /** The first timer of each slot's circular list, slot after slot, level after level. */
  private readonly heads: (Timer<Owner, Kind> | undefined)[] = new Array(LEVELS * SLOTS).fill(undefined)
  /** One bit for each slot that holds a timer. */
  private readonly occupied: number[] = new Array(LEVELS).fill(0)
  private currentMs = 0
  private count = 0
  private earliestMs = Number.POSITIVE_INFINITY
  private isEarliestKnown = true

  /** How many timers are scheduled. */
  get size(): number {
    return this.count
  }

  /**
   * Schedules a timer, or moves it when it is scheduled already. `atMs` is rounded up to a whole millisecond; a time
   * that `expire` has already passed means the next `expire`.
   */
  schedule(timer: Timer<Owner, Kind>, atMs: number): void {
    if (timer.slot >= 0) this.cancel(timer)
    const roundedMs = Math.ceil(atMs)
    // Written so that NaN becomes "now": a broken due time must not become a timer that never fires.
    timer.dueMs = roundedMs > this.currentMs ? Math.min(roundedMs, TICK_MAX) : this.currentMs
    this.link(timer)
    this.count += 1
    if (timer.dueMs < this.earliestMs) this.earliestMs = timer.dueMs
  }

  /** Takes a timer out; does nothing when it is not scheduled. */
  cancel(timer: Timer<Owner, Kind>): void {
    if (timer.slot < 0) return
    this.unlink(timer)
    if (timer.dueMs === this.earliestMs) this.isEarliestKnown = false
  }

  /**
   * When `expire` should be called next, `Infinity` when nothing is scheduled. It is never later than the next due
   * time; it may be earlier when more than a few dozen timers lie close together in the future.
   */
  deadline(): number {
    if (!this.isEarliestKnown) {
      this.earliestMs = this.findEarliest()
      this.isEarliestKnown = true
    }
    return this.earliestMs
  }

  /**
   * Fires everything due at `nowMs`, in due order; timers that `fire` schedules for `nowMs` or earlier are included.
   * @param atMost so many are fired, and the rest stays due
   * @returns true when something due may be left
   */
  expire(nowMs: number, fire: (timer: Timer<Owner, Kind>) => void, atMost = Number.POSITIVE_INFINITY): boolean {
    let left = atMost
    const targetMs = Math.min(Math.floor(nowMs), TICK_MAX)
    // Even when nothing fires: what was a lower bound must not be answered again.
    if (this.earliestMs <= targetMs) this.isEarliestKnown = false
    while (this.count > 0) {
      const level = this.lowestLevel()
      const bits = this.occupied[level]!
      const slot = 31 - Math.clz32(bits & -bits)
      const startMs = this.slotStart(level, slot)
      if (startMs > targetMs) break
      // A slot of the current block may start before now; time never runs backwards.
      if (startMs > this.currentMs) this.currentMs = startMs
      if (level === 0) {
        if (left <= 0) {
          this.isEarliestKnown = false
          return true
        }
        left -= 1
        const timer = this.heads[slot]!
        this.unlink(timer)
        fire(timer)
      } else {
        this.cascade(level * SLOTS + slot)
      }
    }
    if (targetMs > this.currentMs) this.currentMs = targetMs
    if (this.earliestMs <= targetMs) this.isEarliestKnown = false
    return false
  }

  private lowestLevel(): number {
    let level = 0
    while (this.occupied[level] === 0) level += 1
    return level
  }

  /** The first millisecond of a slot in the block that the current time is in. */
  private slotStart(level: number, slot: number): number {
    const blockMs = SPANS[level + 1]!
    return Math.floor(this.currentMs / blockMs) * blockMs + slot * SPANS[level]!
  }

  /** Spreads the timers of a slot that the time has entered over the levels below, in their order. */
  private cascade(index: number): void {
    let timer = this.heads[index]
    while (timer !== undefined) {
      this.unlink(timer)
      this.link(timer)
      this.count += 1
      timer = this.heads[index]
    }
  }

  private link(timer: Timer<Owner, Kind>): void {
    const dueMs = timer.dueMs
    let level = 0
    while (Math.floor(dueMs / SPANS[level + 1]!) !== Math.floor(this.currentMs / SPANS[level + 1]!)) level += 1
    const slot = Math.floor(dueMs / SPANS[level]!) % SLOTS
    const index = level * SLOTS + slot
    const head = this.heads[index]
    timer.slot = index
    if (head === undefined) {
      this.heads[index] = timer
      this.occupied[level]! |= 1 << slot
      timer.previous = timer
      timer.next = timer
    } else {
      timer.previous = head.previous
      timer.next = head
      head.previous.next = timer
      head.previous = timer
    }
  }

  private unlink(timer: Timer<Owner, Kind>): void {
    const index = timer.slot
    if (timer.next === timer) {
      this.heads[index] = undefined
      this.occupied[index >>> SLOT_BITS]! &= ~(1 << (index & (SLOTS - 1)))
    } else {
      timer.previous.next = timer.next
      timer.next.previous = timer.previous
      if (this.heads[index] === timer) this.heads[index] = timer.next
      timer.previous = timer
      timer.next = timer
    }
    timer.slot = -1
    this.count -= 1
  }

  private findEarliest(): number {
    if (this.count === 0) return Number.POSITIVE_INFINITY
    const level = this.lowestLevel()
    const bits = this.occupied[level]!
    const slot = 31 - Math.clz32(bits & -bits)
    if (level === 0) return this.slotStart(0, slot)
    const head = this.heads[level * SLOTS + slot]!
    let earliestMs = head.dueMs
    let timer = head.next
    for (let looked = 1; timer !== head; looked += 1) {
      if (looked === SCAN_MAX) return this.slotStart(level, slot)
      if (timer.dueMs < earliestMs) earliestMs = timer.dueMs
      timer = timer.next
    }
    return earliestMs
  }
}
