import { describe, expect, it } from 'vitest'
import { SeededGenerator } from '../../testing/index'
import { ValueReader } from './codec'

const random = new SeededGenerator(20_261_122)
const pieces = ['0', '17', '999999999999999', '12345678901234567890', ' ', '   ', 'a', '-', '+', '.', '\u0660']

/** What a method reads and where it stops, or where it fails. */
function outcome(text: string, at: number, read: (reader: ValueReader) => unknown): unknown {
  const reader = new ValueReader(text)
  reader.at = at
  try {
    return [read(reader), reader.at]
  } catch (thrown) {
    return (thrown as { readonly at: number }).at
  }
}

describe('the reader of attribute values', () => {
  it('reads numbers, words and spaces as the patterns that say what they are', () => {
    for (let round = 0; round < 5000; round += 1) {
      let text = ''
      for (let count = random.below(6); count > 0; count -= 1) text += pieces[random.below(pieces.length)]!
      const at = random.below(text.length + 1)
      const plain = (pattern: RegExp) => outcome(text, at, (reader) => reader.match(pattern))
      const number = plain(/\d{1,15}/y)
      const [digits, end] = Array.isArray(number) ? number : []
      const isFit = digits !== undefined && Number(digits) >= 5 && Number(digits) <= 99_999_999_999
      const read = outcome(text, at, (reader) => reader.number(5, 99_999_999_999))
      expect(read, text).toEqual(isFit ? [Number(digits), end] : at)
      expect(
        outcome(text, at, (reader) => reader.word()),
        text,
      ).toEqual(plain(/[^ ]+/y))
      expect(
        outcome(text, at, (reader) => reader.space()),
        text,
      ).toEqual(plain(/ +/y) === at ? at : [undefined, (plain(/ +/y) as [string, number])[1]])
      expect(
        outcome(text, at, (reader) => reader.end()),
        text,
      ).toEqual(/^ *$/.test(text.slice(at)) ? [undefined, text.length] : at + /^ */.exec(text.slice(at))![0].length)
      expect(outcome(text, at, (reader) => reader.optional(/\d+/y) ?? reader.at)).toEqual(
        plain(/\d+/y) === at ? [at, at] : plain(/\d+/y),
      )
    }
  })
})
