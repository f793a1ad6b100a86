/**
 * Whole stacks that call each other on a bad network, by seed: two phones, or two phones with a back-to-back user agent
 * between them. Users behave as the seed says: answer late or never, cancel, hang up, change the session at the same
 * moment. A broken rule is an entry in `violations`; the seed reproduces it.
 */
import type { Call, IncomingRequest, SipStack } from '@carillon/sip-transaction'
import { type MemoryNetwork, type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'
import { drawConditions, StackRoom } from './stack-room'
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
export class CallWorld extends StackRoom {
  private readonly book: WireBook
  private readonly attempts: Attempt[] = []
  protected readonly calls: Call[] = []
  protected readonly scheme: 'udp' | 'tcp'
  protected readonly isStormy: boolean

  /** @param sabotage messages for which it is true vanish before anybody sees them, as if never sent */
  constructor(
    readonly seed: number,
    private readonly sabotage: Sabotage = () => false,
  ) {
    const chance = new SeededRandom(seed)
    const scheme = chance.chance(0.25) ? 'tcp' : 'udp'
    const sky = chance.pick(['calm', 'lossy', 'lossy', 'stormy'] as const)
    const weather = { isBad: sky !== 'calm', lossRateMax: 0.35, delayMinMs: 40, calmDelayMs: 150, badDelayMs: 800 }
    super(chance, (random) => drawConditions(random, weather))
    this.scheme = scheme
    this.isStormy = sky === 'stormy'
    this.book = new WireBook(scheme === 'udp' || !this.isStormy)
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
    await this.hangUp(
      this.attempts.map(({ abort }) => abort),
      this.calls,
    )
    await this.end(drainMs)
  }

  /** Whether the phones call each other through a back-to-back user agent. */
  protected hasHub(): boolean {
    return this.random.chance(0.35)
  }

  protected member(name: string, host: number): Promise<SipStack> {
    const { scheme } = this
    const isReliable = scheme === 'tcp'
    const factory = this.network.factory({ scheme, transportName: scheme.toUpperCase(), isReliable })
    return this.stack(name, {
      listen: [`${scheme}://10.0.0.${host}:5060`],
      transports: [this.spoiled(factory)],
      // A refresh would keep a call alive for ever; here calls are ended by their users.
      sessionTimers: this.random.chance(0.5) ? false : { expiresSeconds: 90 },
      reliableProvisional: this.random.pick(['never', 'supported', 'always'] as const),
    })
  }

  protected async phone(name: string, host: number): Promise<SipStack> {
    const stack = await this.member(name, host)
    stack.method('INVITE', (request) => this.ring(request))
    stack.method('MESSAGE', (request) => this.soon(() => request.reply(202)))
    return stack
  }

  protected async bridge(): Promise<SipStack> {
    const stack = await this.member('hub', 3)
    stack.method('INVITE', async (request) => {
      const callee = request.to.uri.toString().includes('bob') ? 2 : 1
      const target = `sip:user@10.0.0.${callee};transport=${this.scheme}`
      const other = `sip:user@10.0.0.${3 - callee};transport=${this.scheme}`
      const options = { ringTimeoutMs: this.random.pick([5_000, 60_000]), recurse: this.random.chance(0.5) }
      await request.bridge([{ uri: target }], options).then(
        (bridge) => {
          if (this.random.chance(0.3)) this.soon(() => bridge.redirect(this.random.pick([other, target])), 3_000)
        },
        () => {},
      )
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
    this.expects(
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
        ),
    )
    if (this.random.chance(0.3)) this.soon(() => abort.abort(), 3_000)
  }

  /** A callee: rings a while, then answers, refuses, or forgets. */
  private ring(request: IncomingRequest): void {
    let afterMs = 0
    const provisionals = this.random.integer(0, 3)
    for (let count = 0; count < provisionals; count += 1) {
      const status = this.random.pick([180, 183])
      const isReliable = this.random.chance(0.5)
      this.later(afterMs, () => {
        if (!request.isAnswered) request.reply(status, { reliable: isReliable })
      })
      afterMs += this.random.integer(0, 2_000)
    }
    const dice = this.random.fraction()
    if (dice < 0.08) return
    this.later(afterMs, () => {
      if (request.isAnswered) return
      if (dice < 0.3) {
        const status = this.random.pick(refusals)
        const contact = `<sip:user@10.0.0.${this.random.integer(1, 2)};transport=${this.scheme}>`
        request.reply(status, status === 302 ? { contact } : {})
        return
      }
      this.expects(request.accept({ sdp }).then((call) => this.take(call)))
    })
  }

  protected take(call: Call): void {
    this.calls.push(call)
    this.expects(call.ended)
    call.onRequest((inside) => {
      if (inside.method === 'INVITE' || inside.method === 'UPDATE')
        this.soon(() => inside.reply(200, { body: sdp }), 400)
      else inside.reply(200)
    })
  }

  private ask(stack: SipStack, host: number): void {
    const method = this.random.pick(['OPTIONS', 'MESSAGE'])
    this.expects(stack.request({ method, uri: `sip:10.0.0.${host};transport=${this.scheme}` }))
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
        this.expects(call.reinvite({ sdp }))
      }
    }
  }

  private hangUpSome(): void {
    const live = this.calls.filter(({ state }) => state === 'active')
    if (live.length > 0) void this.random.pick(live).bye()
  }

  protected override heard(message: ObservedMessage): string {
    this.book.note(message)
    const text = Buffer.from(message.bytes).toString('latin1')
    const cseq = /^CSeq: (.*)$/im.exec(text)?.[1] ?? ''
    const line = text.slice(0, text.indexOf('\r\n'))
    const { atMs, from, to, fate } = message
    return `${atMs.toFixed(1)} ${from.address} > ${to.address} ${line} (${cseq}, ${branchOf(text)}) ${fate}`
  }

  protected override check(): void {
    this.book.close()
    this.violations.push(...this.book.violations)
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
}

/** The end of the top branch: enough to tell transactions apart. */
function branchOf(text: string): string {
  return (/;branch=([^;\r\n]+)/.exec(text)?.[1] ?? '').slice(-8)
}
