/** The TCP transport against peers that are slow, silent, greedy, rude or gone (RFC 3261 §18; RFC 5626 §3.5.1). */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import {
  defaultTransportLimits,
  type Flow,
  silentLogger,
  type Transport,
  type TransportLimits,
  type TransportSink,
  tcpTransport,
} from '@carillon/sip-transaction'
import { FakeClock } from '@carillon/sip-transaction/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { flowReasons } from '../../packages/sip-transaction/src/transport/reasons'
import { SipFraming } from '../../packages/sip-transaction/src/transport/stream/stream-framing'
import { StreamTransport } from '../../packages/sip-transaction/src/transport/stream/stream-transport'
import { optionsRequest, RecordingSink } from './transport-suite'

const limits: TransportLimits = { ...defaultTransportLimits, connectionsMax: 8, connectionsPerAddressMax: 5 }
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

let clock: FakeClock
let sink: RecordingSink
let transport: Transport
let peers: Socket[]
let lastFlowId = 0

async function listen(to: TransportSink, changes: Partial<TransportLimits> = {}): Promise<Transport> {
  const context = { clock, logger: silentLogger, limits: { ...limits, ...changes }, nextFlowId: () => ++lastFlowId }
  return tcpTransport.listen('127.0.0.1', 0, to, context)
}

beforeEach(async () => {
  clock = new FakeClock()
  sink = new RecordingSink()
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

/** A peer that is connected, whose flow is open. */
async function connected(
  to: Transport = transport,
  seenBy: RecordingSink = sink,
): Promise<{ peer: Socket; flow: Flow }> {
  const before = seenBy.opened.length
  const peer = connect({ port: to.local.port, host: '127.0.0.1', allowHalfOpen: true })
  peer.on('error', () => {})
  peers.push(peer)
  await once(peer, 'connect')
  await until(() => seenBy.opened.length > before, 'the flow')
  return { peer, flow: seenBy.opened[before] as Flow }
}

function collect(peer: Socket): { text: string; isEnded: boolean } {
  const seen = { text: '', isEnded: false }
  peer.on('data', (chunk) => {
    seen.text += chunk.toString('latin1')
  })
  peer.on('close', () => {
    seen.isEnded = true
  })
  peer.on('end', () => {
    seen.isEnded = true
  })
  return seen
}

async function exchange(peer: Socket, callId: string): Promise<void> {
  const before = sink.messages.length
  peer.write(optionsRequest(callId))
  await until(() => sink.messages.length > before, 'the message')
}

const reasonOf = (flow: Flow, by: RecordingSink = sink) => by.closed.find((one) => one.flow === flow)?.reason

describe('slow and silent peers', () => {
  it('a peer that sends one byte a second is cut off when its message takes too long', async () => {
    const { peer, flow } = await connected()
    const text = optionsRequest('slow')
    let sent = 0
    while (flow.isOpen && sent < 60) {
      peer.write(text.charAt(sent++))
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(1_000)
    }
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.MESSAGE_TIMEOUT)
    expect(sent).toBeLessThanOrEqual(limits.messageTimeoutMs / 1_000 + 2)
    expect(sink.messages).toEqual([])
  })

  it('the time for a message begins with its first byte, also behind a whole one in the same segment', async () => {
    const { peer, flow } = await connected()
    for (let round = 0; round < 4; round++) {
      const before = sink.messages.length
      peer.write(round === 0 ? `${optionsRequest('a')}OPTIONS` : `${optionsRequest('a').slice(7)}OPTIONS`)
      await until(() => sink.messages.length > before, 'the message')
      await clock.advance(limits.messageTimeoutMs - 1)
      expect(flow.isOpen).toBe(true)
    }
    await clock.advance(1)
    expect(flow.isOpen).toBe(false)
  })

  it('a connection that says nothing is closed', async () => {
    const { flow } = await connected()
    await clock.advance(limits.firstMessageTimeoutMs - 1)
    expect(flow.isOpen).toBe(true)
    await clock.advance(1)
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.SILENT)
  })

  it('an idle connection is closed, one that is kept alive is not', async () => {
    const idle = await connected()
    const alive = await connected()
    await exchange(idle.peer, 'a')
    await exchange(alive.peer, 'b')
    const seen = collect(alive.peer)
    for (let passed = 0, pings = 0; passed < limits.idleTimeoutMs; passed += 100_000) {
      await clock.advance(100_000)
      alive.peer.write('\r\n\r\n')
      pings++
      await until(() => seen.text.length === 2 * pings, 'the pong')
    }
    expect(seen.text).toMatch(/^(\r\n)+$/)
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(idle.flow)).toBe(flowReasons.IDLE)
    expect(alive.flow.isOpen).toBe(true)
  })

  it('a connection that is not up in time fails what waits for it, and was never a flow', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    // A name that is never looked up: the connection stays under way for ever.
    const never = () => connect({ host: 'never.example', port: 1, allowHalfOpen: true, lookup: () => {} })
    const framing = () => new SipFraming(limits.messageBytesMax)
    const kind = { name: 'TCP', isSecure: false, connectEvent: 'connect', connect: never, framing }
    const context = { clock, logger: silentLogger, limits, nextFlowId: () => ++lastFlowId }
    const near = new RecordingSink()
    const stuck = new StreamTransport(kind, server, { ...transport.local, port: 1 }, near, context)
    const reasons: string[] = []
    for (const callId of ['a', 'b']) {
      stuck.send(bytesOf(optionsRequest(callId)), { kind: 'address', address: transport.local }, (reason) =>
        reasons.push(reason),
      )
    }
    await clock.advance(limits.connectTimeoutMs - 1)
    expect(reasons).toEqual([])
    await clock.advance(1)
    await until(() => reasons.length === 2, 'both failures')
    expect(reasons).toEqual([flowReasons.CONNECT_TIMEOUT, flowReasons.CONNECT_TIMEOUT])
    expect([near.opened, near.closed]).toEqual([[], []])
    await stuck.close()
  })
})

