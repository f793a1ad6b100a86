/**
 * The short cuts of the hot path against the general code they stand in for, on generated text: where a short cut gives
 * an answer, it is the same one, and where the general code refuses, so does the whole.
 */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { SipUsageError } from '../errors'
import { cursor } from '../grammar/cursor'
import { DecodeFailure } from '../grammar/failure'
import { hostPort, readAnyName, scanHostPort } from '../grammar/host'
import { param, readAnyParam, readParam } from '../grammar/params'
import { isAscii } from '../grammar/text'
import { passingAscii, wireOf } from '../grammar/wire'
import { headerDefinitions } from '../headers/index'
import { knownToken } from '../headers/known-tokens'
import { decodeTokenElement, readPlainTokens } from '../headers/lists'
import { headerIdOf, recogniseAt } from '../headers/recognise'
import { SeededGenerator } from '../testing/index'
import { parseUri } from '../uri/parse-uri'
import { checkedUri } from './editor'
import { nameStartAt } from './header-list'
import { strict, tolerant } from './leniency'
import type { SipMessage } from './message'
import { parseMessage } from './parse'
import { checkedAnyText, checkedText } from './serialize'

const rounds = 20_000
const random = new SeededGenerator(20_260_101)

function textOf(pieces: readonly string[], most: number): string {
  let text = ''
  for (let count = random.below(most) + 1; count > 0; count -= 1) text += pieces[random.below(pieces.length)]!
  return text
}

/** The outcome of a codec: what it returns, or the problem it ends with. */
function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (thrown) {
    if (!(thrown instanceof DecodeFailure)) throw thrown
    return [thrown.code, thrown.at]
  }
}

