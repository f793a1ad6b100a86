import { describe, expect, it } from 'vitest'
import { silentLogger } from '../endpoint/wire/node-ports'
import { defaultTransportLimits } from '../limits'
import type { Destination, Flow, Transport, TransportFactory } from '../ports'
import { FakeClock } from './fake-clock'
import { type LinkConditions, MemoryNetwork, type MessageFate } from './memory-network'
import { SeededRandom } from './seeded-random'

interface Host {
  readonly transport: Transport
  readonly received: string[]
  readonly events: string[]
  readonly flows: Flow[]
}

const A = '10.0.0.1'
const B = '10.0.0.2'

async function host(factory: TransportFactory, clock: FakeClock, address: string, port = 5060): Promise<Host> {
  const received: string[] = []
  const events: string[] = []
  const flows: Flow[] = []
  let ids = 0
  const transport = await factory.listen(
    address,
    port,
    {
      message: (bytes, flow) => {
        received.push(new TextDecoder().decode(bytes))
        flows.push(flow)
      },
      garbage: () => {},
      flowOpened: (flow) => events.push(`opened ${flow.remote.address}`),
      flowClosed: (_flow, reason) => events.push(reason),
    },
    {
      clock,
      logger: silentLogger,
      limits: { ...defaultTransportLimits, datagramFlowsMax: 2 },
      nextFlowId: () => {
        ids += 1
        return ids
      },
    },
  )
  return { transport, received, events, flows }
}

async function pair(isReliable: boolean, conditions: Partial<LinkConditions> = {}, seed = 1) {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: new SeededRandom(seed), conditions })
  const factory = network.factory({ isReliable, transportName: isReliable ? 'TCP' : 'UDP' })
  return { clock, network, factory, a: await host(factory, clock, A), b: await host(factory, clock, B) }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const to = (peer: Host): Destination => ({ kind: 'address', address: peer.transport.local })
const on = (flow: Flow | undefined): Destination => {
  if (flow === undefined) throw new Error('no flow')
  return { kind: 'flow', flow }
}
const never = (): void => {
  throw new Error('must not fail')
}

