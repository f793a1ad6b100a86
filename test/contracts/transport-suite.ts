/**
 * The contract of a transport, as tests that every implementation runs: the UDP and TCP ones over loopback, the
 * in-memory one, and those that users write. Hand in a world; the suite says what must hold in it.
 */
import type {
  Clock,
  Flow,
  Transport,
  TransportContext,
  TransportFactory,
  TransportSink,
} from '@carillon/sip-transaction'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** Where an implementation is tried. Made anew for each test. */
export interface TransportWorld {
  readonly factory: TransportFactory
  /** An address that the factory can listen on. */
  readonly address: string
  /** An address of the other family. */
  readonly foreignAddress: string
  readonly context: Omit<TransportContext, 'nextFlowId'>
  readonly clock: Clock
  /** Lets the world go on for one step: a turn of the event loop, or of the fake clock. */
  step(): Promise<void>
  /** Frees what the world itself holds. */
  end(): Promise<void>
}

/** A sink that remembers everything it is told. */
export class RecordingSink implements TransportSink {
  readonly messages: { text: string; flow: Flow }[] = []
  readonly garbageReasons: string[] = []
  readonly opened: Flow[] = []
  readonly closed: { flow: Flow; reason: string }[] = []

  message(bytes: Uint8Array, flow: Flow): void {
    this.messages.push({ text: Buffer.from(bytes).toString('latin1'), flow })
  }

  garbage(reason: string): void {
    this.garbageReasons.push(reason)
  }

  flowOpened(flow: Flow): void {
    this.opened.push(flow)
  }

  flowClosed(flow: Flow, reason: string): void {
    this.closed.push({ flow, reason })
  }
}

