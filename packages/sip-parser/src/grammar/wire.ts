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

/** Bytes of a head that is being read, and the same memory by words of four bytes. */
export interface HeadBytes {
  readonly bytes: Uint8Array
  readonly words: Int32Array
}

/** Room for one head of the default size; larger ones get memory of their own each time. */
const roomBytes = 65_536
/** Zero bytes after the head, so that loops over it end without looking at its length. */
const sentinelBytes = 8
const room = Buffer.allocUnsafeSlow(roomBytes + sentinelBytes) as Buffer & Latin1Writable
const roomHead: HeadBytes = { bytes: room, words: wordsOf(room) }
const loaded: { text: string; bytes: Uint8Array } = { text: '', bytes: room }

interface Latin1Writable {
  latin1Write(text: string, offset: number, length: number): number
}

interface Utf8Writable {
  utf8Write(text: string, offset: number, length: number): number
}

/**
 * The first `length` characters of wire text, ready for codecs. The result is shared and good until the next call, so
 * this is for the places where decoding begins: a codec never calls it. Loading the same text again costs nothing.
 */
export function loadWire(text: string, length: number = text.length): Wire {
  if (loaded.text === text) return loaded
  if (length > roomBytes) return { text, bytes: Buffer.from(text.slice(0, length), 'latin1') }
  room.latin1Write(text, 0, length)
  loaded.text = text
  return loaded
}

const shortBytes = 1024
const shortRoom = Buffer.allocUnsafeSlow(shortBytes) as Buffer & Latin1Writable & Utf8Writable
const short: { text: string; bytes: Uint8Array } = { text: '', bytes: shortRoom }

/**
 * Wire for a text that is read at once, when a caller begins to decode: shared and good until the next call. No codec
 * calls it.
 */
export function passingWire(text: string): Wire {
  if (text.length > shortBytes) return wireOf(text)
  shortRoom.latin1Write(text, 0, text.length)
  short.text = text
  return short
}

/** The same for a short text of ASCII alone; undefined for any other. */
export function passingAscii(text: string): Wire | undefined {
  // A character has three bytes at most: all fit, and if there are as many bytes as characters, each is one of ASCII.
  if (3 * text.length > shortBytes || shortRoom.utf8Write(text, 0, shortBytes) !== text.length) return undefined
  short.text = text
  return short
}

/** Copies the first `length` bytes to where heads are read, zero bytes after them. Shared like {@link loadWire}'s result. */
export function loadHead(bytes: Uint8Array, length: number): HeadBytes {
  const head = length > roomBytes ? ownHead(length) : roomHead
  if (head === roomHead) loaded.text = ''
  head.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length))
  for (let at = length; at < length + sentinelBytes; at += 1) head.bytes[at] = 0
  return head
}

/** Wire for the head that {@link loadHead} has loaded, now that its text is known: {@link loadWire} will find it. */
export function nameHead(head: HeadBytes, text: string): Wire {
  if (head !== roomHead) return { text, bytes: head.bytes }
  loaded.text = text
  return loaded
}

function ownHead(length: number): HeadBytes {
  const bytes = Buffer.allocUnsafeSlow((length + sentinelBytes + 3) & ~3)
  return { bytes, words: wordsOf(bytes) }
}

function wordsOf(bytes: Buffer): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
}
