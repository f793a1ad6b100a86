/**
 * The header index of a message: four integers a header line, made in one pass and never changed (RFC 3261 §7.3).
 * Names and values stay in the message's text; they are cut out when asked for.
 */
import { trimSpaces } from '../grammar/chars'
import { decodeText } from '../grammar/text'
import { headerIdOf } from '../headers/recognise'

/** Integers of a header line: name start, packed (id, folded, name length), value start, value end. */
export const stride = 4
/** Where a header line's packed integer says that the value runs over several lines. */
export const foldedFlag = 1 << 9
const idMask = foldedFlag - 1
const lengthShift = 10

/** Four integers for each header line, in order. */
export type HeaderIndex = readonly number[]

/** Packs id, name length and folding into one integer. */
export function packHeader(id: number, nameLength: number, isFolded: boolean): number {
  return id | (isFolded ? foldedFlag : 0) | (nameLength << lengthShift)
}

/** The registry id of the header line at `entry`; 0 for an unknown one. */
export function idAt(index: HeaderIndex, entry: number): number {
  return index[entry + 1]! & idMask
}

/** True when the value of the header line at `entry` runs over several lines. */
export function isFoldedAt(index: HeaderIndex, entry: number): boolean {
  return (index[entry + 1]! & foldedFlag) !== 0
}

/** The name of the header line at `entry`, as it came. */
export function nameAt(text: string, index: HeaderIndex, entry: number): string {
  const start = index[entry]!
  return text.slice(start, start + (index[entry + 1]! >> lengthShift))
}

/** The position in the index of the first header line with this id from `from` on, or -1. */
export function findId(index: HeaderIndex, id: number, from = 0): number {
  for (let entry = from; entry < index.length; entry += stride) {
    if ((index[entry + 1]! & idMask) === id) return entry
  }
  return -1
}

/** The position in the index of the first header line with this name (any case, long or compact) from `from` on, or -1. */
export function findName(text: string, index: HeaderIndex, name: string, from = 0): number {
  const id = headerIdOf(name)
  if (id !== 0) return findId(index, id, from)
  const lower = name.toLowerCase()
  for (let entry = from; entry < index.length; entry += stride) {
    const packed = index[entry + 1]!
    if ((packed & idMask) !== 0 || packed >> lengthShift !== lower.length) continue
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
  const value = text.slice(index[entry + 2]!, index[entry + 3]!)
  return isFoldedAt(index, entry) ? unfold(value) : value
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
