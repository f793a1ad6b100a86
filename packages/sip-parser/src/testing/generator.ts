/** A small seeded generator (xorshift, 32 bits): the same seed gives the same tests everywhere. Not for secrets. */

/**
 * A seed of its own for the `index`th thing made from a seed, 0 to 2**32 - 1: neighbours have nothing in
 * common.
 */
export function mixSeed(seed: number, index: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Draws numbers and choices from a seed. */
export class SeededGenerator {
  private state: number

  constructor(seed: number) {
    this.state = seed | 0 || 0x9e3779b9
  }

  /** A number in [0, 1). */
  fraction(): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return (x >>> 0) / 4294967296
  }

  /** An integer from 0 to before `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  /** One of the items, of which there must be at least one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** A word of lower-case letters and digits. */
  word(length: number): string {
    let text = ''
    for (let at = 0; at < length; at += 1) text += 'abcdefghijklmnopqrstuvwxyz0123456789'[this.below(36)]
    return text
  }
}
