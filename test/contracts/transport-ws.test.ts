/** The WebSocket transport against peers that are slow, silent, rude or gone (RFC 6455, RFC 7118). */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import {
  createNodeRandom,
  defaultTransportLimits,
  type Flow,
  type FlowAddress,
  silentLogger,
  type Transport,
  type TransportLimits,
  type WebSocketOptions,
} from '@carillon/sip-transaction'
import { FakeClock } from '@carillon/sip-transaction/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BuiltinTransports } from '../../packages/sip-transaction/src/transport/builtin-transports'
import { flowReasons } from '../../packages/sip-transaction/src/transport/reasons'
import type { StreamConnection } from '../../packages/sip-transaction/src/transport/stream/stream-connection'
import { optionsRequest, RecordingSink } from './transport-suite'

/** A sink that also remembers who never became a flow. */
class WsSink extends RecordingSink {
  readonly refusals: string[] = []

  refused(_remote: FlowAddress, reason: string): void {
    this.refusals.push(reason)
  }
}

const limits: TransportLimits = { ...defaultTransportLimits, connectionsMax: 400, connectionsPerAddressMax: 20 }
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const opening = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: sip',
  'Sec-WebSocket-Version: 13\r\n\r\n',
].join('\r\n')

let clock: FakeClock
let sink: WsSink
let transport: Transport
let peers: Socket[]
let lastFlowId = 0

async function listen(to: WsSink, changes: Partial<TransportLimits> = {}, websocket: WebSocketOptions = {}) {
  const context = { clock, logger: silentLogger, limits: { ...limits, ...changes }, nextFlowId: () => ++lastFlowId }
  const { factories } = new BuiltinTransports({ websocket, random: createNodeRandom() })
  const factory = factories.find((one) => one.scheme === 'ws')
  if (factory === undefined) throw new Error('no factory')
  return factory.listen('127.0.0.1', 0, to, context)
}

beforeEach(async () => {
  clock = new FakeClock()
  sink = new WsSink()
  peers = []
  transport = await listen(sink)
})

afterEach(async () => {
  for (const peer of peers) peer.destroy()
  await transport.close()
  expect(clock.pending).toBe(0)
})

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + 4_000
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A raw peer and what it has received. */
function raw(to: Transport = transport): { peer: Socket; seen: { bytes: Buffer; isClosed: boolean } } {
  const peer = connect({ port: to.local.port, host: '127.0.0.1' })
  peer.on('error', () => {})
  peers.push(peer)
  const seen = { bytes: Buffer.alloc(0), isClosed: false }
  peer.on('data', (chunk: Buffer) => {
    seen.bytes = Buffer.concat([seen.bytes, chunk])
  })
  peer.on('close', () => {
    seen.isClosed = true
  })
  return { peer, seen }
}

/** A raw peer that has shaken hands, what it received since, and its flow. */
async function opened() {
  const before = sink.opened.length
  const { peer, seen } = raw()
  peer.write(opening)
  await until(() => sink.opened.length > before && seen.bytes.includes('\r\n\r\n'), 'the handshake')
  seen.bytes = Buffer.alloc(0)
  return { peer, seen, flow: sink.opened[before] as Flow }
}

/** A masked frame. The mask is all zeros: a server cannot ask for a better one. */
function frame(first: number, payload: Uint8Array): Buffer {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Uint8Array.of(first, 0x80 | (length[0] ?? 0), ...length.slice(1), 0, 0, 0, 0), payload])
}

async function expectService(): Promise<void> {
  const before = sink.messages.length
  const { peer } = await opened()
  peer.write(frame(0x81, bytesOf(optionsRequest('alive'))))
  await until(() => sink.messages.length > before, 'the message')
}

