/** Packets and descriptions of somebody who means harm, or whose phone is broken. */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { A, B, call, RELAY_6, world } from '../testing/fixture'
import { SeededRandom } from '../testing/memory-network'
import { audioSdp, rtpPacket, senderReport, targetOf } from '../testing/packets'
import { bridged, pass } from '../testing/secured-call'

const STRANGER = { address: '192.0.2.200', port: 4_444 } as const
const text = (sdp: Uint8Array): string => Buffer.from(sdp).toString()

describe('packets', () => {
  it.each([1, 2, 3])(
    'of random bytes go nowhere unless they are RTP by chance, and the call goes on (seed %i)',
    async (seed) => {
      const { network, toA, session } = await call()
      const random = new SeededRandom(seed)
      network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
      let passed = 0
      for (let count = 0; count < 2_000; count++) {
        const packet = Buffer.from(random.bytes(Math.floor(random.fraction() * 300)))
        const isRtpByChance = packet.length >= 12 && (packet[0] ?? 0) >> 6 === 2
        const sent = network.deliver(toA, packet, A.address, A.port)
        if (sent.length > 0) passed++
        expect(sent.length > 0 && !isRtpByChance, packet.toString('hex')).toBe(false)
      }
      const good = rtpPacket({ sequence: 2 })
      expect(network.deliver(toA, good, A.address, A.port)[0]?.packet).toEqual(good)
      const { packets = 0, dropped } = session.snapshot().streams[0]?.a ?? {}
      expect(packets).toBe(passed + 2)
      expect(packets + (dropped?.garbage ?? 0) + (dropped?.strayRtcp ?? 0)).toBe(2_002)
    },
  )

  it.each([
    ['nothing at all', Buffer.alloc(0)],
    ['half a header', rtpPacket({ sequence: 1 }).subarray(0, 11)],
    ['more sources than bytes', Buffer.concat([Buffer.from([0x8f, 0]), Buffer.alloc(20)])],
    [
      'an extension longer than the packet',
      Buffer.concat([Buffer.from([0x90, 0]), Buffer.alloc(10), Buffer.from([0xbe, 0xde, 0xff, 0xff])]),
    ],
  ])('with %s are dropped where they are encrypted, and where they are not harm nothing', async (_what, packet) => {
    const secured = await bridged({ a: ['AES_CM_128_HMAC_SHA1_80'], b: 'AEAD_AES_256_GCM', options: { sdes: {} } })
    expect(pass(secured, 'a', packet)).toBeUndefined()
    const plainToSrtp = await bridged({
      b: 'AES_CM_128_HMAC_SHA1_80',
      options: { transportProtocol: 'RTP/SAVP', sdes: {} },
    })
    expect(pass(plainToSrtp, 'a', packet)).toBeUndefined()
    const good = rtpPacket({ sequence: 2 })
    expect(plainToSrtp.b.open(pass(plainToSrtp, 'a', good) ?? Buffer.alloc(0))).toEqual(good)
  })

  it('of RTCP that says 31 blocks and holds one measure nothing, and pass as they came', async () => {
    const { network, toA, session } = await call()
    const report = senderReport(1)
    report[0] = 0x9f
    const sent = network.deliver(network.at(toA.port + 1), report, A.address, A.port + 1)
    expect(sent.every(({ packet }) => Buffer.from(packet).equals(report))).toBe(true)
    expect(session.snapshot().streams[0]?.a?.roundTripMs).toBeUndefined()
  })

  it("of strangers at ten times the call's rate change nothing of it", async () => {
    const { network, clock, toA, session } = await call()
    network.deliver(toA, rtpPacket({ sequence: 0 }), A.address, A.port)
    toA.disconnect()
    const random = new SeededRandom(5)
    for (let sequence = 1; sequence <= 500; sequence++) {
      for (let other = 0; other < 10; other++) {
        const address = `192.0.2.${Math.floor(random.fraction() * 250)}`
        const packet = rtpPacket({ sequence, ssrc: Math.floor(random.fraction() * 2 ** 32) })
        expect(network.deliver(toA, packet, address, 1 + Math.floor(random.fraction() * 65_000))).toEqual([])
      }
      clock.advance(20)
      expect(network.deliver(toA, rtpPacket({ sequence, timestamp: sequence * 160 }), A.address, A.port)).toHaveLength(
        1,
      )
    }
    const { a } = session.snapshot().streams[0] ?? {}
    expect(a).toMatchObject({ packets: 501, lost: 0, duplicates: 0, endpoint: A, dropped: { strangers: 5_000 } })
    expect(a?.jitterMs).toBeLessThan(1)
  })
})

