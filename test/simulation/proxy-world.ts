/**
 * Phones that call each other through one proxy or two on a bad network, by seed: forking, hunting, redirections, hooks, CANCEL
 * at any moment, answers of two branches. A broken rule is an entry in `violations`; the seed reproduces it.
 */
import type { Call, IncomingRequest, ProxyOptions, SipStack } from '@carillon/sip-transaction'
import { type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'
import { ProxyBook } from './proxy-book'
import { drawConditions, StackRoom } from './stack-room'

/** Longer than any timer of a call. */
const drainMs = 1_200_000
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const refusals = [302, 401, 404, 407, 430, 480, 486, 500, 503, 603] as const
const hosts = { alice: 1, bob: 2, carol: 3, edge: 8, core: 9 } as const

/** One run. */
export class ProxyWorld extends StackRoom {
  private readonly book = new ProxyBook(new Set([`10.0.0.${hosts.edge}`, `10.0.0.${hosts.core}`]))
  private readonly aborts: AbortController[] = []
  private readonly calls: Call[] = []
  private readonly scheme: 'udp' | 'tcp'

  constructor(readonly seed: number) {
    const chance = new SeededRandom(seed)
    const scheme = chance.chance(0.25) ? 'tcp' : 'udp'
    const isBad = chance.chance(0.7)
    const weather = { isBad, lossRateMax: 0.3, delayMinMs: 20, calmDelayMs: 100, badDelayMs: 600 }
    super(chance, (random) => drawConditions(random, weather))
    this.scheme = scheme
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
    await this.hangUp(this.aborts, this.calls)
    await this.end(drainMs)
  }

  private member(name: keyof typeof hosts, isProxy: boolean): Promise<SipStack> {
    return this.stack(name, {
      listen: [`${this.scheme}://10.0.0.${hosts[name]}:5060`],
      sessionTimers: false,
      ...(isProxy ? { proxy: true } : {}),
    })
  }

  private async phone(name: 'alice' | 'bob' | 'carol'): Promise<SipStack> {
    const stack = await this.member(name, false)
    stack.method('INVITE', (request) => this.ring(request))
    stack.method('MESSAGE', (request) => this.soon(() => request.reply(this.random.pick([202, 404, 503]))))
    return stack
  }

  private async proxy(name: 'edge' | 'core', next: 'core' | undefined): Promise<void> {
    const stack = await this.member(name, true)
    const pass = async (request: IncomingRequest) => {
      if (this.random.chance(0.3)) await this.pause(this.random.integer(0, 400))
      await request.proxy(next === undefined ? this.targets() : this.uri('x', next), this.options())
    }
    stack.use((request) => {
      const passing = pass(request)
      this.expects(passing)
      return passing
    })
  }

  private targets() {
    const all = [this.uri('bob', 'bob'), this.uri('carol', 'carol'), this.uri('gone', 'nobody')]
    const count = this.random.integer(1, all.length)
    // Sometimes they are flows of one device, of which it may get the request by one at a time.
    const device = this.random.chance(0.2) ? { instance: 'urn:x:device' } : {}
    return all.slice(0, count).map((uri) => ({ uri, q: this.random.pick([1, 1, 0.5, 0.2]), ...device }))
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
    this.expects(
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
        ),
    )
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
    this.later(500 + this.random.integer(0, 3_000), () => {
      if (request.isAnswered) return
      if (dice < 0.4) {
        const status = this.random.pick(refusals)
        request.reply(status, status === 302 ? { contact: `<${this.uri('carol', 'carol')}>` } : {})
        return
      }
      this.expects(request.accept({ sdp }).then((call) => this.take(call)))
    })
  }

  private take(call: Call): void {
    this.calls.push(call)
    this.expects(call.ended)
  }

  private ask(stack: SipStack, via: 'edge' | 'core'): void {
    this.expects(stack.request({ method: 'MESSAGE', uri: this.uri('anyone', via) }))
  }

  private hangUpSome(): void {
    const live = this.calls.filter(({ state }) => state === 'active')
    if (live.length > 0) void this.random.pick(live).bye()
  }

  protected override heard(message: ObservedMessage): string {
    return this.book.note(message)
  }

  protected override check(): void {
    this.violations.push(...this.book.violations)
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve))
  }
}