describe('handshakes', () => {
  it('a peer that says nothing, or its handshake a byte at a time, is cut off and counted', async () => {
    const [silent, slow] = [raw(), raw()]
    await until(() => clock.pending > 0, 'the timer')
    let sent = 0
    for (; sent < opening.length && sink.refusals.length < 2; sent++) {
      slow.peer.write(opening.charAt(sent))
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(500)
    }
    await until(() => sink.refusals.length === 2, 'both refusals')
    expect(sent).toBeLessThanOrEqual(limits.handshakeTimeoutMs / 500 + 2)
    expect(sink.refusals).toEqual([flowReasons.HANDSHAKE_TIMEOUT, flowReasons.HANDSHAKE_TIMEOUT])
    await until(() => silent.seen.isClosed && slow.seen.isClosed, 'both ends')
    expect(sink.opened).toEqual([])
    await expectService()
  })

  it.each([
    ['an HTTP GET', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1\.1 426 Upgrade Required\r\n/],
    ['plain SIP', optionsRequest('plain'), /^HTTP\/1\.1 400 Bad Request\r\n/],
    ['a head without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, /^HTTP\/1\.1 431 /],
    ['two requests in one', `${opening.replace('\r\n\r\n', '\r\nContent-Length: 3\r\n\r\n')}abc`, /^HTTP\/1\.1 400 /],
  ])('%s is answered with a status and closed, and nothing of it is read', async (_what, text, answer) => {
    const { peer, seen } = raw()
    peer.write(text)
    await until(() => seen.isClosed, 'the close')
    expect(seen.bytes.toString()).toMatch(answer)
    await until(() => sink.refusals.length === 1, 'the refusal')
    expect([sink.opened, sink.messages, sink.garbageReasons]).toEqual([[], [], []])
  })

  it('TLS to a plain port is refused', async () => {
    const { peer, seen } = raw()
    peer.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 13, 10, 13, 10]))
    await until(() => seen.isClosed, 'the close')
    expect(sink.opened).toEqual([])
  })

  it('a flood fills its share and no more', async () => {
    const all = Array.from({ length: 100 }, () => raw())
    await until(() => sink.refusals.length === 80, '80 refusals')
    await clock.advance(limits.handshakeTimeoutMs)
    await until(() => all.every(({ seen }) => seen.isClosed), 'all to go')
    expect([sink.opened, sink.refusals.length]).toEqual([[], 100])
    await expectService()
  })

  it('paths and origins that are not allowed get 404 and 403', async () => {
    const strict = await listen(new WsSink(), {}, { path: '/sip', origins: ['https://phone.example'] })
    for (const [from, to, status] of [
      ['GET / ', 'GET /other ', 404],
      ['GET / HTTP/1.1\r\n', 'GET /sip HTTP/1.1\r\nOrigin: https://evil.example\r\n', 403],
      ['GET / HTTP/1.1\r\n', 'GET /sip HTTP/1.1\r\nOrigin: https://phone.example\r\n', 101],
    ] as const) {
      const { peer, seen } = raw(strict)
      peer.write(opening.replace(from, to))
      await until(() => seen.bytes.includes('\r\n\r\n'), 'the answer')
      expect(seen.bytes.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    }
    await strict.close()
  })
})

describe('frames', () => {
  const long = (bytes: readonly number[]) => Uint8Array.of(0x82, 0xff, ...bytes, 1, 2, 3, 4)

  it.each([
    ['no mask', Buffer.concat([Uint8Array.of(0x81, 3), bytesOf('abc')]), 1002, 'mask missing'],
    ['a length of 2^63', long([0x80, 0, 0, 0, 0, 0, 0, 0]), 1002, 'length malformed'],
    ['a length of 2^62', long([0x40, 0, 0, 0, 0, 0, 0, 0]), 1009, 'message too large'],
    ['a compressed frame, which was not agreed', frame(0xc1, bytesOf('abc')), 1002, 'reserved bits set'],
    ['text that is not UTF-8', frame(0x81, Uint8Array.of(0xff)), 1007, 'text not UTF-8'],
  ])('%s ends the connection with a close frame that says why', async (_what, bytes, code, problem) => {
    const { peer, seen, flow } = await opened()
    peer.write(bytes)
    await until(() => seen.isClosed, 'the close')
    expect([...seen.bytes]).toEqual([0x88, 2, code >> 8, code & 255])
    expect(sink.garbageReasons).toEqual([problem])
    expect(sink.closed).toEqual([{ flow, reason: flowReasons.FRAMING }])
    await expectService()
  })

  it('a message in fragments with pings between comes as one, and the pings are answered', async () => {
    const { peer, seen } = await opened()
    const text = optionsRequest('fragments')
    peer.write(frame(0x01, bytesOf(text.slice(0, 50))))
    peer.write(frame(0x89, bytesOf('now')))
    await until(() => seen.bytes.length > 0, 'the pong')
    expect(seen.bytes.toString('latin1')).toBe('\x8a\x03now')
    peer.write(frame(0x80, bytesOf(text.slice(50))))
    await until(() => sink.messages.length === 1, 'the message')
    expect(sink.messages[0]?.text).toBe(text)
  })

  it('RFC 7118 §4.2: a message needs no Content-Length, and the flow says so', async () => {
    const { peer, flow } = await opened()
    const text = optionsRequest('bare').replace('Content-Length: 0\r\n', '')
    peer.write(frame(0x81, bytesOf(text)))
    await until(() => sink.messages.length === 1, 'the message')
    expect([sink.messages[0]?.text, flow.keepsMessagesApart, flow.isReliable]).toEqual([text, true, true])
  })

  it('a message that is not complete in time ends the connection', async () => {
    const { peer, flow } = await opened()
    peer.write(frame(0x01, bytesOf('OPTIONS')))
    await until(() => clock.pending > 0, 'the timer')
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(limits.messageTimeoutMs)
    await until(() => sink.closed.length === 1, 'the close')
    expect(sink.closed).toEqual([{ flow, reason: flowReasons.MESSAGE_TIMEOUT }])
  })

  it('a close is answered with its code, and so is one that comes behind an end', async () => {
    const { peer, seen, flow } = await opened()
    peer.end(frame(0x88, Uint8Array.of(3, 232)))
    await until(() => seen.isClosed, 'the close')
    expect([...seen.bytes]).toEqual([0x88, 2, 3, 232])
    expect(sink.closed).toEqual([{ flow, reason: flowReasons.PEER_CLOSED }])
    expect(sink.garbageReasons).toEqual([])
  })

  it('a listener that closes says that it goes away (RFC 6455 §7.4.1)', async () => {
    const { seen } = await opened()
    await transport.close()
    await until(() => seen.isClosed, 'the close')
    expect([...seen.bytes]).toEqual([0x88, 2, 3, 233])
  })

  it('pings whose answers nobody reads cost no more than the queue may hold', async () => {
    const { peer, flow } = await opened()
    peer.pause()
    const pings = frame(0x89, new Uint8Array(125))
    for (let count = 0; count < 200_000 && flow.isOpen; count++) {
      if (!peer.write(pings)) await new Promise((resolve) => setImmediate(resolve))
    }
    const { queuedBytes } = flow as StreamConnection
    expect(queuedBytes).toBeLessThanOrEqual(limits.sendQueueBytesMax)
    peer.destroy()
    await until(() => sink.closed.length === 1, 'the close')
    await expectService()
  })
})

