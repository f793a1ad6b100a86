/** The TLS transport against peers that are slow, silent, rude or gone (RFC 3261 §26.3, RFC 5626 §4.4.1). */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import {
  createNodeRandom,
  defaultTransportLimits,
  type Flow,
  type FlowAddress,
  silentLogger,
  type Transport,
  type TransportLimits,
} from '@carillon/sip-transaction'
import { FakeClock } from '@carillon/sip-transaction/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BuiltinTransports } from '../../packages/sip-transaction/src/transport/builtin-transports'
import { flowReasons } from '../../packages/sip-transaction/src/transport/reasons'
import { TestAuthority, type TestCertificate } from '../support/certificates'
import { optionsRequest, RecordingSink } from './transport-suite'

/** A sink that also remembers who never became a flow. */
class TlsSink extends RecordingSink {
  readonly refusals: string[] = []

  refused(_remote: FlowAddress, reason: string): void {
    this.refusals.push(reason)
  }
}

const limits: TransportLimits = { ...defaultTransportLimits, connectionsMax: 40, connectionsPerAddressMax: 20 }
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

let authority: TestAuthority
let own: TestCertificate
let clock: FakeClock
let sink: TlsSink
let transport: Transport
let peers: Socket[]
let lastFlowId = 0

async function listen(scheme: string, to: TlsSink, changes: Partial<TransportLimits> = {}): Promise<Transport> {
  const context = { clock, logger: silentLogger, limits: { ...limits, ...changes }, nextFlowId: () => ++lastFlowId }
  const { factories } = new BuiltinTransports({ tls: { ca: authority.cert, ...own }, random: createNodeRandom() })
  const factory = factories.find((one) => one.scheme === scheme)
  if (factory === undefined) throw new Error(`no factory for ${scheme}`)
  return factory.listen('127.0.0.1', 0, to, context)
}

beforeAll(async () => {
  authority = await TestAuthority.create()
  own = await authority.issue({ dns: ['example.com'], addresses: ['127.0.0.1'] })
})

beforeEach(async () => {
  clock = new FakeClock()
  sink = new TlsSink()
  peers = []
  transport = await listen('tls', sink)
})

afterEach(async () => {
  for (const peer of peers) peer.destroy()
  await transport.close()
  expect(clock.pending).toBe(0)
})

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + 8_000
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function plain(to: Transport = transport): Socket {
  const peer = connect({ port: to.local.port, host: '127.0.0.1' })
  peer.on('error', () => {})
  peers.push(peer)
  return peer
}

async function secured(): Promise<{ peer: TLSSocket; flow: Flow }> {
  const before = sink.opened.length
  const peer = connectTls({
    port: transport.local.port,
    host: '127.0.0.1',
    ca: authority.cert,
    servername: 'example.com',
  })
  peer.on('error', () => {})
  peers.push(peer)
  await once(peer, 'secureConnect')
  await until(() => sink.opened.length > before, 'the flow')
  return { peer, flow: sink.opened[before] as Flow }
}

/** A server that still works. */
async function expectService(): Promise<void> {
  const before = sink.messages.length
  const { peer } = await secured()
  peer.write(optionsRequest('alive'))
  await until(() => sink.messages.length > before, 'the message')
}

