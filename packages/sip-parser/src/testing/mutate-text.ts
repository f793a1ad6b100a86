/**
 * Mutations of protocol text by seed: they know quotes, brackets, escapes, separators, numbers, folds and UTF-8. Text is
 * wire text, one character a byte, so that broken UTF-8 can be made as well.
 */
import type { SeededGenerator } from './generator'

/** Where readers of numbers go wrong: signs, leading zeros, the ends of each width. */
export const oddNumbers: readonly string[] = [
  ...['0', '-1', '1', '00', '007', '69', '99', '100', '255', '256', '699', '700', '65535', '65536'],
  ...['2147483647', '2147483648', '4294967295', '4294967296', '9007199254740992', '9223372036854775807'],
  ...['9223372036854775808', '18446744073709551616', '1e3', '0x10', '+1', '1.5', '0.0001', '1.001', ''],
  '9'.repeat(40),
  '0'.repeat(400),
]

/** White space, the control characters that some take for it, folds whole and broken, and nothing. */
const spaces: readonly string[] = [
  ...[' ', '\t', '  ', '', '\r\n ', '\r\n\t', '\r\n \r\n ', '\n ', '\r ', '\r\n', '\n', '\r', '\r\r\n'],
  ...['\0', '\x0b', '\x0c', '\x1b', '\x7f', '\x85', '\xa0'],
]

const escapes: readonly string[] = [
  ...['%41', '%61', '%2f', '%40', '%3B', '%0d%0a', '%00', '%', '%4', '%zz', '%25', '%2541', '%C3%A9', '%c3', '%22'],
  ...['\\"', '\\\\', '\\', '\\\r', '\\\0', '\\\xc3\xa9', '"\\', '&amp;'],
]

/** Valid sequences of two to four bytes; overlong, lone, cut, surrogate and too large ones; marks that look like line ends. */
const utf8: readonly string[] = [
  ...['\xc3\xa9', '\xe2\x82\xac', '\xf0\x9f\x98\x80', '\xc0\x80', '\x80', '\xc3', '\xe2\x82', '\xed\xa0\x80'],
  ...['\xf4\x90\x80\x80', '\xff\xfe', '\xef\xbb\xbf', '\xe2\x80\xa8', '\xc2\x85'],
]

const separators: readonly string[] = [...',;=:?&@/<>"()[]{}\\%*#+-._!~\'|^`$']

/** Words that mean something somewhere. */
const words: readonly string[] = [
  ...['sip:', 'sips:a', 'tel:+1-2', 'urn:x:y', 'SIP/2.0', 'sip:a@b', '<sip:a@b>', '<sip:a;lr>', '"a" <sip:b>', '*'],
  ...[';lr', ';tag=x', ';expires=7', ';q=0.5', ';received=::1', ';rport', ';branch=z9hG4bK', ';a=b', ';a', ';;', ';a='],
  ...[', ', ',,', '?a=b', '&c=d', '()', '(a (b) c)', '""', '"a,b;c"', '[::1]', '[::ffff:192.0.2.1]', '[::', '1.2.3'],
  ...['a_b', '-a', 'a.', '..', 'Digest ', 'realm="r"', 'application/sdp', ';boundary=b', '--b', 'INVITE', ' ', ': '],
]

/** One change of a text. */
export type TextMutation = (text: string, generator: SeededGenerator) => string

const mutations: readonly TextMutation[] = [
  inserted(spaces),
  inserted(escapes),
  inserted(utf8),
  inserted(separators),
  inserted(words),
  inserted(words),
  changedNumber,
  changedNumber,
  (text, generator) => replaceRange(text, generator, 1, () => ''),
  (text, generator) => replaceRange(text, generator, 12, () => ''),
  (text, generator) => replaceRange(text, generator, 12, (piece) => piece + piece),
  (text, generator) => replaceRange(text, generator, 1, (piece) => piece.repeat(generator.between(2, 9))),
  (text, generator) => replaceRange(text, generator, 8, escapeAll),
  (text, generator) => replaceRange(text, generator, 8, flipCase),
  (text, generator) => replaceRange(text, generator, 20, (piece) => `"${piece}"`),
  (text, generator) => replaceRange(text, generator, 20, (piece) => `<${piece}>`),
  (text, generator) => replaceRange(text, generator, 1, () => generator.pick(separators)),
  (text, generator) => replaceRange(text, generator, 1, () => generator.pick(spaces)),
  (text, generator) => replaceRange(text, generator, 1, () => String.fromCharCode(generator.below(256))),
  (text, generator) => replaceRange(text, generator, 1, (piece) => flipBit(piece, generator)),
  changedSeparator,
  changedItems,
  changedItems,
  changedItems,
]

