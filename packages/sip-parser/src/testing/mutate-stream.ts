/**
 * Mutations of byte streams by seed: messages after one another, keep-alives and garbage between them, lengths that lie
 * (RFC 3261 §18.3; RFC 5626 §3.5.1).
 */
import { Buffer } from 'node:buffer'
import type { SeededGenerator } from './generator'
import { mutateBytes } from './mutate'
import { mutateMessage } from './mutate-message'
import { mutateItems } from './mutate-text'

const between = [
  '\r\n',
  '\r\n\r\n',
  '\r\n\r\n\r\n',
  '\r\n'.repeat(40),
  '\r',
  '\n',
  '\n\n',
  '\r\r\n',
  ' ',
  '\0',
  '\0\0\0\0',
  'jaK',
  'x',
  '\r\n ',
  '\x16\x03\x01\x02',
  'GET / HTTP/1.1\r\n\r\n',
  '\xff',
]

/** Streams grow by being spliced; they need not grow for ever. */
const growthBytesMax = 80_000

/** A changed stream; the donors are streams or single messages. The input is left alone. */
export function mutateStream(
  bytes: Uint8Array,
  generator: SeededGenerator,
  donors: readonly Uint8Array[] = [],
): Uint8Array {
  if (generator.once(12)) return mutateBytes(bytes, generator)
  let pieces = segments(bytes)
  for (let round = generator.between(1, 4); round > 0; round -= 1) pieces = changed(pieces, generator, donors)
  return Buffer.concat(pieces).subarray(0, bytes.length + growthBytesMax)
}

function changed(pieces: Buffer[], generator: SeededGenerator, donors: readonly Uint8Array[]): Buffer[] {
  const at = generator.below(pieces.length)
  const piece = pieces[at] ?? Buffer.alloc(0)
  const put = (position: number, removed: number, ...added: Uint8Array[]): Buffer[] =>
    pieces.toSpliced(position, removed, ...added.map((part) => Buffer.from(part)))
  switch (generator.below(8)) {
    case 0:
      return mutateItems(pieces, generator)
    case 1:
    case 2:
      return put(at, 0, Buffer.from(generator.pick(between), 'latin1'))
    case 3:
      return donors.length === 0 ? pieces : put(at, 0, ...segments(generator.pick(donors)))
    case 4:
      return put(at, 1, piece.subarray(0, generator.below(piece.length + 1)))
    case 5:
      return put(at, 1, mutateBytes(piece, generator))
    default:
      return put(at, 1, mutateMessage(piece, generator, donors))
  }
}

/** The stream cut before each thing that looks like a start line. */
function segments(bytes: Uint8Array): Buffer[] {
  const stream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = stream.toString('latin1')
  const starts = [...text.matchAll(/[A-Z]{1,9} [a-z]{1,5}:[^ \r\n]{0,99} SIP\/2\.0\r\n|SIP\/2\.0 [0-9]{1,9} /g)].map(
    ({ index }) => index,
  )
  const cuts = [0, ...starts.filter((start) => start > 0), stream.length]
  return cuts.slice(1).map((cut, place) => stream.subarray(cuts[place], cut))
}
