import { describe, expect, it } from 'vitest'
import { messageBytesMax } from '../limits'
import { mixSeed, SeededGenerator } from './generator'
import { inviteBytes, sampleSdp } from './messages'
import { mutateBytes } from './mutate'
import { mutateMessage } from './mutate-message'
import { mutateSdp } from './mutate-sdp'
import { mutateStream } from './mutate-stream'
import { mutateUri } from './mutate-uri'

type Mutate = (bytes: Uint8Array, generator: SeededGenerator, donors?: readonly Uint8Array[]) => Uint8Array

const rounds = 3_000
const stream = Buffer.concat([inviteBytes(), inviteBytes()])
const cases: readonly (readonly [string, Mutate, Uint8Array])[] = [
  ['bytes', mutateBytes, inviteBytes()],
  ['messages', mutateMessage, inviteBytes()],
  ['URIs', mutateUri, Buffer.from('sip:alice@example.com;lr?a=b')],
  ['session descriptions', mutateSdp, Buffer.from(sampleSdp)],
  ['streams', mutateStream, stream],
]

function changedTexts(mutate: Mutate, input: Uint8Array): string[] {
  return Array.from({ length: rounds }, (_, index) => {
    const generator = new SeededGenerator(mixSeed(1, index))
    return Buffer.from(mutate(input, generator, [inviteBytes()])).toString('latin1')
  })
}

describe('mutation by seed', () => {
  it.each(cases)(
    'of %s: the same from the same seed, the input left alone, most of it different',
    (_, mutate, input) => {
      const before = Buffer.from(input)
      const texts = changedTexts(mutate, input)
      expect(changedTexts(mutate, input)).toEqual(texts)
      expect(before.equals(input)).toBe(true)
      expect(new Set(texts).size).toBeGreaterThan(rounds * 0.8)
      for (const text of texts) expect(text.length).toBeLessThan(2 * messageBytesMax)
    },
  )

  it.each(cases)('of %s: takes what is empty', (_, mutate) => {
    for (let seed = 1; seed < rounds; seed += 1) mutate(new Uint8Array(0), new SeededGenerator(mixSeed(2, seed)))
  })

  it('of messages knows folds, compact names, lengths, lists and sizes', () => {
    const texts = changedTexts(mutateMessage, inviteBytes())
    const has = (pattern: RegExp): boolean => texts.some((text) => pattern.test(text))
    for (const pattern of [
      /\r\n[ \t]+\S/,
      /\r\nf: "Alice/,
      /\r\nv: SIP/,
      /\r\nl:/,
      /4294967296/,
      /%0d%0a/,
      /\xc0\x80/,
    ]) {
      expect(has(pattern), String(pattern)).toBe(true)
    }
    expect(texts.some((text) => (text.match(/^(?:Via|v):/gim)?.length ?? 0) > 2)).toBe(true)
    expect(texts.some((text) => text.length > 30_000)).toBe(true)
  })

  it('of streams puts keep-alives between messages and garbage after them', () => {
    const texts = changedTexts(mutateStream, stream)
    for (const pattern of [/\r\n\r\n\r\n\r\nINVITE/, /HTTP\/1\.1/, /jaK/]) {
      expect(
        texts.some((text) => pattern.test(text)),
        String(pattern),
      ).toBe(true)
    }
  })
})
