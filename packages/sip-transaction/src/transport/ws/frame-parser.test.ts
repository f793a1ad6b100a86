import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../testing/seeded-random'
import { closeCodes, type FrameEvent, FrameParser, opcodes } from './frame-parser'
import { encodeClose, encodeFrame, encodeMessage } from './frame-writer'

const mask = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d)
const text = (value: string) => new Uint8Array(Buffer.from(value, 'utf8'))
const server = (messageBytesMax = 131_072) => new FrameParser({ expectsMask: true, messageBytesMax })
const client = (messageBytesMax = 131_072) => new FrameParser({ expectsMask: false, messageBytesMax })

/** A frame with any first byte and any length bytes, masked unless told. */
function raw(first: number, length: readonly number[], payload: Uint8Array = new Uint8Array(0), isMasked = true) {
  const [short = 0, ...rest] = length
  const masked = isMasked ? payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0)) : payload
  return Uint8Array.of(first, (isMasked ? 0x80 : 0) | short, ...rest, ...(isMasked ? mask : []), ...masked)
}

/** One fragment. */
function fragment(opcode: number, payload: Uint8Array, isFinal: boolean): Uint8Array {
  const frame = encodeFrame(opcode, payload, mask)
  frame[0] = (isFinal ? 0x80 : 0) | opcode
  return frame
}

function shown(events: readonly FrameEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'message') return `message ${Buffer.from(event.bytes).toString('latin1')}`
    if (event.kind === 'ping') return `ping ${Buffer.from(event.payload).toString('latin1')}`
    if (event.kind === 'error') return `error ${event.closeCode} ${event.problem}`
    return event.kind === 'close' ? `close ${event.code}` : event.kind
  })
}

const read = (bytes: Uint8Array, parser = server()) => shown(parser.push(bytes))

describe('frames of WebSocket', () => {
  it('RFC 6455 §5.7: the examples of the RFC', () => {
    const hello = text('Hello')
    expect(Buffer.from(encodeFrame(opcodes.TEXT, hello, undefined)).toString('hex')).toBe('810548656c6c6f')
    expect(Buffer.from(encodeFrame(opcodes.TEXT, hello, mask)).toString('hex')).toBe('818537fa213d7f9f4d5158')
    expect(read(Buffer.from('818537fa213d7f9f4d5158', 'hex'))).toEqual(['message Hello'])
    expect(read(Buffer.from('010348656c80026c6f', 'hex'), client())).toEqual(['message Hello'])
    expect(read(Buffer.from('890548656c6c6f', 'hex'), client())).toEqual(['ping Hello'])
    expect(read(Buffer.from('8a8537fa213d7f9f4d5158', 'hex'))).toEqual(['pong'])
  })

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])(
    'a message of %i bytes comes as it went, either way',
    (size) => {
      const payload = Uint8Array.from({ length: size }, (_, at) => (at * 7) & 0x7f)
      const before = payload.slice()
      for (const [frame, parser] of [
        [encodeMessage(payload, mask), server()],
        [encodeMessage(payload, undefined), client()],
      ] as const) {
        const [event] = parser.push(frame)
        expect(event).toEqual({ kind: 'message', bytes: before })
        expect([parser.isIdle, parser.bufferedBytes]).toEqual([true, 0])
      }
      expect(payload).toEqual(before)
    },
  )

  it('RFC 7118 §4.2: what is text goes as text, anything else as binary', () => {
    expect(encodeMessage(text('grün'), undefined)[0]).toBe(0x80 | opcodes.TEXT)
    expect(encodeMessage(Uint8Array.of(0xff, 0xfe), undefined)[0]).toBe(0x80 | opcodes.BINARY)
  })

  it('gives the same events wherever the stream is cut', () => {
    const stream = Buffer.concat([
      fragment(opcodes.TEXT, text('OPT'), false),
      encodeFrame(opcodes.PING, text('between'), mask),
      fragment(opcodes.CONTINUATION, text(''), false),
      fragment(opcodes.CONTINUATION, text('IONS'), true),
      encodeMessage(
        Uint8Array.from({ length: 300 }, (_, at) => at & 255),
        mask,
      ),
      encodeMessage(text(''), mask),
      encodeClose(1000, mask),
      text('after the end'),
    ])
    const whole = read(stream)
    expect(whole.slice(0, 2)).toEqual(['ping between', 'message OPTIONS'])
    expect(whole.at(-1)).toBe('close 1000')
    for (let cut = 1; cut < stream.length; cut++) {
      const parser = server()
      expect([...read(stream.subarray(0, cut), parser), ...read(stream.subarray(cut), parser)]).toEqual(whole)
    }
    const bytewise = server()
    expect([...stream].flatMap((byte) => read(Uint8Array.of(byte), bytewise))).toEqual(whole)
  })

  it('keeps nothing of the chunks that it was given', () => {
    const parser = server()
    const [one, two] = [fragment(opcodes.BINARY, text('abc'), false), fragment(opcodes.CONTINUATION, text('def'), true)]
    parser.push(one)
    one.fill(0)
    expect(read(two, parser)).toEqual(['message abcdef'])
  })
})

