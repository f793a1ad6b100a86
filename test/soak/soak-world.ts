/**
 * A server, a callee and callers that come and go, under everything that users and strangers do all day: registrations,
 * calls that are answered, refused, cancelled, forgotten, bridged and proxied, changes inside of calls, questions, garbage
 * and forgeries. Between two rounds all work ends, and what is left is measured.
 */
import {
  BindingTable,
  type Call,
  DigestVerifier,
  digest,
  type IncomingRequest,
  SipStack,
  type StackStats,
} from '@carillon/sip-transaction'
import { SeededRandom } from '@carillon/sip-transaction/testing'
import type { Medium } from './medium.ts'
import { measure, type Sample } from './slope.ts'

const sdp = (port: number) =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8\r\n`

/** Callees by the user part that is called. */
const callees = ['answer', 'answer', 'answer', 'busy', 'ring', 'bridge', 'proxy', 'nowhere'] as const
const bindingLimits = { registrationSecondsMin: 1, bindingsMax: 200 }
/** In every round as many callers appear, each with transports and an address of its own. */
const callersPerRound = 3
/** Longer than any transaction, timer C of a proxy among them, in steps. */
const drainSteps = 1_600
const drainStepMs = 250

/** Something that is kept by mistake, so that a test can see that it is found. */
export type Leak = (request: IncomingRequest) => void

/** One run. */
export class SoakWorld {
  readonly samples: Sample[] = []
  operations = 0
  private readonly medium: Medium
  private readonly random: SeededRandom
  private readonly bindings = new BindingTable(bindingLimits)
  private readonly server: SipStack
  private readonly callee: SipStack
  private callers: SipStack[] = []
  private readonly live = new Set<Call>()
  private readonly attempts = new Set<AbortController>()
  private underWay = 0

  private constructor(medium: Medium, random: SeededRandom, server: SipStack, callee: SipStack) {
    this.medium = medium
    this.random = random
    this.server = server
    this.callee = callee
  }

  /** Makes the server and the callee. `leak` is called with each request that the server gets. */
  static async create(medium: Medium, seed: number, leak: Leak = () => {}): Promise<SoakWorld> {
    const server = await SipStack.create(medium.place())
    const callee = await SipStack.create(medium.place())
    const world = new SoakWorld(medium, new SeededRandom(seed), server, callee)
    world.serve(leak)
    return world
  }

  /**
   * Works for a while, lets everything end, and measures.
   * @param count operations
   * @param pauseMs between two of them
   */
  async round(count: number, pauseMs: number): Promise<void> {
    this.callers = []
    for (let index = 0; index < callersPerRound; index += 1)
      this.callers.push(await SipStack.create(this.medium.place()))
    for (let index = 0; index < count; index += 1) {
      this.operate()
      await this.medium.pass(pauseMs)
    }
    await this.drain()
    await this.settled(Promise.all(this.callers.map((stack) => stack.close({ graceMs: 0 }))))
    this.callers = []
    const { idleMs } = this.medium
    const tables = this.tables()
    if (idleMs !== undefined) {
      await this.medium.pass(2 * idleMs)
      tables.connections = this.server.stats().connections + this.callee.stats().connections
    }
    const { bytes, handles } = measure()
    this.samples.push({ operations: this.operations, bytes, handles, tables })
  }

  /** Ends the server and the callee. */
  async close(): Promise<void> {
    await this.settled(Promise.all([this.server, this.callee].map((stack) => stack.close({ graceMs: 0 }))))
    await this.medium.close()
  }

  /** Lets time pass until something has happened. */
  private async settled(work: Promise<unknown>): Promise<void> {
    let isOver = false
    const done = work.finally(() => {
      isOver = true
    })
    while (!isOver) await this.medium.pass(drainStepMs)
    await done
  }

  // ---- the server and the callee ----

  private serve(leak: Leak): void {
    const verifier = new DigestVerifier({
      realm: 'soak',
      secret: new Uint8Array(32).fill(7),
      random: this.random.fork(),
    })
    const known = digest.required(verifier, (name) => ({ password: `of ${name}` }), { info: true })
    this.server.use((request, next) => {
      leak(request)
      return next()
    })
    this.server.method('REGISTER', known, (request) => this.register(request))
    for (const stack of [this.server, this.callee]) {
      stack.method('MESSAGE', (request) => request.reply(202))
      stack.method('INVITE', (request) => this.answer(request))
    }
  }

  private register(request: IncomingRequest): void {
    const nowMs = request.wallMs
    this.bindings.expire(nowMs, [])
    const { status, ...answer } = this.bindings.apply(request, nowMs, request.from.uri.toString())
    request.reply(status, answer)
  }

  private async answer(request: IncomingRequest): Promise<void> {
    const user = /^sips?:(\w+)@/.exec(request.uri.toString())?.[1] ?? ''
    const onward = this.listenerUri(this.callee, 'answer', request.source.isReliable)
    if (user === 'busy') return request.reply(486)
    if (user === 'nowhere') return void (await request.bridge('sip:gone@192.0.2.254:9').catch(() => {}))
    if (user === 'bridge') return void (await request.bridge(onward).catch(() => {}))
    if (user === 'proxy') return void (await request.proxy(onward, { recordRoute: true }).catch(() => {}))
    request.reply(180)
    if (user === 'ring') return
    try {
      this.take(await request.accept({ sdp: sdp(4002) }))
    } catch {
      // The caller has given up, or its ACK never came.
    }
  }

  // ---- what happens ----

  private operate(): void {
    this.operations += 1
    const dice = this.random.fraction()
    const caller = this.random.pick(this.callers)
    if (dice < 0.3) this.begin(this.call(caller))
    else if (dice < 0.55) this.begin(this.ask(caller, 'REGISTER', { contact: true, headers: [['Expires', 30]] }))
    else if (dice < 0.65) this.begin(this.ask(caller, 'MESSAGE', { body: 'x'.repeat(this.random.integer(0, 2_000)) }))
    else if (dice < 0.7) this.begin(this.ask(caller, 'OPTIONS', {}))
    else if (dice < 0.75) this.begin(this.ask(caller, 'NONSENSE', {}))
    else if (dice < 0.83) this.changeSome()
    else if (dice < 0.88) this.hangUpSome()
    else if (dice < 0.91) this.giveUpSome()
    else if (dice < 0.99) this.medium.intrude(this.hostileBytes(), this.server.listeners)
    else this.medium.disturb()
  }

  private begin(work: Promise<unknown>): void {
    this.underWay += 1
    work
      .catch(() => {})
      .finally(() => {
        this.underWay -= 1
      })
  }

  private async call(caller: SipStack): Promise<void> {
    const abort = new AbortController()
    this.attempts.add(abort)
    try {
      const uri = this.listenerUri(this.server, this.random.pick(callees), this.random.chance(0.5))
      const reliable = this.random.pick(['never', 'supported', 'required'] as const)
      const call = await caller.invite(uri, { sdp: sdp(4000), reliable, signal: abort.signal })
      this.take(call)
      if (abort.signal.aborted) await call.bye()
    } finally {
      this.attempts.delete(abort)
    }
  }

  private ask(caller: SipStack, method: string, init: object): Promise<unknown> {
    const username = `u${this.random.integer(0, 300)}`
    const uri = this.listenerUri(this.server, undefined, this.random.chance(0.5))
    const from = `<sip:${username}@soak.example>`
    return caller.request({
      method,
      uri,
      from,
      to: from,
      credentials: { username, password: `of ${username}` },
      ...init,
    })
  }

  private take(call: Call): void {
    this.live.add(call)
    void call.ended.then(() => this.live.delete(call))
    call.onRequest((request) => request.reply(200, { body: sdp(4004) }))
  }

  private changeSome(): void {
    for (const call of [...this.live].slice(-2)) {
      if (call.state === 'active') this.begin(call.reinvite({ sdp: sdp(4006) }))
    }
  }

  private hangUpSome(): void {
    const calls = [...this.live]
    if (calls.length > 0) this.begin(this.random.pick(calls).bye())
  }

  private giveUpSome(): void {
    const waiting = [...this.attempts]
    if (waiting.length > 0) this.random.pick(waiting).abort()
  }

  /** What comes from strangers: noise, and messages that are nearly or quite well-formed and belong to nothing. */
  private hostileBytes(): Uint8Array {
    const id = this.random.token(60)
    const kind = this.random.integer(0, 4)
    if (kind === 0) return this.random.bytes(this.random.integer(1, 300))
    const line = ['', 'BYE sip:x@y SIP/2.0', 'SIP/2.0 200 OK', 'INVITE sip:x@y SIP/2.0', 'CANCEL sip:x@y SIP/2.0'][kind]
    const method = ['', 'BYE', 'INVITE', 'INVITE', 'CANCEL'][kind]
    // A call that stops in the middle, and answers that nobody waits for.
    const text = `${line}\r\nVia: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK${id}\r\nFrom: <sip:a@b>;tag=${id}\r\nTo: <sip:c@d>;tag=1\r\nCall-ID: ${id}\r\nCSeq: 1 ${method}\r\nMax-Forwards: 70\r\n`
    return new TextEncoder().encode(this.random.chance(0.3) ? text : `${text}Content-Length: 0\r\n\r\n`)
  }

  private listenerUri(stack: SipStack, user: string | undefined, isReliable: boolean): string {
    const listeners = stack.listeners.filter(({ transport }) => (transport === 'UDP') !== isReliable)
    const { address, port, transport } = this.random.pick(listeners)
    return `sip:${user === undefined ? '' : `${user}@`}${address}:${port};transport=${transport.toLowerCase()}`
  }

  // ---- coming to rest ----

  private async drain(): Promise<void> {
    for (const abort of this.attempts) abort.abort()
    for (let step = 0; step < drainSteps; step += 1) {
      // A call may have been answered while it was given up.
      if (step % 20 === 0) for (const call of this.live) this.begin(call.bye())
      await this.medium.pass(drainStepMs)
      if (this.underWay === 0 && Object.values(this.tables()).every((count) => count === 0)) return
    }
  }

  private tables(): Record<string, number> {
    const tables: Record<string, number> = {
      'operations under way': this.underWay,
      'calls of the users': this.live.size,
    }
    const gauges = [
      'transactions',
      'dialogs',
      'calls',
      'bridges',
      'ringing',
      'requests',
    ] as const satisfies (keyof StackStats)[]
    for (const stack of [this.server, this.callee, ...this.callers]) {
      const stats = stack.stats()
      for (const gauge of gauges) tables[gauge] = (tables[gauge] ?? 0) + stats[gauge]
    }
    return tables
  }
}
