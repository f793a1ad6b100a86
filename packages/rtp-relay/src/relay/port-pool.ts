/**
 * Even/odd port pairs of one interface address (RFC 3550 §11): handed out in random order, so that a stranger cannot
 * guess the next call's ports, and rested between two uses, so that late packets of one call never reach another.
 */
import type { Random } from '../ports'

const FREE = 0
const HELD = 1
const RESTING = 2

/** What a pool keeps of each pair, where it can outlive the pool. */
export interface PortBook {
  /** One byte a pair, 0 while it is free; as many as {@link pairsIn} says. */
  readonly state: Uint8Array
  readonly nowMs: number
}

/** How many even/odd pairs lie in a range. */
export function pairsIn(portMin: number, portMax: number): number {
  return Math.max(0, Math.floor((portMax - (portMin + (portMin % 2)) + 1) / 2))
}

/** Keeps the pairs of one port range. Pure: it opens nothing. A pair is named by its even port. */
export class PortPool {
  private readonly base: number
  private readonly free: Uint16Array
  private freeCount: number
  /** First in, first out: every pair rests for the same time. A ring as large as the range can never overflow. */
  private readonly resting: Uint16Array
  private readonly restedAtMs: Float64Array
  private restingFirst = 0
  private restingCount = 0
  private readonly state: Uint8Array

  /**
   * Both ports of a pair lie in `portMin`…`portMax`. `former` is the book of a pool that has these ports no longer and
   * could not give them back: what it held, or let rest, rests from `nowMs` on. It is written on.
   */
  constructor(
    portMin: number,
    portMax: number,
    private readonly quarantineMs: number,
    private readonly random: Random,
    former?: PortBook,
  ) {
    this.base = portMin + (portMin % 2)
    const pairs = pairsIn(portMin, portMax)
    this.free = new Uint16Array(pairs)
    this.freeCount = 0
    this.resting = new Uint16Array(pairs)
    this.restedAtMs = new Float64Array(pairs)
    this.state = former?.state ?? new Uint8Array(pairs)
    for (let pair = 0; pair < pairs; pair++) {
      if (this.state[pair] === FREE) this.free[this.freeCount++] = pair
      else {
        this.state[pair] = HELD
        this.giveBack(this.base + pair * 2, former?.nowMs ?? 0)
      }
    }
  }

  /** Ports, not pairs, in the range. */
  get portsTotal(): number {
    return this.state.length * 2
  }

  /** Ports that nobody holds, resting ones included. */
  get portsFree(): number {
    return (this.freeCount + this.restingCount) * 2
  }

  /** Ports that nobody holds but that may not be used again yet, as of the last `take` or `settle`. */
  get portsResting(): number {
    return this.restingCount * 2
  }

  /** Takes a random free pair; undefined when all are held or resting. */
  take(nowMs: number): number | undefined {
    this.settle(nowMs)
    if (this.freeCount === 0) return undefined
    const at = Math.min(this.freeCount - 1, Math.floor(this.random.fraction() * this.freeCount))
    const pair = this.free[at]!
    this.free[at] = this.free[--this.freeCount]!
    this.state[pair] = HELD
    return this.base + pair * 2
  }

  /** Gives a pair back; it rests first. A pair that is not held is left alone: it has been given back before. */
  giveBack(port: number, nowMs: number): void {
    const pair = (port - this.base) / 2
    if (this.state[pair] !== HELD) return
    this.state[pair] = RESTING
    const at = (this.restingFirst + this.restingCount++) % this.resting.length
    this.resting[at] = pair
    this.restedAtMs[at] = nowMs + this.quarantineMs
  }

  /** Frees the pairs that have rested long enough. */
  settle(nowMs: number): void {
    while (this.restingCount > 0 && this.restedAtMs[this.restingFirst]! <= nowMs) {
      const pair = this.resting[this.restingFirst]!
      this.restingFirst = (this.restingFirst + 1) % this.resting.length
      this.restingCount--
      this.state[pair] = FREE
      this.free[this.freeCount++] = pair
    }
  }
}
