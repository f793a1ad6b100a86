/**
 * Phones that call each other through one proxy or two on a bad network, by seed: forking, hunting, redirections, hooks, CANCEL
 * at any moment, answers of two branches. A broken rule is an entry in `violations`; the seed reproduces it.
 */
import { type Call, type IncomingRequest, type ProxyOptions, SipStack } from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork, type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'
import { ProxyBook } from './proxy-book'

/** Longer than any timer of a call. */
const drainMs = 1_200_000
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const refusals = [302, 401, 404, 407, 480, 486, 500, 503, 603] as const
const hosts = { alice: 1, bob: 2, carol: 3, edge: 8, core: 9 } as const

/** One run. */
export class ProxyWorld {
  readonly violations: string[] = []
  readonly ladder: string[] = []
  sent = 0
  private readonly random: SeededRandom
  private readonly clock = new FakeClock()
  private readonly network: MemoryNetwork
  private readonly book = new ProxyBook(new Set([`10.0.0.${hosts.edge}`, `10.0.0.${hosts.core}`]))
  private readonly stacks: { readonly name: string; readonly stack: SipStack }[] = []
  private readonly aborts: AbortController[] = []
  private readonly calls: Call[] = []
  private readonly scheme: 'udp' | 'tcp'
  private openEnds = 0

