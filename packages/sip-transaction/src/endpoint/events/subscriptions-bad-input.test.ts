import { describe, expect, it } from 'vitest'
import type { EventPackage } from '../../events/event-package'
import { presencePackage } from '../../events/packages/presence'
import { SeededRandom } from '../../testing'
import { headerOf, Phone } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import { answer, left, manyWords, notify, pair, target, words } from '../fixtures/subscription-scenario'
import type { NotifierSubscription } from './notifier'

describe('NOTIFY', () => {
  it('RFC 6665 §4.1.2.4: may come before the 202', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: words })
    await scenario.pass(100)
    const first = phone.raw.received[0]!
    notify(phone, first, 'early', 1)
    const subscription = await scenario.settle(subscribing)
    expect(phone.statuses('NOTIFY')).toEqual([200])
    expect(subscription.latest).toBe('early')
    answer(phone, first, '202 Accepted', ['Expires: 100'])
    await scenario.pass(100)
    expect(subscription.state).toBe('active')
    expect(alice.stats().subscriptions).toBe(1)
  })

  it('may lack a Contact: then the notifier is where its 2xx says, whichever comes first', async () => {
    for (const isEarly of [true, false]) {
      const scenario = new Scenario()
      const alice = await scenario.stack('alice')
      const phone = new Phone(await scenario.raw('bob'), 'bob')
      const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: words })
      await scenario.pass(100)
      const first = phone.raw.received[0]!
      const sends = [
        () => notify(phone, first, 'x', 1, 'n', { Contact: undefined }),
        () => answer(phone, first, '200 OK', ['Expires: 100'], 'bob-at-home'),
      ]
      for (const send of isEarly ? sends : sends.reverse()) {
        send()
        await scenario.pass(100)
      }
      const subscription = await scenario.settle(subscribing)
      subscription.refresh()
      await scenario.pass(100)
      expect(phone.last('SUBSCRIBE')).toMatch(/^SUBSCRIBE sip:bob-at-home@/)
    }
  })

  it('may come by a proxy that puts no Record-Route into it: the way is then that of the 2xx', async () => {
    for (const isEarly of [true, false]) {
      const scenario = new Scenario()
      const alice = await scenario.stack('alice')
      const phone = new Phone(await scenario.raw('bob'), 'bob')
      const proxy = await scenario.raw('proxy')
      const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: words })
      await scenario.pass(100)
      const first = phone.raw.received[0]!
      const sends = [
        () => notify(phone, first, 'x', 1),
        () => answer(phone, first, '200 OK', [`Record-Route: <sip:${proxy.address}:5060;lr>`, 'Expires: 100']),
      ]
      for (const send of isEarly ? sends : sends.reverse()) {
        send()
        await scenario.pass(100)
      }
      const subscription = await scenario.settle(subscribing)
      subscription.refresh()
      await scenario.pass(100)
      expect(proxy.received[0]).toMatch(/^SUBSCRIBE sip:bob@10\.0\.1\.1:5060 /)
      expect(headerOf(proxy.received[0]!, 'Route')).toBe(`<sip:${proxy.address}:5060;lr>`)
    }
  })

  it('of a fork is refused with 481 where the package has one notifier, and taken where it has many', async () => {
    for (const [event, statuses, size] of [
      [words, [200, 481], 1],
      [manyWords, [200, 200], 2],
    ] as const) {
      const scenario = new Scenario()
      const alice = await scenario.stack('alice')
      const phone = new Phone(await scenario.raw('bob'), 'bob')
      const seen = new Set<string>()
      const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, {
        event,
        onNotify: ({ notifier }) => seen.add(notifier),
      })
      await scenario.pass(100)
      const first = phone.raw.received[0]!
      notify(phone, first, 'a', 1, 'fork-a')
      notify(phone, first, 'b', 1, 'fork-b')
      const subscription = await scenario.settle(subscribing)
      await scenario.pass(100)
      expect(phone.statuses('NOTIFY')).toEqual(statuses)
      expect([seen.size, alice.stats().subscriptions]).toEqual([size, size])
      const ending = subscription.unsubscribe()
      await scenario.pass(100)
      const leaves = phone.raw.received.filter((each) => /^SUBSCRIBE/.test(each) && /^Expires: 0/m.test(each))
      expect(leaves).toHaveLength(size)
      await scenario.settle(ending)
    }
  })

  it.each([
    ['after the 2xx', ['200', 'notify']],
    ['before the 2xx', ['notify', '200']],
    ['and the 2xx never comes', ['notify']],
  ])(
    'RFC 6665 §4.1.2.3: unsubscribing waits for the last NOTIFY and no longer, when that comes %s',
    async (_, order) => {
      const scenario = new Scenario()
      const alice = await scenario.stack('alice')
      const phone = new Phone(await scenario.raw('bob'), 'bob')
      const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: words })
      await scenario.pass(100)
      const first = phone.raw.received[0]!
      notify(phone, first, 'a', 1, 'n')
      const subscription = await scenario.settle(subscribing)
      let endedMs = 0
      void subscription.unsubscribe().then(() => {
        endedMs = scenario.clock.monotonicMs()
      })
      await scenario.pass(100)
      const leave = phone.raw.received.find((each) => /^SUBSCRIBE/.test(each) && /^Expires: 0/m.test(each))!
      const saidMs = scenario.clock.monotonicMs()
      for (const what of order) {
        if (what === '200') answer(phone, leave, '200 OK', ['Expires: 0'])
        else notify(phone, first, 'b', 2, 'n', { 'Subscription-State': 'terminated;reason=timeout' })
        await scenario.pass(10)
      }
      expect(endedMs - saidMs).toBeGreaterThanOrEqual(0)
      expect(endedMs - saidMs).toBeLessThan(50)
      await scenario.pass(100_000)
      expect(left(alice)).toEqual([0, 0, 0])
    },
  )

  it('a hundred forks make no more than the limit', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    void alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: manyWords })
    await scenario.pass(100)
    for (let fork = 0; fork < 100; fork += 1) notify(phone, phone.raw.received[0]!, 'x', 1, `fork-${fork}`)
    await scenario.pass(100)
    expect(phone.statuses('NOTIFY').filter((status) => status === 200)).toHaveLength(16)
    expect(alice.stats().subscriptions).toBe(16)
  })

  it('that nobody asked for gets 481; without Subscription-State 400; out of order 500; unreadable 400 or 415', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const problems: (string | undefined)[] = []
    void alice.subscribe(`sip:bob@${phone.raw.address}:5060`, {
      event: words,
      onNotify: ({ problem }) => problems.push(problem),
    })
    await scenario.pass(100)
    const first = phone.raw.received[0]!
    const status = async (send: () => void) => {
      const before = phone.statuses('NOTIFY').length
      send()
      await scenario.pass(100)
      return phone.statuses('NOTIFY')[before]
    }
    expect(await status(() => notify(phone, first, 'x', 1, 't', { Event: 'other' }))).toBe(481)
    expect(await status(() => notify(phone, first, 'x', 2, 't', { 'Subscription-State': undefined }))).toBe(400)
    expect(await status(() => notify(phone, first, 'x', 3, 't'))).toBe(200)
    expect(await status(() => notify(phone, first, 'x', 2, 't'))).toBe(500)
    expect(await status(() => notify(phone, first, 'broken', 4, 't'))).toBe(400)
    expect(await status(() => notify(phone, first, 'x', 5, 't', { 'Content-Type': 'image/png' }))).toBe(415)
    expect(await status(() => notify(phone, first, 'x', 6, 't', { Event: 'word;id=7' }))).toBe(481)
    expect(problems).toEqual([undefined, 'broken', 'content type'])
  })

  it('goes out one at a time, and of what changed meanwhile only the newest', async () => {
    const { scenario, notifiers, subscribe, told } = await pair()
    await scenario.settle(subscribe())
    await scenario.pass(100)
    for (let count = 0; count < 100; count += 1) notifiers[0]!.notify(`${count}`)
    await scenario.pass(200)
    expect(told()).toEqual(['active:first', 'active:0', 'active:99'])
    notifiers[0]!.notify('a')
    notifiers[0]!.terminate('noresource', { state: 'last' })
    await scenario.pass(200)
    expect(told().slice(3)).toEqual(['active:a', 'terminated:last'])
  })

  it('RFC 6665 §4.2.2: whose answer is 481, or none, ends the subscription at the notifier', async () => {
    for (const reply of ['481 Gone', undefined]) {
      const scenario = new Scenario()
      const stack = await scenario.stack('server')
      const phone = new Phone(await scenario.raw('watcher'), 'watcher')
      const notifiers: NotifierSubscription<string>[] = []
      stack.method('SUBSCRIBE', (request) => void notifiers.push(request.subscription({ event: words, state: 'x' })!))
      phone.send('SUBSCRIBE', { Event: 'word', Expires: '600', 'Call-ID': 'lost', CSeq: '1 SUBSCRIBE' })
      await scenario.pass(50)
      const sent = phone.raw.received.find((each) => each.startsWith('NOTIFY'))!
      if (reply !== undefined) answer(phone, sent, reply)
      expect(await scenario.settle(notifiers[0]!.ended)).toEqual({ by: 'remote', reason: 'lost' })
      await scenario.pass(100_000)
      expect(left(stack)).toEqual([0, 0, 0])
    }
  })
})

