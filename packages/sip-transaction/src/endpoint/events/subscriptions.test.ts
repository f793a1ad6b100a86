import { describe, expect, it } from 'vitest'
import { referPackage } from '../../events/packages/refer'
import { headerOf, Phone } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import { answer, left, notify, pair, target, words } from '../fixtures/subscription-scenario'
import type { NotifierSubscription } from './notifier'

describe('a subscription', () => {
  it('RFC 6665 §4: is accepted, told of each state, and ended by its subscriber', async () => {
    const { scenario, alice, bob, notifiers, told, subscribe } = await pair()
    const subscription = await scenario.settle(subscribe())
    await scenario.pass(100)
    expect(subscription.state).toBe('active')
    notifiers[0]!.notify('second')
    await scenario.pass(100)
    const ended = await scenario.settle(subscription.unsubscribe())
    expect(ended).toEqual({ by: 'local', reason: 'unsubscribed' })
    expect(await scenario.settle(notifiers[0]!.ended)).toEqual({ by: 'remote', reason: 'unsubscribed' })
    expect(told()).toEqual(['active:first', 'active:second', 'terminated:second'])
    await scenario.pass(100_000)
    expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('RFC 6665 §4.4.3: a fetch tells the state once', async () => {
    const { scenario, alice, bob, told, subscribe, notifiers } = await pair()
    const subscription = await scenario.settle(subscribe({ expiresSeconds: 0 }))
    await scenario.settle(subscription.ended)
    expect(told()).toEqual(['terminated:first'])
    expect(await notifiers[0]!.ended).toEqual({ by: 'remote', reason: 'unsubscribed' })
    await scenario.pass(100_000)
    expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('RFC 6665 §4.1.2.2: is refreshed before it expires, and lives on', async () => {
    const { scenario, notifiers, subscribe, told } = await pair()
    const subscription = await scenario.settle(subscribe())
    await scenario.pass(3_000_000)
    expect(subscription.state).toBe('active')
    expect(notifiers).toHaveLength(1)
    const refreshes = scenario.ladder.filter((line) => line === 'alice>bob SUBSCRIBE').length
    expect(refreshes).toBeGreaterThan(5)
    expect(refreshes).toBeLessThan(9)
    expect(new Set(told())).toEqual(new Set(['active:first']))
  })

  it('a refresh is answered with what is so now, where the state is a function', async () => {
    const { scenario, bob, subscribe, told } = await pair()
    let state = 'a'
    const taken: NotifierSubscription<string>[] = []
    bob.use((request) => void taken.push(request.subscription({ event: words, state: () => state })!))
    const subscription = await scenario.settle(subscribe())
    await scenario.pass(100)
    taken[0]!.notify('b')
    await scenario.pass(100)
    state = 'c'
    subscription.refresh()
    await scenario.pass(100)
    expect(told()).toEqual(['active:a', 'active:b', 'active:c'])
  })

  it('RFC 6665 §4.2.1.2: tells nothing while it is pending, and the state when it is approved', async () => {
    const { scenario, notifiers, subscribe, told } = await pair({ pending: true })
    const subscription = await scenario.settle(subscribe())
    await scenario.pass(100)
    expect(subscription.state).toBe('pending')
    notifiers[0]!.notify('secret')
    await scenario.pass(100)
    notifiers[0]!.approve()
    await scenario.pass(100)
    expect(told()).toEqual(['pending:undefined', 'pending:undefined', 'active:secret'])
  })

  it('RFC 6665 §4.1.3: is not made anew when the notifier has rejected it, and is when it was deactivated', async () => {
    for (const [reason, count] of [
      ['rejected', 1],
      ['noresource', 1],
      ['deactivated', 2],
      ['timeout', 2],
    ] as const) {
      const { scenario, notifiers, subscribe } = await pair()
      const subscription = await scenario.settle(subscribe())
      await scenario.pass(100)
      notifiers[0]!.terminate(reason)
      await scenario.pass(5_000)
      expect(notifiers, reason).toHaveLength(count)
      if (count === 1) expect(await subscription.ended).toMatchObject({ by: 'remote', reason })
      else expect(subscription.state).toBe('active')
    }
  })

  it('RFC 6665 §4.1.3: waits as long as retry-after says', async () => {
    const { scenario, notifiers, subscribe } = await pair()
    await scenario.settle(subscribe())
    await scenario.pass(100)
    notifiers[0]!.terminate('probation', { retryAfter: 30 })
    await scenario.pass(29_000)
    expect(notifiers).toHaveLength(1)
    await scenario.pass(2_000)
    expect(notifiers).toHaveLength(2)
  })

  it('a notifier that ends it at once each time is asked more and more rarely', async () => {
    const { scenario, bob, subscribe } = await pair()
    bob.use((request, next) => {
      if (request.method !== 'SUBSCRIBE') return next()
      request.subscription({ event: words, state: 'x' })?.terminate('deactivated')
    })
    await scenario.settle(subscribe())
    await scenario.pass(600_000)
    const count = scenario.ladder.filter((line) => line === 'alice>bob SUBSCRIBE').length
    expect(count).toBeGreaterThan(5)
    expect(count).toBeLessThan(20)
  })

  it('survives a notifier that has lost it: 481 to the refresh makes a new one', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const seen: string[] = []
    const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, {
      event: words,
      onNotify: ({ state }) => seen.push(`${state}`),
    })
    await scenario.pass(100)
    const first = phone.raw.received[0]!
    answer(phone, first, '200 OK', ['Expires: 100'])
    notify(phone, first, 'one', 1)
    const subscription = await scenario.settle(subscribing)
    await scenario.pass(90_000)
    const refresh = phone.requests('SUBSCRIBE')[1]!
    expect(headerOf(refresh, 'To')).toContain('tag=n')
    answer(phone, refresh, '481 Gone')
    await scenario.pass(1_000)
    const again = phone.requests('SUBSCRIBE')[2]!
    expect(headerOf(again, 'To')).not.toContain('tag=')
    expect(headerOf(again, 'Call-ID')).not.toBe(headerOf(first, 'Call-ID'))
    answer(phone, again, '200 OK', ['Expires: 100'])
    notify(phone, again, 'two', 1)
    await scenario.pass(100)
    expect([seen, subscription.state]).toEqual([['one', 'two'], 'active'])
  })

  it('goes on after a refresh that failed for now, and asks again before it expires', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: words })
    await scenario.pass(100)
    const first = phone.raw.received[0]!
    answer(phone, first, '200 OK', ['Expires: 100'])
    notify(phone, first, 'one', 1)
    const subscription = await scenario.settle(subscribing)
    await scenario.pass(88_000)
    const asked = () => phone.requests('SUBSCRIBE')
    answer(phone, asked().at(-1)!, '400 Busy')
    await scenario.pass(8_000)
    expect(subscription.state).toBe('active')
    expect(asked().length).toBeGreaterThan(2)
    expect(headerOf(asked().at(-1)!, 'Call-ID')).toBe(headerOf(first, 'Call-ID'))
  })
})