  constructor(readonly seed: number) {
    this.random = new SeededRandom(seed)
    this.scheme = this.random.chance(0.25) ? 'tcp' : 'udp'
    const isBad = this.random.chance(0.7)
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: this.random.fork(),
      conditions: {
        lossRate: isBad ? this.random.fraction() * 0.3 : 0,
        duplicateRate: isBad ? this.random.fraction() * 0.3 : 0,
        reorderRate: isBad ? this.random.fraction() * 0.3 : 0,
        delayMinMs: this.random.integer(0, 20),
        delayMaxMs: this.random.integer(20, isBad ? 600 : 100),
      },
    })
    this.network.observe((message) => this.watch(message))
  }

  /** Runs the operations, ends every call, waits for everything to be forgotten, and checks the rules. */
  async run(operations: number): Promise<void> {
    const alice = await this.phone('alice')
    await this.phone('bob')
    await this.phone('carol')
    await this.proxy('core', undefined)
    if (this.random.chance(0.5)) await this.proxy('edge', 'core')
    for (let count = 0; count < operations; count += 1) {
      this.operate(alice)
      await this.clock.advance(this.random.pick([0, 1, 20, 200, 900, 4_000]))
    }
    this.network.heal()
    this.network.setConditions({ lossRate: 0, duplicateRate: 0, reorderRate: 0 })
    for (const abort of this.aborts) abort.abort()
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

  private async stack(name: keyof typeof hosts, isProxy: boolean): Promise<SipStack> {
    const stack = await SipStack.create({
      listen: [`${this.scheme}://10.0.0.${hosts[name]}:5060`],
      transports: [
        this.network.factory({
          scheme: this.scheme,
          transportName: this.scheme.toUpperCase(),
          isReliable: this.scheme === 'tcp',
        }),
      ],
      clock: this.clock,
      random: this.random.fork(),
      sessionTimers: false,
      ...(isProxy ? { proxy: true } : {}),
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

  private async phone(name: 'alice' | 'bob' | 'carol'): Promise<SipStack> {
    const stack = await this.stack(name, false)
    stack.method('INVITE', (request) => this.ring(request))
    stack.method('MESSAGE', (request) => this.soon(() => request.reply(this.random.pick([202, 404, 503]))))
    return stack
  }

  private async proxy(name: 'edge' | 'core', next: 'core' | undefined): Promise<void> {
    const stack = await this.stack(name, true)
    stack.use(async (request) => {
      this.openEnds += 1
      if (this.random.chance(0.3)) await this.pause(this.random.integer(0, 400))
      await request.proxy(next === undefined ? this.targets() : this.uri('x', next), this.options())
      this.openEnds -= 1
    })
  }

  private targets() {
    const all = [this.uri('bob', 'bob'), this.uri('carol', 'carol'), this.uri('gone', 'nobody')]
    const count = this.random.integer(1, all.length)
    return all.slice(0, count).map((uri) => ({ uri, q: this.random.pick([1, 1, 0.5, 0.2]) }))
  }

  private options(): ProxyOptions {
    const abort = new AbortController()
    if (this.random.chance(0.05)) this.soon(() => abort.abort(), 5_000)
    return {
      mode: this.random.pick(['parallel', 'serial', 'mixed'] as const),
      recordRoute: this.random.chance(0.8),
      recurse: this.random.chance(0.5),
      signal: abort.signal,
      ...(this.random.chance(0.4) ? { branchTimeoutMs: this.random.integer(200, 20_000) } : {}),
      ...(this.random.chance(0.2) ? { timerCMs: 190_000 } : {}),
      ...(this.random.chance(0.4)
        ? {
            onBranchFailed: () => {
              const more = this.random.chance(0.3) ? this.uri('carol', 'carol') : undefined
              return this.random.chance(0.5) ? more : this.pause(this.random.integer(0, 3_000)).then(() => more)
            },
          }
        : {}),
    }
  }

  private uri(user: string, host: keyof typeof hosts | 'nobody'): string {
    return `sip:${user}@10.0.0.${host === 'nobody' ? 77 : hosts[host]};transport=${this.scheme}`
  }

  private operate(alice: SipStack): void {
    const dice = this.random.fraction()
    const first = this.stacks.at(-1)!.name as 'edge' | 'core'
    if (dice < 0.45) this.call(alice, first)
    else if (dice < 0.6) this.ask(alice, first)
    else if (dice < 0.75) this.aborts.at(-1)?.abort()
    else this.hangUpSome()
  }

  private call(caller: SipStack, via: 'edge' | 'core'): void {
    const abort = new AbortController()
    this.aborts.push(abort)
    this.openEnds += 1
    caller
      .invite(this.uri('anyone', via), {
        sdp,
        reliable: this.random.pick(['never', 'supported']),
        signal: abort.signal,
      })
      .then(
        (call) => {
          this.take(call)
          if (abort.signal.aborted) void call.bye()
        },
        () => {},
      )
      .finally(() => {
        this.openEnds -= 1
      })
    if (this.random.chance(0.4)) this.soon(() => abort.abort(), 3_000)
  }

  /** A callee: rings a while, then answers, refuses, redirects, or forgets. */
  private ring(request: IncomingRequest): void {
    const rings = this.random.integer(0, 2)
    for (let count = 0; count < rings; count += 1)
      this.soon(() => {
        if (!request.isAnswered) request.reply(180)
      }, 500)
    const dice = this.random.fraction()
    if (dice < 0.08) return
    this.at(500 + this.random.integer(0, 3_000), () => {
      if (request.isAnswered) return
      if (dice < 0.4) {
        const status = this.random.pick(refusals)
        request.reply(status, status === 302 ? { contact: `<${this.uri('carol', 'carol')}>` } : {})
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

  private take(call: Call): void {
    this.calls.push(call)
    this.openEnds += 1
    void call.ended.then(() => {
      this.openEnds -= 1
    })
  }

  private ask(stack: SipStack, via: 'edge' | 'core'): void {
    this.openEnds += 1
    stack
      .request({ method: 'MESSAGE', uri: this.uri('anyone', via) })
      .catch(() => {})
      .finally(() => {
        this.openEnds -= 1
      })
  }

  private hangUpSome(): void {
    const live = this.calls.filter(({ state }) => state === 'active')
    if (live.length > 0) void this.random.pick(live).bye()
  }

  private watch(message: ObservedMessage): void {
    this.sent += 1
    const line = this.book.note(message)
    if (this.ladder.length < 4000) this.ladder.push(line)
  }

  private check(): void {
    this.violations.push(...this.book.violations)
    if (this.openEnds > 0) this.violate(`${this.openEnds} promises never settled`)
    if (this.network.inFlight > 0) this.violate(`${this.network.inFlight} messages never arrived`)
    for (const { name, stack } of this.stacks) {
      const { transactions, dialogs, calls, ringing, requests, proxied, counters } = stack.stats()
      const left = { transactions, dialogs, calls, ringing, requests, proxied }
      if (Object.values(left).some((count) => count > 0)) this.violate(`${name} keeps ${JSON.stringify(left)}`)
      if (counters.handlerErrors > 0) this.violate(`${name}: ${counters.handlerErrors} handlers failed`)
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(ms, resolve))
  }

  private soon(act: () => void, withinMs = 1_000): void {
    this.at(this.random.integer(0, withinMs), act)
  }

  private at(afterMs: number, act: () => void): void {
    this.clock.schedule(this.clock.monotonicMs() + afterMs, act)
  }

  private violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.clock.monotonicMs().toFixed(1)} ms: ${what}`)
  }
}
