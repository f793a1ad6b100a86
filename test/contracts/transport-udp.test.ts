/** The UDP transport against keep-alives, probes, garbage, floods and peers that are gone (RFC 3261 §18; RFC 5626 §3.5). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  defaultTransportLimits,
  type Flow,
  silentLogger,
  type Transport,
  type TransportLimits,
  udpTransport,
} from '@carillon/sip-transaction'
import { FakeClock } from '@carillon/sip-transaction/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { optionsRequest, RecordingSink } from './transport-suite'

let sink: RecordingSink
let transport: Transport
let peer: Socket
let lastFlowId = 0

async function listen(to: RecordingSink, changes: Partial<TransportLimits> = {}): Promise<Transport> {
  const limits = { ...defaultTransportLimits, ...changes }
  const context = { clock: new FakeClock(), logger: silentLogger, limits, nextFlowId: () => ++lastFlowId }
  return udpTransport.listen('127.0.0.1', 0, to, context)
}

async function openPeer(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

beforeEach(async () => {
  sink = new RecordingSink()
  transport = await listen(sink)
  peer = await openPeer()
})

afterEach(async () => {
  peer.close()
  await transport.close()
})

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + 4_000
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const say = (bytes: Uint8Array | string, to: Transport = transport) => peer.send(bytes, to.local.port, '127.0.0.1')

/** Datagrams on loopback keep their order, so this message comes after everything said before it. */
async function fence(): Promise<void> {
  const before = sink.messages.length
  say(optionsRequest('fence'))
  await until(() => sink.messages.length > before, 'the fence')
}

describe('datagrams that are no messages', () => {
  it('keep-alives are swallowed and open no flow', async () => {
    for (const text of ['', '\r\n', '\r\n\r\n', '\0', '\0\0\0\0', ' ']) say(text)
    await fence()
    expect(sink.messages).toHaveLength(1)
    expect(sink.opened).toHaveLength(1)
    expect(sink.garbageReasons).toEqual([])
  })

  it('RFC 5626 §3.5.2: a STUN binding request is answered with the address it came from', async () => {
    const request = Buffer.from('000100002112a442b7e7a701bc34d686fa87dfae', 'hex')
    say(request)
    const [answer] = (await once(peer, 'message')) as [Buffer]
    expect(answer.subarray(0, 2).toString('hex')).toBe('0101')
    expect(answer.subarray(8, 20)).toEqual(request.subarray(8, 20))
    expect(answer.readUInt16BE(26) ^ 0x2112).toBe(peer.address().port)
    expect(sink.opened).toEqual([])
  })

  it('STUN that is no binding request gets no answer', async () => {
    let answers = 0
    peer.on('message', () => answers++)
    for (const type of ['0011', '0101', '0003']) say(Buffer.from(`${type}00002112a442b7e7a701bc34d686fa87dfae`, 'hex'))
    await fence()
    transport.send(new Uint8Array([65]), { kind: 'flow', flow: sink.opened[0] as Flow }, () => {})
    await until(() => answers === 1, 'the last datagram')
    expect(answers).toBe(1)
  })

  it('garbage is counted, and displaces no flow', async () => {
    for (let i = 0; i < 50; i++) say(Buffer.from([0xff, 0xfe, i]))
    await fence()
    expect(sink.garbageReasons).toHaveLength(50)
    expect(sink.opened).toHaveLength(1)
  })

  it('a datagram over the limit is counted', async () => {
    const small = await listen(sink, { messageBytesMax: 1_000 })
    say(optionsRequest('a', 'x'.repeat(1_000)), small)
    await until(() => sink.garbageReasons.length === 1, 'the count')
    expect(sink.messages).toEqual([])
    await small.close()
  })
})

describe('keep-alives that we send (RFC 5626 §4.4.2)', () => {
  it('a peer that answers stays, one that is gone is told of, and nothing is left running', async () => {
    const clock = new FakeClock()
    const context = { clock, logger: silentLogger, limits: defaultTransportLimits, nextFlowId: () => ++lastFlowId }
    const near = new RecordingSink()
    const from = await udpTransport.listen('127.0.0.1', 0, near, context)
    const lost: string[] = []
    from.keepAlive?.(transport.local, 29_000, (reason) => lost.push(reason))
    const stop = from.keepAlive?.(transport.local, 29_000, (reason) => lost.push(`stopped ${reason}`))
    transport.send(new Uint8Array(Buffer.from(optionsRequest('a'))), { kind: 'address', address: from.local }, () => {})
    await until(() => near.opened.length === 1, 'the flow')
    for (let passed = 0; passed < 300_000; passed += 2_000) {
      await clock.advance(2_000)
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(lost).toEqual([])
    stop?.()
    await transport.close()
    await clock.advance(60_000)
    expect(lost).toEqual(['keep-alive not answered'])
    expect(near.closed.map(({ reason }) => reason)).toEqual(['keep-alive not answered'])
    expect(clock.pending).toBe(0)
    const running = from.keepAlive?.(transport.local, 29_000, () => {})
    await from.close()
    running?.()
    expect(clock.pending).toBe(0)
  })
})

describe('sends that fail', () => {
  it('a message too long for a datagram fails with EMSGSIZE', async () => {
    const reasons: string[] = []
    const address = { transport: 'UDP', address: '127.0.0.1', port: peer.address().port }
    transport.send(new Uint8Array(70_000), { kind: 'address', address }, (reason) => reasons.push(reason))
    expect(reasons).toEqual([])
    await until(() => reasons.length === 1, 'the failure')
    expect(reasons).toEqual(['EMSGSIZE'])
  })

  it('a peer that is gone disturbs nothing', async () => {
    const gone = await openPeer()
    const address = { transport: 'UDP', address: '127.0.0.1', port: gone.address().port }
    gone.close()
    for (let i = 0; i < 20; i++) {
      transport.send(new Uint8Array([65]), { kind: 'address', address }, () => {})
      await new Promise((resolve) => setImmediate(resolve))
    }
    await fence()
    expect(sink.messages).toHaveLength(1)
  })
})

describe('flows', () => {
  it('are bounded, and one that was forgotten still carries', async () => {
    const few = await listen(sink, { datagramFlowsMax: 8 })
    const others = await Promise.all(Array.from({ length: 20 }, openPeer))
    say(optionsRequest('first'), few)
    await until(() => sink.messages.length === 1, 'the first')
    const first = sink.opened[0] as Flow
    for (const other of others) other.send(optionsRequest('other'), few.local.port, '127.0.0.1')
    await until(() => sink.messages.length === 21, 'the others')
    expect(sink.opened).toHaveLength(21)
    expect(sink.closed).toEqual([])
    expect(first.isOpen).toBe(true)
    few.send(new Uint8Array([65]), { kind: 'flow', flow: first }, () => {})
    const [bytes] = (await once(peer, 'message')) as [Buffer]
    expect(bytes.toString()).toBe('A')
    for (const other of others) other.close()
    await few.close()
    expect(first.isOpen).toBe(false)
    expect(sink.closed.length).toBeLessThanOrEqual(8)
  })

  it('an owner that throws costs neither the socket nor the process', async () => {
    const thrower = new RecordingSink()
    let calls = 0
    thrower.message = () => {
      calls++
      throw new Error('owner')
    }
    const other = await listen(thrower)
    say(optionsRequest('a'), other)
    say(optionsRequest('b'), other)
    await until(() => calls === 2, 'both')
    await other.close()
  })
})
