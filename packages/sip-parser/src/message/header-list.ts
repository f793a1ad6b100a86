/**
 * The header index of a message: three integers a header line, made in one pass and never changed (RFC 3261 §7.3).
 * Names and values stay in the message's text; they are cut out when asked for.
 */
import { isSpaceCode, trimSpaces } from '../grammar/chars'
import { decodeText } from '../grammar/text'
import { headerIdOf } from '../headers/recognise'

/** Integers of a header line: packed (id, folded, name length, gap), value start, value end. */
export const stride = 3
/** Where a header line's packed integer says that the value runs over several lines. */
export const foldedFlag = 1 << 9
const idMask = foldedFlag - 1
/** Names have at most 255 bytes. */
const lengthShift = 10
const lengthMask = 255
/** The gap, from the name's end to the value's start, takes what is left of 30 bits; wider ones are measured in the text. */
const gapShift = 18
const gapMax = 4095

/** Three integers for each header line, in order. */
export type HeaderIndex = readonly number[]

/** Packs id, name length, the gap between name and value, and folding into one integer. */
export function packHeader(id: number, nameLength: number, gap: number, isFolded: boolean): number {
  const kept = Math.min(gap, gapMax)
  return id | (isFolded ? foldedFlag : 0) | (nameLength << lengthShift) | (kept << gapShift)
}

/** What {@link packHeader} gives for `Name: value`: the colon and one space between them. */
export function packWritten(id: number, nameLength: number): number {
  return id | (nameLength << lengthShift) | (2 << gapShift)
}

/** The registry id of the header line at `entry`; 0 for an unknown one. */
export function idAt(index: HeaderIndex, entry: number): number {
  return index[entry]! & idMask
}

/** Where the name of the header line at `entry` begins, and with it the line. */
export function nameStartAt(text: string, index: HeaderIndex, entry: number): number {
  const packed = index[entry]!
  const valueStart = index[entry + 1]!
  const gap = packed >> gapShift
  const nameEnd = gap < gapMax ? valueStart - gap : nameEndBefore(text, valueStart)
  return nameEnd - ((packed >> lengthShift) & lengthMask)
}

/** Where the value of the header line at `entry` begins. */
export function valueStartAt(index: HeaderIndex, entry: number): number {
  return index[entry + 1]!
}

/** Where the value of the header line at `entry` ends, white space after it not included. */
export function valueEndAt(index: HeaderIndex, entry: number): number {
  return index[entry + 2]!
}

/** True when the value of the header line at `entry` runs over several lines. */
export function isFoldedAt(index: HeaderIndex, entry: number): boolean {
  return (index[entry]! & foldedFlag) !== 0
}

/** The name of the header line at `entry`, as it came. */
export function nameAt(text: string, index: HeaderIndex, entry: number): string {
  const start = nameStartAt(text, index, entry)
  return text.slice(start, start + ((index[entry]! >> lengthShift) & lengthMask))
}

/** The position in the index of the first header line with this id from `from` on, or -1. */
export function findId(index: HeaderIndex, id: number, from = 0): number {
  for (let entry = from; entry < index.length; entry += stride) {
    if ((index[entry]! & idMask) === id) return entry
  }
  return -1
}

/** The position in the index of the first header line with this name (any case, long or compact) from `from` on, or -1. */
export function findName(text: string, index: HeaderIndex, name: string, from = 0): number {
  const id = headerIdOf(name)
  if (id !== 0) return findId(index, id, from)
  const lower = name.toLowerCase()
  for (let entry = from; entry < index.length; entry += stride) {
    const packed = index[entry]!
    if ((packed & idMask) !== 0 || ((packed >> lengthShift) & lengthMask) !== lower.length) continue
    if (nameAt(text, index, entry).toLowerCase() === lower) return entry
  }
  return -1
}

/** The value of the header line at `entry` for users: unfolded, trimmed, UTF-8 decoded. */
export function valueAt(text: string, index: HeaderIndex, entry: number): string {
  return decodeText(wireValueAt(text, index, entry))
}

/** The value of the header line at `entry` as wire text: unfolded, trimmed. */
export function wireValueAt(text: string, index: HeaderIndex, entry: number): string {
  const value = text.slice(index[entry + 1]!, index[entry + 2]!)
  return isFoldedAt(index, entry) ? unfold(value) : value
}

/** Where the name before a value ends: before white space, the colon, and white space. */
function nameEndBefore(text: string, valueStart: number): number {
  let at = valueStart
  while (isSpaceCode(text.charCodeAt(at - 1))) at -= 1
  at -= 1
  while (isSpaceCode(text.charCodeAt(at - 1))) at -= 1
  return at
}

/** A folded value with each fold and the white space around it made one space (RFC 3261 §7.3.1), trimmed. */
export function unfold(value: string): string {
  let result = ''
  let start = 0
  while (start < value.length) {
    const lineEnd = value.indexOf('\n', start)
    const stop = lineEnd < 0 ? value.length : lineEnd
    const isCr = stop > start && lineEnd >= 0 && value.charCodeAt(stop - 1) === 0x0d
    const part = trimSpaces(value.slice(start, isCr ? stop - 1 : stop))
    if (part !== '') result += result === '' ? part : ` ${part}`
    start = stop + 1
  }
  return result
}

/** Wire text of a folded value with every CR and LF made a space: same length, so that offsets still hold. */
export function flattenFolds(text: string, start: number, end: number): string {
  return text.slice(start, end).replace(/[\r\n]/g, ' ')
}

/**
 * The end of the list element that begins at `start`: the next comma outside quotes, angle brackets and IPv6
 * brackets, or `end` (RFC 3261 §7.3.1). Folds need not be removed first.
 */
export function elementEnd(text: string, start: number, end: number): number {
  let inQuotes = false
  let inAngles = false
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (inQuotes) {
      if (code === 0x5c) at += 1
      else if (code === 0x22) inQuotes = false
    } else if (inAngles) {
      if (code === 0x3e) inAngles = false
    } else if (code === 0x22) {
      inQuotes = true
    } else if (code === 0x3c) {
      inAngles = true
    } else if (code === 0x2c) {
      return at
    }
  }
  return end
}
