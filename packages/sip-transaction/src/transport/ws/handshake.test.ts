import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../testing/seeded-random'
import type { FramingEvent } from '../stream/stream-framing'
import { opcodes } from './frame-parser'
import { encodeFrame, encodeMessage } from './frame-writer'
import type { HandshakeRules } from './handshake'
import { WsFraming } from './ws-framing'

const limits = { messageBytesMax: 1_000, httpHeadBytesMax: 2_048 }
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('latin1')

/** The opening of RFC 6455 §1.3, with the subprotocol of RFC 7118; headers can be replaced, added or left out. */
function opening(
  changes: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  line?: string,
): string {
  const headers: Record<string, string | readonly string[] | undefined> = {
    Host: 'server.example.com',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Origin: 'http://example.com',
    'Sec-WebSocket-Protocol': 'sip',
    'Sec-WebSocket-Version': '13',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each) => `${name}: ${each}`),
  )
  return `${[line ?? 'GET /chat HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`
}

const server = (rules: Partial<HandshakeRules> = {}) =>
  new WsFraming({ side: 'server', rules: { path: undefined, origins: undefined, ...rules } }, limits)
const client = () =>
  new WsFraming({ side: 'client', host: 'example.com:8080', path: '/sip', random: new SeededRandom(1) }, limits)

/** The status that a server answers an opening with. */
function statusFor(text: string, rules: Partial<HandshakeRules> = {}): number {
  const [event] = server(rules).push(bytesOf(text))
  const answer = event?.kind === 'write' ? event.bytes : event?.kind === 'end' ? event.last : undefined
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(textOf(answer))?.[1])
}

const shown = (events: readonly FramingEvent[]) =>
  events.map((event) => (event.kind === 'message' ? `message ${textOf(event.bytes)}` : event.kind))