describe('MemoryNetwork', () => {
  it('refuses an address in use or that means all, and gives one back when closed', async () => {
    const { clock, factory, a } = await pair(false)
    await expect(host(factory, clock, A)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
    await expect(host(factory, clock, '0.0.0.0')).rejects.toMatchObject({ code: 'ADDRESS_NOT_AVAILABLE' })
    await a.transport.close()
    await a.transport.close()
    const again = await host(factory, clock, A)
    expect(again.transport.local).toEqual({ transport: 'UDP', address: A, port: 5060 })
    expect((await host(factory, clock, A, 0)).transport.local.port).toBeGreaterThan(1024)
  })

  it.each([true, false])(
    'carries messages there and back on the flow they came on, reliable: %s',
    async (isReliable) => {
      const { clock, a, b } = await pair(isReliable, { delayMinMs: 5, delayMaxMs: 9 })
      a.transport.send(bytes('ping'), to(b), never)
      expect(b.received).toEqual([])
      clock.advanceSync(20)
      expect(b.received).toEqual(['ping'])
      expect(b.flows[0]).toMatchObject({ isReliable, isOpen: true, remote: { address: A } })
      b.transport.send(bytes('pong'), on(b.flows[0]), never)
      clock.advanceSync(20)
      expect(a.received).toEqual(['pong'])
      expect(b.events).toEqual(['opened 10.0.0.1'])
    },
  )

  it('loses, repeats and reorders datagrams at the rates asked for, and the same for the same seed', async () => {
    const run = async (seed: number) => {
      const { clock, network, a, b } = await pair(
        false,
        { lossRate: 0.3, duplicateRate: 0.2, reorderRate: 0.2, delayMaxMs: 10 },
        seed,
      )
      for (let count = 0; count < 1000; count += 1) {
        a.transport.send(bytes(String(count)), to(b), never)
        clock.advanceSync(1)
      }
      clock.advanceSync(1000)
      expect(network.inFlight).toBe(0)
      return b.received
    }
    const received = await run(1)
    const distinct = new Set(received)
    expect(distinct.size).toBeGreaterThan(650)
    expect(distinct.size).toBeLessThan(750)
    expect(received.length - distinct.size).toBeGreaterThan(90)
    expect(received).not.toEqual([...received].sort((left, right) => Number(left) - Number(right)))
    expect(await run(1)).toEqual(received)
    expect(await run(2)).not.toEqual(received)
  })

  it('keeps everything in order on a stream, whatever the link does to datagrams', async () => {
    const { clock, a, b } = await pair(true, { lossRate: 0.9, duplicateRate: 0.9, reorderRate: 0.9, delayMaxMs: 100 })
    const sent = Array.from({ length: 100 }, (_, index) => String(index))
    for (const text of sent) {
      a.transport.send(bytes(text), to(b), never)
      clock.advanceSync(1)
    }
    clock.advanceSync(500)
    expect(b.received).toEqual(sent)
    expect(b.events).toEqual(['opened 10.0.0.1'])
  })

  it('loses datagrams across a partition and holds streams back until it heals', async () => {
    const udp = await pair(false)
    udp.network.partition([A], [B])
    udp.a.transport.send(bytes('x'), to(udp.b), never)
    udp.network.heal()
    udp.a.transport.send(bytes('y'), to(udp.b), never)
    udp.clock.advanceSync(1)
    expect(udp.b.received).toEqual(['y'])
    const tcp = await pair(true)
    tcp.a.transport.send(bytes('x'), to(tcp.b), never)
    tcp.clock.advanceSync(1)
    tcp.network.partition([A], [B])
    tcp.a.transport.send(bytes('y'), to(tcp.b), never)
    tcp.a.transport.send(bytes('z'), to(tcp.b), never)
    tcp.clock.advanceSync(1000)
    expect(tcp.b.received).toEqual(['x'])
    expect(tcp.network.inFlight).toBe(2)
    tcp.network.heal()
    tcp.clock.advanceSync(1)
    expect(tcp.b.received).toEqual(['x', 'y', 'z'])
  })

  it('reports what cannot be sent once, later and never by throwing', async () => {
    const { clock, network, a, b } = await pair(true)
    const fates: MessageFate[] = []
    const stop = network.observe(({ fate }) => fates.push(fate))
    const failures: string[] = []
    const failed = (reason: string): void => void failures.push(reason)
    a.transport.send(
      bytes('x'),
      { kind: 'address', address: { transport: 'TCP', address: '10.0.0.9', port: 1 } },
      failed,
    )
    network.partition([A], [B])
    a.transport.send(bytes('x'), to(b), failed)
    expect(failures).toEqual([])
    clock.advanceSync(10_000)
    expect(failures).toEqual(['The connection was refused.', 'The connection could not be opened.'])
    stop()
    network.heal()
    a.transport.send(bytes('x'), to(b), never)
    clock.advanceSync(1)
    network.resetStreams(A, B)
    clock.advanceSync(1)
    expect(a.events.at(-1)).toBe('The connection was reset.')
    expect(b.events.at(-1)).toBe('The peer closed.')
    b.transport.send(bytes('y'), on(b.flows[0]), failed)
    clock.advanceSync(1)
    expect(failures.at(-1)).toBe('The connection is closed.')
    expect(fates).toEqual(['unconnected', 'unconnected'])
  })

  it('fails what is under way when a connection breaks, and everything once closed', async () => {
    const { clock, network, a, b } = await pair(true, { delayMinMs: 50, delayMaxMs: 50 })
    const failures: string[] = []
    a.transport.send(bytes('x'), to(b), (reason) => failures.push(reason))
    clock.advanceSync(10)
    network.resetStreams(B, A)
    clock.advanceSync(100)
    expect(b.received).toEqual([])
    expect(failures).toEqual(['The connection broke.'])
    await b.transport.close()
    a.transport.send(bytes('y'), to(b), (reason) => failures.push(reason))
    clock.advanceSync(100)
    expect(failures.at(-1)).toBe('The connection was refused.')
    expect(network.inFlight).toBe(0)
  })

  it('gives one link conditions of its own, one way', async () => {
    const { clock, network, a, b } = await pair(false)
    network.setLink(A, B, { lossRate: 1 })
    a.transport.send(bytes('lost'), to(b), never)
    b.transport.send(bytes('arrives'), to(a), never)
    clock.advanceSync(1)
    expect([a.received, b.received]).toEqual([['arrives'], []])
    network.setConditions({ delayMinMs: 10, delayMaxMs: 10 })
    b.transport.send(bytes('slow'), to(a), never)
    clock.advanceSync(9)
    expect(a.received).toHaveLength(1)
  })

  it('forgets the oldest flow over the cap of datagram flows', async () => {
    const { clock, factory, a, b } = await pair(false)
    a.transport.send(bytes('1'), to(b), never)
    for (const address of ['10.0.0.3', '10.0.0.4']) {
      const other = await host(factory, clock, address)
      other.transport.send(bytes('2'), to(b), never)
      clock.advanceSync(1)
    }
    expect(b.flows[0]?.isOpen).toBe(false)
    expect(b.events.at(-1)).toBe('There are too many flows.')
  })
})
