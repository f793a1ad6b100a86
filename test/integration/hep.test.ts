/** HepExporter over real sockets: what a capture server gets, and what happens when it is slow, away or gone. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Socket as Connection, createServer } from 'node:net'
import { inspect } from 'node:util'
import { decodeHep, HepExporter, type HepPacket, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !condition(); attempt += 1) await new Promise((done) => setTimeout(done, 10))
  expect(condition()).toBe(true)
}

/** Two stacks; the first is to be exported. */
async function pair(listen: string): Promise<{ alice: SipStack; ask: () => Promise<number> }> {
  const make = async () => {
    const stack = await SipStack.create({ listen: [listen] })
    closing.push(() => stack.close({ graceMs: 0 }))
    return stack
  }
  const [alice, bob] = [await make(), await make()]
  const ask = async () =>
    (await alice.request({ method: 'OPTIONS', uri: bob.listeners[0]!.uri, callId: 'exported' })).status
  return { alice, ask }
}

async function udpServer(address: string): Promise<{ socket: Socket; packets: HepPacket[]; close: () => void }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const packets: HepPacket[] = []
  socket.on('message', (bytes) => {
    const read = decodeHep(bytes)
    if (read.ok) packets.push(read.packet)
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  let isClosed = false
  const close = () => {
    if (!isClosed) socket.close()
    isClosed = true
  }
  closing.push(close)
  return { socket, packets, close }
}

describe('HepExporter', () => {
  it.each([
    ['IPv4', 'udp://127.0.0.1:0', '127.0.0.1'],
    ['IPv6', 'udp://[::1]:0', '::1'],
    ['a listener on every address', 'udp://0.0.0.0:0', undefined],
  ])('sends every message with its addresses, Call-ID, agent and key: %s', async (_name, listen, address) => {
    const { socket, packets } = await udpServer('127.0.0.1')
    const { alice, ask } = await pair(listen)
    const exporter = new HepExporter({ host: '127.0.0.1', port: socket.address().port, agentId: 77, key: 'opensesame' })
    closing.push(() => exporter.close())
    exporter.attach(alice)
    expect(await ask()).toBe(200)
    await until(() => packets.length === 2)
    const [request, response] = packets
    expect(Buffer.from(request!.payload).toString()).toMatch(/^OPTIONS /)
    expect(Buffer.from(response!.payload).toString()).toMatch(/^SIP\/2\.0 200 /)
    expect(request).toMatchObject({
      payloadType: 1,
      ipProtocol: 17,
      agentId: 77,
      key: 'opensesame',
      correlationId: 'exported',
      source: { port: alice.listeners[0]!.port, ...(address === undefined ? {} : { address }) },
    })
    expect(request!.source.address).not.toBe('0.0.0.0')
    expect([response!.destination, response!.source]).toEqual([request!.source, request!.destination])
    expect(Math.abs(request!.wallMs - Date.now())).toBeLessThan(10_000)
    expect(exporter.stats).toEqual({ sent: 2, dropped: 0, failed: 0, queuedBytes: 0 })
    expect(inspect(exporter, { depth: 10, showHidden: true })).not.toContain('opensesame')
  })

  it('goes over TCP, several packets in one stream', async () => {
    const server = createServer()
    let received = Buffer.alloc(0)
    server.on('connection', (connection: Connection) => {
      connection.on('data', (chunk) => {
        received = Buffer.concat([received, chunk])
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const { alice, ask } = await pair('tcp://127.0.0.1:0')
    const { port } = server.address() as { port: number }
    const exporter = new HepExporter({ host: '127.0.0.1', port, protocol: 'tcp' })
    exporter.attach(alice)
    await ask()
    await exporter.close()
    await until(() => received.length > 0)
    const packets: HepPacket[] = []
    while (received.length > 0) {
      const length = received.readUInt16BE(4)
      const read = decodeHep(received.subarray(0, length))
      if (read.ok) packets.push(read.packet)
      received = received.subarray(length)
    }
    expect(packets.map(({ ipProtocol, correlationId }) => [ipProtocol, correlationId])).toEqual([
      [6, 'exported'],
      [6, 'exported'],
    ])
    expect(packets[0]?.source.port).toBeGreaterThan(0)
  })

  it.each(['udp', 'tcp'] as const)(
    'holds nothing up when no server is there, and keeps within its queue: %s',
    async (protocol) => {
      const { socket } = await udpServer('127.0.0.1')
      const { port } = socket.address()
      const { alice, ask } = await pair('udp://127.0.0.1:0')
      const exporter = new HepExporter({ host: '127.0.0.1', port, protocol, limits: { hepQueueBytesMax: 2_000 } })
      exporter.attach(alice)
      for (let count = 0; count < 20; count += 1) expect(await ask()).toBe(200)
      expect(exporter.stats.queuedBytes).toBeLessThanOrEqual(2_000)
      if (protocol === 'tcp') expect(exporter.stats.dropped).toBeGreaterThan(30)
      await exporter.close()
      expect(exporter.stats.queuedBytes).toBe(0)
    },
  )

  it('counts what a server that reads nothing makes it drop', async () => {
    const server = createServer((connection) => {
      connection.pause()
      closing.push(() => connection.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const { alice, ask } = await pair('udp://127.0.0.1:0')
    const { port } = server.address() as { port: number }
    const limits = { hepQueueBytesMax: 1_500, hepCloseGraceMs: 50 }
    const exporter = new HepExporter({ host: '127.0.0.1', port, protocol: 'tcp', limits })
    exporter.attach(alice)
    await Promise.all(Array.from({ length: 200 }, ask))
    expect(exporter.stats.dropped).toBeGreaterThan(0)
    const { sent, dropped, failed } = exporter.stats
    expect(sent + dropped + failed).toBeLessThanOrEqual(400)
    await exporter.close()
  })

  it('survives a name that does not exist and a server that goes away', async () => {
    const { alice, ask } = await pair('udp://127.0.0.1:0')
    const lost = new HepExporter({ host: 'nobody.invalid', port: 9060 })
    closing.push(() => lost.close())
    lost.attach(alice)
    const { socket, packets, close } = await udpServer('127.0.0.1')
    const exporter = new HepExporter({ host: '127.0.0.1', port: socket.address().port })
    closing.push(() => exporter.close())
    const detach = exporter.attach(alice)
    await ask()
    await until(() => packets.length === 2)
    close()
    for (let count = 0; count < 10; count += 1) expect(await ask()).toBe(200)
    detach()
    const { sent } = exporter.stats
    await ask()
    expect(exporter.stats.sent).toBe(sent)
  })

  it('sends what has waited once the server is there', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    await new Promise((done) => probe.close(done))
    const { alice, ask } = await pair('udp://127.0.0.1:0')
    const exporter = new HepExporter({ host: '127.0.0.1', port, protocol: 'tcp', limits: { hepRetryMs: 20 } })
    closing.push(() => exporter.close())
    exporter.attach(alice)
    await ask()
    expect(exporter.stats.sent).toBe(0)
    let bytes = 0
    const server = createServer((connection) => {
      closing.push(() => connection.destroy())
      connection.on('data', (chunk) => {
        bytes += chunk.length
      })
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    for (let count = 0; count < 500 && bytes === 0; count += 1) {
      await new Promise((done) => setTimeout(done, 10))
      await ask()
    }
    await until(() => exporter.stats.queuedBytes === 0)
    expect(bytes).toBeGreaterThan(0)
    expect(exporter.stats).toMatchObject({ dropped: 0, failed: 0 })
  })

  it('refuses options that make no sense', () => {
    for (const port of [0, -1, 65_536, 1.5, Number.NaN])
      expect(() => new HepExporter({ host: '127.0.0.1', port })).toThrow(/HEP/)
    expect(() => new HepExporter({ host: '', port: 9060 })).toThrow(/HEP/)
  })
})
