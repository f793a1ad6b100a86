/**
 * Publishers and watchers at one server on a bad network, by seed: with partitions, watchers ended by the server, a server
 * that forgets what was published, through a proxy or not. In the end everybody has to agree, and nothing may be left. A broken
 * rule is an entry in `violations`; the seed reproduces it.
 */
import {
  type EventPackage,
  EventStateTable,
  type NotifierSubscription,
  type Publication,
  SipStack,
  type Subscription,
} from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork, type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'

/** Longer than any lifetime, and than the longest pause before another try. */
const settleMs = 2_400_000
const hosts = { server: '10.0.0.1', alice: '10.0.0.2', bob: '10.0.0.3', proxy: '10.0.0.9' } as const
const reasons = ['deactivated', 'probation', 'timeout', 'giveup', 'rejected', 'noresource'] as const

const words: EventPackage<string> = {
  name: 'word',
  contentType: 'text/plain',
  expiresSeconds: 300,
  forks: 'one',
  read: (body) => ({ ok: true, state: Buffer.from(body).toString() }),
  write: (state) => state,
}

/** What watchers are told: never an empty body, which would tell nothing. */
const told = (state: string) => `now ${state}`

/** One run. */
export class EventWorld {
  readonly violations: string[] = []
  readonly ladder: string[] = []
  sent = 0
  private readonly random: SeededRandom
  private readonly clock = new FakeClock()
  private readonly network: MemoryNetwork
  private readonly stacks: { readonly name: string; readonly stack: SipStack }[] = []
  private readonly scheme: 'udp' | 'tcp'
  private readonly hasProxy: boolean
  private table: EventStateTable<string>
  private readonly watchers = new Set<NotifierSubscription<string>>()
  private readonly subscriptions = new Map<Subscription<string>, { isWanted: boolean; isFinal: boolean }>()
  private readonly publications = new Map<Publication<string>, string>()
  private openEnds = 0
  private isOver = false
  private count = 0

  constructor(readonly seed: number) {
    this.random = new SeededRandom(seed)
    this.scheme = this.random.chance(0.25) ? 'tcp' : 'udp'
    this.hasProxy = this.random.chance(0.4)
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
    this.table = new EventStateTable(words, this.random.fork())
    this.network.observe((message) => this.watch(message))
  }

  /** Runs the operations, waits until everybody agrees, ends everything, and checks the rules. */
  async run(operations: number): Promise<void> {
    await this.serve()
    this.tick()
    const phones = [await this.stack('alice'), await this.stack('bob')]
    for (let count = 0; count < operations; count += 1) {
      this.operate(this.random.pick(phones))
      await this.clock.advance(this.random.pick([0, 1, 50, 500, 5_000, 60_000, 400_000]))
    }
    this.network.heal()
    this.network.setConditions({ lossRate: 0, duplicateRate: 0, reorderRate: 0 })
    await this.clock.advance(settleMs)
    this.checkAgreement()
    for (const [subscription, wish] of this.subscriptions) {
      wish.isWanted = false
      void subscription.unsubscribe()
    }
    for (const publication of this.publications.keys()) void publication.remove()
    await this.clock.advance(settleMs)
    this.checkEmpty()
    this.isOver = true
    await this.clock.advance(10_000)
    for (const { stack } of this.stacks) {
      const closing = stack.close({ graceMs: 0 })
      await this.clock.advance(10_000)
      await closing
    }
    if (this.clock.nextWakeMs() !== Number.POSITIVE_INFINITY) this.violate('a timer is left after close')
  }

