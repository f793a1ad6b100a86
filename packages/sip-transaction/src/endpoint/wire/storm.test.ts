import { describe, expect, it } from 'vitest'
import type { BridgeEnd } from '../../b2bua/bridge-types'
import { SeededRandom } from '../../testing'
import { Scenario } from '../fixtures/scenario'

const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** Calls through a bridge over a network that loses, repeats and reorders, by people who change their minds. */
async function storm(seed: number): Promise<void> {
  const scenario = new Scenario(seed)
  const random = new SeededRandom(seed * 31 + 5)
  const chance = (share: number) => random.fraction() < share
  const later = (ms: number, act: () => void) =>
    scenario.clock.schedule(scenario.clock.monotonicMs() + random.fraction() * ms, act)
  const alice = await scenario.stack('alice')
  const server = await scenario.stack('server')
  const phones = [await scenario.stack('bob'), await scenario.stack('carol')]
  scenario.network.setConditions({
    lossRate: 0.15,
    duplicateRate: 0.1,
    reorderRate: 0.1,
    delayMinMs: 5,
    delayMaxMs: 120,
  })
  const ends: BridgeEnd[] = []
  let bridges = 0
  let events = 0
  server.method('INVITE', async (request) => {
    const targets = ['sip:bob@10.0.0.3', 'sip:carol@10.0.0.4'].slice(0, chance(0.5) ? 1 : 2)
    const onEvent = (event: { kind: string }) => {
      if (event.kind === 'ended') events += 1
    }
    const bridge = await request.bridge(targets, { ringTimeoutMs: 20_000, maxDurationMs: 60_000, onEvent })
    bridges += 1
    bridge.ended.then((end) => ends.push(end))
    if (chance(0.1)) later(10_000, () => void bridge.hangup())
  })
  for (const phone of phones) {
    phone.method('INVITE', (request) => {
      if (chance(0.8)) request.reply(180)
      later(4000, () => {
        if (request.isAnswered) return
        if (chance(0.2)) request.reply(chance(0.5) ? 486 : 603)
        else if (chance(0.9)) {
          request.accept({ sdp }).then(
            (call) => {
              call.onRequest((inside) => inside.reply(200, { body: sdp }))
              if (chance(0.5)) later(20_000, () => void call.bye())
              if (chance(0.3)) later(5000, () => void call.reinvite({ sdp }).catch(() => {}))
            },
            () => {},
          )
        }
      })
    })
  }
  let settled = 0
  for (let count = 0; count < 6; count += 1) {
    later(5000, () => {
      const controller = new AbortController()
      if (chance(0.4)) later(6000, () => controller.abort())
      alice
        .invite('sip:group@10.0.0.2', { ...(chance(0.8) ? { sdp } : { answer: () => sdp }), signal: controller.signal })
        .then(
          (call) => {
            call.onRequest((inside) => inside.reply(200, { body: sdp }))
            if (chance(0.5)) later(20_000, () => void call.bye())
            if (chance(0.3))
              later(5000, () => void call.reinvite(chance(0.5) ? { sdp } : { answer: () => sdp }).catch(() => {}))
          },
          () => {},
        )
        .finally(() => {
          settled += 1
        })
    })
  }
  await scenario.pass(400_000)
  const what = `seed ${seed}\n${scenario.ladder.slice(-30).join('\n')}`
  expect(settled, what).toBe(6)
  expect(ends, what).toHaveLength(bridges)
  expect(events, what).toBe(bridges)
  expect(scenario.gauges(), what).toEqual(scenario.gauges().map(() => 0))
  // Nothing waits for a time any more, in any stack.
  expect(scenario.clock.pending, what).toBe(0)
}

describe('calls in bad weather', () => {
  it('every call ends on every side, every bridge ends once, and nothing is left', async () => {
    const first = Number(process.env.CARILLON_SEED ?? 1)
    const count = process.env.CARILLON_SEED === undefined ? 25 : 1
    for (let seed = first; seed < first + count; seed += 1) await storm(seed)
  }, 120_000)
})
