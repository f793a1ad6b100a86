/**
 * Whole stacks that call each other on a bad network, by seed: two phones, or two phones with a back-to-back user agent
 * between them. Users behave as the seed says: answer late or never, cancel, hang up, change the session at the same
 * moment. A broken rule is an entry in `violations`; the seed reproduces it.
 */
import { type Call, type IncomingRequest, SipStack } from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork, type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'
import { WireBook } from './wire-book'

/** Longer than any timer of a call: ring time-outs, session timers, 64·T1 on top of each other. */
const drainMs = 2_400_000
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const refusals = [302, 404, 480, 486, 500, 503, 603] as const

/** Something by which a world is spoiled on purpose, so that a test can see that it is found. */
export type Sabotage = (message: string) => boolean

/** How one attempt to call went. */
interface Attempt {
  readonly abort: AbortController
  outcome: 'waiting' | 'answered' | 'refused'
}

/** One run. */
export class CallWorld {
  readonly violations: string[] = []
  readonly ladder: string[] = []
  sent = 0
  protected readonly random: SeededRandom
  protected readonly clock = new FakeClock()
  private readonly network: MemoryNetwork
  private readonly book: WireBook
  private readonly stacks: { readonly name: string; readonly stack: SipStack }[] = []
  private readonly attempts: Attempt[] = []
  protected readonly calls: Call[] = []
  protected readonly scheme: 'udp' | 'tcp'
  private readonly isBad: boolean
  protected readonly isStormy: boolean
  protected openEnds = 0

