import { describe, expect, it } from 'vitest'
import { Scenario } from '../fixtures/scenario'
import { left, words } from '../fixtures/subscription-scenario'
import type { NotifierSubscription } from './notifier'

describe('a subscription through a proxy', () => {
  it('RFC 6665 §4.4.1: keeps to the Record-Route, from the first NOTIFY to the last', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const proxy = await scenario.stack('proxy', { proxy: true })
    const bob = await scenario.stack('bob')
    const notifiers: NotifierSubscription<string>[] = []
    proxy.method('SUBSCRIBE', (request) => request.proxy('sip:bob@10.0.0.3:5060', { recordRoute: true }))
    bob.method('SUBSCRIBE', (request) => void notifiers.push(request.subscription({ event: words, state: 'first' })!))
    const seen: (string | undefined)[] = []
    const routes: boolean[] = []
    alice.on('messageIn', ({ message }) => {
      if (message?.kind === 'request') routes.push(message.has('Record-Route'))
    })
    const subscribing = alice.subscribe('sip:bob@10.0.0.2:5060', {
      event: words,
      onNotify: ({ state }) => seen.push(state),
    })
    const subscription = await scenario.settle(subscribing)
    await scenario.pass(100)
    notifiers[0]!.notify('second')
    await scenario.pass(100)
    subscription.refresh()
    await scenario.pass(100)
    await scenario.settle(subscription.unsubscribe())
    expect(seen).toEqual(['first', 'second', 'second', 'second'])
    expect(scenario.ladder.filter((line) => /alice>bob|bob>alice/.test(line))).toEqual([])
    expect(routes).toEqual([true, true, true, true])
    expect(scenario.ladder.filter((line) => line === 'bob>proxy NOTIFY')).toHaveLength(4)
    await scenario.pass(400_000)
    expect(left(alice, proxy, bob).every((gauge) => gauge === 0)).toBe(true)
  })
})
