import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { RtpExtensionCursor, type RtpExtensionElement, writeRtpExtensions } from './extensions'

function elementsOf(profile: number, text: string): { elements: string[]; state: string } {
  const cursor = new RtpExtensionCursor()
  cursor.open({ profile, data: Buffer.from(text.replaceAll(' ', ''), 'hex') })
  const elements: string[] = []
  while (cursor.next()) elements.push(`${cursor.id}:${Buffer.from(cursor.data()).toString('hex')}`)
  return { elements, state: cursor.state }
}

const element = (id: number, size: number): RtpExtensionElement => ({ id, data: Buffer.alloc(size, id) })

describe('RtpExtensionCursor', () => {
  it('RFC 8285 §4.2: reads the one-byte form, its length one more than it says, with padding between', () => {
    // The example of §4.2: one byte, two bytes, padding, four bytes.
    expect(elementsOf(0xbede, '10 aa 21 bbbb 00 00 33 cccccccc')).toEqual({
      elements: ['1:aa', '2:bbbb', '3:cccccccc'],
      state: 'end',
    })
  })

  it('RFC 8285 §4.3: reads the two-byte form, elements of no bytes too', () => {
    // The example of §4.3: no data, one byte, padding, four bytes.
    expect(elementsOf(0x1000, '01 00 02 01 bb 00 03 04 cccccccc')).toEqual({
      elements: ['1:', '2:bb', '3:cccccccc'],
      state: 'end',
    })
  })

  it("RFC 8285 §4.3: takes the two-byte form whatever the application's bits, and an id of 15 in it", () => {
    expect(elementsOf(0x100f, '0f 01 aa ff 00 00 00 00').elements).toEqual(['15:aa', '255:'])
  })

  it('RFC 8285 §4.2: ends at the reserved id of 15, and keeps what came before', () => {
    expect(elementsOf(0xbede, '10 aa f0 bb 20 cc 00 00')).toEqual({ elements: ['1:aa'], state: 'reserved' })
  })

  it('RFC 8285 §4.1.2: ends at an id of 0 with a length, and keeps what came before', () => {
    expect(elementsOf(0xbede, '10 aa 01 bbbb 20 cc 00')).toEqual({ elements: ['1:aa'], state: 'reserved' })
  })

  it.each([
    [0xbede, '10 aa 22 bb', ['1:aa']],
    [0xbede, '00 00 00 10', []],
    [0x1000, '01 01 aa 02', ['1:aa']],
    [0x1000, '01 01 aa 02 ff bb 00 00', ['1:aa']],
  ])('RFC 8285 §4.2, §4.3: a length that lies ends the reading of %i %s', (profile, text, elements) => {
    expect(elementsOf(profile, text)).toEqual({ elements, state: 'malformed' })
  })

  it.each([0, 0xbedd, 0x0fff, 0x1010, 0xffff])('RFC 8285 §4.1.2: finds nothing in another form, as %i', (profile) => {
    const cursor = new RtpExtensionCursor()
    cursor.open(writeRtpExtensions([element(1, 3)]))
    expect(cursor.open({ profile, data: Buffer.alloc(8, 0x11) })).toBe(false)
    expect([cursor.next(), cursor.state, cursor.find(1)]).toEqual([false, 'end', false])
  })

  it('finds the first element of an id, before and after a reading', () => {
    const cursor = new RtpExtensionCursor()
    expect([cursor.next(), cursor.find(1)]).toEqual([false, false])
    cursor.open({ profile: 0xbede, data: Buffer.from('10aa20bb10cc0000', 'hex') })
    while (cursor.next());
    expect([cursor.find(1), cursor.offset, cursor.length]).toEqual([true, 1, 1])
    expect([cursor.find(2), cursor.offset]).toEqual([true, 3])
    expect([cursor.find(3), cursor.id, cursor.length, cursor.data().length]).toEqual([false, 0, 0, 0])
  })
})

describe('writeRtpExtensions', () => {
  it('RFC 8285 §4.2: writes the one-byte form where everything fits it, padded to words', () => {
    const { profile, data } = writeRtpExtensions([element(1, 1), element(14, 16)])
    expect(profile).toBe(0xbede)
    expect(Buffer.from(data).toString('hex')).toBe(`1001ef${'0e'.repeat(16)}00`)
  })

  it.each([[[element(15, 1)]], [[element(1, 17)]], [[element(1, 0)]]])(
    'RFC 8285 §4.3: writes the two-byte form where something does not fit the other',
    (elements) => {
      const { profile, data } = writeRtpExtensions(elements)
      const [one] = elements
      expect([profile, data[0], data[1], data.length % 4]).toEqual([0x1000, one?.id, one?.data.length, 0])
    },
  )

  it("RFC 8285 §4.3: writes the application's bits, and what can be read", () => {
    const elements = [element(3, 4), element(200, 255)]
    const written = writeRtpExtensions(elements, { appBits: 5 })
    expect(written.profile).toBe(0x1005)
    expect(elementsOf(written.profile, Buffer.from(written.data).toString('hex')).elements).toEqual(
      elements.map(({ id, data }) => `${id}:${Buffer.from(data).toString('hex')}`),
    )
    expect(writeRtpExtensions([element(1, 1)], { form: 'two-byte' }).profile).toBe(0x1000)
    expect(writeRtpExtensions([]).data.length).toBe(0)
  })

  it.each<[string, () => unknown]>([
    ['an id of 0', () => writeRtpExtensions([element(0, 1)])],
    ['an id of 256', () => writeRtpExtensions([element(256, 1)])],
    ['half an id', () => writeRtpExtensions([element(1.5, 1)])],
    ['data of 256 bytes', () => writeRtpExtensions([element(1, 256)])],
    ['the reserved id in the one-byte form', () => writeRtpExtensions([element(15, 1)], { form: 'one-byte' })],
    ['no data in the one-byte form', () => writeRtpExtensions([element(1, 0)], { form: 'one-byte' })],
    ["the application's bits in the one-byte form", () => writeRtpExtensions([], { form: 'one-byte', appBits: 1 })],
    ['five bits for the application', () => writeRtpExtensions([element(1, 1)], { appBits: 16 })],
    ['an id twice', () => writeRtpExtensions([element(1, 1), element(1, 2)])],
  ])('RFC 8285 §4.1.2: refuses %s', (_, write) => {
    expect(write).toThrow(RangeError)
  })
})
