import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { A, B, call, RELAY_4, RELAY_6, world } from '../testing/fixture'
import { audioSdp, rtpPacket, senderReport, targetOf } from '../testing/packets'

const STRANGER = { address: '192.0.2.200', port: 4_444 }
const text = (sdp: Uint8Array): string => Buffer.from(sdp).toString()

describe('a session', () => {
  it('RFC 8866 §5: ends lines with CRLF towards the other party, whatever this one sent', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    const offer = text(await session.offer(audioSdp(A.address, A.port).replaceAll('\r\n', '\n'), { from: 'a' }))
    expect(offer.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(offer.endsWith('\r\n')).toBe(true)
  })

  it('relays RTP both ways in place and connects its sockets once the peers are confirmed', async () => {
    const { network, toA, toB, session } = await call()
    const packet = rtpPacket({ sequence: 1 })
    expect(network.deliver(toA, packet, A.address, A.port)).toEqual([{ from: toB.port, ...B, packet }])
    expect(network.deliver(toB, packet, B.address, B.port)).toEqual([{ from: toA.port, ...A, packet }])
    expect(toA.peer).toEqual(A)
    expect(toB.peer).toEqual(B)
    const [stream] = session.snapshot().streams
    expect(stream?.a).toMatchObject({ packets: 1, bytes: 172, endpoint: A, learning: 'confirmed', lastPacketAgeMs: 0 })
    expect(stream?.b).toMatchObject({ packets: 1, bytes: 172, endpoint: B, learning: 'confirmed' })
  })

  it('relays RTCP on the odd ports', async () => {
    const { network, toA, toB } = await call()
    const sent = network.deliver(network.at(toA.port + 1), senderReport(1), A.address, A.port + 1)
    expect(sent).toMatchObject([{ from: toB.port + 1, address: B.address, port: B.port + 1 }])
  })

  it('RFC 3605: sends RTCP where the rtcp attribute says', async () => {
    const { network, toA, toB } = await call([], ['a=rtcp:6001 IN IP4 203.0.113.99'])
    const sent = network.deliver(network.at(toA.port + 1), senderReport(1), A.address, A.port + 1)
    expect(sent).toMatchObject([{ from: toB.port + 1, address: '203.0.113.99', port: 6_001 }])
  })

  it('learns a peer behind NAT and sends there', async () => {
    const { network, toA, toB, clock, session } = await call()
    const nat = { address: STRANGER.address, port: 61_234 }
    network.deliver(toA, rtpPacket({ sequence: 1 }), nat.address, nat.port)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([nat])
    expect(toA.isConnected).toBe(false)
    clock.advance(4_000)
    expect(toA.peer).toEqual(nat)
    expect(session.snapshot().streams[0]?.a).toMatchObject({ endpoint: nat, learning: 'confirmed' })
    const rtcp = network.deliver(network.at(toB.port + 1), senderReport(1), B.address, B.port + 1)
    expect(rtcp).toMatchObject([{ address: nat.address, port: nat.port + 1 }])
  })

  it('takes RTCP of a peer behind NAT from the address of its RTP, whatever the port', async () => {
    const { network, toA, toB, clock } = await call()
    network.deliver(toA, rtpPacket({ sequence: 1 }), STRANGER.address, 61_234)
    clock.advance(4_000)
    const rtcpA = network.at(toA.port + 1)
    expect(network.deliver(rtcpA, senderReport(1), '192.0.2.222', 61_235)).toEqual([])
    expect(network.deliver(rtcpA, senderReport(1), STRANGER.address, 50_505)).toMatchObject([{ from: toB.port + 1 }])
  })

  it('CVE-2025-53399: forwards nothing of a stranger once the peer is known, and counts it', async () => {
    const { network, toA, session } = await call()
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    toA.disconnect()
    for (let sequence = 0; sequence < 100; sequence++) {
      expect(network.deliver(toA, rtpPacket({ sequence }), STRANGER.address, A.port)).toEqual([])
      expect(network.deliver(toA, rtpPacket({ sequence }), A.address, A.port + 2)).toEqual([])
    }
    expect(session.snapshot().streams[0]?.a).toMatchObject({ packets: 1, dropped: { strangers: 200 }, endpoint: A })
  })

  it('CVE-2025-53399: a sprayer that was confirmed before the answer loses to the peer after it', async () => {
    const { relay, network, clock } = await world()
    const session = relay.createSession('call')
    const toB = network.at(targetOf(await session.offer(audioSdp(A.address, A.port), { from: 'a' })).port)
    const toA = network.at(session.snapshot().streams[0]?.a?.localPort ?? 0)
    network.deliver(toA, rtpPacket({ sequence: 1 }), STRANGER.address, STRANGER.port)
    clock.advance(10_000)
    expect(toA.peer).toEqual(STRANGER)
    await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    network.deliver(toA, rtpPacket({ sequence: 2 }), A.address, A.port)
    expect(toA.peer).toEqual(A)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([A])
    expect(network.deliver(toA, rtpPacket({ sequence: 3 }), STRANGER.address, STRANGER.port)).toEqual([])
  })

  it('prefers media from where the signalling came from', async () => {
    const { network, toA, toB } = await call([], [], { receivedFrom: STRANGER.address })
    network.deliver(toA, rtpPacket({ sequence: 1 }), '192.0.2.201', 7_777)
    network.deliver(toA, rtpPacket({ sequence: 1 }), STRANGER.address, 61_000)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([
      { address: STRANGER.address, port: 61_000 },
    ])
  })

  it('drops what is no RTP, and RTCP where none belongs, and learns from neither', async () => {
    const { network, toA, session } = await call()
    const junk = [Buffer.alloc(0), Buffer.from('INVITE sip:a@b SIP/2.0'), Buffer.alloc(200), Buffer.alloc(172, 0xff)]
    for (const packet of junk) expect(network.deliver(toA, packet, A.address, A.port)).toEqual([])
    expect(network.deliver(toA, senderReport(1), A.address, A.port)).toEqual([])
    expect(network.deliver(network.at(toA.port + 1), rtpPacket({ sequence: 1 }), A.address, A.port + 1)).toEqual([])
    expect(toA.isConnected).toBe(false)
    expect(session.snapshot().streams[0]?.a).toMatchObject({
      learning: 'learning',
      packets: 0,
      dropped: { garbage: junk.length + 1, strayRtcp: 1 },
    })
  })

  it('forwards nothing between its own ports, however it was signalled', async () => {
    const { network, toA, toB, session } = await call()
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), RELAY_4, toB.port)).toEqual([])
    await session.offer(audioSdp(RELAY_4, toB.port), { from: 'a' })
    await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toEqual([])
    expect(session.snapshot().streams[0]?.b?.dropped.undeliverable).toBe(1)
  })

  it('keeps its ports over re-INVITEs of either side and re-learns a changed address', async () => {
    const { network, toA, toB, session } = await call()
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    const moved = { address: '198.51.100.77', port: 7_000 }
    const offer = await session.offer(audioSdp(moved.address, moved.port), { from: 'a' })
    expect(targetOf(offer)).toEqual({ address: RELAY_4, port: toB.port })
    // Until the answer the offer may still be refused: the call goes on as it was.
    expect(toA.peer).toEqual(A)
    const answer = await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    expect(targetOf(answer)).toEqual({ address: RELAY_4, port: toA.port })
    expect(toA.peer).toBeUndefined()
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([moved])
    network.deliver(toA, rtpPacket({ sequence: 2 }), moved.address, moved.port)
    expect(toA.peer).toEqual(moved)
    const back = await session.offer(audioSdp(B.address, B.port), { from: 'b' })
    expect(targetOf(back).port).toBe(toA.port)
    expect(network.opened).toBe(2 + 4)
  })

  it('goes on as before when a re-INVITE is refused', async () => {
    const { network, toA, toB, session } = await call()
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    await session.offer(audioSdp('198.51.100.77', 7_000, 'a=sendonly'), { from: 'a' })
    expect(network.deliver(toA, rtpPacket({ sequence: 2 }), A.address, A.port).length).toBe(1)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([A])
  })

  it('RFC 3264 §8.4: holds by address without forgetting where the peer is', async () => {
    const { network, toA, toB, session } = await call()
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)
    const held = text(await session.offer(audioSdp('0.0.0.0', A.port), { from: 'a' }))
    expect(held).toContain('c=IN IP4 0.0.0.0\r\n')
    await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    expect(network.deliver(toB, rtpPacket({ sequence: 2 }), B.address, B.port)).toEqual([])
    await session.offer(audioSdp(A.address, A.port), { from: 'a' })
    await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    expect(toA.peer).toEqual(A)
    expect(network.deliver(toB, rtpPacket({ sequence: 3 }), B.address, B.port)).toMatchObject([A])
  })

  it('follows the last answer when several branches answer one offer', async () => {
    const { network, toB, toA, session } = await call()
    network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)
    const other = { address: '203.0.113.21', port: 5_100 }
    await session.answer(audioSdp(other.address, other.port), { from: 'b' })
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)).toMatchObject([other])
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), other.address, other.port)).toMatchObject([A])
    expect(network.deliver(toB, rtpPacket({ sequence: 2 }), B.address, B.port)).toEqual([])
  })

  it('bridges IPv4 and IPv6', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const six = { address: '2001:db8::99', port: 5_000 }
    const offer = text(await session.offer(audioSdp(A.address, A.port), { from: 'a', addressFamily: 'IP6' }))
    expect(offer).toMatch(/^o=- 7 1 IN IP6 2001:db8::1\r$/m)
    expect(targetOf(offer).address).toBe(RELAY_6)
    const answer = text(await session.answer(audioSdp('2001:DB8:0:0::99', six.port), { from: 'b' }))
    expect(answer).toMatch(/^c=IN IP4 192\.0\.2\.1\r$/m)
    const toA = network.at(targetOf(answer).port)
    const toB = network.at(targetOf(offer).port, RELAY_6)
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)).toMatchObject([six])
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), six.address, six.port)).toMatchObject([A])
  })

  it('follows a peer that moves to the other address family', async () => {
    const { session, network, toA, toB } = await call()
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    await session.offer(audioSdp('2001:db8::a', 4_000), { from: 'a' })
    const answer = await session.answer(audioSdp(B.address, B.port), { from: 'b' })
    expect(targetOf(answer).address).toBe(RELAY_6)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([
      { address: '2001:db8::a' },
    ])
    expect(network.channels.size).toBe(4)
    expect(session.snapshot().streams[0]?.a).toMatchObject({ packets: 1, localAddress: RELAY_6 })
  })

  it('RFC 5761: takes multiplexed RTCP of one side apart for the other, and puts it together again', async () => {
    const { network, session, toA, toB } = await call(['a=rtcp-mux'])
    const [a] = [session.snapshot().streams[0]?.a]
    expect(a?.localPort).toBe(toA.port)
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    expect(network.deliver(toA, senderReport(1), A.address, A.port)).toMatchObject([
      { from: toB.port + 1, address: B.address, port: B.port + 1 },
    ])
    expect(network.deliver(network.at(toB.port + 1), senderReport(1), B.address, B.port + 1)).toMatchObject([
      { from: toA.port, ...A },
    ])
  })

  it('says rtcp-mux to the side that offered it and to no other, and offers it again later', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    expect(text(await session.offer(audioSdp(A.address, A.port, 'a=rtcp-mux'), { from: 'a' }))).not.toContain(
      'rtcp-mux',
    )
    const answer = text(await session.answer(audioSdp(B.address, B.port), { from: 'b' }))
    expect(answer.match(/a=rtcp-mux\r\n/g)?.length).toBe(1)
    expect(text(await session.offer(audioSdp(B.address, B.port), { from: 'b' }))).toContain('a=rtcp-mux')
    expect(text(await session.answer(audioSdp(A.address, A.port), { from: 'a' }))).not.toContain('rtcp-mux')
  })

  it('muxed RTCP of a stranger confirms nobody', async () => {
    const { network, toA, session } = await call(['a=rtcp-mux'])
    expect(network.deliver(toA, senderReport(1), A.address, A.port)).toEqual([])
    expect(session.snapshot().streams[0]?.a).toMatchObject({ learning: 'learning', dropped: { strayRtcp: 1 } })
  })

  it('passes SRTP and DTLS as they are and keeps their lines', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const crypto = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:bm90IGEga2V5'
    const secure = (address: string, port: number): string =>
      audioSdp(address, port, crypto, 'a=fingerprint:sha-256 00', 'a=setup:actpass').replace(
        'RTP/AVP',
        'UDP/TLS/RTP/SAVPF',
      )
    const offer = text(await session.offer(secure(A.address, A.port), { from: 'a' }))
    expect(offer).toContain(crypto)
    expect(offer).toContain('UDP/TLS/RTP/SAVPF')
    const answer = await session.answer(secure(B.address, B.port), { from: 'b' })
    const hello = Buffer.concat([Buffer.from([22, 254, 253]), Buffer.alloc(60)])
    expect(network.deliver(network.at(targetOf(answer).port), hello, A.address, A.port)).toMatchObject([
      { ...B, packet: hello },
    ])
  })

  it('passes anything of the peer on a medium that is not RTP', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('fax')
    const fax = (address: string, port: number): string =>
      audioSdp(address, port).replace('audio', 'image').replace('RTP/AVP 0 8', 'udptl t38')
    await session.offer(fax(A.address, A.port), { from: 'a' })
    const toA = network.at(targetOf(await session.answer(fax(B.address, B.port), { from: 'b' })).port)
    expect(network.deliver(toA, Buffer.from([0, 1, 2]), A.address, A.port)).toMatchObject([B])
    expect(network.deliver(toA, Buffer.from([0, 1, 3]), STRANGER.address, 1)).toEqual([])
  })

  it('tells once that a peer is unreachable', async () => {
    const { network, relay, toA } = await call()
    const events: unknown[] = []
    relay.on('peer-unreachable', (event) => events.push(event))
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    for (let count = 0; count < 50; count++) toA.sink.failed('ECONNREFUSED')
    expect(events).toEqual([{ sessionId: 'call', stream: 0, side: 'a', code: 'ECONNREFUSED' }])
  })
})

