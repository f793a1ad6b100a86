import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { sdesItems } from './packet-types'
import type { RtcpPacket } from './packets'
import { readRtcp } from './reader'
import { textOf } from './source-description'
import { writeRtcp } from './writer'

const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const none = new Uint8Array(0)

function first(hex: string): unknown {
  const result = readRtcp(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')), { reducedSize: true })
  return result.ok ? result.packets[0] : result.code
}

const hexOf = (packet: RtcpPacket): string => Buffer.from(writeRtcp([packet])).toString('hex')

const same: readonly (readonly [string, string, RtcpPacket])[] = [
  ['RFC 3550 §6.5: no chunk at all', '80ca0000', { type: 'SDES', chunks: [] }],
  [
    'RFC 3550 §6.5: a chunk without items',
    '81ca0002 0000cafe 00000000',
    { type: 'SDES', chunks: [{ ssrc: 0xcafe, items: [] }] },
  ],
  [
    'RFC 3550 §6.5: items one after the other, without filling between them',
    '81ca0004 0000cafe 0101 61 0200 0602 6263 000000',
    {
      type: 'SDES',
      chunks: [
        {
          ssrc: 0xcafe,
          items: [
            { item: sdesItems.CNAME, text: utf8('a') },
            { item: sdesItems.NAME, text: none },
            { item: sdesItems.TOOL, text: utf8('bc') },
          ],
        },
      ],
    },
  ],
  [
    'RFC 3550 §6.5: an item that ends with its word is followed by a word of zeros',
    '81ca0003 0000cafe 01026162 00000000',
    { type: 'SDES', chunks: [{ ssrc: 0xcafe, items: [{ item: sdesItems.CNAME, text: utf8('ab') }] }] },
  ],
  [
    'RFC 3550 §6.5: an item that nobody knows',
    '81ca0002 0000cafe ff017a00',
    { type: 'SDES', chunks: [{ ssrc: 0xcafe, items: [{ item: 255, text: utf8('z') }] }] },
  ],
  [
    'RFC 3550 §6.5.8: a prefix that fills its item',
    '81ca0003 0000cafe 08030278 79000000',
    { type: 'SDES', chunks: [{ ssrc: 0xcafe, items: [{ item: 8, prefix: utf8('xy'), text: none }] }] },
  ],
  [
    'RFC 3550 §6.5.8: an empty prefix',
    '81ca0003 0000cafe 08030078 79000000',
    { type: 'SDES', chunks: [{ ssrc: 0xcafe, items: [{ item: 8, prefix: none, text: utf8('xy') }] }] },
  ],
  ['RFC 3550 §6.6: a goodbye of nobody', '80cb0000', { type: 'BYE', ssrcs: [] }],
  ['RFC 3550 §6.6: a goodbye without a reason', '81cb0001 0000cafe', { type: 'BYE', ssrcs: [0xcafe] }],
  ['RFC 3550 §6.6: an empty reason', '81cb0002 0000cafe 00000000', { type: 'BYE', ssrcs: [0xcafe], reason: none }],
  ['RFC 3550 §6.6: a reason that fills its word', '80cb0001 03616263', { type: 'BYE', ssrcs: [], reason: utf8('abc') }],
  [
    'RFC 3550 §6.7: an application without data',
    '9fcc0002 0000cafe 00ff2041',
    { type: 'APP', subtype: 31, ssrc: 0xcafe, name: '\0\xff A', data: none },
  ],
]

describe('source descriptions, goodbyes and packets of applications', () => {
  it.each(same)('%s', (_name, hex, packet) => {
    expect(first(hex)).toEqual(packet)
    expect(hexOf(packet)).toBe(hex.replaceAll(' ', ''))
  })

  it('RFC 3550 §6.5: texts have up to 255 bytes, with a prefix 254', () => {
    const long: RtcpPacket = {
      type: 'SDES',
      chunks: [
        {
          ssrc: 1,
          items: [
            { item: sdesItems.NOTE, text: new Uint8Array(255).fill(0x61) },
            { item: sdesItems.PRIV, prefix: new Uint8Array(200).fill(0x62), text: new Uint8Array(54).fill(0x63) },
          ],
        },
      ],
    }
    expect(first(hexOf(long))).toEqual(long)
  })

  it('RFC 3550 §6.5: what is left after the chunks fills up, or the count lies', () => {
    expect(first('81ca0003 0000cafe 00000000 00000000')).toMatchObject({ chunks: [{ ssrc: 0xcafe, items: [] }] })
    expect(first('81ca0004 0000cafe 00000000 0000beef 00000000')).toBe('RTCP_CONTENT')
  })

  it('RFC 3550 §6.6: what is left after the reason fills up, or the count lies', () => {
    expect(first('81cb0003 0000cafe 01610102 00000000')).toEqual({ type: 'BYE', ssrcs: [0xcafe], reason: utf8('a') })
    expect(first('81cb0003 0000cafe 00000000 0000beef')).toBe('RTCP_CONTENT')
  })

  it.each([
    ['RFC 3550 §6.5: a chunk without a source', '81ca0000'],
    ['RFC 3550 §6.5: an item of which only the type is there', '81ca0002 0000cafe 01016101'],
    ['RFC 3550 §6.5: an item of 255 bytes in a packet of eight', '81ca0001 01ff6100'],
    ['RFC 3550 §6.5: 31 chunks, of which one is there', '9fca0002 0000cafe 00000000'],
    ['RFC 3550 §6.5.8: a private item without its prefix', '81ca0002 0000cafe 08000000'],
    ['RFC 3550 §6.5.8: a prefix as long as its item', '81ca0003 0000cafe 08030378 79000000'],
    ['RFC 3550 §6.5: a chunk that ends in the padding', 'a1ca0003 0000cafe 01026162 00000004'],
    ['RFC 3550 §6.6: 31 sources, of which one is there', '9fcb0001 0000cafe'],
    ['RFC 3550 §6.6: a reason that ends in the padding', 'a1cb0003 0000cafe 04616263 00000004'],
    ['RFC 3550 §6.7: an application without its source', '80cc0000'],
  ])('%s is refused', (_name, hex) => {
    expect(first(hex)).toBe('RTCP_CONTENT')
  })

  it('RFC 3550 §6.5: tell their texts, however they are written', () => {
    expect(textOf(utf8('Grüße'))).toBe('Grüße')
    expect(textOf(Uint8Array.from([0x61, 0xc3]))).toBe('a\ufffd')
  })
})

describe('source descriptions that cannot be written', () => {
  const sdes = (item: number, text: Uint8Array, prefix?: Uint8Array): RtcpPacket => ({
    type: 'SDES',
    chunks: [{ ssrc: 1, items: [prefix === undefined ? { item, text } : { item, text, prefix }] }],
  })
  it.each<[string, RtcpPacket, RegExp]>([
    ['an item of 9 bits', sdes(256, none), /^item/],
    ['PRIV without a prefix', sdes(8, none), /^PRIV/],
    ['PRIV of 256 bytes', sdes(8, new Uint8Array(100), new Uint8Array(155)), /^the length of the text/],
    ['32 chunks', { type: 'SDES', chunks: Array(32).fill({ ssrc: 1, items: [] }) }, /count/],
    ['32 sources', { type: 'BYE', ssrcs: Array(32).fill(1) }, /count/],
    ['a reason of 256 bytes', { type: 'BYE', ssrcs: [], reason: new Uint8Array(256) }, /^the length of the reason/],
    ['a subtype of 6 bits', { type: 'APP', subtype: 32, ssrc: 1, name: 'abcd', data: none }, /^subtype/],
    ['a name beyond bytes', { type: 'APP', subtype: 1, ssrc: 1, name: 'abc€', data: none }, /character of the name/],
    [
      'a part of a word',
      { type: 'APP', subtype: 1, ssrc: 1, name: 'abcd', data: new Uint8Array(2) },
      /multiple of four/,
    ],
  ])('%s', (_name, packet, wanted) => {
    expect(() => writeRtcp([packet])).toThrow(wanted)
    expect(() => writeRtcp([packet])).toThrow(RangeError)
  })
})