describe('as a client', () => {
  /** A server that answers a connection with those bytes. */
  async function answering(text: string): Promise<{ port: number; close(): void; received(): string }> {
    let received = ''
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
      })
      socket.write(text)
      peers.push(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    return { port, close: () => server.close(), received: () => received }
  }

  it.each([
    ['another HTTP answer', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['a wrong key', 'HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n'],
    ['SIP', 'SIP/2.0 200 OK\r\n\r\n'],
  ])('%s is no server of ours: what was to be sent fails and does not go out', async (_what, text) => {
    const server = await answering(text)
    const reasons: string[] = []
    const address = { transport: 'WS', address: '127.0.0.1', port: server.port }
    transport.send(bytesOf(optionsRequest('a')), { kind: 'address', address }, (reason) => reasons.push(reason))
    await until(() => reasons.length === 1, 'the failure')
    expect([sink.opened, sink.closed]).toEqual([[], []])
    expect(server.received()).not.toContain('OPTIONS')
    server.close()
  })

  it('a server that does not answer the handshake fails what waits', async () => {
    const server = await answering('')
    const reasons: string[] = []
    const address = { transport: 'WS', address: '127.0.0.1', port: server.port }
    transport.send(bytesOf(optionsRequest('a')), { kind: 'address', address }, (reason) => reasons.push(reason))
    await until(() => server.received().includes('\r\n\r\n'), 'the handshake')
    await clock.advance(limits.connectTimeoutMs)
    await until(() => reasons.length === 1, 'the failure')
    expect(reasons).toEqual([flowReasons.CONNECT_TIMEOUT])
    expect(server.received()).not.toContain('OPTIONS')
    server.close()
  })
})

describe('connections that say nothing', () => {
  it('a thousand leave room for nobody else, and all go', async () => {
    await transport.close()
    const count = 1_000
    transport = await listen(sink, { connectionsMax: count, connectionsPerAddressMax: count })
    const closed = { count: 0 }
    for (let opened = 0; opened < count; opened += 250) {
      const batch = Array.from({ length: 250 }, () => raw().peer)
      for (const peer of batch) peer.on('close', () => closed.count++)
      await Promise.all(batch.map((peer) => once(peer, 'connect')))
    }
    const late = raw()
    await until(() => late.seen.isClosed, 'the refusal')
    await clock.advance(limits.handshakeTimeoutMs)
    await until(() => closed.count === count, 'all to go')
    expect(sink.refusals).toHaveLength(count + 1)
    await expectService()
  })
})