describe('frames that break the rules end the connection (RFC 6455 §7.1.7)', () => {
  const long = (length: bigint) => [
    127,
    ...[7, 6, 5, 4, 3, 2, 1, 0].map((at) => Number((length >> BigInt(8 * at)) & 255n)),
  ]

  it.each([
    ['§5.1: a client that does not mask', raw(0x81, [1], text('a'), false), 1002, 'mask missing'],
    ['§5.2: a reserved bit', raw(0xc1, [1], text('a')), 1002, 'reserved bits set'],
    ['§5.2: an opcode for data that nobody knows', raw(0x83, [0]), 1002, 'opcode unknown'],
    ['§5.2: an opcode for control that nobody knows', raw(0x8b, [0]), 1002, 'opcode unknown'],
    ['§5.5: a control frame in fragments', raw(0x09, [0]), 1002, 'control frame malformed'],
    ['§5.5: a control frame of 126 bytes', raw(0x89, [126, 0, 126]), 1002, 'control frame malformed'],
    ['§5.4: a continuation of nothing', raw(0x80, [0]), 1002, 'continuation out of place'],
    ['§5.2: 125 bytes written with 16 bits', raw(0x82, [126, 0, 125]), 1002, 'length malformed'],
    ['§5.2: 65 535 bytes written with 64 bits', raw(0x82, long(65_535n)), 1002, 'length malformed'],
    ['§5.2: a length of 2^63', raw(0x82, long(2n ** 63n)), 1002, 'length malformed'],
    ['a length of 2^63 - 1', raw(0x82, long(2n ** 63n - 1n)), 1009, 'message too large'],
    ['a length of 2^32', raw(0x82, long(2n ** 32n)), 1009, 'message too large'],
    ['one byte more than fits', raw(0x82, long(131_073n)), 1009, 'message too large'],
    [
      '§8.1: text that is not UTF-8',
      encodeFrame(opcodes.TEXT, Uint8Array.of(0xc3, 0x28), mask),
      1007,
      'text not UTF-8',
    ],
    ['§7.1.5: a close of one byte', raw(0x88, [1], text('a')), 1002, 'close malformed'],
    ['§7.4.1: a close code that must not be sent', encodeClose(1005, mask), 1002, 'close malformed'],
    ['§7.4.2: a close code of nobody', encodeClose(2999, mask), 1002, 'close malformed'],
    ['§5.5.1: a reason that is not UTF-8', raw(0x88, [3], Uint8Array.of(3, 232, 0xff)), 1007, 'close malformed'],
  ])('%s', (_what, bytes, closeCode, problem) => {
    for (let cut = 0; cut < Math.min(bytes.length, 20); cut++) {
      const parser = server()
      const events = [...read(bytes.subarray(0, cut), parser), ...read(bytes.subarray(cut), parser)]
      expect(events).toEqual([`error ${closeCode} ${problem}`])
      expect(read(encodeMessage(text('more'), mask), parser)).toEqual([])
      expect(parser.bufferedBytes).toBe(0)
    }
  })

  it('§5.1: a server that masks', () => {
    expect(read(encodeMessage(text('a'), mask), client())).toEqual(['error 1002 mask not allowed'])
  })

  it('§5.4: a message within a message', () => {
    const parser = server()
    parser.push(fragment(opcodes.TEXT, text('a'), false))
    expect(read(encodeMessage(text('b'), mask), parser)).toEqual(['error 1002 message within a message'])
  })

  it('fragments count together against the limit', () => {
    const parser = server(100)
    const piece = new Uint8Array(60)
    expect(read(fragment(opcodes.BINARY, piece, false), parser)).toEqual([])
    expect(read(fragment(opcodes.CONTINUATION, piece, true), parser)).toEqual([
      `error ${closeCodes.TOO_LARGE} message too large`,
    ])
  })

  it('a promise of a large message allocates nothing', () => {
    const parser = server(1_000_000_000)
    parser.push(raw(0x82, long(900_000_000n), text('abc')))
    expect(parser.bufferedBytes).toBeLessThan(100)
  })

  it('a peer that sends single bytes costs time in proportion', () => {
    const used = (size: number) => {
      const stream = encodeMessage(new Uint8Array(size), mask)
      const parser = server(1_000_000)
      const start = process.cpuUsage()
      for (let at = 0; at < stream.length; at++) parser.push(stream.subarray(at, at + 1))
      const { user, system } = process.cpuUsage(start)
      expect(parser.isIdle).toBe(true)
      return user + system
    }
    used(50_000)
    const [small, large] = [used(20_000), used(200_000)]
    expect(large).toBeLessThan(Math.max(small, 2_000) * 40)
  })
})

describe('any bytes at all', () => {
  it('never throw, never keep more than the limit, and mean the same however they are cut', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const random = new SeededRandom(seed)
      const pieces: Uint8Array[] = []
      for (let count = 0; count < 12; count++) {
        const payload = random.bytes(Math.floor(random.fraction() * 200))
        const opcode = [0, 1, 2, 2, 2, 8, 9, 10, 3, 12][Math.floor(random.fraction() * 10)] ?? 0
        const frame = fragment(opcode, payload, random.fraction() < 0.6)
        // Now and then a byte of it is another one.
        if (random.fraction() < 0.3) frame[Math.floor(random.fraction() * frame.length)] = random.bytes(1)[0] ?? 0
        pieces.push(frame)
      }
      const stream = Buffer.concat(pieces)
      const whole = read(stream, server(500))
      const parser = server(500)
      const events: string[] = []
      for (let at = 0; at < stream.length; ) {
        const size = 1 + Math.floor(random.fraction() * 40)
        events.push(...read(stream.subarray(at, at + size), parser))
        expect(parser.bufferedBytes).toBeLessThanOrEqual(500 + 125)
        at += size
      }
      expect(events).toEqual(whole)
    }
  })
})
