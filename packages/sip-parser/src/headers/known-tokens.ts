/**
 * Tokens that nearly every message holds: methods (RFC 3261 and its extensions) and option tags. Messages share one string
 * for each instead of keeping their own.
 */
import type { Wire } from '../grammar/wire'

const tokens = [
  ...['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'PRACK', 'UPDATE', 'INFO', 'MESSAGE', 'REFER'],
  ...['SUBSCRIBE', 'NOTIFY', 'PUBLISH', '100rel', 'timer', 'replaces', 'path', 'outbound', 'gruu', 'norefersub'],
  ...[
    'from-change',
    'histinfo',
    'join',
    'precondition',
    'privacy',
    'eventlist',
    'tdialog',
    'sec-agree',
    'multiple-refer',
  ],
]
/** By length, first and last letter: the first candidate, and for each token the next one; -1 for none. */
const heads = new Int8Array(512).fill(-1)
const nexts = new Int8Array(tokens.length).fill(-1)

/** The tokens as bytes, one after the other, and where each begins: faster to compare with than strings. */
const tokenBytes = Uint8Array.from(tokens.join(''), (character) => character.charCodeAt(0))
const tokenStarts = new Uint16Array(tokens.length + 1)

tokens.forEach((token, position) => {
  const slot = hash(token.length, token.charCodeAt(0), token.charCodeAt(token.length - 1))
  tokenStarts[position + 1] = tokenStarts[position]! + token.length
  nexts[position] = heads[slot]!
  heads[slot] = position
})

/** The text of a range: a shared string for a common token, else cut out. */
export function knownToken(wire: Wire, start: number, end: number): string {
  const { bytes } = wire
  const length = end - start
  if (length > 2 && length < 16) {
    let position = heads[hash(length, bytes[start]!, bytes[end - 1]!)]!
    while (position >= 0) {
      if (isSame(bytes, start, length, position)) return tokens[position]!
      position = nexts[position]!
    }
  }
  return wire.text.slice(start, end)
}

function isSame(bytes: Uint8Array, start: number, length: number, token: number): boolean {
  const from = tokenStarts[token]!
  if (tokenStarts[token + 1]! - from !== length) return false
  const known = tokenBytes
  for (let at = 0; at < length; at += 1) {
    if (bytes[start + at] !== known[from + at]) return false
  }
  return true
}

function hash(length: number, first: number, last: number): number {
  return ((length & 15) << 5) ^ ((first & 31) << 2) ^ (last & 31)
}