  /** @param sabotage messages for which it is true vanish before anybody sees them, as if never sent */
  constructor(
    readonly seed: number,
    private readonly sabotage: Sabotage = () => false,
  ) {
    this.random = new SeededRandom(seed)
    this.scheme = this.random.chance(0.25) ? 'tcp' : 'udp'
    const weather = this.random.pick(['calm', 'lossy', 'lossy', 'stormy'] as const)
    this.isBad = weather !== 'calm'
    this.isStormy = weather === 'stormy'
    this.book = new WireBook(this.scheme === 'udp' || !this.isStormy)
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: this.random.fork(),
      conditions: {
        lossRate: this.isBad ? this.random.fraction() * 0.35 : 0,
        duplicateRate: this.isBad ? this.random.fraction() * 0.3 : 0,
        reorderRate: this.isBad ? this.random.fraction() * 0.3 : 0,
        delayMinMs: this.random.integer(0, 40),
        delayMaxMs: this.random.integer(40, this.isBad ? 800 : 150),
      },
    })
    this.network.observe((message) => this.watch(message))
  }

  /** Runs the operations, ends every call, waits for everything to be forgotten, and checks the rules. */
  async run(operations: number): Promise<void> {
    const withBridge = this.hasHub()
    const alice = await this.phone('alice', 1)
    const bob = await this.phone('bob', 2)
    const hub = withBridge ? await this.bridge() : undefined
    for (let count = 0; count < operations; count += 1) {
      this.operate(alice, bob, hub)
      await this.clock.advance(this.random.pick([0, 1, 20, 200, 900, 4_000]))
    }
    this.network.heal()
    this.network.setConditions({ lossRate: 0, duplicateRate: 0, reorderRate: 0 })
    for (const { abort } of this.attempts) abort.abort()
    for (let round = 0; round < 3; round += 1) {
      for (const call of this.calls) void call.bye()
      await this.clock.advance(40_000)
    }
    await this.clock.advance(drainMs)
    this.check()
    for (const { stack } of this.stacks) {
      const closing = stack.close({ graceMs: 0 })
      await this.clock.advance(10_000)
      await closing
    }
    if (this.clock.nextWakeMs() !== Number.POSITIVE_INFINITY) this.violate('a timer is left after close')
  }

  /** Whether the phones call each other through a back-to-back user agent. */
  protected hasHub(): boolean {
    return this.random.chance(0.35)
  }

  protected async stack(name: string, host: number): Promise<SipStack> {
    const factory = this.network.factory({
      scheme: this.scheme,
      transportName: this.scheme.toUpperCase(),
      isReliable: this.scheme === 'tcp',
    })
    const stack = await SipStack.create({
      listen: [`${this.scheme}://10.0.0.${host}:5060`],
      transports: [this.spoiled(factory)],
      clock: this.clock,
      random: this.random.fork(),
      // A refresh would keep a call alive for ever; here calls are ended by their users.
      sessionTimers: this.random.chance(0.5) ? false : { expiresSeconds: 90 },
      reliableProvisional: this.random.pick(['never', 'supported', 'always'] as const),
      logger: {
        debug: () => {},
        info: () => {},
        warn: () => {},
        error: (fields, message) => this.violate(`${name} logs an error: ${message} ${JSON.stringify(fields)}`),
      },
    })
    this.stacks.push({ name, stack })
    return stack
  }

  protected async phone(name: string, host: number): Promise<SipStack> {
    const stack = await this.stack(name, host)
    stack.method('INVITE', (request) => this.ring(request))
    stack.method('MESSAGE', (request) => this.soon(() => request.reply(202)))
    return stack
  }

  protected async bridge(): Promise<SipStack> {
    const stack = await this.stack('hub', 3)
    stack.method('INVITE', async (request) => {
      const callee = request.to.uri.toString().includes('bob') ? 2 : 1
      const target = `sip:user@10.0.0.${callee};transport=${this.scheme}`
      await request.bridge([{ uri: target }], { ringTimeoutMs: this.random.pick([5_000, 60_000]) }).catch(() => {})
    })
    return stack
  }

  protected operate(alice: SipStack, bob: SipStack, hub: SipStack | undefined): void {
    const isAlice = this.random.chance(0.5)
    const caller = isAlice ? alice : bob
    const dice = this.random.fraction()
    if (dice < 0.4) this.call(caller, isAlice ? 'bob' : 'alice', hub !== undefined)
    else if (dice < 0.5) this.ask(caller, isAlice ? 2 : 1)
    else if (dice < 0.6) this.cancelSome()
    else if (dice < 0.75) this.changeSome()
    else if (dice < 0.9) this.hangUpSome()
    else if (!this.isStormy) this.changeSome()
    else this.worsen()
  }

  private worsen(): void {
    const dice = this.random.fraction()
    if (dice < 0.4) this.network.partition(['10.0.0.1'], ['10.0.0.2', '10.0.0.3'])
    else if (dice < 0.7) this.network.heal()
    else if (dice < 0.85) this.network.resetStreams('10.0.0.1', this.random.pick(['10.0.0.2', '10.0.0.3']))
    else this.clock.setWall(this.clock.wallMs() + this.random.integer(-86_400_000, 86_400_000))
  }

  private call(caller: SipStack, user: 'alice' | 'bob', viaHub: boolean): void {
    const host = viaHub ? 3 : user === 'bob' ? 2 : 1
    const abort = new AbortController()
    const attempt: Attempt = { abort, outcome: 'waiting' }
    this.attempts.push(attempt)
    const reliable = this.random.pick(['never', 'supported', 'required'] as const)
    const isLateOffer = this.random.chance(0.15)
    this.openEnds += 1
    caller
      .invite(`sip:${user}@10.0.0.${host};transport=${this.scheme}`, {
        ...(isLateOffer ? { answer: () => sdp } : { sdp }),
        reliable,
        signal: abort.signal,
      })
      .then(
        (call) => {
          attempt.outcome = 'answered'
          this.take(call)
          // A user who has given up does not stay on the line.
          if (abort.signal.aborted) void call.bye()
        },
        () => {
          attempt.outcome = 'refused'
        },
      )
      .finally(() => {
        this.openEnds -= 1
      })
    if (this.random.chance(0.3)) this.soon(() => abort.abort(), 3_000)
  }

  /** A callee: rings a while, then answers, refuses, or forgets. */
  private ring(request: IncomingRequest): void {
    let afterMs = 0
    const provisionals = this.random.integer(0, 3)
    for (let count = 0; count < provisionals; count += 1) {
      const status = this.random.pick([180, 183])
      const isReliable = this.random.chance(0.5)
      this.at(afterMs, () => {
        if (!request.isAnswered) request.reply(status, { reliable: isReliable })
      })
      afterMs += this.random.integer(0, 2_000)
    }
    const dice = this.random.fraction()
    if (dice < 0.08) return
    this.at(afterMs, () => {
      if (request.isAnswered) return
      if (dice < 0.3) {
        request.reply(this.random.pick(refusals))
        return
      }
      this.openEnds += 1
      request
        .accept({ sdp })
        .then((call) => this.take(call))
        .catch(() => {})
        .finally(() => {
          this.openEnds -= 1
        })
    })
  }

  protected take(call: Call): void {
    this.calls.push(call)
    this.openEnds += 1
    void call.ended.then(() => {
      this.openEnds -= 1
    })
    call.onRequest((inside) => {
      if (inside.method === 'INVITE' || inside.method === 'UPDATE')
        this.soon(() => inside.reply(200, { body: sdp }), 400)
      else inside.reply(200)
    })
  }

  private ask(stack: SipStack, host: number): void {
    const method = this.random.pick(['OPTIONS', 'MESSAGE'])
    this.openEnds += 1
    stack
      .request({ method, uri: `sip:10.0.0.${host};transport=${this.scheme}` })
      .catch(() => {})
      .finally(() => {
        this.openEnds -= 1
      })
  }

  private cancelSome(): void {
    const waiting = this.attempts.filter(({ outcome }) => outcome === 'waiting')
    if (waiting.length > 0) this.random.pick(waiting).abort.abort()
  }

  private changeSome(): void {
    const live = this.calls.filter(({ state }) => state === 'active')
    if (live.length === 0) return
    // Both ends of a call often stand beside each other here: their changes cross.
    for (const call of live.slice(-2)) {
      if (this.random.chance(0.7)) {
        this.openEnds += 1
        call
          .reinvite({ sdp })
          .catch(() => {})
          .finally(() => {
            this.openEnds -= 1
          })
      }
    }
  }

  private hangUpSome(): void {
    const live = this.calls.filter(({ state }) => state === 'active')
    if (live.length > 0) void this.random.pick(live).bye()
  }

  private watch(message: ObservedMessage): void {
    this.sent += 1
    this.book.note(message)
    if (this.ladder.length >= 4000) return
    const text = Buffer.from(message.bytes).toString('latin1')
    const cseq = /^CSeq: (.*)$/im.exec(text)?.[1] ?? ''
    const line = text.slice(0, text.indexOf('\r\n'))
    const { atMs, from, to, fate } = message
    this.ladder.push(`${atMs.toFixed(1)} ${from.address} > ${to.address} ${line} (${cseq}, ${branchOf(text)}) ${fate}`)
  }

  protected check(): void {
    this.book.close()
    this.violations.push(...this.book.violations)
    if (this.openEnds > 0) this.violate(`${this.openEnds} promises never settled`)
    if (this.network.inFlight > 0) this.violate(`${this.network.inFlight} messages never arrived`)
    for (const { name, stack } of this.stacks) {
      const { transactions, dialogs, calls, bridges, ringing, requests, counters } = stack.stats()
      const left = { transactions, dialogs, calls, bridges, ringing, requests }
      if (Object.values(left).some((count) => count > 0)) this.violate(`${name} keeps ${JSON.stringify(left)}`)
      if (counters.handlerErrors > 0) this.violate(`${name}: ${counters.handlerErrors} handlers failed`)
    }
  }

  /** A factory whose transports swallow what the sabotage names. */
  private spoiled(factory: ReturnType<MemoryNetwork['factory']>): ReturnType<MemoryNetwork['factory']> {
    return {
      scheme: factory.scheme,
      listen: async (...args) => {
        const transport = await factory.listen(...args)
        const send = transport.send.bind(transport)
        transport.send = (bytes, destination, failed) => {
          if (!this.sabotage(Buffer.from(bytes).toString('latin1'))) send(bytes, destination, failed)
        }
        return transport
      },
    }
  }

  protected soon(act: () => void, withinMs = 1_000): void {
    this.at(this.random.integer(0, withinMs), act)
  }

  protected at(afterMs: number, act: () => void): void {
    this.clock.schedule(this.clock.monotonicMs() + afterMs, act)
  }

  protected violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.clock.monotonicMs().toFixed(1)} ms: ${what}`)
  }
}

/** The end of the top branch: enough to tell transactions apart. */
function branchOf(text: string): string {
  return (/;branch=([^;\r\n]+)/.exec(text)?.[1] ?? '').slice(-8)
}
