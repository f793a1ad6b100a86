import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createEngine, type RelayEngine } from '../control/engine'
import { audioSdp, rtpPacket, senderReport, targetOf } from '../testing/packets'
import { UdpParty } from '../testing/udp-party'

const open: { close(): Promise<void> }[] = []

async function party(address: string): Promise<UdpParty> {
  const made = await UdpParty.open(address)
  open.push(made)
  return made
}

async function relayOn(...addresses: string[]): Promise<RelayEngine> {
  const interfaces = addresses.map((address) => ({ address }))
  const relay = await createEngine({ interfaces, portMin: 34_000, portMax: 35_999, limits: { portQuarantineMs: 0 } })
  open.push(relay)
  return relay
}

function udpHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

describe('over real sockets', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['127.0.0.1', '::1'],
  ])('relays RTP and RTCP between %s and %s', async (addressA, addressB) => {
    const relay = await relayOn('127.0.0.1', '::1')
    const [a, b, rtcpB] = [await party(addressA), await party(addressB), await party(addressB)]
    const session = relay.createSession('call')
    const addressFamily = addressB === '::1' ? 'IP6' : 'IP4'
    const toB = targetOf(await session.offer(audioSdp(addressA, a.port), { from: 'a', addressFamily }))
    const toA = targetOf(await session.answer(audioSdp(addressB, b.port, `a=rtcp:${rtcpB.port}`), { from: 'b' }))
    const rtcpA = await party(addressA)
    for (let sequence = 0; sequence < 50; sequence++) {
      await a.send(rtpPacket({ sequence, ssrc: 1 }), toA.address, toA.port)
      await b.send(rtpPacket({ sequence, ssrc: 2 }), toB.address, toB.port)
    }
    await rtcpA.send(senderReport(1), toA.address, toA.port + 1)
    await Promise.all([a.until(50), b.until(50), rtcpB.until(1)])
    expect(b.received).toEqual(Array.from({ length: 50 }, (_, sequence) => rtpPacket({ sequence, ssrc: 1 })))
    expect(rtcpB.received).toEqual([senderReport(1)])
    expect(session.snapshot().streams[0]).toMatchObject({
      a: { packets: 50, lost: 0, learning: 'confirmed', endpoint: { address: addressA, port: a.port } },
      b: { packets: 50, lost: 0, learning: 'confirmed', endpoint: { address: addressB, port: b.port } },
    })
  })

  it('learns a party whose port is not the one it wrote, and answers there', async () => {
    const relay = await relayOn('127.0.0.1')
    const [a, b] = [await party('127.0.0.1'), await party('127.0.0.1')]
    const session = relay.createSession('call')
    const toB = targetOf(await session.offer(audioSdp('127.0.0.1', 9), { from: 'a' }))
    const toA = targetOf(await session.answer(audioSdp('127.0.0.1', b.port), { from: 'b' }))
    await a.send(rtpPacket({ sequence: 1 }), toA.address, toA.port)
    await b.until(1)
    await b.send(rtpPacket({ sequence: 1 }), toB.address, toB.port)
    await a.until(1)
    expect(session.snapshot().streams[0]?.a).toMatchObject({ endpoint: { port: a.port }, learning: 'learning' })
  })

  it('CVE-2025-53399: gives a sprayer nothing and takes nothing from it', async () => {
    const relay = await relayOn('127.0.0.1')
    const [a, b, sprayer] = [await party('127.0.0.1'), await party('127.0.0.1'), await party('127.0.0.1')]
    const session = relay.createSession('call')
    const toB = targetOf(await session.offer(audioSdp('127.0.0.1', a.port), { from: 'a' }))
    const toA = targetOf(await session.answer(audioSdp('127.0.0.1', b.port), { from: 'b' }))
    await a.send(rtpPacket({ sequence: 0, ssrc: 1 }), toA.address, toA.port)
    await b.until(1)
    await b.send(rtpPacket({ sequence: 0, ssrc: 2 }), toB.address, toB.port)
    await a.until(1)
    for (let sequence = 1; sequence <= 20; sequence++) {
      for (let burst = 0; burst < 10; burst++) {
        await sprayer.send(rtpPacket({ sequence: burst, ssrc: 0xbad }), toA.address, toA.port)
        await sprayer.send(rtpPacket({ sequence: burst, ssrc: 0xbad }), toB.address, toB.port)
      }
      await a.send(rtpPacket({ sequence, ssrc: 1 }), toA.address, toA.port)
      await b.send(rtpPacket({ sequence, ssrc: 2 }), toB.address, toB.port)
    }
    await Promise.all([a.until(21), b.until(21)])
    expect(sprayer.received).toEqual([])
    expect(b.received.filter((packet) => packet.readUInt32BE(8) !== 1)).toEqual([])
    expect(a.received.filter((packet) => packet.readUInt32BE(8) !== 2)).toEqual([])
    expect(session.snapshot().streams[0]).toMatchObject({ a: { packets: 21, lost: 0 }, b: { packets: 21, lost: 0 } })
  })

  it('outlives a party whose port is closed, and hears it again when it comes back', async () => {
    const relay = await relayOn('127.0.0.1')
    const [a, b] = [await UdpParty.open('127.0.0.1'), await party('127.0.0.1')]
    const unreachable = new Promise((resolve) => relay.on('peer-unreachable', resolve))
    const session = relay.createSession('call')
    const toB = targetOf(await session.offer(audioSdp('127.0.0.1', a.port), { from: 'a' }))
    const toA = targetOf(await session.answer(audioSdp('127.0.0.1', b.port), { from: 'b' }))
    await a.send(rtpPacket({ sequence: 1 }), toA.address, toA.port)
    await b.until(1)
    await a.close()
    await b.send(rtpPacket({ sequence: 10 }), toB.address, toB.port)
    expect(await unreachable).toMatchObject({ sessionId: 'call', side: 'a', code: 'ECONNREFUSED' })
    const moved = await party('127.0.0.1')
    await session.offer(audioSdp('127.0.0.1', moved.port), { from: 'a' })
    await session.answer(audioSdp('127.0.0.1', b.port), { from: 'b' })
    await moved.send(rtpPacket({ sequence: 2 }), toA.address, toA.port)
    await b.until(2)
    await b.send(rtpPacket({ sequence: 11 }), toB.address, toB.port)
    await moved.until(1)
    expect(moved.received).toEqual([rtpPacket({ sequence: 11 })])
  })

  it('says that ports ran out when other programs hold them, and names an address that is not there', async () => {
    const taken = await party('127.0.0.1')
    const even = taken.port - (taken.port % 2)
    const relay = await createEngine({
      interfaces: [{ address: '127.0.0.1' }],
      portMin: even,
      portMax: Math.min(65_535, even + 1),
    })
    open.push(relay)
    const offer = relay.createSession('call').offer(audioSdp('127.0.0.1', 4_000), { from: 'a' })
    await expect(offer).rejects.toMatchObject({ code: 'PORTS_EXHAUSTED' })
    const nowhere = createEngine({ interfaces: [{ address: '192.0.2.1' }], portMin: 20_000, portMax: 20_099 })
    await expect(nowhere).rejects.toMatchObject({ code: 'INTERFACE_UNAVAILABLE' })
  })

  it('leaves no port and no socket behind after 1000 sessions', async () => {
    const before = udpHandles()
    const relay = await relayOn('127.0.0.1')
    const portsFree = relay.portsFree
    for (let round = 0; round < 100; round++) {
      const sessions = Array.from({ length: 10 }, (_, index) => relay.createSession(`${round} ${index}`))
      const offers = sessions.map((session) => session.offer(audioSdp('127.0.0.1', 4_000), { from: 'a' }))
      // Some are closed while their ports are being opened.
      sessions.slice(0, 3).forEach((session) => void session.close())
      await Promise.allSettled(offers)
      for (const session of sessions) session.close()
    }
    expect(relay.sessions).toBe(0)
    expect(relay.portsFree).toBe(portsFree)
    expect(relay.stats().sessionsCreated).toBe(1_000)
    await relay.close()
    // A closed socket's handle leaves the list at the end of the event loop's turn, after the event that it is closed.
    for (let turn = 0; turn < 10 && udpHandles() > before; turn++) await setImmediate()
    expect(udpHandles()).toBeLessThanOrEqual(before)
  })
})
