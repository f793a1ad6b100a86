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
  type SipStack,
  type Subscription,
} from '@carillon/sip-transaction'
import { type ObservedMessage, SeededRandom } from '@carillon/sip-transaction/testing'
import { drawConditions, StackRoom } from './stack-room'

/** Longer than any lifetime, and than the longest pause before another try. */
const settleMs = 2_400_000
/** How often the server looks for what has expired. */
const tickMs = 10_000
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
export class EventWorld extends StackRoom {
  private readonly scheme: 'udp' | 'tcp'
  private readonly hasProxy: boolean
  private table: EventStateTable<string>
  private readonly watchers = new Set<NotifierSubscription<string>>()
  private readonly subscriptions = new Map<Subscription<string>, { isWanted: boolean; isFinal: boolean }>()
  private readonly publications = new Map<Publication<string>, string>()
  private isOver = false
  private count = 0

  constructor(readonly seed: number) {
    const chance = new SeededRandom(seed)
    const scheme = chance.chance(0.25) ? 'tcp' : 'udp'
    const hasProxy = chance.chance(0.4)
    const isBad = chance.chance(0.7)
    const weather = { isBad, lossRateMax: 0.3, delayMinMs: 20, calmDelayMs: 100, badDelayMs: 600 }
    super(chance, (random) => drawConditions(random, weather))
    this.scheme = scheme
    this.hasProxy = hasProxy
    this.table = new EventStateTable(words, this.random.fork())
  }

  /** Runs the operations, waits until everybody agrees, ends everything, and checks the rules. */
  async run(operations: number): Promise<void> {
    await this.serve()
    this.tick()
    const phones = [await this.member('alice'), await this.member('bob')]
    for (let count = 0; count < operations; count += 1) {
      this.operate(this.random.pick(phones))
      await this.clock.advance(this.random.pick([0, 1, 50, 500, 5_000, 60_000, 400_000]))
    }
    this.calm()
    await this.clock.advance(settleMs)
    this.checkAgreement()
    for (const [subscription, wish] of this.subscriptions) {
      wish.isWanted = false
      void subscription.unsubscribe()
    }
    for (const publication of this.publications.keys()) void publication.remove()
    await this.clock.advance(settleMs)
    this.isOver = true
    await this.end(tickMs)
  }

  private member(name: keyof typeof hosts): Promise<SipStack> {
    const listen = [`${this.scheme}://${hosts[name]}:5060`]
    return this.stack(name, { listen, ...(name === 'proxy' ? { proxy: true } : {}) })
  }

  private async serve(): Promise<void> {
    const stack = await this.member('server')
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
    const proxy = await this.member('proxy')
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
    this.later(tickMs, () => this.tick())
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
    this.expects(
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
        ),
    )
    const wish = { isWanted: !isFetch, isFinal: false }
  }

  private publish(phone: SipStack): void {
    if (this.publications.size >= 6) return
    this.count += 1
    const state = `p${this.count}`
    this.expects(
      phone.publish(this.target(), { event: words, state, expiresSeconds: this.random.integer(60, 600) }).then(
        (publication) => {
          this.publications.set(publication, state)
          return publication.ended.then(({ by }) => {
            // Copies of lost answers fill the server; whom it refuses for that knows it.
            if (by === 'remote') this.publications.delete(publication)
          })
        },
        () => {},
      ),
    )
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

  protected override check(): void {
    if (this.watchers.size > 0) this.violate(`${this.watchers.size} watchers are left`)
    if (this.current() !== '') this.violate(`"${this.current()}" is still published`)
  }

  protected override heard({ atMs, from, to, bytes, fate }: ObservedMessage): string {
    const text = Buffer.from(bytes).toString('latin1')
    const method = /^CSeq: *(\d+ \w+)/im.exec(text)?.[1] ?? ''
    const first = text.startsWith('SIP/2.0') ? text.slice(8, 11) : ''
    return `${atMs.toFixed(1)} ${fate} ${from.address}>${to.address} ${first} ${method}`
  }
}
