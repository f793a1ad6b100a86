/** Percent escapes in URIs (RFC 3261 §19.1.2, §19.1.4): decoded once, never twice. */
import { Buffer } from 'node:buffer'
import { charFlags, hexValue } from '../grammar/chars'
import { fail } from '../grammar/failure'
import { decodeText } from '../grammar/text'
import type { Wire } from '../grammar/wire'

/** The text of a URI component: escapes resolved once, UTF-8 decoded where it is valid UTF-8. */
export function decodeEscapes(wire: string): string {
  const first = wire.indexOf('%')
  if (first < 0) return decodeText(wire)
  let result = ''
  let from = 0
  for (let at = first; at < wire.length; at += 1) {
    if (wire.charCodeAt(at) !== 0x25) continue
    const byte = escapedByte(wire, at)
    if (byte < 0) continue
    result += wire.slice(from, at) + String.fromCharCode(byte)
    from = at + 3
    at += 2
  }
  return decodeText(result + wire.slice(from))
}

/** The URI component that stands for `text`: bytes outside the class are escaped. */
export function encodeEscapes(text: string, flags: number): string {
  let at = 0
  while (at < text.length && (charFlags[text.charCodeAt(at)]! & flags) !== 0) at += 1
  if (at === text.length) return text
  let result = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    if ((charFlags[byte]! & flags) !== 0) result += String.fromCharCode(byte)
    else result += escapeOf(byte)
  }
  return result
}

/** Wire text made fit for a component of this class: its escapes stay as they are, what may not stand in it is escaped. */
export function escapeWire(wire: string, flags: number): string {
  if (isPlain(wire, flags)) return wire
  let result = ''
  for (let at = 0; at < wire.length; at += 1) {
    const code = wire.charCodeAt(at)
    const isKept = (charFlags[code]! & flags) !== 0 || (code === 0x25 && escapedByte(wire, at) >= 0)
    result += isKept ? wire[at] : escapeOf(code)
  }
  return result
}

/**
 * Wire text in one spelling: RFC 3261 §19.1.4 has an escape equal to its character unless that is a reserved one
 * (RFC 2396 §2.2). The escapes that remain are those of reserved characters, of "%", and of what `flags` does not
 * allow; their digits are capitals. With the same flags two texts are equal by that rule when their spellings are.
 */
export function normaliseEscapes(wire: string, flags: number): string {
  if (isPlain(wire, flags)) return wire
  let result = ''
  for (let at = 0; at < wire.length; at += 1) {
    const code = wire.charCodeAt(at)
    const escaped = code === 0x25 ? escapedByte(wire, at) : -1
    const byte = escaped < 0 ? code : escaped
    if (escaped >= 0) at += 2
    const mustStay = escaped >= 0 && isReserved(byte)
    result += !mustStay && (charFlags[byte]! & flags) !== 0 ? String.fromCharCode(byte) : escapeOf(byte)
  }
  return result
}

/** Letters of ASCII in lower case and nothing else changed: no letter of another script becomes one of ASCII. */
export function foldCase(text: string): string {
  let at = 0
  while (at < text.length && !isCapital(text.charCodeAt(at))) at += 1
  if (at === text.length) return text
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** The position of the first character from `at` that is neither in the class nor a whole escape. */
export function scanComponent(wire: Wire, at: number, end: number, flags: number): number {
  const { bytes } = wire
  const table = charFlags
  let position = at
  for (;;) {
    while (position < end && (table[bytes[position]!]! & flags) !== 0) position += 1
    if (position >= end || bytes[position] !== 0x25) return position
    const isEscape = position + 2 < end && hexValue(bytes[position + 1]!) >= 0 && hexValue(bytes[position + 2]!) >= 0
    if (!isEscape) fail('URI_ESCAPE_INVALID', position)
    position += 3
  }
}

/** True when every character is of the class and none begins an escape. */
function isPlain(wire: string, flags: number): boolean {
  for (let at = 0; at < wire.length; at += 1) {
    const code = wire.charCodeAt(at)
    if ((charFlags[code]! & flags) === 0 || code === 0x25) return false
  }
  return true
}

/** The byte that the escape at `at` stands for; -1 when the digits are missing. */
function escapedByte(wire: string, at: number): number {
  const high = hexValue(wire.charCodeAt(at + 1))
  const low = hexValue(wire.charCodeAt(at + 2))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function escapeOf(byte: number): string {
  return `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
}

/** reserved of RFC 2396, and "%", whose escape never equals a "%" that begins another escape. */
function isReserved(byte: number): boolean {
  return ';/?:@&=+$,%'.includes(String.fromCharCode(byte))
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}
