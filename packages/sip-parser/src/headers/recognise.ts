/**
 * From a header name to its registry id without making a string: a table by length, first and last letter, then one
 * comparison. Compact forms (RFC 3261 §7.3.3) are looked up by their letter.
 */
import { headerDefinitions } from './index'

const longest = headerDefinitions.reduce((length, { name }) => Math.max(length, name.length), 0)
const compactIds = new Uint8Array(128)
const tableSize = 8192
/** For each hash the first candidate id; for each id the next one with the same hash. */
const heads = new Uint16Array(tableSize)
const nexts = new Uint16Array(headerDefinitions.length + 1)
/** The same, an id times 256 plus its length, by first and third character, for {@link recogniseAt}; earlier ids first. */
const colonHeads = new Int32Array(1024)
const colonNexts = new Int32Array(headerDefinitions.length + 1)
/** Names in their usual spelling as bytes, one after the other, and where each begins. */
const nameStarts = new Uint16Array(headerDefinitions.length + 2)
const usualBytes = new Uint8Array(headerDefinitions.reduce((sum, definition) => sum + definition.name.length, 0))
const idsByName = new Map<string, number>()

fillTables()

/** The id of the name in the range, or 0 when it is not known. A known name is a token. */
export function recogniseName(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length < 1 || length > longest) return 0
  const first = bytes[start]! | 0x20
  if (length === 1) return isLetter(first) ? compactIds[first]! : 0
  let id = heads[hash(length, first, bytes[end - 1]! | 0x20)]!
  while (id !== 0) {
    if (isName(bytes, start, length, id)) return id
    id = nexts[id]!
  }
  return 0
}

/**
 * The known name that begins at `at` and is followed by a colon at once: its id times 256 plus its length; 0 when there
 * is none. The colon is looked for where candidates with these letters would have it. Reads three bytes at least.
 */
export function recogniseAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]! | 0x20
  let known = colonHeads[hashStart(first, bytes[at + 2]! | 0x20)]!
  if (bytes[at + 1] === 0x3a) return isLetter(first) && compactIds[first] !== 0 ? (compactIds[first]! << 8) | 1 : 0
  while (known !== 0) {
    const length = known & 255
    const id = known >> 8
    if (bytes[at + length] === 0x3a && isName(bytes, at, length, id)) return known
    known = colonNexts[id]!
  }
  return 0
}

/** The id of a name in any case, long or compact; 0 when it is not known. */
export function headerIdOf(name: string): number {
  return idsByName.get(name) ?? idsByName.get(name.toLowerCase()) ?? 0
}

function isName(bytes: Uint8Array, start: number, length: number, id: number): boolean {
  const from = nameStarts[id]!
  if (nameStarts[id + 1]! - from !== length) return false
  const usual = usualBytes
  for (let at = 0; at < length; at += 1) {
    if (bytes[start + at] !== usual[from + at]) return isNameInAnyCase(bytes, start, length, from)
  }
  return true
}

function isNameInAnyCase(bytes: Uint8Array, start: number, length: number, from: number): boolean {
  // Setting bit 5 folds letters; of what else may stand here only CR folds into "-".
  for (let at = 0; at < length; at += 1) {
    const code = bytes[start + at]!
    if ((code | 0x20) !== (usualBytes[from + at]! | 0x20) || code === 0x0d) return false
  }
  return true
}

function isLetter(lower: number): boolean {
  return lower >= 0x61 && lower <= 0x7a
}

function hash(length: number, first: number, last: number): number {
  return ((length & 31) << 8) ^ ((first & 31) << 3) ^ (last & 31)
}

function hashStart(first: number, third: number): number {
  return ((first & 31) << 5) | (third & 31)
}

function addLast(known: number, slot: number): void {
  let last = colonHeads[slot]!
  if (last === 0) {
    colonHeads[slot] = known
    return
  }
  while (colonNexts[last >> 8] !== 0) last = colonNexts[last >> 8]!
  colonNexts[last >> 8] = known
}

function fillTables(): void {
  let offset = 0
  headerDefinitions.forEach((definition, position) => {
    const id = position + 1
    const lower = definition.name.toLowerCase()
    nameStarts[id] = offset
    for (let at = 0; at < lower.length; at += 1) usualBytes[offset + at] = definition.name.charCodeAt(at)
    offset += lower.length
    nameStarts[id + 1] = offset
    const slot = hash(lower.length, lower.charCodeAt(0), lower.charCodeAt(lower.length - 1))
    nexts[id] = heads[slot]!
    heads[slot] = id
    addLast((id << 8) | lower.length, hashStart(lower.charCodeAt(0), `${lower}:`.charCodeAt(2)))
    for (const name of [definition.name, lower, definition.compact]) {
      if (name !== undefined) idsByName.set(name, id)
    }
    if (definition.compact !== undefined) compactIds[definition.compact.charCodeAt(0)] = id
  })
}
