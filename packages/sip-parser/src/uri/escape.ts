/** Percent escapes in URIs (RFC 3261 §19.1.2): decoded once, never twice. */
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
    const high = hexValue(wire.charCodeAt(at + 1))
    const low = hexValue(wire.charCodeAt(at + 2))
    if (high < 0 || low < 0) continue
    result += wire.slice(from, at) + String.fromCharCode(high * 16 + low)
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
    else result += `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
  }
  return result
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
