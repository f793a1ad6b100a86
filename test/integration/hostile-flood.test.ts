/** Too much of everything, over real sockets: nobody else waits, nothing is kept, and nobody is punished for his neighbours. */
import { execSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createNodeRandom, DigestVerifier, digest, SipStack, type SipStackOptions } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { RawPhone, request } from './raw-phone'

const stacks: SipStack[] = []
const cleanups: (() => void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup()
  await Promise.all(stacks.splice(0).map((stack) => stack.close({ graceMs: 0 })))
})

async function listen(options: Partial<SipStackOptions> = {}): Promise<SipStack> {
  const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'], ...options })
  stacks.push(stack)
  return stack
}

const portOf = (stack: SipStack, transport: string) =>
  stack.listeners.find((listener) => listener.transport === transport)?.port ?? 0

/** Asks over UDP until it is answered, as a phone would; how long that took. */
async function ask(stack: SipStack): Promise<number> {
  const phone = await RawPhone.open(portOf(stack, 'UDP'))
  try {
    const startMs = performance.now()
    const text = request('OPTIONS')
    const again = setInterval(() => phone.send(text), 500)
    await phone.ask(text).finally(() => clearInterval(again))
    return performance.now() - startMs
  } finally {
    phone.close()
  }
}

/** A program of its own that opens so many connections and says nothing; it ends with its standard input. */
const silentPeer = `
const { connect } = require('node:net')
const [port, count] = process.argv.slice(1).map(Number)
let open = 0, closed = 0, started = 0
const report = () => process.stdout.write(open + ' ' + closed + '\\n')
const next = () => {
  if (started === count) return
  const id = started++
  const localAddress = '127.0.1.' + (1 + (id % 40))
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('connect', () => { open++; next(); if (open === count) report() })
  socket.on('error', () => {})
  socket.on('close', () => { closed++; if (closed === count) report() })
}
for (let lane = 0; lane < 64; lane++) next()
process.stdin.on('end', () => process.exit()).resume()
`

