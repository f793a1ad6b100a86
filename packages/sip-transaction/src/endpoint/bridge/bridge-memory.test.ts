/** What a live bridge costs: measured on the heap, with as many as make the rest of the process not matter. */
import { describe, expect, it } from 'vitest'
import { retainedBytes } from '../../testing/retained-memory'
import type { Call } from '../calls/call'
import { phoneSdp, Scenario } from '../fixtures/scenario'

/** Both legs, the machine between them, and the timers; the phones at the ends are measured first and taken off. */
const bytesMax = 14 * 1024
const bridges = 500

describe('a live bridge', () => {
  it(`keeps at most ${bytesMax} bytes, and nothing once it is over`, { timeout: 60_000 }, async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const hub = await scenario.stack('hub')
    const bob = await scenario.stack('bob')
    bob.method('INVITE', (request) => {
      request.reply(183, { reliable: true, body: phoneSdp('bob') })
      request.reply(200, { body: phoneSdp('bob') })
    })
    hub.method('INVITE', async (request) => {
      const headerPolicy = { toB: { pass: ['Subject'] } }
      await request.bridge('sip:bob@10.0.0.3:5060', { headerPolicy, transfers: 'execute', maxDurationMs: 3_600_000 })
    })
    const live: Call[] = []
    const begin = async (uri: string) => {
      const headers = [['X-Padding', 'x'.repeat(2_000)]] as const
      for (let round = 0; round < bridges / 50; round += 1) {
        const some = Array.from({ length: 50 }, (_, index) =>
          alice.invite(uri, { sdp: phoneSdp('alice'), from: `"Caller ${index}" <sip:${index}@10.0.0.1>`, headers }),
        )
        live.push(...(await scenario.settle(Promise.all(some))))
      }
      // The transactions of the set-up end; the dialogs stay.
      await scenario.pass(60_000)
      scenario.ladder.length = 0
    }
    const end = async () => {
      await scenario.settle(Promise.all(live.map((call) => call.bye())))
      await scenario.pass(100_000)
      live.length = 0
      scenario.ladder.length = 0
    }
    const measure = async (uri: string) => {
      const before = retainedBytes()
      await begin(uri)
      const bytes = retainedBytes() - before
      return { before, bytes }
    }
    // Tables have their size and code is compiled after the first time.
    await begin('sip:bob@10.0.0.2:5060')
    await end()
    const direct = await measure('sip:bob@10.0.0.3:5060')
    await end()
    const bridged = await measure('sip:bob@10.0.0.2:5060')
    expect([hub.stats().bridges, hub.stats().dialogs, hub.stats().transactions]).toEqual([bridges, 2 * bridges, 0])
    const bytes = Math.round((bridged.bytes - direct.bytes) / bridges)
    console.log(`bytes per live bridge: ${bytes}`)
    expect(bytes).toBeGreaterThan(1_000)
    expect(bytes).toBeLessThanOrEqual(bytesMax)
    await end()
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
    expect((retainedBytes() - bridged.before) / bridges).toBeLessThan(bytesMax / 20)
  })
})