describe('bundled media', () => {
  const bundled = (address: string, video: string): string =>
    `${audioSdp(address, A.port, 'a=mid:0')}${video}a=mid:1\r\na=rtpmap:96 VP8/90000\r\n`.replace(
      't=0 0',
      't=0 0\r\na=group:BUNDLE 0 1',
    )
  const bundleOnly = 'm=video 0 RTP/AVP 96\r\na=bundle-only\r\n'
  const ownPort = 'm=video 4100 RTP/AVP 96\r\n'

  it('RFC 9143 §6: refuses a medium that has no port outside the bundle, and relays the others', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const offer = text(await session.offer(bundled(A.address, bundleOnly), { from: 'a' }))
    expect(offer).toMatch(/^m=video 0 /m)
    expect(offer).not.toMatch(/BUNDLE|bundle-only/)
    const answered = `${audioSdp(B.address, B.port, 'a=mid:0')}m=video 0 RTP/AVP 96\r\na=mid:1\r\n`
    const answer = text(await session.answer(answered, { from: 'b' }))
    expect(answer).toMatch(/^m=video 0 /m)
    expect(network.channels.size).toBe(4)
    const toA = network.at(targetOf(answer).port)
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)).toMatchObject([B])
  })

  it('RFC 9143 §6: relays it from the offer on that gives it a port of its own', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    await session.offer(bundled(A.address, bundleOnly), { from: 'a' })
    await session.answer(`${audioSdp(B.address, B.port)}m=video 0 RTP/AVP 96\r\n`, { from: 'b' })
    await session.offer(bundled(A.address, ownPort), { from: 'a' })
    await session.answer(`${audioSdp(B.address, B.port)}m=video 5100 RTP/AVP 96\r\n`, { from: 'b' })
    expect(network.channels.size).toBe(8)
    const video = network.at(session.snapshot().streams[1]?.a?.localPort ?? 0)
    expect(network.deliver(video, rtpPacket({ sequence: 1, payloadType: 96 }), A.address, 4_100)).toMatchObject([
      { address: B.address, port: 5_100 },
    ])
  })
})