/** The first bytes of a TLS handshake, as a client really sends them. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connectTls({ port, host: '127.0.0.1', servername: 'example.com' })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [hello] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return hello
}

describe('handshakes that do not end', () => {
  it('a peer that says nothing is cut off, counted, and was never a flow', async () => {
    const silent = plain()
    await once(silent, 'connect')
    await until(() => clock.pending > 0, 'the timer')
    await clock.advance(limits.handshakeTimeoutMs)
    await until(() => sink.refusals.length === 1, 'the refusal')
    expect([sink.refusals, sink.opened, sink.closed]).toEqual([[flowReasons.HANDSHAKE_TIMEOUT], [], []])
    await expectService()
  })

  it('one that sends its hello a byte at a time gains no time by it', async () => {
    const hello = await clientHello()
    const slow = plain()
    await once(slow, 'connect')
    let sent = 0
    for (; sent < hello.length - 1 && sink.refusals.length === 0; sent++) {
      slow.write(hello.subarray(sent, sent + 1))
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(500)
    }
    await until(() => sink.refusals.length === 1, 'the refusal')
    expect(sink.refusals).toEqual([flowReasons.HANDSHAKE_TIMEOUT])
    expect(sent).toBeLessThanOrEqual(limits.handshakeTimeoutMs / 500 + 2)
  })

  it('hello and then nothing: a flood fills its share and no more, and goes', async () => {
    const hello = await clientHello()
    const closed = { count: 0 }
    for (let count = 0; count < 200; count++) {
      const peer = plain()
      peer.on('close', () => closed.count++)
      peer.write(hello)
      peer.resume()
    }
    await until(() => sink.refusals.length === 180, '180 refusals')
    expect(new Set(sink.refusals)).toEqual(new Set([flowReasons.CONNECTION_LIMIT]))
    await clock.advance(limits.handshakeTimeoutMs)
    await until(() => sink.refusals.length === 200 && closed.count === 200, 'the rest')
    expect(sink.opened).toEqual([])
    await expectService()
  })

  it('one that breaks off midway, by a reset or an end, is closed and counted', async () => {
    const hello = await clientHello()
    const [reset, end] = [plain(), plain()]
    await Promise.all(
      [reset, end].map((peer) => {
        peer.write(hello)
        return once(peer, 'data')
      }),
    )
    reset.resetAndDestroy()
    end.end()
    await until(() => sink.refusals.length === 2, 'both refusals')
    expect(sink.opened).toEqual([])
    await expectService()
  })

  it('one that is altered midway is closed and counted', async () => {
    const hello = await clientHello()
    for (const at of [0, 1, 5, 9, 40, hello.length - 1]) {
      const before = sink.refusals.length
      const peer = plain()
      const broken = Buffer.from(hello)
      broken[at] = (broken[at] ?? 0) ^ 0xff
      peer.end(Buffer.concat([broken, Buffer.from('more that is no TLS')]))
      peer.resume()
      await until(() => sink.refusals.length > before, `the refusal of byte ${at}`)
    }
    expect([sink.opened, sink.messages]).toEqual([[], []])
    await expectService()
  })
})

describe('connections whose peer has said that nothing more comes', () => {
  it('close with the last answer that is owed, and at once when none is', async () => {
    const { peer, flow } = await secured()
    let answer = ''
    peer.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
    })
    peer.end(optionsRequest('a'))
    await until(() => sink.messages.length === 1, 'the request')
    await until(() => sink.closed.length === 1, 'the news')
    expect(flow.isOpen).toBe(true)
    transport.send(Buffer.from('SIP/2.0 180 Ringing\r\n\r\n'), { kind: 'flow', flow }, () => {})
    expect(flow.isOpen).toBe(true)
    transport.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), { kind: 'flow', flow }, () => {})
    expect(flow.isOpen).toBe(false)
    await until(() => answer.includes('200 OK'), 'the answer')

    const idle = await secured()
    idle.peer.end()
    await until(() => sink.closed.length === 2, 'the close')
    expect(idle.flow.isOpen).toBe(false)
  })
})

describe('the wrong protocol', () => {
  it.each([
    ['plain SIP', optionsRequest('plain')],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'],
    ['anything', '\x00\x01\x02\x03\xff\xfe'.repeat(50)],
  ])('%s to a TLS port is closed and counted, and nothing of it is read', async (_what, text) => {
    const peer = plain()
    peer.write(text, 'latin1')
    peer.resume()
    await once(peer, 'close')
    await until(() => sink.refusals.length === 1, 'the refusal')
    expect([sink.opened, sink.messages, sink.garbageReasons]).toEqual([[], [], []])
    await expectService()
  })

  it('TLS to a plain port is garbage, and the client gives up', async () => {
    const tcpSink = new TlsSink()
    const tcp = await listen('tcp', tcpSink)
    const reasons: string[] = []
    const address = { transport: 'TLS', address: '127.0.0.1', port: tcp.local.port }
    transport.send(bytesOf(optionsRequest('a')), { kind: 'address', address }, (reason) => reasons.push(reason))
    await until(() => reasons.length === 1 && tcpSink.closed.length === 1, 'both ends')
    expect([tcpSink.messages, tcpSink.garbageReasons.length]).toEqual([[], 1])
    await tcp.close()
  })

  it('HTTP to a plain port is garbage', async () => {
    const tcpSink = new TlsSink()
    const tcp = await listen('tcp', tcpSink)
    const peer = plain(tcp)
    peer.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')
    await until(() => tcpSink.closed.length === 1, 'the close')
    expect([tcpSink.messages, tcpSink.garbageReasons.length]).toEqual([[], 1])
    await tcp.close()
  })

  it('old versions of TLS and weak ciphers are refused (RFC 9325 §3.1, §4.2)', async () => {
    const attempts = [
      { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0' },
    ] as const
    for (const [at, options] of attempts.entries()) {
      const peer = connectTls({ port: transport.local.port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
      peers.push(peer)
      peer.on('error', () => {})
      await until(() => sink.refusals.length === at + 1, 'the refusal')
    }
    expect(sink.opened).toEqual([])
  })
})

describe('connections that are up', () => {
  it('one that says nothing is closed, and one that ends its side gets its answer first', async () => {
    const silent = await secured()
    const { peer, flow } = await secured()
    let text = ''
    peer.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    peer.end(optionsRequest('last'))
    await until(() => sink.messages.length === 1 && sink.closed.length === 1, 'the request and the end')
    transport.send(bytesOf('SIP/2.0 200 OK\r\n\r\n'), { kind: 'flow', flow }, () => {})
    await until(() => text !== '', 'the answer')
    expect(text).toBe('SIP/2.0 200 OK\r\n\r\n')
    await clock.advance(limits.firstMessageTimeoutMs)
    await until(() => sink.closed.length === 2, 'the silent one')
    expect(sink.closed.find((one) => one.flow === silent.flow)?.reason).toBe(flowReasons.SILENT)
  })

  it('a client cannot ask for a new handshake', async () => {
    const peer = connectTls({
      port: transport.local.port,
      host: '127.0.0.1',
      ca: authority.cert,
      servername: 'example.com',
      maxVersion: 'TLSv1.2',
    })
    peers.push(peer)
    peer.on('error', () => {})
    await once(peer, 'secureConnect')
    await until(() => sink.opened.length === 1, 'the flow')
    peer.renegotiate({}, () => {})
    await until(() => sink.closed.length === 1, 'the close')
    await expectService()
  })

  it('a peer that does not read is cut off when its queue is full', async () => {
    const { peer, flow } = await secured()
    peer.pause()
    const big = bytesOf(optionsRequest('a', 'x'.repeat(60_000)))
    for (let count = 0; count < 2_000 && flow.isOpen; count++) {
      transport.send(big, { kind: 'flow', flow }, () => {})
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => sink.closed.length === 1, 'the close')
    expect(sink.closed[0]?.reason).toBe(flowReasons.SEND_QUEUE_FULL)
  })
})

describe('keep-alives that we send (RFC 5626 §4.4.1)', () => {
  const keepAlive = { keepAliveMs: 60_000, keepAliveAnswerMs: 10_000 }

  it.each(['tcp', 'tls', 'ws', 'wss'])(
    '%s: a connection that answers stays, one whose peer is dead is closed',
    async (scheme) => {
      const [near, far] = [new TlsSink(), new TlsSink()]
      const [from, to] = [await listen(scheme, near, keepAlive), await listen(scheme, far)]
      from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, () => {})
      await until(() => far.messages.length === 1, 'the message')
      for (let passed = 0; passed < 300_000; passed += 5_000) {
        await clock.advance(5_000)
        // Ping and pong take a turn each.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(near.closed).toEqual([])
      // The far end is still connected, but nobody is there any more: nothing but time goes on.
      clock.advanceSync(70_000)
      await until(() => near.closed.length === 1, 'the close')
      expect(near.closed[0]?.reason).toBe(flowReasons.KEEP_ALIVE_UNANSWERED)
      await Promise.all([from.close(), to.close()])
    },
  )

  it('RFC 5626 §4.4.1: a connection has a pace of its own when that is asked for, and dies by it', async () => {
    const [near, far] = [new TlsSink(), new TlsSink()]
    const quiet = { keepAliveMs: 0, keepAliveAnswerMs: 10_000 }
    const [from, to] = [await listen('tcp', near, quiet), await listen('tcp', far, quiet)]
    from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, () => {})
    await until(() => far.messages.length === 1, 'the message')
    const flow = near.opened[0]!
    const stop = from.keepFlowAlive!(flow, 20_000)
    stop()
    clock.advanceSync(60_000)
    expect(near.closed).toEqual([])
    from.keepFlowAlive!(flow, 20_000)
    for (let passed = 0; passed < 100_000; passed += 5_000) {
      await clock.advance(5_000)
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(near.closed).toEqual([])
    clock.advanceSync(30_000)
    await until(() => near.closed.length === 1, 'the close')
    expect(near.closed[0]?.reason).toBe(flowReasons.KEEP_ALIVE_UNANSWERED)
    await Promise.all([from.close(), to.close()])
  })

  it('does not ping connections that others opened, but for WebSocket, where every peer answers', async () => {
    const server = new TlsSink()
    const tls = await listen('tls', server, keepAlive)
    const peer = connectTls({ port: tls.local.port, host: '127.0.0.1', ca: authority.cert, servername: 'example.com' })
    peers.push(peer)
    let received = ''
    peer.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
    })
    await once(peer, 'secureConnect')
    peer.write(optionsRequest('a'))
    await until(() => server.messages.length === 1, 'the message')
    await clock.advance(120_000)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect([received, server.closed]).toEqual(['', []])
    await tls.close()
  })
})