describe('caps', () => {
  it('no address gets more connections than its share, and room comes back', async () => {
    const held = []
    for (let i = 0; i < limits.connectionsPerAddressMax; i++) held.push(await connected())
    const refused = connect(transport.local.port, '127.0.0.1')
    refused.on('error', () => {})
    peers.push(refused)
    await once(refused, 'close')
    expect(sink.opened).toHaveLength(limits.connectionsPerAddressMax)
    held[0]?.peer.destroy()
    await until(() => sink.closed.length === 1, 'the close')
    await exchange((await connected()).peer, 'a')
  })

  it('a thousand connections that say nothing leave room for nobody else, and all go', async () => {
    await transport.close()
    transport = await listen(sink, { connectionsMax: 300, connectionsPerAddressMax: 300 })
    const seen = { closed: 0 }
    for (let i = 0; i < 1_000; i++) {
      const peer = connect(transport.local.port, '127.0.0.1')
      peer.on('error', () => {})
      peer.on('close', () => seen.closed++)
      peers.push(peer)
    }
    await until(() => seen.closed === 700, '700 refusals')
    expect(sink.opened).toHaveLength(300)
    await clock.advance(limits.firstMessageTimeoutMs)
    await until(() => sink.closed.length === 300 && seen.closed === 1_000, 'the rest to go')
    await exchange((await connected()).peer, 'a')
  })

  it('outgoing connections count too', async () => {
    const near = new RecordingSink()
    const from = await listen(near, { connectionsMax: 0 })
    const reasons: string[] = []
    from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: transport.local }, (reason) =>
      reasons.push(reason),
    )
    await until(() => reasons.length === 1, 'the failure')
    expect(reasons).toEqual([flowReasons.CONNECTION_LIMIT])
    await from.close()
  })

  it('a peer that does not read is cut off when its queue is full', async () => {
    const { peer, flow } = await connected()
    peer.pause()
    const reasons: string[] = []
    const big = bytesOf(optionsRequest('a', 'x'.repeat(60_000)))
    for (let i = 0; i < 1_000 && flow.isOpen; i++) {
      transport.send(big, { kind: 'flow', flow }, (reason) => reasons.push(reason))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.SEND_QUEUE_FULL)
    await until(() => reasons.length >= limits.sendQueueBytesMax / big.length, 'every queued message to fail')
    expect(new Set(reasons)).toEqual(new Set([flowReasons.SEND_QUEUE_FULL]))
  })

  it('a message over the limit ends the connection', async () => {
    const { peer, flow } = await connected()
    peer.write('OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 999999999\r\n\r\n')
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.FRAMING)
    expect(sink.garbageReasons).toHaveLength(1)
  })
})

describe('rude peers', () => {
  it('bytes that are no SIP are counted once and end the connection', async () => {
    const { peer, flow } = await connected()
    const seen = collect(peer)
    peer.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
    await until(() => seen.isEnded, 'the end')
    expect(reasonOf(flow)).toBe(flowReasons.FRAMING)
    expect(sink.garbageReasons).toHaveLength(1)
  })

  it('what follows a broken message in the same segment is not handed over', async () => {
    const { peer } = await connected()
    peer.write(
      `${optionsRequest('good')}OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n${optionsRequest('late')}`,
    )
    await until(() => sink.closed.length === 1, 'the close')
    expect(sink.messages.map(({ text }) => text)).toEqual([optionsRequest('good')])
  })

  it('a reset is a closed flow and nothing more', async () => {
    const { peer, flow } = await connected()
    await exchange(peer, 'a')
    peer.resetAndDestroy()
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe('ECONNRESET')
    expect(flow.isOpen).toBe(false)
  })

  it('an owner that throws costs neither the connection nor the process', async () => {
    const thrower = new RecordingSink()
    thrower.message = () => {
      throw new Error('owner')
    }
    const other = await listen(thrower)
    const { peer, flow } = await connected(other, thrower)
    const seen = collect(peer)
    peer.write(`${optionsRequest('a')}\r\n\r\n`)
    await until(() => seen.text === '\r\n', 'the pong after it')
    expect(flow.isOpen).toBe(true)
    await other.close()
  })

  it('a peer that does not read cannot hold up close()', async () => {
    const { peer, flow } = await connected()
    peer.pause()
    for (let i = 0; i < 15; i++) transport.send(bytesOf('x'.repeat(60_000)), { kind: 'flow', flow }, () => {})
    let isClosed = false
    const closing = transport.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    // Loopback may take it all at once; if not, only the grace period ends it.
    if (!isClosed) await clock.advance(limits.connectionCloseGraceMs)
    await closing
    expect(flow.isOpen).toBe(false)
    expect(reasonOf(flow)).toBe(flowReasons.TRANSPORT_CLOSED)
  })
})