describe('connections that say nothing', () => {
  it('ten thousand of them keep nobody waiting, and all are closed in time', async () => {
    const filesMax = Number(execSync('ulimit -n', { shell: '/bin/sh' }).toString()) || 20_000
    const count = Math.min(10_000, filesMax - 1_000)
    const stack = await listen({
      limits: { transport: { firstMessageTimeoutMs: 4_000, connectionsMax: 10_000, connectionsPerAddressMax: 512 } },
    })
    const peer = spawn(process.execPath, ['-e', silentPeer, `${portOf(stack, 'TCP')}`, `${count}`])
    cleanups.push(() => peer.stdin.end())
    let said = ''
    peer.stdout.on('data', (text) => {
      said += text
    })
    let most = 0
    const waits: number[] = []
    const deadline = performance.now() + 40_000
    while (!said.includes(` ${count}\n`) && performance.now() < deadline) {
      waits.push(await ask(stack))
      most = Math.max(most, stack.stats().connections)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(said).toContain(` ${count}\n`)
    await expect.poll(() => stack.stats().connections, { timeout: 5_000 }).toBe(0)
    expect(most).toBeGreaterThan(Math.min(count, 1_000))
    waits.sort((one, other) => one - other)
    expect(waits[waits.length >> 1]).toBeLessThan(500)
    expect(stack.stats().transactions).toBeLessThan(waits.length * 2)
  })
})

describe('a flood', () => {
  /** Counts what is handled between two turns of the event loop until `done`. */
  async function mostInOneTurn(stack: SipStack, total: number): Promise<number> {
    let [most, before] = [0, 0]
    const deadline = performance.now() + 40_000
    while (before < total && performance.now() < deadline) {
      await new Promise((resolve) => setImmediate(resolve))
      const now = stack.stats().counters.requestsIn
      most = Math.max(most, now - before)
      before = now
    }
    expect(before).toBe(total)
    return most
  }

  it('on a hundred connections at once is worked off in turns', async () => {
    const stack = await listen({ protection: { overload: false } })
    const sockets: Socket[] = []
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy()
    })
    for (let one = 0; one < 100; one += 1) sockets.push(connect(portOf(stack, 'TCP'), '127.0.0.1').resume())
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    for (const socket of sockets)
      socket.write(Array.from({ length: 150 }, () => request('OPTIONS', { transport: 'TCP' })).join(''))
    // All that the sockets hold would be fifteen thousand; four milliseconds are a few hundred.
    expect(await mostInOneTurn(stack, 15_000)).toBeLessThan(2_000)
  })

  it('keeps the order of the messages of one connection', async () => {
    const stack = await listen({ limits: { protection: { turnMs: 0.01 } }, protection: { overload: false } })
    const seen: string[] = []
    stack.method('MESSAGE', (message) => {
      seen.push(message.callId)
      message.reply(200)
    })
    const socket = connect(portOf(stack, 'TCP'), '127.0.0.1').resume()
    cleanups.push(() => socket.destroy())
    await once(socket, 'connect')
    const ids = Array.from({ length: 500 }, (_, id) => `id-${id}`)
    socket.end(ids.map((callId) => request('MESSAGE', { transport: 'TCP', callId })).join(''))
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(500)
    expect(seen).toEqual(ids)
  })

  it('of datagrams waits under a cap, and what is over it is dropped and counted', async () => {
    const limits = { protection: { turnMs: 0.01, ingressQueueMax: 20 } }
    const stack = await listen({ limits, protection: { overload: false } })
    stack.method('MESSAGE', (message) => {
      // Slower than they come.
      const untilMs = performance.now() + 2
      while (performance.now() < untilMs);
      message.reply(200)
    })
    const socket = createSocket('udp4')
    cleanups.push(() => socket.close())
    for (let id = 0; id < 600; id += 1)
      socket.send(request('MESSAGE', { callId: `${id}` }), portOf(stack, 'UDP'), '127.0.0.1')
    // The kernel may drop some as well, which nobody can count.
    await expect.poll(() => stack.stats().counters.dropped.overload, { timeout: 20_000 }).toBeGreaterThan(0)
    const { requestsIn, dropped } = stack.stats().counters
    expect(requestsIn + dropped.overload).toBeLessThanOrEqual(600)
    expect(await ask(stack)).toBeLessThan(2_000)
  })

  it('that keeps work waiting is overload: new calls get 503, and then it is over', async () => {
    const limits = { protection: { overloadDelayMs: 20, overloadIntervalMs: 20 } }
    const stack = await listen({ limits })
    let handled = 0
    stack.method('INVITE', (invite) => {
      handled += 1
      const untilMs = performance.now() + 3
      while (performance.now() < untilMs);
      invite.reply(486)
    })
    const socket = createSocket('udp4')
    const statuses: string[] = []
    socket.on('message', (bytes) => statuses.push(bytes.toString('latin1', 8, 11)))
    cleanups.push(() => socket.close())
    let sent = 0
    const deadline = performance.now() + 20_000
    while (!statuses.includes('503') && performance.now() < deadline) {
      for (let one = 0; one < 50; one += 1, sent += 1)
        socket.send(request('INVITE', { callId: `${sent}` }), portOf(stack, 'UDP'), '127.0.0.1')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(statuses).toContain('503')
    expect(stack.stats().counters.shed).toBeGreaterThan(0)
    expect(handled).toBeLessThan(sent)
    await expect
      .poll(
        async () => {
          await ask(stack)
          return stack.stats().reduction
        },
        { timeout: 20_000, interval: 50 },
      )
      .toBe(0)
  })
})

describe('a thousand phones behind one address', () => {
  it('all register at once, with a limit by source in force and the first request of each without credentials', async () => {
    const random = createNodeRandom()
    const verifier = new DigestVerifier({ realm: 'example.com', secret: random.bytes(32), random })
    const server = await listen({ protection: { rateLimit: { requestsPerSecond: 5, burst: 100 }, overload: false } })
    const known = digest.required(verifier, () => ({ password: 'secret' }))
    server.method('REGISTER', known, (register) => register.reply(200))
    const phones = await listen({ listen: ['udp://127.0.0.1:0'] })
    const uri = server.listeners[0]?.uri ?? ''
    const results: number[] = []
    const register = async (id: number) => {
      const credentials = { username: `${id}`, password: 'secret' }
      const response = await phones.request({ method: 'REGISTER', uri, from: `sip:${id}@example.com`, credentials })
      results.push(response.status)
    }
    await Promise.all(Array.from({ length: 1_000 }, (_, id) => register(id)))
    expect(results).toHaveLength(1_000)
    expect(results.filter((status) => status !== 200)).toEqual([])
    // Those who only guess are held.
    const guesser = await RawPhone.open(portOf(server, 'UDP'))
    cleanups.push(() => guesser.close())
    const Authorization =
      'Authorization: Digest username="1", realm="example.com", nonce="x", uri="sip:x", response="0"'
    for (let guess = 0; guess < 300; guess += 1) guesser.send(request('REGISTER', { headers: [Authorization] }))
    await expect.poll(() => guesser.received.filter((text) => / 503 /.test(text)).length).toBeGreaterThan(100)
    expect(await guesser.ask(request('REGISTER'))).toMatch(/^SIP\/2\.0 401 /)
  })
})
