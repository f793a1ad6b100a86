/**
 * A reproducible source of chance for tests: the same seed gives the same values on every machine. It is predictable
 * by design; never use it outside tests.
 */
import type { Random } from '../ports'

const TOKEN_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz234567'

/** {@link Random} from a seed (the sfc32 generator), with helpers for tests. */
export class SeededRandom implements Random {
  readonly seed: number
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(seed: number) {
    this.seed = seed
    this.a = 0x9e3779b9 ^ seed
    this.b = 0x243f6a88 ^ Math.floor(seed / 0x1_0000_0000)
    this.c = 0xb7e15162
    // The first outputs of neighbouring seeds resemble each other.
    for (let round = 0; round < 16; round += 1) this.next()
  }

  token(bits: number): string {
    let text = ''
    for (let made = 0; made < bits; made += 5) text += TOKEN_CHARACTERS[this.next() & 31]
    return text
  }

  fraction(): number {
    return this.next() / 0x1_0000_0000
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let index = 0; index < length; index += 1) bytes[index] = this.next()
    return bytes
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /**
   * One of the items.
   * @throws RangeError when there is none.
   */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('There is nothing to pick from.')
    return items[this.integer(0, items.length - 1)] as T
  }

  /** A generator of its own, so that adding a draw in one part of a test does not change the others. */
  fork(): SeededRandom {
    return new SeededRandom(this.next())
  }

  private next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + sum) | 0
    return sum >>> 0
  }
}
