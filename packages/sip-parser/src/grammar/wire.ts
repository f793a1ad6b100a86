/**
 * What codecs read: wire text (one character a byte) together with the same bytes. Looking at a byte of an array is
 * several times faster than asking a string for its character; cutting out a piece is the string's part.
 */
import { Buffer } from 'node:buffer'

/** Wire text and its bytes. Bytes beyond the text's end mean nothing: codecs look no further than the range they are given. */
export interface Wire {
  readonly text: string
  readonly bytes: Uint8Array
}

/** Wire text with bytes of its own, for short texts that are no message. */
export function wireOf(text: string): Wire {
  return { text, bytes: Buffer.from(text, 'latin1') }
}

/** Room for one head of the default size; larger ones get memory of their own each time. */
const roomBytes = 65_536
const room = Buffer.allocUnsafeSlow(roomBytes) as Buffer & Latin1Writable
const loaded: { text: string; bytes: Uint8Array } = { text: '', bytes: room }

interface Latin1Writable {
  latin1Write(text: string, offset: number, length: number): number
}

/**
 * The first `length` characters of wire text, ready for codecs. The result is shared and good until the next call, so
 * this is for the places where decoding begins: a codec never calls it. Loading the same text again costs nothing.
 */
export function loadWire(text: string, length: number = text.length): Wire {
  if (length > roomBytes) return { text, bytes: Buffer.from(text.slice(0, length), 'latin1') }
  if (loaded.text !== text) {
    room.latin1Write(text, 0, length)
    loaded.text = text
  }
  return loaded
}
