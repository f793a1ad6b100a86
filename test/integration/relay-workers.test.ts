/** Workers of the relay as published: real threads, real sockets, real crashes. */
import { execFile } from 'node:child_process'
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import type { Relay, RelayEvents, RelayOptions } from '@carillon/rtp-relay'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { audioSdp, rtpPacket, targetOf } from '../../packages/rtp-relay/src/testing/packets'
import { UdpParty } from '../../packages/rtp-relay/src/testing/udp-party'
import { until } from '../support/example-program'
import { root } from '../support/repository'

type Package = typeof import('@carillon/rtp-relay')

/** A worker is a file of the build, so it is the build that is tested here. */
const dist = join(root, 'packages/rtp-relay/dist')

const open: { close(): Promise<void> }[] = []
/** The threads that have been started, as Node itself tells of them. */
let threads: Worker[] = []
const noteThread = (message: unknown): void => {
  threads.push((message as { worker: Worker }).worker)
}

beforeEach(() => {
  threads = []
  channel('worker_threads').subscribe(noteThread)
})

afterEach(async () => {
  channel('worker_threads').unsubscribe(noteThread)
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function published(): Promise<Package> {
  return (await import(pathToFileURL(join(dist, 'index.js')).href)) as Package
}

async function relayOf(options: Partial<RelayOptions> = {}): Promise<Relay> {
  const { createRelay } = await published()
  const interfaces = [{ address: '127.0.0.1' }]
  const relay = await createRelay({ interfaces, portMin: 36_000, portMax: 38_999, workers: 2, ...options })
  open.push(relay)
  return relay
}

/** An answered call with a real socket on each side. */
class Call {
  private constructor(
    readonly id: string,
    readonly a: UdpParty,
    readonly b: UdpParty,
    private readonly toA: number,
    private readonly toB: number,
  ) {}

  static async setUp(relay: Relay, id: string): Promise<Call> {
    const [a, b] = [await UdpParty.open('127.0.0.1'), await UdpParty.open('127.0.0.1')]
    open.push(a, b)
    const session = relay.createSession(id)
    const toB = targetOf(await session.offer(audioSdp('127.0.0.1', a.port), { from: 'a' })).port
    const toA = targetOf(await session.answer(audioSdp('127.0.0.1', b.port), { from: 'b' })).port
    return new Call(id, a, b, toA, toB)
  }

  /** One packet each way. */
  async speak(sequence: number): Promise<void> {
    const packet = rtpPacket({ sequence })
    await Promise.all([this.a.send(packet, '127.0.0.1', this.toA), this.b.send(packet, '127.0.0.1', this.toB)])
  }

  /** What has been heard, both ways, in all. */
  get heard(): number {
    return this.a.received.length + this.b.received.length
  }
}

async function speak(calls: readonly Call[], from: number, to: number): Promise<void> {
  for (let sequence = from; sequence < to; sequence++) {
    await Promise.all(calls.map((call) => call.speak(sequence)))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const deaths: Record<string, { readonly code: string; kill(worker: Worker): void }> = {
  'is ended by force': { code: 'EXIT', kill: (worker) => void worker.terminate() },
  // What is no message of the relay is an error that nothing in the worker catches.
  'fails with an error that nothing catches': { code: 'UNCAUGHT', kill: (worker) => worker.postMessage(null) },
}

describe.each(Object.entries(deaths))('one of two workers during 100 calls %s', (_name, { code, kill }) => {
  it('and the other 50 calls lose nothing, and new calls work', async () => {
    const relay = await relayOf()
    const crashed: RelayEvents['worker-crashed'][] = []
    const closed: RelayEvents['session-closed'][] = []
    relay.on('worker-crashed', (event) => crashed.push(event))
    relay.on('session-closed', (event) => closed.push(event))
    const calls: Call[] = []
    for (let index = 0; index < 100; index++) calls.push(await Call.setUp(relay, `call ${index}`))
    expect((await relay.stats()).workers.map(({ sessions }) => sessions)).toEqual([50, 50])
    await speak(calls, 0, 10)
    await until(() => calls.every(({ heard }) => heard === 20))

    const restarted = new Promise((resolve) => relay.on('worker-restarted', resolve))
    const [victim] = threads
    if (victim === undefined) throw new Error('no worker has been started')
    const exited = new Promise((resolve) => victim.once('exit', resolve))
    const speaking = speak(calls, 10, 40)
    kill(victim)
    await exited
    await speaking

    expect(crashed).toMatchObject([{ worker: 0, code, sessions: 50 }])
    const lost = new Set(closed.map(({ sessionId }) => sessionId))
    expect(lost.size).toBe(50)
    expect(closed).toHaveLength(50)
    for (const { reason, snapshot } of closed) {
      expect(reason).toBe('worker-crashed')
      expect(snapshot.state).toBe('closed')
    }
    const survivors = calls.filter(({ id }) => !lost.has(id))
    await until(() => survivors.every(({ heard }) => heard >= 80))
    for (const call of survivors) {
      for (const party of [call.a, call.b]) {
        expect(party.received.map((packet) => packet.readUInt16BE(2))).toEqual(
          Array.from({ length: 40 }, (_, at) => at),
        )
      }
    }
    for (const { id } of survivors) {
      const stats = (await relay.session(id)?.snapshot())?.streams[0]
      expect(stats).toMatchObject({ a: { packets: 40, lost: 0 }, b: { packets: 40, lost: 0 } })
    }

    await restarted
    const fresh = await Promise.all(Array.from({ length: 20 }, (_, index) => Call.setUp(relay, `fresh ${index}`)))
    await speak(fresh, 0, 10)
    await until(() => fresh.every(({ heard }) => heard === 20))
    expect((await relay.stats()).workers).toMatchObject([
      { state: 'running', sessions: 20, crashes: 1 },
      { state: 'running', sessions: 50, crashes: 0 },
    ])
    await relay.close()
    expect(closed).toHaveLength(120)
  })
})

describe('workers', () => {
  it('carry a call, tap it, and leave no thread behind', async () => {
    const relay = await relayOf()
    const call = await Call.setUp(relay, 'call')
    const tapped: number[] = []
    relay.session('call')?.tap(({ side, packet }) => {
      if (side === 'a') tapped.push(Buffer.from(packet).readUInt16BE(2))
    })
    await speak([call], 0, 20)
    await until(() => call.heard === 40 && tapped.length === 20)
    expect(tapped).toEqual(Array.from({ length: 20 }, (_, sequence) => sequence))
    const exits = threads.map((thread) => once(thread, 'exit'))
    await relay.close()
    expect(await Promise.all(exits)).toHaveLength(2)
  })

  it('reject what cannot be had with the error that one thread has', async () => {
    const { createRelay } = await published()
    const nowhere = createRelay({
      interfaces: [{ address: '192.0.2.1' }],
      portMin: 20_000,
      portMax: 20_099,
      workers: 2,
    })
    await expect(nowhere).rejects.toMatchObject({ name: 'RelayError', code: 'INTERFACE_UNAVAILABLE' })
    const relay = await relayOf({ workers: 1, portMax: 36_001 })
    const offer = relay.createSession('call').offer(audioSdp('127.0.0.1', 4_000), { from: 'a' })
    await expect(offer).rejects.toMatchObject({ name: 'RelayError', code: 'PORTS_EXHAUSTED' })
    expect((await relay.stats()).portsFree).toBe(2)
  })
})

/** A program of its own, in CommonJS, that closes nothing: it ends when nothing keeps it. */
const commonJs = `
const { createRelay } = require(${JSON.stringify(join(dist, 'index.cjs'))})
createRelay({ interfaces: [{ address: '127.0.0.1' }], portMin: 35_000, portMax: 35_099, workers: 2 }).then(async (relay) => {
  const session = relay.createSession('call')
  const sdp = ${JSON.stringify(audioSdp('127.0.0.1', 4_000))}
  console.log(/m=audio (\\d+)/.exec(Buffer.from(await session.offer(sdp, { from: 'a' })).toString())[1])
  await session.close()
  console.log('done')
})`

describe('workers of the CommonJS build', () => {
  it('are found, and keep no program alive that has no sessions', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', commonJs], { timeout: 20_000 })
    expect(stdout).toMatch(/^350\d\d\ndone\n$/)
  })
})

describe('a worker that has no memory left', () => {
  it('ends alone, and is replaced', async () => {
    const relay = await relayOf({ workers: 1, workerLimits: { maxOldGenerationSizeMb: 16 } })
    const crashed = new Promise<RelayEvents['worker-crashed']>((resolve) => relay.on('worker-crashed', resolve))
    const restarted = new Promise((resolve) => relay.on('worker-restarted', resolve))
    const closed = new Promise((resolve) => relay.on('session-closed', resolve))
    await Call.setUp(relay, 'call')
    threads[0]?.postMessage({ kind: 'nothing', ballast: Array.from({ length: 1_000_000 }, (_, index) => ({ index })) })
    expect(await crashed).toMatchObject({ worker: 0, code: 'ERR_WORKER_OUT_OF_MEMORY', sessions: 1 })
    expect(await closed).toMatchObject({ sessionId: 'call', reason: 'worker-crashed' })
    await restarted
    const call = await Call.setUp(relay, 'call')
    await speak([call], 0, 5)
    await until(() => call.heard === 10)
  })
})