describe('the handshake, server (RFC 6455 §4.2, RFC 7118 §4.1)', () => {
  it('RFC 6455 §1.3: answers with the key of the example, and the subprotocol', () => {
    const framing = server()
    expect(framing.isReady).toBe(false)
    const [written, ready] = framing.push(bytesOf(opening()))
    expect(textOf(written?.kind === 'write' ? written.bytes : undefined)).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
    )
    expect(ready).toEqual({ kind: 'ready' })
    expect(framing.isReady).toBe(true)
  })

  it('takes what browsers and proxies send', () => {
    expect(statusFor(opening({ Connection: 'keep-alive, Upgrade', Upgrade: 'WebSocket' }))).toBe(101)
    expect(statusFor(opening({ 'Sec-WebSocket-Protocol': 'xmpp, sip' }))).toBe(101)
    expect(statusFor(opening({ 'Sec-WebSocket-Protocol': ['xmpp', 'sip'] }))).toBe(101)
    expect(statusFor(opening({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }))).toBe(101)
    expect(statusFor(opening({ Origin: undefined }), { origins: ['https://phone.example.com'] })).toBe(101)
    expect(statusFor(opening({}, 'GET http://server.example.com/chat?token=1 HTTP/1.1'), { path: '/chat' })).toBe(101)
    expect(statusFor(opening({}, 'GET /sip?token=1 HTTP/1.1'), { path: '/sip' })).toBe(101)
  })

  it.each([
    ['another method', opening({}, 'POST /chat HTTP/1.1'), 405],
    ['HTTP/1.0', opening({}, 'GET /chat HTTP/1.0'), 505],
    ['no request line', 'hello\r\n\r\n', 400],
    ['a SIP request', 'OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n', 400],
    ['a plain GET', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 426],
    ['no Host', opening({ Host: undefined }), 400],
    ['two Hosts', opening({ Host: ['a', 'b'] }), 400],
    ['no Upgrade', opening({ Upgrade: undefined }), 426],
    ['an Upgrade to something else', opening({ Upgrade: 'h2c' }), 426],
    ['a Connection without it', opening({ Connection: 'keep-alive' }), 426],
    ['an older version', opening({ 'Sec-WebSocket-Version': '8' }), 426],
    ['no key', opening({ 'Sec-WebSocket-Key': undefined }), 400],
    ['a key of 15 bytes', opening({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' }), 400],
    ['two keys', opening({ 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'AAAAAAAAAAAAAAAAAAAAAA=='] }), 400],
    ['no subprotocol', opening({ 'Sec-WebSocket-Protocol': undefined }), 400],
    ['other subprotocols only', opening({ 'Sec-WebSocket-Protocol': 'xmpp, sips' }), 400],
    ['a body announced', opening({ 'Content-Length': '5' }), 400],
    ['two lengths', opening({ 'Content-Length': ['0', '0'] }), 400],
    ['a body in chunks', opening({ 'Transfer-Encoding': 'chunked' }), 400],
    ['a folded header', opening({ 'X-A': 'b\r\n folded' }), 400],
    ['white space before the colon', opening({ 'Content-Length ': '5' }), 400],
    ['a bare line feed', opening().replace('\r\nUpgrade', '\nUpgrade'), 400],
    ['a control character', opening({ 'X-A': 'a\x00b' }), 400],
    ['a head that is too long', opening({ 'X-A': 'b'.repeat(3_000) }), 431],
    ['a head without end', 'GET /'.padEnd(3_000, 'a'), 431],
    ['a target of no form', opening({}, 'GET * HTTP/1.1'), 400],
  ])('refuses %s', (_what, text, status) => {
    expect(statusFor(text)).toBe(status)
  })

  it('refuses another path with 404 and another origin with 403', () => {
    expect(statusFor(opening(), { path: '/sip' })).toBe(404)
    const origins = ['https://phone.example.com']
    expect(statusFor(opening(), { origins })).toBe(403)
    expect(statusFor(opening({ Origin: ['https://phone.example.com', 'http://evil.example'] }), { origins })).toBe(403)
    expect(statusFor(opening({ Origin: 'https://PHONE.example.com' }), { origins })).toBe(101)
  })

  it('a refusal ends the connection, and says that it is no message', () => {
    const events = server().push(bytesOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    expect(events).toMatchObject([{ kind: 'end', violation: 'handshake failed' }])
    expect(textOf(events[0]?.kind === 'end' ? events[0].last : undefined)).toMatch(/\r\nConnection: close\r\n/)
  })

  it('means the same wherever it is cut, and what follows it is read as frames', () => {
    const mask = Uint8Array.of(1, 2, 3, 4)
    const stream = Buffer.concat([bytesOf(opening()), encodeMessage(bytesOf('OPTIONS'), mask)])
    const whole = shown(server().push(stream))
    expect(whole).toEqual(['write', 'ready', 'message OPTIONS'])
    for (let cut = 1; cut < stream.length; cut++) {
      const framing = server()
      expect(shown([...framing.push(stream.subarray(0, cut)), ...framing.push(stream.subarray(cut))])).toEqual(whole)
    }
  })
})

describe('the handshake, client (RFC 6455 §4.1)', () => {
  const answer = (framing: WsFraming, change: (text: string) => string = (text) => text) => {
    const [written] = server().push(framing.greeting ?? bytesOf(''))
    return shown(framing.push(bytesOf(change(textOf(written?.kind === 'write' ? written.bytes : undefined)))))
  }

  it('asks for the path and the subprotocol, with a fresh key, and takes the answer to it', () => {
    const framing = client()
    expect(textOf(framing.greeting)).toMatch(/^GET \/sip HTTP\/1\.1\r\nHost: example\.com:8080\r\n/)
    expect(answer(framing)).toEqual(['ready'])
    expect(framing.isReady).toBe(true)
  })

  it.each([
    ['another key', (text: string) => text.replace(/Accept: ./, 'Accept: !')],
    ['another subprotocol', (text: string) => text.replace('Protocol: sip', 'Protocol: xmpp')],
    ['no subprotocol', (text: string) => text.replace('Sec-WebSocket-Protocol: sip\r\n', '')],
    [
      'an extension that was not offered',
      (text: string) => text.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: x\r\n\r\n'),
    ],
    ['another status', (text: string) => text.replace('101', '200')],
    ['no Upgrade', (text: string) => text.replace('Upgrade: websocket\r\n', '')],
    ['nonsense', () => 'SIP/2.0 200 OK\r\n\r\n'],
  ])('gives up on %s', (_what, change) => {
    expect(answer(client(), change)).toEqual(['end'])
  })
})

describe('SIP in frames (RFC 7118 §4.2, §6)', () => {
  /** A server and a client that have shaken hands. */
  function pair() {
    const [near, far] = [client(), server()]
    const [written] = far.push(near.greeting ?? bytesOf(''))
    near.push(written?.kind === 'write' ? written.bytes : bytesOf(''))
    return { near, far }
  }

  it('one message in each direction, masked by the client only', () => {
    const { near, far } = pair()
    const [out, back] = [near.wrap(bytesOf('OPTIONS')), far.wrap(bytesOf('SIP/2.0 200 OK'))]
    expect([(out[1] ?? 0) & 0x80, (back[1] ?? 0) & 0x80]).toEqual([0x80, 0])
    expect(shown(far.push(out))).toEqual(['message OPTIONS'])
    expect(shown(near.push(back))).toEqual(['message SIP/2.0 200 OK'])
  })

  it('each frame of a client has a mask of its own (RFC 6455 §5.3)', () => {
    const { near } = pair()
    const masks = Array.from({ length: 50 }, () => Buffer.from(near.wrap(bytesOf('a')).subarray(2, 6)).toString('hex'))
    expect(new Set(masks).size).toBe(50)
  })

  it('answers pings of WebSocket with their payload, of many in one read the last, and of line ends with line ends', () => {
    const { near, far } = pair()
    const mask = Uint8Array.of(9, 9, 9, 9)
    const pings = Array.from({ length: 100 }, (_, at) => encodeFrame(opcodes.PING, bytesOf(String(at)), mask))
    const events = far.push(Buffer.concat(pings))
    expect(events).toHaveLength(1)
    expect(events[0]).toEqual({ kind: 'write', bytes: encodeFrame(opcodes.PONG, bytesOf('99'), undefined) })
    expect(shown(far.push(near.wrap(bytesOf('\r\n\r\n'))))).toEqual(['ping'])
    expect(shown(far.push(near.wrap(bytesOf('\r\n'))))).toEqual(['pong'])
    expect(shown(far.push(near.wrap(bytesOf(''))))).toEqual([])
    const [pong] = far.push(near.ping())
    expect(shown(near.push(pong?.kind === 'write' ? pong.bytes : bytesOf('')))).toEqual(['pong'])
  })

  it('a close is answered with its code, and a broken rule with the code that says which', () => {
    const { near, far } = pair()
    const [end] = far.push(near.goodbye())
    expect(end).toMatchObject({ kind: 'end', reason: 'closed by peer' })
    expect(end).not.toHaveProperty('violation')
    expect(shown(near.push(end?.kind === 'end' ? (end.last ?? bytesOf('')) : bytesOf('')))).toEqual(['end'])
    const broken = pair().far.push(encodeMessage(bytesOf('x'), undefined))
    expect(broken).toMatchObject([{ kind: 'end', violation: 'mask missing' }])
  })

  it('knows whether it stands between messages', () => {
    const { near, far } = pair()
    const frame = near.wrap(bytesOf('OPTIONS'))
    far.push(frame.subarray(0, 3))
    expect(far.isIdle).toBe(false)
    far.push(frame.subarray(3))
    expect(far.isIdle).toBe(true)
  })
})