describe('short cuts of the parser', () => {
  it('read hosts as the general code does', () => {
    const pieces = ['a', 'b7', 'x9', '.', '.', '-', '_', 'A', '1', '192', '256', '0', ':', ';', '@', '1.2.3.4']
    for (let round = 0; round < rounds; round += 1) {
      const wire = wireOf(textOf(pieces, 9))
      const end = random.below(wire.text.length) + 1
      const leniency = round % 2 === 0 ? strict : tolerant
      const general = outcome(() => [readAnyName(wire, 0, end, leniency), hostPort.next])
      const stop = Array.isArray(general) && typeof general[1] === 'number' ? general[1] : 0
      // Without its port, so that only the host is compared.
      const isHost = typeof general === 'object' && wire.text[stop] !== ':'
      const found = outcome(() => [
        scanHostPort(wire, 0, end, leniency, false) ?? wire.text.slice(0, hostPort.hostEnd),
        hostPort.next,
      ])
      if (isHost) expect(found, wire.text.slice(0, end)).toEqual(general)
    }
  })

  it('read parameters as the general code does', () => {
    const pieces = [
      'a',
      'branch',
      '=',
      '=',
      ';',
      ',',
      ' ',
      '"q"',
      '[::1]',
      '::1',
      '/',
      '-.!',
      '\\',
      '\u0080',
      'z9h',
      '\t',
    ]
    for (let round = 0; round < rounds; round += 1) {
      const wire = wireOf(textOf(pieces, 7))
      const end = random.below(wire.text.length) + 1
      const leniency = round % 2 === 0 ? strict : tolerant
      const read = (reader: typeof readParam): unknown =>
        outcome(() => {
          reader(wire, 0, end, leniency)
          return { ...param }
        })
      expect(read(readParam), wire.text.slice(0, end)).toEqual(read(readAnyParam))
    }
  })

  it('recognise header names before a colon as the look-up by name does', () => {
    const names = headerDefinitions.flatMap(({ name, compact }) => [name, name.toUpperCase(), compact ?? 'q'])
    for (let round = 0; round < rounds; round += 1) {
      let name = names[random.below(names.length)]!
      const at = random.below(name.length)
      if (round % 2 === 0)
        name = name.slice(0, at) + textOf(['-', '\r', 'x', '', 'N', '\u0010'], 1) + name.slice(at + 1)
      const bytes = Buffer.from(`${name}: value of no meaning whatever\r\n`, 'latin1')
      const id = headerIdOf(name)
      expect(recogniseAt(bytes, 0), JSON.stringify(name)).toBe(id === 0 ? 0 : (id << 8) | name.length)
    }
  })

  it('read token lists as the general code does', () => {
    const pieces = ['INVITE', 'x', '100rel', ',', ', ', ', ', ',', ' ', '\t', ';', '\u0080', ',,', '"q"']
    let plain = 0
    for (let round = 0; round < rounds; round += 1) {
      const text = textOf(pieces, 9).trim()
      const most = random.below(6) + 1
      const general = outcome(() => {
        const wire = wireOf(text)
        const tokens: string[] = []
        for (let at = 0; ; at = cursor.next + 1) {
          tokens.push(decodeTokenElement(wire, at, text.length))
          if (cursor.next >= text.length) return tokens
        }
      })
      const found = readPlainTokens(wireOf(text), 0, text.length, most)
      if (found === undefined) continue
      plain += 1
      expect(found, text).toEqual(general)
      expect(found.length).toBeLessThanOrEqual(most)
    }
    expect(plain).toBeGreaterThan(rounds / 50)
  })

  it('refuse and trim values as the general code does', () => {
    const pieces = ['a', 'long value', ' ', '\t', '\r', '\n', '\0', '\u007f', '\u00e9', '\u4e2d', '\ud800', '~', '!']
    const tried = (run: () => string): string => {
      try {
        return run()
      } catch (thrown) {
        return (thrown as SipUsageError).code
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      const text = round === 0 ? '' : textOf(pieces, 5)
      expect(tried(() => checkedText(text))).toBe(tried(() => checkedAnyText(text)))
    }
    for (const value of [0, -1, 1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY])
      expect(checkedText(value)).toBe(checkedAnyText(value.toString()))
  })

  it('tell ASCII apart in texts of any length', () => {
    const pieces = ['a'.repeat(30), 'b', '\u007f', '\u0080', '\ud83d\ude00', '\ud800']
    for (let round = 0; round < rounds / 4; round += 1) {
      const text = textOf(pieces, 5).repeat(round % 50 === 0 ? 9 : 1)
      const plain = [...text].every((character) => character.charCodeAt(0) < 0x80)
      expect(isAscii(text), text).toBe(plain)
      const wire = passingAscii(text)
      if (text.length <= 300) expect(wire !== undefined).toBe(plain)
      if (wire !== undefined) expect(Buffer.from(wire.bytes.subarray(0, text.length)).toString()).toBe(text)
    }
  })

  it('take request URIs that the general code takes, long ones too', () => {
    const pieces = ['sip:', 'a', '@', 'host', '.', ';x=y', '%41', '\u0141', '\u00e9', ' ', '\n', 'z'.repeat(400)]
    for (let round = 0; round < rounds / 4; round += 1) {
      const text = `sip:${textOf(pieces, 4)}`
      const general = /[\0\r\n]/.test(text) ? undefined : parseUri(text)
      let found: string | undefined
      try {
        found = checkedUri(text).toString()
      } catch (thrown) {
        expect((thrown as SipUsageError).code).toBe(general === undefined ? 'HEADER_INJECTION' : 'VALUE_INVALID')
      }
      expect(found).toBe(general?.ok === true ? general.value.toString() : undefined)
    }
  })

  it('find the names of lines with a gap of any width', () => {
    for (const gap of [
      ':',
      ' : ',
      `:${' '.repeat(4093)}`,
      `:${' '.repeat(4094)}`,
      `${'\t '.repeat(2048)}:`,
      `:${' '.repeat(9000)}`,
    ]) {
      const text = `OPTIONS sip:a SIP/2.0\r\nX-Y${gap}v\r\nVia${gap}w\r\n\r\n`
      const { message } = parseMessage(Buffer.from(text)) as { message: SipMessage }
      expect([...message.headers()]).toEqual([
        { name: 'X-Y', value: 'v' },
        { name: 'Via', value: 'w' },
      ])
      expect([message.get('x-y'), nameStartAt(text, message.index, 3)]).toEqual(['v', text.indexOf('Via')])
    }
  })

  it('give tokens as they stand', () => {
    const pieces = ['INVITE', 'invite', 'ACK', 'BYE', '100rel', 'timer', 'OPTIONS', 'X', 'e', 'path']
    for (let round = 0; round < rounds; round += 1) {
      const wire = wireOf(textOf(pieces, 2))
      const start = random.below(2)
      expect(knownToken(wire, start, wire.text.length)).toBe(wire.text.slice(start))
    }
  })
})

describe('lines of the head', () => {
  const pieces = [
    'x',
    'yz',
    ' ',
    '\t',
    '\r',
    '\n',
    '\r\n',
    '\r\n ',
    '\u0000',
    '\u0080',
    '\u00ff',
    ':',
    'Via: ',
    '\u007f',
  ]

  /** Values of the lines, found the plain way. */
  function plainLines(head: string): string[] {
    return head.split('\r\n').slice(1, -2)
  }

  it('are found at any place and of any length, whatever bytes stand in them', () => {
    for (let round = 0; round < rounds / 4; round += 1) {
      const lines = Array.from({ length: random.below(5) + 1 }, (_, position) => {
        const value = textOf(pieces, 12).replace(/[\r\n]/g, '')
        return `${'N'.repeat(random.below(5) + 1)}${position}: ${value}`
      })
      const text = `OPTIONS sip:${'a'.repeat(random.below(4) + 1)} SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n`
      const result = parseMessage(Buffer.from(text, 'latin1'))
      const message = result.message as SipMessage
      const found = [...message.headers()].map(({ name }) => name)
      expect(result.ok).toBe(true)
      expect(found).toEqual(plainLines(text).map((line) => line.slice(0, line.indexOf(':'))))
      expect(message.toBytes().toString('latin1')).toBe(text)
    }
  })

  it('with a CR or LF of its own are refused, wherever it stands', () => {
    for (let before = 0; before < 12; before += 1) {
      for (const [odd, code] of [
        ['\r', 'BARE_CR'],
        ['\n', 'BARE_LF'],
      ] as const) {
        const text = `OPTIONS sip:a SIP/2.0\r\nX: ${'v'.repeat(before)}${odd}w: u\r\nTo: sip:b\r\n\r\n`
        const result = parseMessage(Buffer.from(text, 'latin1'))
        expect(result.ok ? undefined : [result.error.code, result.error.offset]).toEqual([code, text.indexOf(odd, 25)])
      }
    }
  })
})
