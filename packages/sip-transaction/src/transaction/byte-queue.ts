/**
 * Bytes that are put in at one end and let go at the other, in segments outside the garbage-collected heap. What was put
 * in first must be let go first.
 */
import { Buffer } from 'node:buffer'

const segmentBytes = 262_144
/** Empty segments kept for the next ones. */
const sparesMax = 1

/** A queue of byte strings. Positions are numbers that only grow. */
export class ByteQueue {
  private readonly segments: Uint8Array[] = []
  private readonly spares: Uint8Array[] = []
  /** Number of the first segment; `segments[0]` is that one. */
  private firstNumber = 0
  private used = 0

  /** Copies bytes in and returns their position. At most {@link maxBytes} at once. */
  push(bytes: Uint8Array): number {
    let last = this.segments.at(-1)
    if (last === undefined || this.used + bytes.length > segmentBytes) {
      last = this.spares.pop() ?? new Uint8Array(segmentBytes)
      this.segments.push(last)
      this.used = 0
    }
    last.set(bytes, this.used)
    const position = (this.firstNumber + this.segments.length - 1) * segmentBytes + this.used
    this.used += bytes.length
    return position
  }

  /** A copy of what was put in at that position. */
  read(position: number, length: number): Buffer {
    const number = Math.floor(position / segmentBytes)
    const start = position - number * segmentBytes
    return Buffer.from(this.segments[number - this.firstNumber]!.subarray(start, start + length))
  }

  /** Lets everything before that position go; `undefined` lets everything go. */
  releaseBefore(position: number | undefined): void {
    const number =
      position === undefined ? this.firstNumber + this.segments.length : Math.floor(position / segmentBytes)
    while (this.firstNumber < number) {
      const segment = this.segments.shift()
      if (segment === undefined) break
      this.firstNumber += 1
      if (this.spares.length < sparesMax) this.spares.push(segment)
    }
    if (this.segments.length === 0) this.used = 0
  }

  /** The longest byte string that fits. */
  static readonly maxBytes = segmentBytes
}
