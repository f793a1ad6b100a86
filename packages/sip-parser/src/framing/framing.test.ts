import { describe, expect, it } from 'vitest'
import { parseMessage } from '../message/parse'
import { inviteBytes, SeededGenerator } from '../testing/index'
import { keepAliveKind, pingBytes, pongBytes } from './keepalive'
import { type FramerEvent, StreamFramer } from './stream-framer'

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const small = (body = '', extra = ''): string =>
  `OPTIONS sip:a SIP/2.0\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`

function shown(events: readonly FramerEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'message') return Buffer.from(event.bytes).toString('latin1')
    return event.kind === 'error' ? event.error.code : event.kind
  })
}

const pushed = (text: string, framer = new StreamFramer()): string[] => shown(framer.push(bytesOf(text)))

describe('StreamFramer', () => {
  it('RFC 3261 §18.3: cuts a stream by Content-Length', () => {
    const framer = new StreamFramer()
    expect(pushed(`${small('abc')}${small('', 'X: y\r\n')}\r\n${small('z')}OPT`, framer)).toEqual([
      small('abc'),
      small('', 'X: y\r\n'),
      'pong',
      small('z'),
    ])
    expect([framer.isIdle, framer.bufferedBytes]).toEqual([false, 3])
    expect(pushed(small().slice(3), framer)).toEqual([small()])
    expect([framer.isIdle, framer.bufferedBytes, framer.isDead]).toEqual([true, 0, false])
  })

  it('finds Content-Length in any spelling, folded, and nowhere else', () => {
    for (const line of ['l:3', 'L : 3', 'CONTENT-LENGTH:\r\n 3', 'content-length: 003 ']) {
      const text = `OPTIONS sip:a SIP/2.0\r\nX: y\r\n Content-Length: 99\r\nContent-Lengthy: 5\r\n${line}\r\n\r\nabc`
      expect(pushed(text)).toEqual([text])
    }
  })

  it.each([
    ['OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n', 'CONTENT_LENGTH_MISSING'],
    ['OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n', 'CONTENT_LENGTH_INVALID'],
    ['OPTIONS sip:a SIP/2.0\r\nl: 1 2\r\n\r\n', 'CONTENT_LENGTH_INVALID'],
    ['OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n', 'CONTENT_LENGTH_REPEATED'],
    ['OPTIONS sip:a SIP/2.0\r\nl: 99999999\r\n\r\n', 'BODY_TOO_LARGE'],
    ['OPTIONS sip:a SIP/2.0\nl: 0\r\n\r\n', 'BARE_LF'],
    ['\x16\x03\x01\x02', 'START_LINE_INVALID'],
    [' OPTIONS', 'START_LINE_INVALID'],
    ['\rOPTIONS', 'BARE_CR'],
    ['\n', 'START_LINE_INVALID'],
  ])('%j ends the stream with %s', (text, code) => {
    for (const cut of [0, 1, text.length - 1]) {
      const framer = new StreamFramer()
      const events = [...pushed(text.slice(0, cut), framer), ...pushed(text.slice(cut), framer)]
      expect(events).toEqual([code])
      expect([framer.isDead, framer.bufferedBytes]).toEqual([true, 0])
      expect(pushed(small(), framer)).toEqual([])
    }
  })

  it('hands over the head at fault, so that a 400 can be sent before the stream is closed', () => {
    const head = 'OPTIONS sip:a SIP/2.0\r\nl: x\r\n\r\n'
    const [event] = new StreamFramer().push(bytesOf(`${head}more`))
    expect(event?.kind === 'error' && event.head && Buffer.from(event.head).toString()).toBe(head)
  })

  it('every limit ends the stream', () => {
    const text = small('abcd')
    const limits = { headBytesMax: text.length - 4, bodyBytesMax: 4, messageBytesMax: text.length }
    expect(pushed(text, new StreamFramer({ limits }))).toEqual([text])
    expect(pushed(text, new StreamFramer({ limits: { ...limits, headBytesMax: text.length - 5 } }))).toEqual([
      'HEAD_TOO_LARGE',
    ])
    expect(pushed(text, new StreamFramer({ limits: { ...limits, bodyBytesMax: 3 } }))).toEqual(['BODY_TOO_LARGE'])
    expect(pushed(text, new StreamFramer({ limits: { ...limits, messageBytesMax: text.length - 1 } }))).toEqual([
      'MESSAGE_TOO_LARGE',
    ])
  })

  it('bare line feeds are tolerated on request', () => {
    const text = 'OPTIONS sip:a SIP/2.0\nl: 2\n\nab'
    expect(pushed(`${text}\n${text}`, new StreamFramer({ leniency: { bareLf: true } }))).toEqual([text, 'pong', text])
  })

  it('says where Content-Length is wrong as the parser does', () => {
    for (const lines of ['l:  -1\r\n', 'X: y\r\nContent-Length\t:\t1e3\r\n', 'l: 1\r\nl: 1\r\n', 'l: 4294967296\r\n']) {
      const bytes = bytesOf(`OPTIONS sip:a SIP/2.0\r\n${lines}\r\n`)
      const [event] = new StreamFramer().push(bytes)
      const { message: _message, ...parsed } = parseMessage(bytes)
      expect({ ok: false, error: event?.kind === 'error' && event.error }).toEqual(parsed)
    }
  })

  it('RFC 5626 §3.5.1: CRLFCRLF is a ping, CRLF a pong, one of each in a push', () => {
    expect(pushed('\r\n\r\n')).toEqual(['ping'])
    expect(pushed('\r\n')).toEqual(['pong'])
    expect(pushed(`\r\n\r\n${small()}\r\n\r\n\r\n\r\n`)).toEqual(['ping', small()])
    expect(pushed('\r\n'.repeat(30_000))).toEqual(['ping'])
    const framer = new StreamFramer()
    expect(['\r', '\n', '\r', '\n'].map((piece) => pushed(piece, framer))).toEqual([[], ['pong'], [], ['ping']])
    expect(framer.isIdle).toBe(true)
  })

  it('gives the same messages however the stream is cut', () => {
    const generator = new SeededGenerator(42)
    const messages = Array.from({ length: 12 }, (_, at) =>
      at % 3 === 0 ? Buffer.from(inviteBytes()).toString('latin1') : small('b'.repeat(generator.below(5000))),
    )
    const stream = bytesOf(messages.join(''))
    for (let round = 0; round < 200; round += 1) {
      const framer = new StreamFramer()
      const events: FramerEvent[] = []
      for (let at = 0; at < stream.length; ) {
        const size = 1 + generator.below(generator.pick([3, 50, 4000]))
        // A fresh copy each time, overwritten afterwards: the framer may not keep the chunk.
        const chunk = new Uint8Array(stream.subarray(at, at + size))
        events.push(
          ...framer
            .push(chunk)
            .map((event) => (event.kind === 'message' ? { ...event, bytes: new Uint8Array(event.bytes) } : event)),
        )
        chunk.fill(0)
        at += size
      }
      expect(shown(events)).toEqual(messages)
      expect(framer.isIdle).toBe(true)
    }
  })

  it('a peer that sends one byte at a time costs time in proportion', () => {
    const elapsed = (bytes: number): number => {
      const stream = bytesOf(small('x'.repeat(bytes), `X: ${'y'.repeat(bytes)}\r\n`))
      const framer = new StreamFramer()
      const start = process.cpuUsage()
      for (let at = 0; at < stream.length; at += 1) framer.push(stream.subarray(at, at + 1))
      const used = process.cpuUsage(start)
      expect(framer.isIdle).toBe(true)
      return used.user + used.system
    }
    elapsed(30_000)
    const [small_, large] = [elapsed(6_000), elapsed(60_000)]
    expect(large).toBeLessThan(Math.max(small_, 2000) * 40)
  })

  it('a promise of a large body allocates nothing', () => {
    const framer = new StreamFramer({ limits: { bodyBytesMax: 1e9, messageBytesMax: 2e9 } })
    expect(pushed('OPTIONS sip:a SIP/2.0\r\nl: 900000000\r\n\r\nabc', framer)).toEqual([])
    expect(framer.bufferedBytes).toBe(42)
  })
})

describe('keepAliveKind', () => {
  it('knows what is no message', () => {
    expect([
      keepAliveKind(pingBytes),
      keepAliveKind(pongBytes),
      keepAliveKind(new Uint8Array(4)),
      keepAliveKind(bytesOf('\r\n\r\n\r\n')),
    ]).toEqual(['ping', 'pong', 'filler', 'ping'])
    expect([
      keepAliveKind(bytesOf(small())),
      keepAliveKind(bytesOf(`\r\n${small()}`)),
      keepAliveKind(new Uint8Array(0)),
    ]).toEqual([undefined, undefined, undefined])
  })
})
