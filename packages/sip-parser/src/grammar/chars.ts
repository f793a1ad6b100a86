/**
 * Character classes of the SIP grammar (RFC 3261 §25.1) as one table of bit flags, indexed by byte value. Codecs work
 * on wire text: strings in which every character stands for one byte.
 */

import type { Wire } from './wire'

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
/** upper-case letters */
export const UPPER = 256
/** lower-case letters and digits: what most labels of host names are made of */
export const LABEL = 1024
/** what separates in host names: "." and "-" */
export const SEPARATOR = 512

/** The flags of each byte value. */
export const charFlags: Uint16Array = buildTable()

/** True when every character of the range has one of the flags; false when the range is empty. */
export function isAll(wire: Wire, start: number, end: number, flags: number): boolean {
  const { bytes } = wire
  const table = charFlags
  for (let at = start; at < end; at += 1) {
    if ((table[bytes[at]!]! & flags) === 0) return false
  }
  return end > start
}

/** The position after the token characters from `at`. */
export function tokenEnd(wire: Wire, at: number, end: number): number {
  const { bytes } = wire
  const flags = charFlags
  let position = at
  while (position < end && (flags[bytes[position]!]! & TOKEN) !== 0) position += 1
  return position
}

/** True for a non-empty token (RFC 3261 §25.1). Any string may be given. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if ((charFlags[text.charCodeAt(at)]! & TOKEN) === 0) return false
  }
  return text.length > 0
}

/** The position of the first character from `at` that is neither space nor tab, or `end`. */
export function skipSpace(wire: Wire, at: number, end: number): number {
  let position = at
  while (position < end) {
    const code = wire.bytes[position]!
    if (code !== 0x20 && code !== 0x09) break
    position += 1
  }
  return position
}

/** The position after the last character before `end` that is neither space nor tab, not below `start`. */
export function trimSpace(wire: Wire, start: number, end: number): number {
  let position = end
  while (position > start) {
    const code = wire.bytes[position - 1]!
    if (code !== 0x20 && code !== 0x09) break
    position -= 1
  }
  return position
}

/** The text without spaces and tabs at its end. */
export function trimSpacesEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpaceCode(text.charCodeAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** The text without spaces and tabs at both ends. */
export function trimSpaces(text: string): string {
  let start = 0
  while (start < text.length && isSpaceCode(text.charCodeAt(start))) start += 1
  return trimSpacesEnd(text.slice(start))
}

/** True for space and tab. */
export function isSpaceCode(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** The value of a hexadecimal digit's character code, or -1. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** A word in lower case for {@link equalsIgnoreCase}. */
export function lowerWord(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** True when the range equals `lower` without regard to the case of letters; `lower` is in lower case. */
export function equalsIgnoreCase(wire: Wire, start: number, end: number, lower: Uint8Array): boolean {
  const { bytes } = wire
  if (end - start !== lower.length) return false
  for (let at = 0; at < lower.length; at += 1) {
    const code = bytes[start + at]!
    const folded = code >= 0x41 && code <= 0x5a ? code + 0x20 : code
    if (folded !== lower[at]) return false
  }
  return true
}

function buildTable(): Uint16Array {
  const table = new Uint16Array(256)
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
  add(table, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', UPPER)
  add(table, '.-', SEPARATOR)
  add(table, 'abcdefghijklmnopqrstuvwxyz0123456789', LABEL)
  return table
}

function add(table: Uint16Array, characters: string, flag: number): void {
  for (let at = 0; at < characters.length; at += 1) table[characters.charCodeAt(at)]! |= flag
}
