import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { A, RELAY_4 } from '../testing/fixture'
import { ManualClock, MemoryNetwork, SeededRandom } from '../testing/memory-network'
import { audioSdp, rtpPacket } from '../testing/packets'
import { createRelay } from './relay'

const B = { address: '203.0.113.20', port: 5_000 }
const NAT = { address: '198.51.100.77', port: 61_234 }

describe('an anchor', () => {
  it('learns each side as it is told for that side, whoever offers, and its relay tells of one-way audio', async () => {
    const [clock, network] = [new ManualClock(), new MemoryNetwork()]
    const interfaces = [{ address: RELAY_4 }]
    const random = new SeededRandom(7)
    const relay = await createRelay({ interfaces, portMin: 20_000, portMax: 20_019, clock, network, random })
    const events: unknown[] = []
    relay.on('media-silent', ({ side }) => events.push(`${side} silent`))
    relay.on('media-resumed', ({ side }) => events.push(`${side} resumed`))
    const session = relay.createSession('call')
    const anchor = relay.anchor(session, { learning: { b: { endpointLearning: 'immediate' } } })
    await anchor.offer('a', Buffer.from(audioSdp(A.address, A.port)))
    await anchor.answer('b', Buffer.from(audioSdp(B.address, B.port)))
    const { a, b } = (await session.snapshot()).streams[0] ?? {}
    const [toA, toB] = [network.at(a?.localPort ?? 0), network.at(b?.localPort ?? 0)]
    for (let second = 0; second < 12; second++) {
      network.deliver(toB, rtpPacket({ sequence: second }), NAT.address, NAT.port)
      clock.advance(1_000)
    }
    network.deliver(toA, rtpPacket({ sequence: 1 }), NAT.address, NAT.port)
    clock.advance(1_000)
    expect(toB.peer).toEqual(NAT)
    expect(toA.isConnected).toBe(false)
    expect(events).toEqual(['a silent'])
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    clock.advance(1_000)
    expect(events).toEqual(['a silent', 'a resumed'])
    expect((await session.snapshot()).streams[0]?.b?.quality?.rFactor).toBeGreaterThan(0)
    await relay.close()
  })
})
