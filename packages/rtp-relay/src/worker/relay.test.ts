import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEngine, type RelayEngine } from '../control/engine'
import type { RelayOptions } from '../control/options'
import { RelayError, type RelayErrorCode } from '../errors'
import { tapPacketsMax, workerMissedReportsMax, workerReportIntervalMs, workerRestartMaxMs } from '../limits'
import { A, B, RELAY_4 } from '../testing/fixture'
import { ManualClock, MemoryNetwork, SeededRandom } from '../testing/memory-network'
import { audioSdp, rtpPacket, targetOf } from '../testing/packets'
import { EngineHost } from './engine-host'
import type { FromWorker, TappedPacket, ToWorker, WorkerStart } from './protocol'
import { createRelay, openRelay, type Relay } from './relay'
import type { WorkerThread, WorkerThreadEvents } from './worker-slot'

const offerSdp = audioSdp(A.address, A.port)
const answerSdp = audioSdp(B.address, B.port)
const options = { interfaces: [{ address: RELAY_4 }], portMin: 20_000, portMax: 20_099 }

/** A worker in this thread: everything that crosses is cloned, later, as between threads. */
class FakeWorker implements WorkerThread {
  readonly network = new MemoryNetwork()
  readonly clock = new ManualClock()
  isHeld = false
  isDeaf = false
  private host: EngineHost | undefined
  private engine: RelayEngine | undefined
  private isGone = false

  constructor(
    readonly index: number,
    start: WorkerStart,
    private readonly events: WorkerThreadEvents,
  ) {
    void this.run(start)
  }

  post(message: ToWorker): void {
    const cloned = structuredClone(message)
    queueMicrotask(() => {
      if (!this.isDeaf && !this.isGone) this.host?.handle(cloned)
    })
  }

  busyShare(): number {
    return 0.25
  }

  hold(isHeld: boolean): void {
    this.isHeld = isHeld
  }

  kill(): void {
    this.crash('EXIT')
  }

  /** What a thread's end does: its sockets are closed, and its owner hears of it. */
  crash(code: string): void {
    if (this.isGone) return
    this.isGone = true
    void this.engine?.close()
    queueMicrotask(() => this.events.ended(code, 'by the test'))
  }

  report(): void {
    this.host?.report()
  }

  flush(): void {
    this.host?.flushTaps()
  }

  private async run({ options, portStates }: WorkerStart): Promise<void> {
    const { clock, network } = this
    const post = (message: FromWorker): void => {
      const cloned = structuredClone(message)
      queueMicrotask(() => {
        if (!this.isGone) this.events.message(cloned)
      })
    }
    try {
      this.engine = await createEngine(
        { ...options, clock, network, random: new SeededRandom(this.index + 1) },
        portStates,
      )
      this.host = new EngineHost(this.engine, { clock, heapBytes: () => 1_000, isOwners: false, post })
      post({ kind: 'ready' })
    } catch (error) {
      const { code, message } = error as RelayError
      post({ kind: 'refused', error: { code, message } })
    }
  }
}

interface Fakes {
  readonly relay: Relay
  /** Every worker that was ever started. */
  readonly started: FakeWorker[]
  /** The worker of an index that was started last. */
  worker(index: number): FakeWorker
}

const open: Relay[] = []

async function fakes(workers: number, change: Partial<RelayOptions> = {}): Promise<Fakes> {
  const started: FakeWorker[] = []
  const relay = await openRelay({ ...options, ...change, workers }, (index, start, events) => {
    const worker = new FakeWorker(index, start, events)
    started.push(worker)
    return worker
  })
  open.push(relay)
  return { relay, started, worker: (index) => started.filter((one) => one.index === index).at(-1) as FakeWorker }
}

async function codeOf(work: Promise<unknown>): Promise<RelayErrorCode | undefined> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof RelayError ? error.code : undefined
}

