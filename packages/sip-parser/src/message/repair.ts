/**
 * Tolerated deviations in the lines of a head are rewritten to the strict form before the message is read (RFC 3261 §7;
 * RFC 4475 §3.1.2). Each rewriting says where a place in its result was in its input, so that a problem found afterwards
 * is reported where the sender put it.
 */
import { Buffer } from 'node:buffer'

/** Turns an offset in what was rewritten into one in what came. */
export type Origin = (offset: number) => number

/** Bytes in strict form, and where they come from. */
export interface Repaired {
  readonly bytes: Uint8Array
  readonly origin: Origin
}

/** Puts a start line (wire text) in the place of the one that the bytes begin with. */
export function repairStartLine(bytes: Uint8Array, line: string): Repaired {
  const restAt = bytes.indexOf(0x0a) + 1
  const old = Buffer.from(bytes.buffer, bytes.byteOffset, restAt).toString('latin1').trimEnd()
  const shift = restAt - (line.length + 2)
  return {
    bytes: Buffer.concat([Buffer.from(`${line}\r\n`, 'latin1'), bytes.subarray(restAt)]),
    origin: (offset) => (offset >= line.length ? Math.max(offset + shift, old.length) : placeIn(old, line, offset)),
  }
}

/** Gives each line of the head that ends with LF alone its CR; the body is left as it is. */
export function repairLineEnds(bytes: Uint8Array): Repaired {
  const head: number[] = []
  const added: number[] = []
  let at = 0
  let lineLength = 0
  while (at < bytes.length) {
    const code = bytes[at]!
    at += 1
    if (code === 0x0d && bytes[at] === 0x0a) continue
    if (code !== 0x0a) {
      head.push(code)
      lineLength += 1
      continue
    }
    if (bytes[at - 2] !== 0x0d) added.push(head.length)
    head.push(0x0d, 0x0a)
    if (lineLength === 0) break
    lineLength = 0
  }
  return {
    bytes: Buffer.concat([Buffer.from(head), bytes.subarray(at)]),
    origin: (offset) => offset - countBelow(added, offset),
  }
}

/** For a piece of text that took the place of a longer or shorter one. */
export function replacedOrigin(start: number, oldEnd: number, newEnd: number): Origin {
  return (offset) => (offset < newEnd ? Math.min(offset, Math.max(start, oldEnd)) : offset - newEnd + oldEnd)
}

/** Where in the old line the character is that the new line has at `offset`: the new one lacks some, in the same order. */
function placeIn(old: string, line: string, offset: number): number {
  let place = 0
  for (let at = 0; ; at += 1, place += 1) {
    const found = old.indexOf(line.charAt(at), place)
    if (found >= 0) place = found
    if (at >= offset) return Math.min(place, old.length)
  }
}

function countBelow(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}
