/**
 * Between text and wire text. Wire text has one character a byte (latin1), so that offsets are byte offsets; what a
 * user reads or writes is ordinary text, UTF-8 on the wire (RFC 3261 §7.3.1, §25.1).
 */
import { Buffer, isUtf8 } from 'node:buffer'

/** Wire text as the user should see it: UTF-8 decoded, or byte for character where it is not valid UTF-8. */
export function decodeText(wire: string): string {
  if (isAscii(wire)) return wire
  const bytes = Buffer.from(wire, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : wire
}

/** The user's text as wire text: UTF-8 encoded, one character a byte. */
export function encodeText(text: string): string {
  return isAscii(text) ? text : latin1Text(Buffer.from(text, 'utf8'))
}

/** True when no character is above 0x7f. */
export function isAscii(text: string): boolean {
  // Counting the bytes of a long text is faster than looking at each character.
  if (text.length > longText) return Buffer.byteLength(text, 'utf8') === text.length
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) > 0x7f) return false
  }
  return true
}

const longText = 64

/**
 * A copy of `text` that shares no memory with the message it was cut from. JavaScript engines keep the whole original
 * alive behind a long substring; use this before keeping a decoded value longer than its message.
 */
export function detachText(text: string): string {
  return isAscii(text) ? latin1Text(Buffer.from(text, 'latin1')) : Buffer.from(text, 'utf8').toString('utf8')
}

/** Bytes as wire text. `latin1Slice` is what `toString('latin1')` ends in; calling it saves a look-up on the hot path. */
export function latin1Text(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (buffer as Buffer & Latin1Sliceable).latin1Slice(start, end)
}

/** Wire text as bytes; a new buffer each time. The same saving as above. */
export function latin1Bytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length) as Buffer & Latin1Writable
  bytes.latin1Write(text, 0, text.length)
  return bytes
}

interface Latin1Writable {
  latin1Write(text: string, offset: number, length: number): number
}

interface Latin1Sliceable {
  latin1Slice(start: number, end: number): string
}
