import { describe, expect, it } from 'vitest'
import { A, B, call, RELAY_4 } from '../testing/fixture'
import { audioSdp, rtpPacket, senderReport } from '../testing/packets'

const NAT = { address: '198.51.100.77', port: 61_234 }
const STRANGER = { address: '192.0.2.200', port: 4_444 }
const packet = rtpPacket({ sequence: 1 })

describe('options of endpoint learning', () => {
  it('immediate: the first source of that side is confirmed, the other side learns as ever', async () => {
    const { network, toA, toB } = await call([], [], { endpointLearning: 'immediate' })
    network.deliver(toA, packet, NAT.address, NAT.port)
    expect(toA.peer).toEqual(NAT)
    network.deliver(toB, packet, STRANGER.address, STRANGER.port)
    expect(toB.isConnected).toBe(false)
    expect(network.deliver(toB, packet, B.address, B.port)).toMatchObject([NAT])
  })

  it('delayed: even the signalled endpoint waits for the window to close', async () => {
    const { network, toA, clock } = await call([], [], { endpointLearning: 'delayed' })
    network.deliver(toA, packet, A.address, A.port)
    expect(toA.isConnected).toBe(false)
    clock.advance(4_000)
    expect(toA.peer).toEqual(A)
  })

  it('off: packets go where the SDP says, and come from nowhere else, RTCP too', async () => {
    const { network, toA, toB } = await call([], [], { endpointLearning: 'off' })
    expect(network.deliver(toA, packet, NAT.address, NAT.port)).toEqual([])
    expect(network.deliver(toB, packet, B.address, B.port)).toMatchObject([A])
    const rtcp = network.at(toA.port + 1)
    expect(network.deliver(rtcp, senderReport(1), A.address, A.port + 7)).toEqual([])
    expect(network.deliver(rtcp, senderReport(1), A.address, A.port + 1)).toHaveLength(1)
  })

  it('a source that is not strict gets in and gets nothing; the relay itself never does', async () => {
    const { network, toA, toB, session } = await call(['a=rtcp-mux'], [], { strictSource: false })
    network.deliver(toA, packet, A.address, A.port)
    expect(toA.isConnected).toBe(false)
    expect(network.deliver(toA, packet, STRANGER.address, STRANGER.port)).toMatchObject([B])
    expect(network.deliver(toA, senderReport(1), STRANGER.address, STRANGER.port)).toHaveLength(1)
    expect(network.deliver(toB, packet, B.address, B.port)).toMatchObject([A])
    expect(network.deliver(toA, packet, RELAY_4, toB.port)).toEqual([])
    expect(network.deliver(toA, senderReport(1), RELAY_4, toB.port)).toEqual([])
    expect(session.snapshot().streams[0]?.a).toMatchObject({ packets: 2, dropped: { strangers: 1, strayRtcp: 1 } })
  })

  it('handover: a source that fits as well takes over, and RTCP goes beside it', async () => {
    const { network, toA, toB, clock } = await call([], [], { mediaHandover: true })
    network.deliver(toA, packet, NAT.address, NAT.port)
    clock.advance(5_000)
    expect(network.deliver(toA, packet, STRANGER.address, STRANGER.port)).toMatchObject([B])
    expect(network.deliver(toB, packet, B.address, B.port)).toMatchObject([STRANGER])
    const rtcp = network.deliver(network.at(toB.port + 1), senderReport(1), B.address, B.port + 1)
    expect(rtcp).toMatchObject([{ address: STRANGER.address, port: STRANGER.port + 1 }])
  })

  it('what a later offer does not say stays; what it says holds from its answer on', async () => {
    const { network, toA, session } = await call([], [], { strictSource: false })
    network.deliver(toA, packet, A.address, A.port)
    const again = async (strictSource?: boolean): Promise<void> => {
      const more = strictSource === undefined ? {} : { strictSource }
      await session.offer(audioSdp(A.address, A.port), { from: 'a', ...more })
      await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    }
    await again()
    expect(network.deliver(toA, packet, STRANGER.address, STRANGER.port)).toHaveLength(1)
    await again(true)
    expect(network.deliver(toA, packet, STRANGER.address, STRANGER.port)).toEqual([])
    await again(false)
    expect(network.deliver(toA, packet, STRANGER.address, STRANGER.port)).toHaveLength(1)
  })
})