describe('what goes wrong', () => {
  it('a notifier that tells changes only is asked for the whole now and then, not each time', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const gaps = {
      ...words,
      merge: (known: string | undefined, news: string) => (news.startsWith('+') ? known && known + news : news),
    }
    const seen: (string | undefined)[] = []
    void alice.subscribe(`sip:bob@${phone.raw.address}:5060`, {
      event: gaps,
      onNotify: ({ state, problem }) => seen.push(problem ?? state),
    })
    await scenario.pass(100)
    const first = phone.raw.received[0]!
    for (let cseq = 1; cseq <= 20; cseq += 1) {
      notify(phone, first, `+${cseq}`, cseq)
      await scenario.pass(20)
      const asked = phone.requests('SUBSCRIBE')
      if (asked.length > 1) answer(phone, asked.at(-1)!, '200 OK', ['Expires: 100'])
    }
    expect(phone.requests('SUBSCRIBE')).toHaveLength(2)
    notify(phone, first, 'whole', 21)
    notify(phone, first, '+1', 22)
    await scenario.pass(100)
    expect(seen.slice(-3)).toEqual(['a change is missing', 'whole', 'whole+1'])
  })

  it('a package that throws ends nothing and blocks nothing, on either side', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    const broken: EventPackage<string> = {
      ...words,
      read: () => {
        throw new Error('read')
      },
      write: (state) => {
        if (state === 'bad') throw new Error('write')
        return state
      },
    }
    const notifiers: NotifierSubscription<string>[] = []
    bob.method('SUBSCRIBE', (request) => void notifiers.push(request.subscription({ event: broken, state: 'bad' })!))
    const problems: (string | undefined)[] = []
    const subscribing = alice.subscribe(target, { event: broken, onNotify: ({ problem }) => problems.push(problem) })
    const subscription = await scenario.settle(subscribing)
    notifiers[0]!.notify('good')
    await scenario.pass(100)
    expect(problems).toEqual([undefined, 'package failed'])
    notifiers[0]!.terminate('noresource')
    expect(await scenario.settle(subscription.ended)).toMatchObject({ by: 'remote' })
    await scenario.pass(100_000)
    expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
    await expect(alice.publish(target, { event: broken, state: 'bad' })).rejects.toThrow('write')
  })

  it('one dialog has so many subscriptions, and a stack as well', async () => {
    const scenario = new Scenario()
    const bob = await scenario.stack('bob', { limits: { stack: { subscriptionsMax: 20 } } })
    const phone = new Phone(await scenario.raw('phone'), 'phone')
    bob.method('SUBSCRIBE', (request) => void request.subscription({ event: words, state: 'x' }))
    phone.send('SUBSCRIBE', { CSeq: '1 SUBSCRIBE', Event: 'word;id=1' })
    await scenario.pass(50)
    const To = headerOf(phone.last('SIP/2.0 200'), 'To')!
    for (let id = 2; id <= 20; id += 1) phone.send('SUBSCRIBE', { CSeq: `${id} SUBSCRIBE`, To, Event: `word;id=${id}` })
    await scenario.pass(50)
    const statuses = phone.statuses('SUBSCRIBE')
    expect([statuses.filter((status) => status === 200).length, statuses.at(-1)]).toEqual([16, 403])
    for (let count = 0; count < 10; count += 1)
      phone.send('SUBSCRIBE', { 'Call-ID': `other-${count}`, Event: 'word', CSeq: '1 SUBSCRIBE' })
    await scenario.pass(50)
    expect(phone.statuses('SUBSCRIBE').filter((status) => status === 503)).toHaveLength(6)
    expect(bob.stats().subscriptions).toBe(20)
    await scenario.pass(60_000)
    expect(bob.stats().subscriptions).toBe(0)
  })

  it('hostile bodies of every package are refused quickly, and the subscription goes on', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const event = { ...presencePackage, name: 'word' }
    const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event })
    await scenario.pass(100)
    const first = phone.raw.received[0]!
    const bombs = [
      `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><presence>&b;</presence>`,
      '<a>'.repeat(10_000),
      `<presence ${'x="1" '.repeat(5_000)}/>`,
      `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${'&#65;'.repeat(4_000)}">${'<tuple/>'.repeat(4_000)}`,
    ]
    const start = process.cpuUsage()
    bombs.forEach((bomb, index) => {
      notify(phone, first, bomb, index + 1, 'n', { 'Content-Type': 'application/pidf+xml' })
    })
    const subscription = await scenario.settle(subscribing)
    await scenario.pass(500)
    const { user, system } = process.cpuUsage(start)
    expect(phone.statuses('NOTIFY')).toEqual([400, 400, 400, 400])
    expect([subscription.state, user + system < 1_000_000]).toEqual(['active', true])
  })

  it('a network that loses, on whatever seed, ends with both sides agreed and nothing left', async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const { scenario, alice, bob, notifiers, seen, subscribe } = await pair()
      const chance = new SeededRandom(seed)
      scenario.lose(10_000, () => chance.fraction() < 0.3)
      const subscription = await scenario.settle(subscribe({ expiresSeconds: 120 })).catch(() => undefined)
      if (subscription === undefined) continue
      for (let round = 0; round < 10; round += 1) {
        for (const notifier of notifiers) notifier.notify(`round-${round}`)
        await scenario.pass(20_000)
      }
      scenario.lose(0, () => false)
      for (const notifier of notifiers) notifier.notify('end')
      await scenario.pass(200_000)
      const alive = notifiers.filter(({ state }) => state !== 'ended')
      if (alive.length > 0 && subscription.state === 'active')
        expect(
          seen.some(({ state }) => state === 'end'),
          `${seed}`,
        ).toBe(true)
      const ending = subscription.unsubscribe()
      await scenario.settle(ending)
      await scenario.pass(400_000)
      expect(left(alice, bob), `${seed}`).toEqual([0, 0, 0, 0, 0, 0])
    }
  })
})