describe('a subscription that does not come to be', () => {
  it.each([
    [403, 'Forbidden'],
    [489, 'Bad Event'],
    [500, 'No'],
  ])('is refused with %i, and leaves nothing', async (status, words_) => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    bob.method('SUBSCRIBE', (request) => request.reply(status, { reason: words_ }))
    await expect(scenario.settle(alice.subscribe(target, { event: words }))).rejects.toMatchObject({ status })
    await scenario.pass(100_000)
    expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('RFC 6665 §4.2.1.1: is asked for again with the lifetime of a 423', async () => {
    const { scenario, subscribe, notifiers } = await pair()
    await scenario.settle(subscribe({ expiresSeconds: 10 }))
    expect(scenario.ladder.filter((line) => line === 'bob>alice 423 SUBSCRIBE')).toHaveLength(1)
    expect(notifiers[0]!.secondsLeft).toBeGreaterThan(50)
  })

  it('RFC 6665 §8.3.2: another package gets 489 with what there is, and bodies that nobody writes 406', async () => {
    const { scenario, alice } = await pair()
    const refused = alice.subscribe(target, { event: { ...words, name: 'other' } })
    const response = await scenario.settle(refused).catch((error) => error.response)
    expect([response.status, response.get('Allow-Events')]).toEqual([489, 'word'])
    const other = alice.subscribe(target, { event: words, accept: ['application/other'] })
    await expect(scenario.settle(other)).rejects.toMatchObject({ status: 406 })
  })

  it('RFC 6665 §4.1.2.4: a notifier that never notifies is given up by timer N', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const subscribing = alice.subscribe(`sip:bob@${phone.raw.address}:5060`, { event: words, resubscribe: false })
    await scenario.pass(100)
    answer(phone, phone.raw.received[0]!, '200 OK', ['Expires: 100'])
    const subscription = await scenario.settle(subscribing)
    const end = await scenario.settle(subscription.ended)
    expect(end).toMatchObject({ by: 'timeout', reason: 'no NOTIFY' })
    await scenario.pass(100_000)
    expect(left(alice)).toEqual([0, 0, 0])
  })

  it('is aborted by its signal, before and after the answer', async () => {
    const { scenario, alice, bob, subscribe, notifiers } = await pair()
    const aborted = AbortSignal.abort()
    await expect(subscribe({ signal: aborted })).rejects.toMatchObject({ code: 'ABORTED' })
    const controller = new AbortController()
    const subscription = await scenario.settle(subscribe({ signal: controller.signal }))
    await scenario.pass(100)
    controller.abort()
    await scenario.settle(subscription.ended)
    expect((await notifiers[0]!.ended).by).toBe('remote')
    await scenario.pass(100_000)
    expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('subscriptions and calls in one dialog', () => {
  it('RFC 6665 §4.5.2, RFC 5057: the subscription outlives the call, and its dialog with it', async () => {
    const scenario = new Scenario()
    const bob = await scenario.stack('bob')
    const phone = new Phone(await scenario.raw('phone'), 'phone')
    const notifiers: NotifierSubscription<string>[] = []
    bob.method('INVITE', async (request) => {
      const call = await request.accept({ sdp: 'v=0\r\n' })
      call.onRequest((inside) => {
        if (inside.method === 'SUBSCRIBE') notifiers.push(inside.subscription({ event: words, state: 'in call' })!)
      })
    })
    phone.send('INVITE', { CSeq: '1 INVITE' })
    await scenario.pass(50)
    const To = headerOf(phone.last('SIP/2.0 200'), 'To')!
    phone.send('ACK', { CSeq: '1 ACK', To })
    phone.send('SUBSCRIBE', { CSeq: '2 SUBSCRIBE', To, Event: 'word', Expires: '600' })
    await scenario.pass(50)
    phone.reply(phone.last('NOTIFY'), '200 OK')
    phone.send('BYE', { CSeq: '3 BYE', To })
    await scenario.pass(50_000)
    expect(bob.stats()).toMatchObject({ dialogs: 0, calls: 0, subscriptions: 1 })
    notifiers[0]!.notify('after the call')
    await scenario.pass(50)
    expect(phone.last('NOTIFY')).toContain('after the call')
    phone.reply(phone.last('NOTIFY'), '200 OK')
    phone.send('SUBSCRIBE', { CSeq: '4 SUBSCRIBE', To, Event: 'word;id=2', Expires: '600' })
    await scenario.pass(50)
    // Another one in the same dialog has to be made by the handlers of the stack, which has none here.
    expect(phone.statuses('SUBSCRIBE')).toEqual([200, 405])
    phone.send('SUBSCRIBE', { CSeq: '5 SUBSCRIBE', To, Event: 'word', Expires: '0' })
    await scenario.pass(50)
    phone.reply(phone.last('NOTIFY'), '200 OK')
    await scenario.pass(50)
    expect(phone.last('NOTIFY')).toContain('terminated;reason=timeout')
    expect(await notifiers[0]!.ended).toEqual({ by: 'remote', reason: 'unsubscribed' })
    await scenario.pass(100_000)
    expect(left(bob)).toEqual([0, 0, 0])
  })

  it('RFC 6665 §4.5.1: two subscriptions of one dialog are told apart by their id, and end one by one', async () => {
    const scenario = new Scenario()
    const bob = await scenario.stack('bob')
    const phone = new Phone(await scenario.raw('phone'), 'phone')
    bob.method('SUBSCRIBE', (request) => void request.subscription({ event: words, state: 'x' }))
    phone.send('SUBSCRIBE', { CSeq: '1 SUBSCRIBE', Event: 'word;id=1', Expires: '600' })
    await scenario.pass(50)
    const To = headerOf(phone.last('SIP/2.0 200'), 'To')!
    phone.reply(phone.last('NOTIFY'), '200 OK')
    phone.send('SUBSCRIBE', { CSeq: '2 SUBSCRIBE', To, Event: 'word;id=2', Expires: '600' })
    await scenario.pass(50)
    phone.reply(phone.last('NOTIFY'), '200 OK')
    expect(phone.statuses('SUBSCRIBE')).toEqual([200, 200])
    expect(headerOf(phone.last('NOTIFY'), 'Event')).toBe('word;id=2')
    expect(headerOf(phone.last('NOTIFY'), 'From')).toContain(/;tag=(.*)/.exec(To)![1]!)
    expect(bob.stats().subscriptions).toBe(2)
    phone.send('SUBSCRIBE', { CSeq: '3 SUBSCRIBE', To, Event: 'word;id=1', Expires: '0' })
    await scenario.pass(50)
    phone.reply(phone.last('NOTIFY'), '200 OK')
    await scenario.pass(50)
    expect(bob.stats().subscriptions).toBe(1)
    phone.send('OPTIONS', { CSeq: '4 OPTIONS', To })
    phone.send('INVITE', { CSeq: '5 INVITE', To })
    await scenario.pass(50)
    expect([phone.statuses('OPTIONS'), phone.statuses('INVITE')]).toEqual([[200], [481]])
  })

  it('RFC 3515 §2.4.4: a REFER gets 202 and its NOTIFYs, the second one of a dialog with an id', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server')
    const phone = new Phone(await scenario.raw('phone'), 'phone')
    const events: string[] = []
    stack.method('REFER', (request) => {
      const state = { status: 100, reason: 'Trying' }
      const notifier = request.subscription({ event: referPackage, state })
      notifier?.terminate('noresource', { state: { status: 200, reason: 'OK' } })
    })
    phone.send('REFER', { 'Refer-To': '<sip:carol@example.com>', 'Call-ID': 'r', CSeq: '7 REFER' })
    await scenario.pass(50)
    for (let count = 0; count < 2; count += 1) {
      const sent = phone.raw.received.filter((each) => each.startsWith('NOTIFY')).at(-1)!
      events.push(`${headerOf(sent, 'Event')} ${headerOf(sent, 'Subscription-State')} ${sent.split('\r\n\r\n')[1]}`)
      answer(phone, sent, '200 OK')
      await scenario.pass(50)
    }
    expect(phone.statuses('REFER')).toEqual([202])
    expect(events).toEqual([
      'refer active;expires=300 SIP/2.0 100 Trying\r\n',
      'refer terminated;reason=noresource SIP/2.0 200 OK\r\n',
    ])
    expect(left(stack)[0]).toBe(0)
  })
})

describe('REFER outside of calls', () => {
  it('RFC 3515 §2.4: is told the outcome, and ends with it', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    bob.method('REFER', (request) => {
      const state = { status: 100, reason: 'Trying' }
      const notifier = request.subscription({ event: referPackage, state })
      notifier?.terminate('noresource', { state: { status: 486, reason: 'Busy Here' } })
    })
    const referral = await scenario.settle(alice.refer(target, 'sip:carol@example.com'))
    expect(await scenario.settle(referral.ended)).toEqual({ by: 'remote', reason: 'noresource' })
    expect(referral.latest).toEqual({ status: 486, reason: 'Busy Here' })
    await scenario.pass(100_000)
    expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('RFC 4488 §4: is over at once when nobody will tell, and after timer N when nobody does', async () => {
    for (const [extra, reason] of [
      [['Refer-Sub: false'], 'closed'],
      [[], 'no NOTIFY'],
    ] as const) {
      const scenario = new Scenario()
      const alice = await scenario.stack('alice')
      const phone = new Phone(await scenario.raw('bob'), 'bob')
      const referring = alice.refer(`sip:bob@${phone.raw.address}:5060`, 'sip:carol@example.com')
      await scenario.pass(100)
      expect(headerOf(phone.last('REFER'), 'Refer-To')).toBe('<sip:carol@example.com>')
      answer(phone, phone.last('REFER'), '202 Accepted', extra)
      const referral = await scenario.settle(referring)
      expect((await scenario.settle(referral.ended)).reason).toBe(reason)
      expect(left(alice)[0]).toBe(0)
    }
  })
})

describe('the end of a stack', () => {
  it('tells both sides, and leaves nothing', async () => {
    const { scenario, alice, bob, notifiers, subscribe } = await pair()
    const subscription = await scenario.settle(subscribe())
    await scenario.pass(100)
    await scenario.settle(bob.close())
    expect((await notifiers[0]!.ended).reason).toBe('closed')
    expect(subscription.state).toBe('waiting')
    await scenario.settle(alice.close())
    expect(await subscription.ended).toMatchObject({ by: 'local' })
  })

  it('an iteration over a subscription ends with it, and what nobody reads is bounded', async () => {
    const { scenario, notifiers, subscribe } = await pair()
    const subscription = await scenario.settle(subscribe({ onNotify: undefined as never }))
    for (let count = 0; count < 200; count += 1) {
      notifiers[0]!.notify(`${count}`)
      await scenario.pass(20)
    }
    expect(subscription.missed).toBeGreaterThan(100)
    notifiers[0]!.terminate('rejected')
    await scenario.pass(100)
    const states: unknown[] = []
    for await (const { state } of subscription) states.push(state)
    expect(states).toHaveLength(64)
    expect(states.at(-1)).toBe('199')
  })
})