describe('descriptions', () => {
  it.each([
    ['a thousand media', `${audioSdp(A.address, A.port)}${'m=audio 4000 RTP/AVP 0\r\n'.repeat(1_000)}`],
    ['a port above all ports', audioSdp(A.address, 70_000)],
    ['a port below all ports', audioSdp(A.address, -5)],
    ['nothing in them', ''],
    ['no text in them', '\u0000\u0001\u0002'],
  ])('with %s are refused, and nothing is opened', async (_what, sdp) => {
    const { relay, network } = await world()
    await expect(relay.createSession('call').offer(sdp, { from: 'a' })).rejects.toMatchObject({ code: 'SDP_INVALID' })
    expect(network.channels.size).toBe(0)
    expect(relay.portsFree).toBe(200)
  })

  it.each([
    ['224.2.1.1/127', 4_000],
    ['255.255.255.255', 4_000],
    ['phone.example.com', 4_000],
  ])('that want media at %s get none before they send some', async (address, port) => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const offer = await session.offer(audioSdp(address, port), { from: 'a' })
    const answer = await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    const toB = network.at(targetOf(offer).port)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toEqual([])
    network.deliver(network.at(targetOf(answer).port), rtpPacket({ sequence: 1 }), A.address, A.port)
    expect(network.deliver(toB, rtpPacket({ sequence: 2 }), B.address, B.port)).toMatchObject([A])
  })

  it.each([
    ['of a private network', '10.0.0.1', 4_000, { address: '10.0.0.1', port: 4_000 }],
    ['with the last port', A.address, 65_535, { address: A.address, port: 65_535 }],
    ['with the first port', A.address, 1, { address: A.address, port: 1 }],
  ])('%s are believed', async (_what, address, port, target) => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const offer = await session.offer(audioSdp(address, port), { from: 'a' })
    await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    const toB = network.at(targetOf(offer).port)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([target])
  })

  it.each(['a=rtcp:99999', 'a=rtcp:0', 'a=rtcp:-1', 'a=rtcp:x'])(
    'with %s get RTCP where they get none by that line',
    async (line) => {
      const { relay, network } = await world()
      const session = relay.createSession('call')
      const offer = await session.offer(audioSdp(A.address, A.port, line), { from: 'a' })
      await session.answer(audioSdp(B.address, B.port), { from: 'b' })
      const rtcpToB = network.at(targetOf(offer).port + 1)
      const sent = network.deliver(rtcpToB, senderReport(1), B.address, B.port + 1)
      expect(sent.filter(({ port }) => port !== A.port + 1)).toEqual([])
    },
  )

  it('with the zone of an IPv6 address do not carry it to the other side', async () => {
    const { relay } = await world()
    const sdp = audioSdp('fe80::1%eth0', 4_000).replaceAll('IN IP4', 'IN IP6')
    const offer = await relay.createSession('call').offer(sdp, { from: 'a' })
    expect(text(offer)).not.toMatch(/fe80|eth0/)
    expect(targetOf(offer).address).toBe(RELAY_6)
  })

  it('may be anything that random changes make of a good one', async () => {
    const random = new SeededRandom(11)
    const good = Buffer.from(`${audioSdp(A.address, A.port, 'a=rtcp:4001', 'a=rtcp-mux')}m=video 4002 RTP/AVP 96\r\n`)
    for (let count = 0; count < 300; count++) {
      const { relay, network } = await world()
      const session = relay.createSession('call')
      const sdp = Buffer.from(good)
      for (let change = 0; change < 3; change++) {
        sdp[Math.floor(random.fraction() * sdp.length)] = Math.floor(random.fraction() * 256)
      }
      const isTaken = await session.offer(sdp, { from: 'a' }).then(
        () => true,
        (error: { code?: string }) => {
          expect(error.code).toMatch(/^(SDP_[A-Z]+|NO_INTERFACE|MEDIA_UNSUPPORTED|CRYPTO_UNUSABLE)$/)
          return false
        },
      )
      if (!isTaken) expect(network.channels.size).toBe(0)
      await relay.close()
      expect(network.channels.size).toBe(0)
    }
  })
})

it('strangers of any source number leave no trace in a secured call', async () => {
  const secured = await bridged({ b: 'AES_CM_128_HMAC_SHA1_80', options: { transportProtocol: 'RTP/SAVP', sdes: {} } })
  for (let ssrc = 0; ssrc < 5_000; ssrc++) {
    const forged = Buffer.concat([rtpPacket({ sequence: ssrc & 0xffff, ssrc }), Buffer.alloc(10, ssrc)])
    expect(secured.network.deliver(secured.toB, forged, STRANGER.address, STRANGER.port)).toEqual([])
  }
  const [leg] = secured.session.legs().filter(({ side }) => side === 'b')
  expect(leg?.srtpIn).toMatchObject({ sources: 0 })
  const packet = rtpPacket({ sequence: 9, ssrc: 3 })
  expect(pass(secured, 'b', secured.b.protect(packet))).toEqual(packet)
})
