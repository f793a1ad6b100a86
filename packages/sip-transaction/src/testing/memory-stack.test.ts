import { describe, expect, it } from 'vitest'
import { SipStack } from '../endpoint/stack'
import { FakeClock } from './fake-clock'
import { MemoryNetwork } from './memory-network'
import { SeededRandom } from './seeded-random'

async function stackOn(network: MemoryNetwork, clock: FakeClock, host: string, isReliable: boolean): Promise<SipStack> {
  return SipStack.create({
    listen: [`memory://${host}:5060`],
    transports: [network.factory({ isReliable, transportName: isReliable ? 'TCP' : 'UDP' })],
    clock,
    random: new SeededRandom(host.length),
  })
}

describe('SipStack on a MemoryNetwork under a FakeClock', () => {
  it.each([false, true])('answers a request with no socket and no real time, reliable: %s', async (isReliable) => {
    const clock = new FakeClock()
    const network = new MemoryNetwork({ clock, conditions: { delayMinMs: 10, delayMaxMs: 10 } })
    const server = await stackOn(network, clock, '10.0.0.2', isReliable)
    const client = await stackOn(network, clock, '10.0.0.10', isReliable)
    server.method('OPTIONS', (request) => request.reply(200))
    const answer = client.request({ method: 'OPTIONS', uri: `sip:10.0.0.2:5060${isReliable ? ';transport=tcp' : ''}` })
    await clock.advance(100)
    expect((await answer).status).toBe(200)
    const closed = Promise.all([client.close(), server.close()])
    await clock.advance(60_000)
    await closed
    expect(clock.pending).toBe(0)
  })
})
