/** What a live dialog costs: measured on the heap, with as many calls as make the rest of the process not matter. */
import { describe, expect, it } from 'vitest'
import { retainedBytes } from '../../testing/retained-memory'
import { phoneSdp, Scenario } from '../fixtures/scenario'
import type { Call } from './call'

const bytesMax = 6 * 1024
const calls = 1_000

describe('a live dialog', () => {
  it(`keeps at most ${bytesMax} bytes, and nothing once it is over`, { timeout: 60_000 }, async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    bob.method('INVITE', (request) => {
      request.reply(183, { reliable: true, body: phoneSdp('bob') })
      request.reply(200, { body: phoneSdp('bob') })
    })
    const headers = [['X-Padding', 'x'.repeat(2_000)]] as const
    const one = async (index: number) =>
      alice.invite('sip:bob@10.0.0.2:5060', {
        sdp: phoneSdp('alice'),
        from: `"Caller ${index}" <sip:${index}@10.0.0.1>`,
        headers,
      })
    const live: Call[] = []
    const begin = async () => {
      for (let round = 0; round < calls / 100; round += 1)
        live.push(...(await scenario.settle(Promise.all(Array.from({ length: 100 }, (_, index) => one(index))))))
    }
    const end = async () => {
      await scenario.settle(Promise.all(live.map((call) => call.bye())))
      await scenario.pass(100_000)
      live.length = 0
      scenario.ladder.length = 0
    }
    // Tables have their size and code is compiled after the first time.
    await begin()
    await end()
    const before = retainedBytes()
    await begin()
    // The transactions of the set-up end; the dialogs stay.
    await scenario.pass(60_000)
    scenario.ladder.length = 0
    const dialogs = alice.stats().dialogs + bob.stats().dialogs
    expect(dialogs).toBe(2 * calls)
    expect([alice.stats().transactions, bob.stats().transactions]).toEqual([0, 0])
    const bytes = Math.round((retainedBytes() - before) / dialogs)
    console.log(`bytes per live dialog: ${bytes}`)
    expect(bytes).toBeLessThanOrEqual(bytesMax)
    await end()
    expect(alice.stats().dialogs + bob.stats().dialogs).toBe(0)
    expect((retainedBytes() - before) / dialogs).toBeLessThan(bytesMax / 20)
  })
})