  private async stack(name: keyof typeof hosts): Promise<SipStack> {
    const { scheme } = this
    const stack = await SipStack.create({
      listen: [`${scheme}://${hosts[name]}:5060`],
      transports: [this.network.factory({ scheme, transportName: scheme.toUpperCase(), isReliable: scheme === 'tcp' })],
      clock: this.clock,
      random: this.random.fork(),
      ...(name === 'proxy' ? { proxy: true } : {}),
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

  private async serve(): Promise<void> {
    const stack = await this.stack('server')
    stack.method('SUBSCRIBE', (request) => {
      const watcher = request.subscription({ event: words, state: () => told(this.current()) })
      if (watcher === undefined) return
      this.watchers.add(watcher)
      void watcher.ended.then(() => this.watchers.delete(watcher))
    })
    stack.method('PUBLISH', (request) => {
      const { status, headers, hasChanged } = this.table.apply('all', request.message, this.clock.monotonicMs())
      request.reply(status, { headers })
      if (hasChanged) this.tell()
    })
    if (!this.hasProxy) return
    const proxy = await this.stack('proxy')
    const next = `sip:all@${hosts.server};transport=${this.scheme}`
    proxy.use((request) => request.proxy(next, { recordRoute: this.random.chance(0.7) }))
  }

  /** What is published now. */
  private current(): string {
    return [...this.table.states('all', this.clock.monotonicMs())].sort().join(' ')
  }

  /** Watchers are told of what expires. */
  private tick(): void {
    if (this.isOver) return
    const changed: string[] = []
    this.table.expire(this.clock.monotonicMs(), changed)
    if (changed.length > 0) this.tell()
    this.clock.schedule(this.clock.monotonicMs() + 10_000, () => this.tick())
  }

  private tell(): void {
    const state = this.current()
    for (const watcher of this.watchers) watcher.notify(told(state))
  }

  private operate(phone: SipStack): void {
    const dice = this.random.fraction()
    if (dice < 0.25) this.subscribe(phone)
    else if (dice < 0.4) this.publish(phone)
    else if (dice < 0.55) this.update()
    else if (dice < 0.62) this.leave()
    else if (dice < 0.68) this.takeBack()
    else if (dice < 0.78) this.endWatcher()
    else if (dice < 0.86) this.network.partition([hosts.server], [hosts.alice, hosts.bob, hosts.proxy])
    else if (dice < 0.96) this.network.heal()
    // The server has lost what was published; watchers hear of it as it comes back.
    else this.table = new EventStateTable(words, this.random.fork())
  }

  private target(): string {
    return `sip:all@${this.hasProxy ? hosts.proxy : hosts.server};transport=${this.scheme}`
  }

  private subscribe(phone: SipStack): void {
    const isFetch = this.random.chance(0.2)
    this.openEnds += 1
    phone
      .subscribe(this.target(), {
        event: words,
        expiresSeconds: isFetch ? 0 : this.random.integer(60, 600),
        onNotify: ({ reason }) => {
          if (reason === 'rejected' || reason === 'noresource') wish.isFinal = true
        },
      })
      .then(
        (subscription) => {
          this.subscriptions.set(subscription, wish)
          return subscription.ended
        },
        () => {},
      )
      .finally(() => {
        this.openEnds -= 1
      })
    const wish = { isWanted: !isFetch, isFinal: false }
  }

  private publish(phone: SipStack): void {
    if (this.publications.size >= 6) return
    this.count += 1
    const state = `p${this.count}`
    this.openEnds += 1
    phone
      .publish(this.target(), { event: words, state, expiresSeconds: this.random.integer(60, 600) })
      .then(
        (publication) => {
          this.publications.set(publication, state)
          return publication.ended
        },
        () => {},
      )
      .finally(() => {
        this.openEnds -= 1
      })
  }

  private update(): void {
    const [publication] = this.random.pick([...this.publications, [undefined]])
    if (publication === undefined) return
    const state = `${this.publications.get(publication)}'`
    this.publications.set(publication, state)
    publication.update(state)
  }

  private leave(): void {
    const [subscription, wish] = this.random.pick([...this.subscriptions, [undefined, undefined]])
    if (subscription === undefined || wish === undefined) return
    wish.isWanted = false
    void subscription.unsubscribe()
  }

  private takeBack(): void {
    const [publication] = this.random.pick([...this.publications, [undefined]])
    if (publication === undefined) return
    this.publications.delete(publication)
    void publication.remove()
  }

  private endWatcher(): void {
    const watcher = this.random.pick([...this.watchers, undefined])
    watcher?.terminate(this.random.pick(reasons), { retryAfter: this.random.integer(0, 60) })
  }

  /** Whoever still wants to know knows, and whoever still publishes is published. */
  private checkAgreement(): void {
    const state = this.current()
    const published = [...this.publications.values()].sort().join(' ')
    if (state !== published) this.violate(`the server has "${state}", published is "${published}"`)
    for (const [subscription, { isWanted, isFinal }] of this.subscriptions) {
      if (!isWanted || isFinal) continue
      if (subscription.state !== 'active') this.violate(`a subscription is ${subscription.state}`)
      else if (subscription.latest !== told(state))
        this.violate(`a watcher has "${subscription.latest}", not "${state}"`)
    }
  }

  private checkEmpty(): void {
    if (this.openEnds > 0) this.violate(`${this.openEnds} promises never settled`)
    if (this.network.inFlight > 0) this.violate(`${this.network.inFlight} messages never arrived`)
    if (this.watchers.size > 0) this.violate(`${this.watchers.size} watchers are left`)
    if (this.current() !== '') this.violate(`"${this.current()}" is still published`)
    for (const { name, stack } of this.stacks) {
      const { transactions, dialogs, subscriptions, requests, proxied, counters } = stack.stats()
      const left = { transactions, dialogs, subscriptions, requests, proxied }
      if (Object.values(left).some((count) => count > 0)) this.violate(`${name} keeps ${JSON.stringify(left)}`)
      if (counters.handlerErrors > 0) this.violate(`${name}: ${counters.handlerErrors} handlers failed`)
    }
  }

  private watch({ atMs, from, to, bytes, fate }: ObservedMessage): void {
    this.sent += 1
    if (this.ladder.length >= 4_000) return
    const text = Buffer.from(bytes).toString('latin1')
    const method = /^CSeq: *(\d+ \w+)/im.exec(text)?.[1] ?? ''
    const first = text.startsWith('SIP/2.0') ? text.slice(8, 11) : ''
    this.ladder.push(`${atMs.toFixed(1)} ${fate} ${from.address}>${to.address} ${first} ${method}`)
  }

  private violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.clock.monotonicMs().toFixed(1)} ms: ${what}`)
  }
}
