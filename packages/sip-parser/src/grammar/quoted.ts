/** Quoted strings with quoted pairs (RFC 3261 §25.1: quoted-string, qdtext, quoted-pair). */
import { SipUsageError } from '../errors'
import { fail } from './failure'
import { decodeText } from './text'
import type { Wire } from './wire'

/**
 * Checks the quoted string that begins at `start` and returns the position after its closing quote. A quoted pair may
 * escape any ASCII byte but CR and LF (RFC 4475 §3.1.1.2 has NUL).
 */
export function scanQuoted(wire: Wire, start: number, end: number): number {
  const { bytes } = wire
  let position = start + 1
  while (position < end) {
    const code = bytes[position]!
    if (code === 0x22) return position + 1
    if (code === 0x5c) {
      position += 1
      const escaped = position < end ? bytes[position]! : 0
      if (escaped > 0x7f || escaped === 0x0d || escaped === 0x0a) fail('QUOTED_STRING_INVALID', position)
    } else if ((code < 0x20 && code !== 0x09) || code === 0x7f) {
      fail('QUOTED_STRING_INVALID', position)
    }
    position += 1
  }
  return fail('QUOTE_UNTERMINATED', start)
}

/** The text of a quoted string (wire text) with its quotes at `start` and `end - 1`: pairs resolved once, UTF-8 decoded. */
export function unquote(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  const backslash = inner.indexOf('\\')
  if (backslash < 0) return decodeText(inner)
  let result = ''
  let from = 0
  for (let at = backslash; at < inner.length; at += 1) {
    if (inner.charCodeAt(at) !== 0x5c) continue
    result += inner.slice(from, at)
    from = at + 1
    at += 1
  }
  return decodeText(result + inner.slice(from))
}

/**
 * A quoted string that stands for `text`: quotes and backslashes escaped, and control characters too. Throws SipUsageError
 * HEADER_INJECTION for CR and LF, which no escape makes fit to stand in a header.
 */
export function quote(text: string): string {
  let result = '"'
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x0d || code === 0x0a) throw new SipUsageError('HEADER_INJECTION')
    if (code === 0x22 || code === 0x5c || (code < 0x20 && code !== 0x09) || code === 0x7f) result += '\\'
    result += text[at]
  }
  return `${result}"`
}
