/** Sessions by the thousand over real sockets: what they take comes back, ports, handles and memory. */
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRelay, type Relay } from '@carillon/rtp-relay'
import { afterEach, expect, it } from 'vitest'
import { audioSdp } from '../../packages/rtp-relay/src/testing/packets'

const sessions = 10_000
const atOnce = 50
const relays: Relay[] = []

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.close()))
})

function udpHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use once what is under way has ended. */
async function heapInUse(): Promise<number> {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  collect()
  return process.memoryUsage().heapUsed
}

async function oneCall(relay: Relay, id: string, fate: number): Promise<void> {
  const session = relay.createSession(id)
  const offering = session.offer(audioSdp('127.0.0.1', 4_000), { from: 'a' })
  // Some end while their ports are being opened, some are never answered.
  if (fate === 0) {
    await Promise.all([session.close(), offering.catch(() => undefined)])
    return
  }
  await offering
  if (fate === 3) expect(udpHandles()).toBeGreaterThanOrEqual(4)
  if (fate > 1) await session.answer(audioSdp('127.0.0.1', 5_000), { from: 'b' })
  await session.close()
}

async function manyCalls(relay: Relay, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, index) => oneCall(relay, `call ${at + index}`, index % 4)))
  }
}

it(`leaves nothing behind after ${sessions} sessions of every fate`, async () => {
  const handlesBefore = udpHandles()
  const interfaces = [{ address: '127.0.0.1' }]
  const relay = await createRelay({ interfaces, portMin: 40_000, portMax: 42_999, limits: { portQuarantineMs: 0 } })
  relays.push(relay)
  let closed = 0
  relay.on('session-closed', () => closed++)
  await manyCalls(relay, 0, sessions / 5)
  const heapBefore = await heapInUse()
  await manyCalls(relay, sessions / 5, sessions)
  const heapAfter = await heapInUse()
  expect(closed).toBe(sessions)
  expect(await relay.stats()).toMatchObject({
    sessions: 0,
    sessionsCreated: sessions,
    portsFree: 3_000,
    portsTotal: 3_000,
  })
  // 8000 sessions that kept half a kilobyte each would be above.
  expect(heapAfter - heapBefore).toBeLessThan(4 * 1_048_576)
  await relay.close()
  for (let turn = 0; turn < 20 && udpHandles() > handlesBefore; turn++) await setImmediate()
  expect(udpHandles()).toBeLessThanOrEqual(handlesBefore)
})
