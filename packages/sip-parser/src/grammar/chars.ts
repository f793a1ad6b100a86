/**
 * Character classes of the SIP grammar (RFC 3261 §25.1) as one table of bit flags, indexed by byte value. Codecs work
 * on wire text: strings in which every character stands for one byte.
 */

/** token */
export const TOKEN = 1
/** user of a SIP URI: unreserved and user-unreserved, without "%" */
export const USER = 2
/** password of a SIP URI, without "%" */
export const PASSWORD = 4
/** paramchar of a SIP URI, without "%" */
export const URI_PARAM = 8
/** hnv-unreserved and unreserved (header part of a SIP URI), without "%" */
export const URI_HEADER = 16
/** letters, digits, "-" and "." */
export const HOST = 32
/** word (Call-ID) */
export const WORD = 64
/** any byte that a URI may hold, reserved and "%" among them */
export const URI_ANY = 128

/** The flags of each byte value. */
export const charFlags: Uint8Array = buildTable()

/** True when every character of the range has one of the flags; false when the range is empty. */
export function isAll(text: string, start: number, end: number, flags: number): boolean {
  for (let at = start; at < end; at += 1) {
    if ((charFlags[text.charCodeAt(at)]! & flags) === 0) return false
  }
  return end > start
}

/** True for a non-empty token (RFC 3261 §25.1). Any string may be given. */
export function isToken(text: string): boolean {
  return isAll(text, 0, text.length, TOKEN)
}

/** The position of the first character from `at` that is neither space nor tab, or `end`. */
export function skipSpace(text: string, at: number, end: number): number {
  let position = at
  while (position < end) {
    const code = text.charCodeAt(position)
    if (code !== 0x20 && code !== 0x09) break
    position += 1
  }
  return position
}

/** The position after the last character before `end` that is neither space nor tab, not below `start`. */
export function trimSpace(text: string, start: number, end: number): number {
  let position = end
  while (position > start) {
    const code = text.charCodeAt(position - 1)
    if (code !== 0x20 && code !== 0x09) break
    position -= 1
  }
  return position
}

/** The value of a hexadecimal digit's character code, or -1. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** True when the range equals `lower` without regard to the case of letters; `lower` is in lower case. */
export function equalsIgnoreCase(text: string, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false
  for (let at = 0; at < lower.length; at += 1) {
    const code = text.charCodeAt(start + at)
    const folded = code >= 0x41 && code <= 0x5a ? code + 0x20 : code
    if (folded !== lower.charCodeAt(at)) return false
  }
  return true
}

function buildTable(): Uint8Array {
  const table = new Uint8Array(256)
  const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const mark = "-_.!~*'()"
  add(table, `${alphanumeric}-.!%*_+\`'~`, TOKEN)
  add(table, `${alphanumeric}${mark}&=+$,;?/`, USER)
  add(table, `${alphanumeric}${mark}&=+$,`, PASSWORD)
  add(table, `${alphanumeric}${mark}[]/:&+$`, URI_PARAM)
  add(table, `${alphanumeric}${mark}[]/?:+$`, URI_HEADER)
  add(table, `${alphanumeric}-.`, HOST)
  add(table, `${alphanumeric}-.!%*_+\`'~()<>:\\"/[]?{}`, WORD)
  add(table, `${alphanumeric}${mark};/?:@&=+$,%[]#`, URI_ANY)
  return table
}

function add(table: Uint8Array, characters: string, flag: number): void {
  for (let at = 0; at < characters.length; at += 1) table[characters.charCodeAt(at)]! |= flag
}