describe('half-closed connections', () => {
  it('a peer that has ended its side still gets its answer, on the same connection', async () => {
    const { peer, flow } = await connected()
    const seen = collect(peer)
    peer.end(optionsRequest('a'))
    await until(() => sink.messages.length === 1, 'the request')
    await clock.advance(1_000)
    expect(flow.isOpen).toBe(true)
    transport.send(bytesOf('SIP/2.0 200 OK\r\n\r\n'), { kind: 'flow', flow }, () => {})
    await until(() => seen.text !== '', 'the answer')
    expect(seen.text).toBe('SIP/2.0 200 OK\r\n\r\n')
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.PEER_CLOSED)
  })

  it('a peer that has ended its side and gets no answer is not waited for beyond the time of a transaction', async () => {
    const { peer, flow } = await connected()
    peer.end(`${optionsRequest('a')}${optionsRequest('b')}`)
    await until(() => sink.messages.length === 2, 'the requests')
    transport.send(bytesOf('SIP/2.0 200 OK\r\n\r\n'), { kind: 'flow', flow }, () => {})
    await clock.advance(limits.halfClosedTimeoutMs - 1)
    expect(flow.isOpen).toBe(true)
    await clock.advance(1)
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.PEER_CLOSED)
  })

  it('a peer that is owed nothing is closed at once, and takes what was sent before', async () => {
    const { peer, flow } = await connected()
    const seen = collect(peer)
    await exchange(peer, 'a')
    transport.send(bytesOf('SIP/2.0 200 OK\r\n\r\n'), { kind: 'flow', flow }, () => {})
    await until(() => seen.text !== '', 'the answer')
    transport.send(bytesOf(optionsRequest('z')), { kind: 'flow', flow }, () => {})
    peer.end()
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.PEER_CLOSED)
    await until(() => seen.text.includes('OPTIONS'), 'what was on its way')
  })

  it('ends at once in the middle of a message', async () => {
    const { peer, flow } = await connected()
    peer.end(optionsRequest('a').slice(0, -10))
    await until(() => sink.closed.length === 1, 'the close')
    expect(reasonOf(flow)).toBe(flowReasons.PEER_CLOSED_EARLY)
    expect(sink.messages).toEqual([])
  })

  it('is not used for new requests, which get a connection of their own', async () => {
    const server = createServer({ allowHalfOpen: true })
    const accepted: Socket[] = []
    server.on('connection', (socket) => {
      accepted.push(socket)
      socket.on('error', () => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const address = { transport: 'TCP', address: '127.0.0.1', port }
    transport.send(bytesOf(optionsRequest('a')), { kind: 'address', address }, () => {})
    await until(() => accepted.length === 1, 'the first connection')
    accepted[0]?.write(optionsRequest('b'))
    await until(() => sink.messages.length === 1, 'a request for which an answer is due')
    accepted[0]?.end()
    await until(() => {
      transport.send(bytesOf(optionsRequest('c')), { kind: 'address', address }, () => {})
      return accepted.length === 2
    }, 'the second connection')
    expect(sink.opened[0]?.isOpen).toBe(true)
    for (const socket of accepted) socket.destroy()
    server.close()
  })
})

describe('reuse', () => {
  it('an accepted connection serves requests to the address it came from (RFC 3261 §18.1.1)', async () => {
    const near = new RecordingSink()
    const from = await listen(near)
    from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: transport.local }, () => {})
    await until(() => sink.messages.length === 1, 'the request')
    const remote = (sink.opened[0] as Flow).remote
    transport.send(bytesOf(optionsRequest('b')), { kind: 'address', address: remote }, () => {})
    await until(() => near.messages.length === 1, 'the request back')
    expect([near.opened.length, sink.opened.length]).toEqual([1, 1])
    await from.close()
  })

  it('messages come whole whatever the segments, split at every byte or many in one', async () => {
    const { peer } = await connected()
    peer.setNoDelay(true)
    const text = optionsRequest('split', 'body')
    for (const character of text) {
      peer.write(character)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => sink.messages.length === 1, 'the split one')
    peer.write(text.repeat(500))
    await until(() => sink.messages.length === 501, 'the rest')
    expect(new Set(sink.messages.map((message) => message.text))).toEqual(new Set([text]))
  })
})
