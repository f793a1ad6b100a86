/** What a live subscription costs: measured on the heap, with so many that the rest of the process does not matter. */
import { expect, it } from 'vitest'
import { retainedBytes } from '../../testing/retained-memory'
import { Scenario } from '../fixtures/scenario'
import { left, target, words } from '../fixtures/subscription-scenario'
import type { Subscription } from './subscription'

const bytesMax = 5 * 1024
const count = 1_000

it(`a live subscription keeps at most ${bytesMax} bytes on either side, and nothing once it is over`, {
  timeout: 60_000,
}, async () => {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const bob = await scenario.stack('bob')
  bob.method('SUBSCRIBE', (request) => void request.subscription({ event: words, state: 'first' }))
  const headers = [['X-Padding', 'x'.repeat(2_000)]] as const
  const live: Subscription<string>[] = []
  const begin = async () => {
    for (let round = 0; round < count / 100; round += 1) {
      const one = () => alice.subscribe(target, { event: words, headers, onNotify: () => {} })
      live.push(...(await scenario.settle(Promise.all(Array.from({ length: 100 }, one)))))
    }
    await scenario.pass(100_000)
    scenario.ladder.length = 0
  }
  const end = async () => {
    await scenario.settle(Promise.all(live.map((subscription) => subscription.unsubscribe())))
    await scenario.pass(100_000)
    live.length = 0
    scenario.ladder.length = 0
  }
  // Tables have their size and code is compiled after the first time.
  await begin()
  await end()
  const before = retainedBytes()
  await begin()
  expect([alice.stats().subscriptions, bob.stats().subscriptions]).toEqual([count, count])
  const bytes = Math.round((retainedBytes() - before) / (2 * count))
  console.log(`bytes per live subscription: ${bytes}`)
  expect(bytes).toBeLessThanOrEqual(bytesMax)
  await end()
  expect(left(alice, bob)).toEqual([0, 0, 0, 0, 0, 0])
  expect((retainedBytes() - before) / (2 * count)).toBeLessThan(bytesMax / 20)
})