/** Lets what is under way between the fake threads arrive. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate()
}

afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(open.splice(0).map((relay) => relay.close()))
})

describe.each([0, 2])('a relay with %i workers', (workers) => {
  async function make(change: Partial<RelayOptions> = {}): Promise<Relay> {
    if (workers > 0) return (await fakes(workers, change)).relay
    const relay = await createRelay({ ...options, ...change, clock: new ManualClock(), network: new MemoryNetwork() })
    open.push(relay)
    return relay
  }

  it('rewrites offers and answers, and tells how the session stands', async () => {
    const relay = await make()
    const session = relay.createSession('call')
    expect(targetOf(await session.offer(Buffer.from(offerSdp), { from: 'a' })).address).toBe(RELAY_4)
    expect(targetOf(await session.answer(answerSdp, { from: 'b' })).address).toBe(RELAY_4)
    expect(await session.snapshot()).toMatchObject({ id: 'call', state: 'answered', streams: [{ media: 'audio' }] })
    expect(await relay.stats()).toMatchObject({ sessions: 1, sessionsCreated: 1, portsTotal: 100, portsFree: 96 })
    expect((await relay.stats()).workers).toHaveLength(workers)
  })

  it('closes a session once, frees its id at once, and keeps its last state', async () => {
    const relay = await make()
    const events: unknown[] = []
    relay.on('session-closed', ({ sessionId, reason }) => events.push([sessionId, reason]))
    const session = relay.createSession('call')
    await session.offer(offerSdp, { from: 'a' })
    const closing = [session.close(), session.close()]
    expect(session.isClosed).toBe(true)
    const again = relay.createSession('call')
    expect(relay.session('call')).toBe(again)
    await again.offer(offerSdp, { from: 'a' })
    expect(await closing[0]).toMatchObject({ state: 'closed', streams: [{ media: 'audio' }] })
    expect(await closing[1]).toBe(await closing[0])
    expect(await session.snapshot()).toBe(await closing[0])
    expect(await codeOf(session.offer(offerSdp, { from: 'a' }))).toBe('SESSION_CLOSED')
    expect(events).toEqual([['call', 'closed']])
    expect(relay.sessions).toBe(1)
  })

  it('takes offers and answers of a session in their order', async () => {
    const relay = await make()
    const session = relay.createSession('call')
    const [first, second] = await Promise.all([
      session.offer(offerSdp, { from: 'a' }),
      session.answer(answerSdp, { from: 'b' }),
    ])
    expect(targetOf(first).port).not.toBe(targetOf(second).port)
  })

  it('tells errors with their code, and is as it was', async () => {
    const relay = await make()
    const session = relay.createSession('call')
    expect(await codeOf(session.offer('garbage', { from: 'a' }))).toBe('SDP_INVALID')
    expect(await codeOf(session.answer(answerSdp, { from: 'b' }))).toBe('NO_OFFER')
    expect(await session.snapshot()).toMatchObject({ state: 'new', streams: [] })
    expect(() => relay.createSession('call')).toThrow(expect.objectContaining({ code: 'SESSION_EXISTS' }))
  })

  it('has ports run out with nothing half-open, and has all of them back at the end', async () => {
    const relay = await make({ portMax: 20_015, limits: { portQuarantineMs: 0 } })
    const sessions = Array.from({ length: 6 }, (_, index) => relay.createSession(`call ${index}`))
    const codes = await Promise.all(sessions.map((session) => codeOf(session.offer(offerSdp, { from: 'a' }))))
    expect(codes.filter((code) => code === undefined)).toHaveLength(4)
    expect(codes.filter((code) => code === 'PORTS_EXHAUSTED')).toHaveLength(2)
    expect(await relay.stats()).toMatchObject({ portsTotal: 16, portsFree: 0 })
    await Promise.all(sessions.map((session) => session.close()))
    expect(await relay.stats()).toMatchObject({ sessions: 0, portsFree: 16 })
  })

  it('takes no more offers of a session than may wait', async () => {
    const relay = await make({ limits: { pendingOperationsMax: 3 } })
    const session = relay.createSession('call')
    const offers = Array.from({ length: 5 }, () => codeOf(session.offer(offerSdp, { from: 'a' })))
    const codes = await Promise.all(offers)
    expect(codes).toEqual([undefined, undefined, undefined, 'TOO_MANY_PENDING', 'TOO_MANY_PENDING'])
    expect(await codeOf(session.offer(offerSdp, { from: 'a' }))).toBeUndefined()
  })

  it('limits sessions over all of it', async () => {
    const relay = await make({ limits: { sessionsMax: 3 } })
    for (let count = 0; count < 3; count++) relay.createSession(`call ${count}`)
    expect(() => relay.createSession('one more')).toThrow(expect.objectContaining({ code: 'SESSION_LIMIT' }))
    await relay.session('call 0')?.close()
    expect(relay.createSession('one more').isClosed).toBe(false)
  })

  it('closes a session whose signal is aborted', async () => {
    const relay = await make()
    const control = new AbortController()
    const closed = new Promise((resolve) => relay.on('session-closed', resolve))
    const session = relay.createSession('call', { signal: control.signal })
    await session.offer(offerSdp, { from: 'a' })
    control.abort()
    expect(session.isClosed).toBe(true)
    expect(await closed).toMatchObject({ sessionId: 'call', reason: 'aborted' })
    expect(() => relay.createSession('late', { signal: control.signal })).toThrow()
    expect(relay.sessions).toBe(0)
  })

  it('gives up an offer whose signal is aborted, and goes on', async () => {
    const relay = await make()
    const session = relay.createSession('call')
    const control = new AbortController()
    const offer = session.offer(offerSdp, { from: 'a', signal: control.signal })
    control.abort(new Error('enough'))
    await expect(offer).rejects.toThrow('enough')
    await expect(session.offer(offerSdp, { from: 'a', signal: control.signal })).rejects.toThrow('enough')
    expect(targetOf(await session.offer(offerSdp, { from: 'a' })).address).toBe(RELAY_4)
  })

  it('closes with every session in it, once', async () => {
    const relay = await make()
    const events: unknown[] = []
    relay.on('session-closed', ({ sessionId, reason }) => events.push([sessionId, reason]))
    const session = relay.createSession('call')
    await session.offer(offerSdp, { from: 'a' })
    await Promise.all([relay.close(), relay.close()])
    expect(events).toEqual([['call', 'relay-closed']])
    expect(session.isClosed).toBe(true)
    expect(relay.sessions).toBe(0)
    expect(() => relay.createSession('late')).toThrow(expect.objectContaining({ code: 'RELAY_CLOSED' }))
    expect((await session.snapshot()).state).toBe('closed')
  })

  it('has the branches of a fork apart until one has won', async () => {
    const relay = await make()
    const ended: unknown[] = []
    relay.on('branch-closed', ({ viaBranch, reason, streams }) => ended.push([viaBranch, reason, streams.length]))
    const session = relay.createSession('call')
    const branches = ['one', 'two', 'three']
    const sdps = branches.flatMap((viaBranch) => [
      session.offer(offerSdp, { from: 'a', viaBranch }),
      session.answer(answerSdp, { from: 'b', viaBranch }),
    ])
    expect(new Set((await Promise.all(sdps)).map((sdp) => targetOf(sdp).port)).size).toBe(6)
    expect(await session.closeBranch('three')).toMatchObject([{ viaBranch: 'three', media: 'audio' }])
    expect(await session.closeBranch('never')).toEqual([])
    await session.answer(answerSdp, { from: 'b', viaBranch: 'two', final: true })
    expect(await codeOf(session.answer(answerSdp, { from: 'b', viaBranch: 'one' }))).toBe('BRANCH_CLOSED')
    expect(await codeOf(session.chooseBranch('one'))).toBe('BRANCH_CLOSED')
    expect(await codeOf(session.closeBranch(''))).toBe('BRANCH_INVALID')
    expect(await session.chooseBranch('two')).toBeUndefined()
    expect((await session.snapshot()).streams).toMatchObject([{ viaBranch: 'two', a: {}, b: {} }])
    expect(await relay.stats()).toMatchObject({ portsFree: 96, portsResting: 8 })
    expect(ended).toEqual([
      ['three', 'closed', 1],
      ['one', 'lost', 1],
    ])
    await session.close()
    expect(await session.closeBranch('two')).toEqual([])
    expect(ended.length).toBe(2)
  })

  it('is the media anchor of a back-to-back user agent', async () => {
    const relay = await make()
    const anchor = relay.anchor(relay.createSession('call'))
    expect(targetOf(await anchor.offer('b', Buffer.from(answerSdp))).address).toBe(RELAY_4)
    expect(targetOf(await anchor.answer('a', Buffer.from(offerSdp))).address).toBe(RELAY_4)
    anchor.release()
    expect(relay.sessions).toBe(0)
  })
})

describe('a tap', () => {
  it('says which branch a packet belongs to', async () => {
    const network = new MemoryNetwork()
    const relay = await createRelay({ ...options, clock: new ManualClock(), network })
    open.push(relay)
    const session = relay.createSession('call')
    const seen: TappedPacket[] = []
    session.tap((packet) => seen.push(packet))
    for (const viaBranch of ['one', 'two']) {
      const toB = targetOf(await session.offer(offerSdp, { from: 'a', viaBranch })).port
      await session.answer(answerSdp, { from: 'b', viaBranch })
      network.deliver(network.at(toB), rtpPacket({ sequence: 7 }), B.address, B.port)
    }
    expect(seen).toMatchObject([
      { viaBranch: 'one', side: 'b' },
      { viaBranch: 'two', side: 'b' },
    ])
  })

  it('has copies of what both sides send, until it is ended, and stops nothing', async () => {
    const network = new MemoryNetwork()
    const relay = await createRelay({ ...options, clock: new ManualClock(), network })
    open.push(relay)
    const session = relay.createSession('call')
    const seen: TappedPacket[] = []
    const end = session.tap((packet) => seen.push(packet))
    const toB = network.at(targetOf(await session.offer(offerSdp, { from: 'a' })).port)
    const toA = network.at(targetOf(await session.answer(answerSdp, { from: 'b' })).port)
    const packet = rtpPacket({ sequence: 7 })
    expect(network.deliver(toA, packet, A.address, A.port)).toHaveLength(1)
    expect(network.deliver(toB, packet, B.address, B.port)).toHaveLength(1)
    expect(network.deliver(toB, packet, '192.0.2.66', 6)).toHaveLength(0)
    expect(seen.map(({ stream, side }) => [stream, side])).toEqual([
      [0, 'a'],
      [0, 'b'],
    ])
    expect(Buffer.from(seen[0]?.packet ?? [])).toEqual(packet)
    seen[0]?.packet.fill(0)
    expect(packet[0]).toBe(0x80)
    end()
    network.deliver(toA, rtpPacket({ sequence: 8 }), A.address, A.port)
    expect(seen).toHaveLength(2)
  })

  it('of a worker is bounded: what its listener does not take is dropped, counted, and the call goes on', async () => {
    const { relay, worker } = await fakes(1)
    const session = relay.createSession('call')
    const seen: number[] = []
    session.tap(({ packet }) => seen.push(Buffer.from(packet).readUInt16BE(2)))
    await session.offer(offerSdp, { from: 'a' })
    const { network } = worker(0)
    const toA = network.at(targetOf(await session.answer(answerSdp, { from: 'b' })).port)
    for (let sequence = 0; sequence < tapPacketsMax + 10; sequence++) {
      expect(network.deliver(toA, rtpPacket({ sequence }), A.address, A.port)).toHaveLength(1)
    }
    worker(0).flush()
    await settled()
    expect(seen).toEqual(Array.from({ length: tapPacketsMax }, (_, sequence) => sequence))
    expect(session.tapDropped).toBe(10)
    network.deliver(toA, rtpPacket({ sequence: 9_000 }), A.address, A.port)
    await session.close()
    expect(seen.at(-1)).toBe(9_000)
  })
})

describe('workers', () => {
  it('have parts of the port range that do not overlap, and the least loaded one takes the next session', async () => {
    const { relay, started } = await fakes(3)
    const sessions = Array.from({ length: 9 }, (_, index) => relay.createSession(`call ${index}`))
    await Promise.all(sessions.map((session) => session.offer(offerSdp, { from: 'a' })))
    expect(started.map(({ network }) => network.channels.size)).toEqual([12, 12, 12])
    const ports = started.flatMap(({ network }) => [...network.channels.keys()])
    expect(new Set(ports).size).toBe(36)
    await Promise.all([sessions[1], sessions[4]].map((session) => session?.close()))
    const next = relay.createSession('next')
    await next.offer(offerSdp, { from: 'a' })
    expect(started[1]?.network.channels.size).toBe(8)
    expect((await relay.stats()).workers.map((worker) => worker.sessions)).toEqual([3, 2, 3])
    expect((await relay.stats()).portsTotal).toBe(100)
  })

  it('that crash end their own sessions only, once each, with the last known snapshot', async () => {
    const { relay, worker } = await fakes(2)
    const told: unknown[] = []
    relay.on('worker-crashed', (event) => told.push(event))
    const closed = new Map<string, unknown>()
    relay.on('session-closed', (event) => {
      expect(closed.has(event.sessionId)).toBe(false)
      closed.set(event.sessionId, event)
    })
    const sessions = Array.from({ length: 10 }, (_, index) => relay.createSession(`call ${index}`))
    await Promise.all(sessions.map((session) => session.offer(offerSdp, { from: 'a' })))
    worker(0).report()
    await settled()
    const pending = codeOf(sessions[0]?.answer(answerSdp, { from: 'b' }) ?? Promise.resolve())
    const closing = sessions[2]?.close()
    worker(0).crash('ERR_WORKER_OUT_OF_MEMORY')
    expect(await pending).toBe('WORKER_CRASHED')
    expect(await closing).toMatchObject({ state: 'closed' })
    await settled()
    expect(told).toEqual([{ worker: 0, code: 'ERR_WORKER_OUT_OF_MEMORY', detail: 'by the test', sessions: 5 }])
    expect([...closed.keys()].sort()).toEqual(['call 0', 'call 2', 'call 4', 'call 6', 'call 8'])
    expect(closed.get('call 4')).toMatchObject({
      reason: 'worker-crashed',
      snapshot: { id: 'call 4', state: 'closed', streams: [{ media: 'audio' }] },
    })
    expect(relay.sessions).toBe(5)
    for (const index of [1, 3, 5, 7, 9]) await sessions[index]?.answer(answerSdp, { from: 'b' })
    expect(await codeOf(sessions[4]?.offer(offerSdp, { from: 'a' }) ?? Promise.resolve())).toBe('SESSION_CLOSED')
    expect((await relay.stats()).workers[0]).toMatchObject({ state: 'waiting', crashes: 1, sessions: 0 })
  })

  it('that crash are replaced, ever more rarely when they crash again and again', async () => {
    const { relay, started, worker } = await fakes(1)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const waits: number[] = []
    for (let crash = 0; crash < 12; crash++) {
      const before = started.length
      worker(0).crash('UNCAUGHT')
      await settled()
      expect(() => relay.createSession('now')).toThrow(expect.objectContaining({ code: 'WORKER_UNAVAILABLE' }))
      let waitedMs = 0
      while (started.length === before) {
        vi.advanceTimersByTime(100)
        waitedMs += 100
      }
      waits.push(waitedMs)
      await settled()
    }
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800])
    expect(waits.at(-1)).toBe(workerRestartMaxMs)
    const session = relay.createSession('now')
    expect(targetOf(await session.offer(offerSdp, { from: 'a' })).address).toBe(RELAY_4)
  })

  it('that crash leave their ports to rest, and the next one has them afterwards', async () => {
    const { relay, worker } = await fakes(1, { portMax: 20_011, limits: { portQuarantineMs: 5_000 } })
    await relay.createSession('call').offer(offerSdp, { from: 'a' })
    const restarted = new Promise((resolve) => relay.on('worker-restarted', resolve))
    worker(0).crash('UNCAUGHT')
    await restarted
    expect(await relay.stats()).toMatchObject({ portsTotal: 12, portsFree: 12, portsResting: 4 })
    const before = await relay.createSession('next').offer(offerSdp, { from: 'a' })
    const again = relay.createSession('again')
    expect(await codeOf(again.offer(offerSdp, { from: 'a' }))).toBe(undefined)
    const third = relay.createSession('third')
    expect(await codeOf(third.offer(offerSdp, { from: 'a' }))).toBe('PORTS_EXHAUSTED')
    worker(0).clock.advance(5_000)
    expect(targetOf(await third.offer(offerSdp, { from: 'a' })).port).not.toBe(targetOf(before).port)
  })

  it('that answer no more are ended and replaced', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    const { relay, started, worker } = await fakes(1)
    const told: unknown[] = []
    relay.on('worker-crashed', ({ code }) => told.push(code))
    const session = relay.createSession('call')
    await session.offer(offerSdp, { from: 'a' })
    worker(0).isDeaf = true
    const answer = codeOf(session.answer(answerSdp, { from: 'b' }))
    vi.advanceTimersByTime(5_000)
    expect(await answer).toBe('WORKER_TIMEOUT')
    for (let report = 0; report < workerMissedReportsMax; report++) vi.advanceTimersByTime(workerReportIntervalMs)
    await settled()
    expect(told).toEqual(['UNRESPONSIVE'])
    vi.advanceTimersByTime(200)
    await settled()
    expect(started).toHaveLength(2)
    expect(relay.createSession('call').isClosed).toBe(false)
  })

  it('keep the process alive while there are sessions, and no longer', async () => {
    const { relay, worker } = await fakes(1)
    expect(worker(0).isHeld).toBe(false)
    const session = relay.createSession('call')
    expect(worker(0).isHeld).toBe(true)
    await session.close()
    expect(worker(0).isHeld).toBe(false)
  })

  it('that cannot be started are a rejection, and none is left running', async () => {
    const ended: number[] = []
    const refused = openRelay({ ...options, workers: 2 }, (index, start, events) => {
      if (index === 1) throw Object.assign(new Error('no more threads'), { code: 'ERR_WORKER_INIT_FAILED' })
      return new FakeWorker(index, start, {
        ...events,
        ended: (code, detail) => {
          ended.push(index)
          events.ended(code, detail)
        },
      })
    })
    expect(await codeOf(refused)).toBe('WORKER_FAILED')
    expect(ended).toEqual([0])
  })

  it('whose engine refuses its options say why', async () => {
    const interfaces = [{ address: RELAY_4 }]
    const refused = openRelay({ ...options, interfaces, workers: 1 }, (index, start, events) => {
      return new FakeWorker(index, { ...start, options: { ...start.options, portMin: 80 } }, events)
    })
    expect(await codeOf(refused)).toBe('INVALID_OPTIONS')
  })

  it.each<[string, Partial<RelayOptions>]>([
    ['half a worker', { workers: 0.5 }],
    ['more workers than may be', { workers: 1_000 }],
    ['more workers than pairs of ports', { workers: 3, portMax: 20_003 }],
    ['a clock of this thread', { workers: 1, clock: new ManualClock() }],
    ['no memory', { workers: 1, workerLimits: { maxOldGenerationSizeMb: 0 } }],
  ])('are not made: %s', async (_name, change) => {
    expect(await codeOf(createRelay({ ...options, ...change }))).toBe('INVALID_OPTIONS')
  })

  it('reject options that cannot be given to a thread, and stay in use', async () => {
    const { relay } = await fakes(1)
    const session = relay.createSession('call')
    const from = (() => 'a') as unknown as 'a'
    await expect(session.offer(offerSdp, { from })).rejects.toThrow()
    expect(targetOf(await session.offer(offerSdp, { from: 'a' })).address).toBe(RELAY_4)
    await sleep(0)
  })
})
