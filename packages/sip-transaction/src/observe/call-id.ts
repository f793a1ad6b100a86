/** Finds the Call-ID of a message without parsing the rest (RFC 3261 §20.8, short form §7.3.3). Pure. */
import { Buffer } from 'node:buffer'

/** Bytes of a head that are searched; nobody's Call-ID stands later. */
const searchedBytes = 16_384

/** The value of the first Call-ID header, or undefined. Bytes over 127 come out as Latin-1. */
export function callIdOf(message: Uint8Array): string | undefined {
  const text = Buffer.from(message.buffer, message.byteOffset, Math.min(message.length, searchedBytes)).toString(
    'latin1',
  )
  for (let at = text.indexOf('\n') + 1; at > 0; at = text.indexOf('\n', at) + 1) {
    const letter = text.charCodeAt(at) | 32
    // An empty line ends the head.
    if (text[at] === '\r' || text[at] === '\n') return undefined
    if (letter !== 105 && letter !== 99) continue
    const end = text.indexOf('\n', at)
    const match = /^(?:call-id|i)[ \t]*:([^\r\n]*)/i.exec(text.slice(at, end < 0 ? undefined : end))
    const value = match?.[1]?.trim()
    if (value !== undefined) return value === '' ? undefined : value
  }
  return undefined
}