/** A text with one thing changed. */
export function mutateText(text: string, generator: SeededGenerator): string {
  return generator.pick(mutations)(text, generator)
}

/** A text in which some piece is repeated until it has about `size` characters: what is quadratic shows. */
export function inflateText(text: string, generator: SeededGenerator, size: number): string {
  const from = generator.below(text.length + 1)
  const cut = text.slice(from, from + generator.between(1, 12))
  const piece =
    generator.once(3) || cut === '' ? generator.pick(generator.pick([spaces, words, separators, escapes])) : cut
  const filling = piece === '' ? ' ' : piece
  const at = generator.below(text.length + 1)
  return text.slice(0, at) + filling.repeat(Math.max(1, Math.floor(size / filling.length))) + text.slice(at)
}

/** A number that some reader gets wrong, or an ordinary one. */
export function oddNumber(generator: SeededGenerator): string {
  return generator.once(4) ? String(generator.below(100_000)) : generator.pick(oddNumbers)
}

/** Another order or number of items: one copied, removed, moved, swapped with another or repeated. */
export function mutateItems<T>(items: readonly T[], generator: SeededGenerator): T[] {
  const changed = [...items]
  const at = generator.below(changed.length)
  const other = generator.below(changed.length)
  if (changed.length === 0) return changed
  const item = changed[at]!
  switch (generator.below(5)) {
    case 0:
      changed.splice(other, 0, item)
      break
    case 1:
      changed.splice(at, 1)
      break
    case 2:
      changed.splice(at, 1)
      changed.splice(other, 0, item)
      break
    case 3:
      changed[at] = changed[other]!
      changed[other] = item
      break
    default:
      changed.splice(at, 0, ...Array.from({ length: generator.between(1, 6) }, () => item))
  }
  return changed
}

function inserted(pool: readonly string[]): TextMutation {
  return (text, generator) => {
    const at = generator.below(text.length + 1)
    return text.slice(0, at) + generator.pick(pool) + text.slice(at)
  }
}

function replaceRange(
  text: string,
  generator: SeededGenerator,
  lengthMax: number,
  change: (piece: string) => string,
): string {
  const at = generator.below(text.length)
  const end = at + generator.between(1, lengthMax)
  return text.slice(0, at) + change(text.slice(at, end)) + text.slice(end)
}

function changedNumber(text: string, generator: SeededGenerator): string {
  const runs = [...text.matchAll(/\d+/g)]
  if (runs.length === 0) return text + oddNumber(generator)
  const run = generator.pick(runs)
  return text.slice(0, run.index) + oddNumber(generator) + text.slice(run.index + run[0].length)
}

/** Takes a separator that is there and removes it, doubles it or puts another in its place. */
function changedSeparator(text: string, generator: SeededGenerator): string {
  const places = [...text.matchAll(/[,;=:?&@/<>"()[\]\\%]/g)]
  if (places.length === 0) return text + generator.pick(separators)
  const { index, 0: found } = generator.pick(places)
  const instead = generator.pick(['', found + found, generator.pick(separators), ` ${found}`, `${found} `])
  return text.slice(0, index) + instead + text.slice(index + 1)
}

/** Changes the order or number of what stands between commas, semicolons, ampersands or spaces. */
function changedItems(text: string, generator: SeededGenerator): string {
  const separator = generator.pick([',', ';', ';', '&', ' ', '='])
  return mutateItems(text.split(separator), generator).join(separator)
}

function escapeAll(piece: string): string {
  return [...piece].map((letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
}

function flipCase(piece: string): string {
  return piece === piece.toLowerCase() ? piece.toUpperCase().replace(/[^\0-\xff]/g, 'X') : piece.toLowerCase()
}

function flipBit(piece: string, generator: SeededGenerator): string {
  return piece === '' ? '' : String.fromCharCode(piece.charCodeAt(0) ^ (1 << generator.below(8)))
}