/** A message that any parser would accept. */
export function optionsRequest(callId: string, body = ''): string {
  const head = [
    'OPTIONS sip:peer@example.com SIP/2.0',
    'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK776asdhds',
    'Max-Forwards: 70',
    'To: <sip:peer@example.com>',
    'From: <sip:me@example.com>;tag=1928301774',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    `Content-Length: ${body.length}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

/** Declares the tests of the contract. */
export function describeTransport(name: string, makeWorld: () => TransportWorld | Promise<TransportWorld>): void {
  describe(`the transport contract, ${name}`, () => {
    let world: TransportWorld
    let open: Transport[]
    let lastFlowId: number
    let isEnding: boolean

    beforeEach(async () => {
      world = await makeWorld()
      open = []
      lastFlowId = 0
      isEnding = false
    })

    afterEach(async () => {
      isEnding = true
      const closing = open.map((transport) => transport.close())
      await finished(Promise.all(closing))
      await world.end()
    })

    async function listen(sink: TransportSink, port = 0): Promise<Transport> {
      const context = { ...world.context, nextFlowId: () => ++lastFlowId }
      const transport = await world.factory.listen(world.address, port, sink, context)
      open.push(transport)
      return transport
    }

    /** What is sent must go out; but a peer that ends its connections unheard may end them before it has heard. */
    function fail(reason: string): void {
      if (!isEnding) throw new Error(`send failed: ${reason}`)
    }

    async function pair() {
      const [near, far] = [new RecordingSink(), new RecordingSink()]
      return { near, far, from: await listen(near), to: await listen(far) }
    }

    async function until(condition: () => boolean, what: string): Promise<void> {
      const giveUpAtMs = performance.now() + 4_000
      while (!condition()) {
        if (performance.now() > giveUpAtMs) throw new Error(`waited in vain for ${what}`)
        await world.step()
      }
    }

    async function finished<T>(promise: Promise<T>): Promise<T> {
      let isDone = false
      const mark = () => {
        isDone = true
      }
      promise.then(mark, mark)
      await until(() => isDone, 'a promise')
      return promise
    }

    it('says what it is, and where it listens once a free port was asked for', async () => {
      const { from } = await pair()
      expect(from.name).toBe(world.factory.scheme.toUpperCase())
      expect(from.local.transport).toBe(from.name)
      expect(from.local.address).toBe(world.address)
      expect(from.local.port).toBeGreaterThan(0)
    })

    it('carries a message to an address, and the answer back on the flow it came on', async () => {
      const { near, far, from, to } = await pair()
      from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, fail)
      await until(() => far.messages.length === 1, 'the request')
      const [{ text, flow }] = far.messages as [{ text: string; flow: Flow }]
      expect(text).toBe(optionsRequest('a'))
      expect(flow).toMatchObject({ transport: to.name, isOpen: true, isReliable: to.isReliable, isSecure: to.isSecure })
      expect(flow.local).toEqual(to.local)
      expect(flow.remote).toMatchObject({ transport: to.name, address: from.local.address })
      to.send(bytesOf('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'), { kind: 'flow', flow }, fail)
      await until(() => near.messages.length === 1, 'the answer')
      expect(near.messages[0]?.text).toBe('SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n')
      expect(near.messages[0]?.flow.remote).toEqual(to.local)
    })

    it('opens one flow for one peer, tells of it before its first message, and keeps to it', async () => {
      const { near, far, from, to } = await pair()
      for (const callId of ['a', 'b', 'c']) {
        from.send(bytesOf(optionsRequest(callId)), { kind: 'address', address: to.local }, fail)
      }
      await until(() => far.messages.length === 3, 'three requests')
      expect(far.opened).toHaveLength(1)
      expect(new Set(far.messages.map(({ flow }) => flow))).toEqual(new Set(far.opened))
      expect(near.opened.length).toBe(from.isReliable ? 1 : 0)
      const ids = [...near.opened, ...far.opened].map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    })

    it('keeps messages whole and apart, whatever their size', async () => {
      const { far, from, to } = await pair()
      const sizes = [0, 1, 1_300, 1_500, 8_000, 30_000]
      for (const size of sizes) {
        from.send(bytesOf(optionsRequest(`s${size}`, 'x'.repeat(size))), { kind: 'address', address: to.local }, fail)
      }
      await until(() => far.messages.length === sizes.length, 'every size')
      const expected = sizes.map((size) => optionsRequest(`s${size}`, 'x'.repeat(size)))
      const seen = far.messages.map(({ text }) => text)
      if (to.isReliable) expect(seen).toEqual(expected)
      else expect(new Set(seen)).toEqual(new Set(expected))
      expect(far.garbageReasons).toEqual([])
    })

    it('reports a send that cannot be, later and once, and never throws', async () => {
      const { from } = await pair()
      const addresses = [
        { transport: from.name, address: world.foreignAddress, port: 5060 },
        { transport: from.name, address: world.address, port: 0 },
        { transport: from.name, address: 'no address', port: 5060 },
      ]
      for (const address of addresses) {
        const reasons: string[] = []
        from.send(bytesOf(optionsRequest('a')), { kind: 'address', address }, (reason) => reasons.push(reason))
        expect(reasons).toEqual([])
        await until(() => reasons.length > 0, 'the failure')
        await world.step()
        expect(reasons).toEqual([expect.stringMatching(/./)])
      }
    })

    it('knows what it can reach', async () => {
      const { from, to } = await pair()
      expect(from.canReach(to.local)).toBe(true)
      expect(from.canReach({ ...to.local, transport: 'SCTP' })).toBe(false)
      expect(from.canReach({ ...to.local, address: world.foreignAddress })).toBe(false)
      expect(from.canReach({ ...to.local, address: 'peer.example.com' })).toBe(false)
    })

    it('refuses a port in use with ADDRESS_IN_USE, naming transport, address and port', async () => {
      const { to } = await pair()
      const again = finished(listen(new RecordingSink(), to.local.port))
      await expect(again).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
      const error = (await again.catch((reason: unknown) => reason)) as Error
      expect(error.message).toContain(to.name)
      expect(error.message).toContain(world.address)
      expect(error.message).toContain(String(to.local.port))
    })

    it('closes every flow when it is closed, frees its port, and may be closed twice', async () => {
      const { far, from, to } = await pair()
      from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, () => {})
      await until(() => far.messages.length === 1, 'the request')
      const flow = far.opened[0] as Flow
      await finished(Promise.all([to.close(), to.close()]))
      expect(far.closed.map((one) => one.flow)).toEqual([flow])
      expect(far.closed[0]?.reason).toMatch(/./)
      expect(flow.isOpen).toBe(false)
      const again = await finished(listen(new RecordingSink(), to.local.port))
      expect(again.local.port).toBe(to.local.port)
    })

    it('fails what is sent after it was closed', async () => {
      const { far, from, to } = await pair()
      from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, () => {})
      await until(() => far.messages.length === 1, 'the request')
      await finished(to.close())
      const reasons: string[] = []
      const failed = (reason: string) => reasons.push(reason)
      to.send(bytesOf(optionsRequest('b')), { kind: 'flow', flow: far.opened[0] as Flow }, failed)
      to.send(bytesOf(optionsRequest('c')), { kind: 'address', address: from.local }, failed)
      expect(reasons).toEqual([])
      await until(() => reasons.length === 2, 'two failures')
    })

    it('tells both ends when a connection closes, and sends nothing on it any more', async () => {
      const { near, far, from, to } = await pair()
      if (!from.isReliable) return
      from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, () => {})
      await until(() => far.messages.length === 1, 'the request')
      await finished(from.close())
      await until(() => near.closed.length === 1, 'the near end to close')
      const flow = far.opened[0] as Flow
      const reasons: string[] = []
      // The far end may have to write, or to wait for the answers it owes, to find out.
      await until(() => {
        if (flow.isOpen) to.send(bytesOf(optionsRequest('b')), { kind: 'flow', flow }, () => {})
        return far.closed.length === 1 && !flow.isOpen
      }, 'the far end to close')
      expect(far.closed).toHaveLength(1)
      to.send(bytesOf(optionsRequest('c')), { kind: 'flow', flow }, (reason) => reasons.push(reason))
      await until(() => reasons.length === 1, 'the failure')
    })

    it('fails a message to a place where nobody accepts connections', async () => {
      const { near, from, to } = await pair()
      if (!from.isReliable) return
      await finished(to.close())
      const reasons: string[] = []
      from.send(bytesOf(optionsRequest('a')), { kind: 'address', address: to.local }, (reason) => reasons.push(reason))
      await until(() => reasons.length === 1, 'the failure')
      expect(near.opened).toEqual([])
      expect(near.closed).toEqual([])
    })
  })
}
