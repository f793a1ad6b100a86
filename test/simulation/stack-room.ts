/**
 * What worlds of whole stacks have in common: clock, chance, network, stacks by name, promises that have to settle, a ladder
 * of what was sent, and the rules that hold in every one of them when all is over.
 */
import { type Call, SipStack, type SipStackOptions } from '@carillon/sip-transaction'
import {
  FakeClock,
  type LinkConditions,
  MemoryNetwork,
  type ObservedMessage,
  SeededRandom,
} from '@carillon/sip-transaction/testing'

const ladderLinesMax = 4_000
const violationsMax = 20
const closingMs = 10_000

/** How bad a network may be: what the conditions of a link are drawn from. */
export interface Weather {
  readonly isBad: boolean
  /** The most that is lost when it is bad, 0 to 1. */
  readonly lossRateMax: number
  /** The least delay is at most so long; the longest delay is longer than that. */
  readonly delayMinMs: number
  readonly calmDelayMs: number
  readonly badDelayMs: number
}

/** Draws the conditions of a link. */
export function drawConditions(random: SeededRandom, weather: Weather): Partial<LinkConditions> {
  const { isBad, lossRateMax, delayMinMs, calmDelayMs, badDelayMs } = weather
  return {
    lossRate: isBad ? random.fraction() * lossRateMax : 0,
    duplicateRate: isBad ? random.fraction() * 0.3 : 0,
    reorderRate: isBad ? random.fraction() * 0.3 : 0,
    delayMinMs: random.integer(0, delayMinMs),
    delayMaxMs: random.integer(delayMinMs, isBad ? badDelayMs : calmDelayMs),
  }
}

/** The room of one run; a world holds one, or is one. */
export class StackRoom {
  readonly violations: string[] = []
  readonly ladder: string[] = []
  readonly clock = new FakeClock()
  readonly random: SeededRandom
  readonly network: MemoryNetwork
  sent = 0
  protected readonly stacks: { readonly name: string; readonly stack: SipStack }[] = []
  private openEnds = 0

  /** @param seed or chance from which something has been drawn already */
  constructor(seed: number | SeededRandom, conditions: (random: SeededRandom) => Partial<LinkConditions>) {
    this.random = typeof seed === 'number' ? new SeededRandom(seed) : seed
    const network = { clock: this.clock, random: this.random.fork(), conditions: conditions(this.random) }
    this.network = new MemoryNetwork(network)
    this.network.observe((message) => this.note(message))
  }

  /** Makes a stack. An error that it logs breaks a rule. */
  async stack(name: string, options: Partial<SipStackOptions> & Pick<SipStackOptions, 'listen'>): Promise<SipStack> {
    const stack = await SipStack.create({
      transports: [
        this.network.factory({ scheme: 'udp', transportName: 'UDP' }),
        this.network.factory({ scheme: 'tcp', transportName: 'TCP', isReliable: true }),
        this.network.factory({ scheme: 'tls', transportName: 'TLS', isReliable: true, isSecure: true }),
      ],
      clock: this.clock,
      random: this.random.fork(),
      logger: {
        debug: () => {},
        info: () => {},
        warn: () => {},
        error: (fields, message) => this.violate(`${name} logs an error: ${message} ${JSON.stringify(fields)}`),
      },
      ...options,
    })
    this.stacks.push({ name, stack })
    return stack
  }

  /** Ends one stack before the others, as a crash does: nobody is told. Its promises have to settle all the same. */
  async stop(stack: SipStack): Promise<void> {
    const index = this.stacks.findIndex((each) => each.stack === stack)
    if (index >= 0) this.stacks.splice(index, 1)
    await this.closed(stack)
  }

  /** A promise that has to settle. */
  expects(work: Promise<unknown>): void {
    this.openEnds += 1
    work
      .catch(() => {})
      .finally(() => {
        this.openEnds -= 1
      })
  }

  later(afterMs: number, act: () => void): void {
    this.clock.schedule(this.clock.monotonicMs() + afterMs, act)
  }

  soon(act: () => void, withinMs = 1_000): void {
    this.later(this.random.integer(0, withinMs), act)
  }

  violate(what: string): void {
    if (this.violations.length < violationsMax)
      this.violations.push(`${this.clock.monotonicMs().toFixed(1)} ms: ${what}`)
  }

  /** The network is well again, and everybody gives up what is not answered and hangs up what is. */
  async hangUp(aborts: readonly AbortController[], calls: readonly Call[]): Promise<void> {
    this.calm()
    for (const abort of aborts) abort.abort()
    for (let round = 0; round < 3; round += 1) {
      for (const call of calls) void call.bye()
      await this.clock.advance(40_000)
    }
  }

  /** The network is well again. */
  calm(): void {
    this.network.heal()
    this.network.setConditions({ lossRate: 0, duplicateRate: 0, reorderRate: 0 })
  }

  /** Lets everything come to rest, and checks that nothing is left: of promises, tables, messages and timers. */
  async end(drainMs: number): Promise<void> {
    this.calm()
    await this.clock.advance(drainMs)
    this.check()
    if (this.openEnds > 0) this.violate(`${this.openEnds} promises never settled`)
    if (this.network.inFlight > 0) this.violate(`${this.network.inFlight} messages never arrived`)
    for (const { name, stack } of this.stacks) this.checkDrained(name, stack)
    for (const { stack } of this.stacks) await this.closed(stack)
    if (this.clock.nextWakeMs() !== Number.POSITIVE_INFINITY) this.violate('a timer is left after close')
  }

  private async closed(stack: SipStack): Promise<void> {
    const closing = stack.close({ graceMs: 0 })
    await this.clock.advance(closingMs)
    await closing
  }

  private checkDrained(name: string, stack: SipStack): void {
    const { transactions, dialogs, calls, bridges, ringing, requests, subscriptions, proxied, counters } = stack.stats()
    const left = { transactions, dialogs, calls, bridges, ringing, requests, subscriptions, proxied }
    if (Object.values(left).some((count) => count > 0)) this.violate(`${name} keeps ${JSON.stringify(left)}`)
    if (counters.handlerErrors > 0) this.violate(`${name}: ${counters.handlerErrors} handlers failed`)
  }

  private note(message: ObservedMessage): void {
    this.sent += 1
    const line = this.heard(message)
    if (this.ladder.length < ladderLinesMax) this.ladder.push(line)
  }

  /** What a world itself wants to be so when everything has come to rest. */
  protected check(): void {}

  /** A message as a line of the ladder. */
  protected heard({ atMs, from, to, bytes, fate }: ObservedMessage): string {
    const text = Buffer.from(bytes).toString('latin1')
    const line = text.slice(0, text.indexOf('\r\n'))
    const cseq = /^CSeq: (.*)$/im.exec(text)?.[1]?.trim() ?? ''
    const ends = `${from.transport} ${from.address}:${from.port} > ${to.address}:${to.port}`
    return `${atMs.toFixed(1)} ${ends} ${line} (${cseq}) ${fate}`
  }
}
