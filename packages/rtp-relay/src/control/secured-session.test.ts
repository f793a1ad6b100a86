import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { SrtpSuiteName } from '../srtp/suites'
import { A, B, type World, world } from '../testing/fixture'
import { audioSdp, receiverReport, rtpPacket, senderReport, targetOf } from '../testing/packets'
import { bridged, pass, sdpOfA, sdpOfB, secure, text } from '../testing/secured-call'
import { cryptosOf, SecuredPhone } from '../testing/secured-phone'
import type { RelaySession } from './relay-session'

const CM_80: SrtpSuiteName = 'AES_CM_128_HMAC_SHA1_80'
const CM_32: SrtpSuiteName = 'AES_CM_128_HMAC_SHA1_32'
const GCM: SrtpSuiteName = 'AEAD_AES_256_GCM'

describe('a bridge between encrypted and plain', () => {
  it.each([CM_80, CM_32, GCM, 'AES_256_CM_HMAC_SHA1_80', 'AES_192_CM_HMAC_SHA1_32'] as const)(
    'RFC 4568: a plain, b %s',
    async (suite) => {
      const call = await bridged({ b: suite, options: { transportProtocol: 'RTP/SAVP', sdes: { suites: [suite] } } })
      expect(text(call.offer)).toMatch(/^m=audio \d+ RTP\/SAVP /m)
      expect(text(call.answer)).toMatch(/^m=audio \d+ RTP\/AVP /m)
      expect(text(call.answer)).not.toContain('crypto')
      for (let sequence = 65_530; sequence < 65_545; sequence++) {
        const packet = rtpPacket({ sequence })
        const sent = pass(call, 'a', packet)
        expect(sent).not.toEqual(packet)
        expect(call.b.open(sent ?? Buffer.alloc(0))).toEqual(packet)
        const back = rtpPacket({ sequence, ssrc: 7 })
        expect(pass(call, 'b', call.b.protect(back))).toEqual(back)
      }
      expect(call.session.snapshot().streams[0]).toMatchObject({ a: { packets: 15 }, b: { packets: 15 } })
    },
  )

  it('a encrypted, b plain: the answer takes one of the offered keys, and b never sees any', async () => {
    const call = await bridged({ a: [CM_32, CM_80], options: { transportProtocol: 'RTP/AVP' } })
    expect(text(call.offer)).toMatch(/^m=audio \d+ RTP\/AVP /m)
    expect(text(call.offer)).not.toContain('crypto')
    expect(cryptosOf(call.answer)).toMatchObject([{ tag: 1, suite: CM_32 }])
    const packet = rtpPacket({ sequence: 9 })
    expect(pass(call, 'a', call.a.protect(packet))).toEqual(packet)
    expect(call.a.open(pass(call, 'b', packet) ?? Buffer.alloc(0))).toEqual(packet)
  })

  it('a in one suite, b in another', async () => {
    const call = await bridged({ a: [CM_80], b: GCM, options: { sdes: { suites: [GCM] } } })
    const packet = rtpPacket({ sequence: 9 })
    expect(call.b.open(pass(call, 'a', call.a.protect(packet)) ?? Buffer.alloc(0))).toEqual(packet)
    expect(call.a.open(pass(call, 'b', call.b.protect(packet)) ?? Buffer.alloc(0))).toEqual(packet)
    expect(cryptosOf(call.offer)[0]?.keys).not.toEqual(cryptosOf(call.answer)[0]?.keys)
  })

  it('passes keys through when both sides encrypt and nobody asks for more', async () => {
    const made = await world()
    const session = made.relay.createSession('call')
    const [a, b] = [new SecuredPhone(), new SecuredPhone()]
    const offer = await session.offer(sdpOfA(a, [CM_80]), { from: 'a' })
    const answer = await session.answer(sdpOfB(b, offer, CM_80), { from: 'b' })
    a.answered(answer)
    const packet = a.protect(rtpPacket({ sequence: 9 }))
    const [sent] = made.network.deliver(made.network.at(targetOf(answer).port), packet, A.address, A.port)
    expect(sent?.packet).toEqual(packet)
    expect(b.open(packet)).toEqual(rtpPacket({ sequence: 9 }))
  })

  it('carries RTCP both ways, and reads it', async () => {
    const call = await bridged({ b: CM_80, options: { transportProtocol: 'RTP/SAVP', sdes: {} } })
    const rtcpOfA = call.network.at(call.toA.port + 1)
    const rtcpOfB = call.network.at(call.toB.port + 1)
    const [toB] = call.network.deliver(rtcpOfA, senderReport(0x1234_5678), A.address, A.port + 1)
    expect(call.b.openRtcp(toB?.packet ?? Buffer.alloc(0))).toEqual(senderReport(0x1234_5678))
    call.clock.advance(40)
    const report = receiverReport(0x1234_5678, 0, 64)
    const [toA] = call.network.deliver(rtcpOfB, call.b.protectRtcp(report), B.address, B.port + 1)
    expect(toA?.packet).toEqual(report)
    expect(call.session.snapshot().streams[0]?.b).toMatchObject({ roundTripMs: 40, reportedLossFraction: 0.25 })
  })

  it('RFC 8643: best effort encrypts with whoever can, and says nothing to whoever cannot', async () => {
    const options = { bestEffort: true, sdes: { suites: [CM_80] } }
    const able = await bridged({ b: CM_80, options })
    expect(text(able.offer)).toMatch(/^m=audio \d+ RTP\/AVP /m)
    const packet = rtpPacket({ sequence: 9 })
    expect(able.b.open(pass(able, 'a', packet) ?? Buffer.alloc(0))).toEqual(packet)
    const unable = await bridged({ options })
    expect(pass(unable, 'a', packet)).toEqual(packet)
  })
})

describe('no silent downgrade', () => {
  const options = { transportProtocol: 'RTP/SAVP', sdes: { suites: [CM_80] } } as const

  async function offered(): Promise<World & { session: RelaySession; offer: Uint8Array }> {
    const made = await world()
    const session = made.relay.createSession('call')
    const offer = await session.offer(audioSdp(A.address, A.port), { from: 'a', ...options })
    return { ...made, session, offer }
  }

  it.each([
    ['a plain protocol', () => audioSdp(B.address, B.port)],
    ['no key', () => secure(audioSdp(B.address, B.port))],
    [
      'a tag that was not offered',
      () => secure(audioSdp(B.address, B.port, `a=crypto:9 ${CM_80} inline:${Buffer.alloc(30, 1).toString('base64')}`)),
    ],
    [
      'a suite that was not offered',
      () => secure(audioSdp(B.address, B.port, `a=crypto:1 ${CM_32} inline:${Buffer.alloc(30, 1).toString('base64')}`)),
    ],
    [
      'a parameter that nobody knows',
      () =>
        secure(audioSdp(B.address, B.port, `a=crypto:1 ${CM_80} inline:${Buffer.alloc(30, 1).toString('base64')} X=1`)),
    ],
  ])('RFC 4568 §5.1.3: refuses an answer with %s, and goes on waiting', async (_what, sdp) => {
    const { session, network, offer } = await offered()
    await expect(session.answer(sdp(), { from: 'b' })).rejects.toMatchObject({ code: 'CRYPTO_MISMATCH' })
    const toB = network.at(targetOf(offer).port)
    expect(network.deliver(toB, rtpPacket({ sequence: 1 }), B.address, B.port)).toEqual([])
    const b = new SecuredPhone()
    await expect(
      session.answer(secure(audioSdp(B.address, B.port, b.answer(offer, CM_80))), { from: 'b' }),
    ).resolves.toBeDefined()
  })

  it('refuses an offer of SRTP whose keys cannot be used, and opens nothing', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const offer = secure(audioSdp(A.address, A.port, 'a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA'))
    await expect(session.offer(offer, { from: 'a', transportProtocol: 'RTP/AVP' })).rejects.toMatchObject({
      code: 'CRYPTO_UNUSABLE',
    })
    expect(network.channels.size).toBe(0)
  })

  it('lets nothing plain in where keys are held, and learns nothing from it', async () => {
    const call = await bridged({ b: CM_80, options })
    const stranger = { address: '192.0.2.200', port: 4_444 }
    for (let sequence = 0; sequence < 20; sequence++) {
      expect(call.network.deliver(call.toB, rtpPacket({ sequence }), stranger.address, stranger.port)).toEqual([])
      expect(call.network.deliver(call.toB, rtpPacket({ sequence }), B.address, B.port)).toEqual([])
    }
    expect(call.session.snapshot().streams[0]?.b).toMatchObject({
      packets: 0,
      learning: 'learning',
      dropped: { unauthenticated: 40 },
    })
    const packet = rtpPacket({ sequence: 21 })
    expect(pass(call, 'b', call.b.protect(packet))).toEqual(packet)
  })

  it('drops what is repeated', async () => {
    const call = await bridged({ b: CM_80, options })
    const packet = call.b.protect(rtpPacket({ sequence: 21 }))
    expect(pass(call, 'b', packet)).toBeDefined()
    expect(pass(call, 'b', packet)).toBeUndefined()
  })
})

describe('keys over the life of a call', () => {
  const options = { transportProtocol: 'RTP/SAVP', sdes: { suites: [CM_80] } } as const

  it('keeps the roll-over counter through hold and resume', async () => {
    const call = await bridged({ b: CM_80, options })
    for (let sequence = 65_500; sequence < 65_600; sequence++) {
      const packet = rtpPacket({ sequence })
      expect(call.b.open(pass(call, 'a', packet) ?? Buffer.alloc(0))).toEqual(packet)
      const back = rtpPacket({ sequence, ssrc: 5 })
      expect(pass(call, 'b', call.b.protect(back))).toEqual(back)
    }
    for (const direction of ['sendonly', 'sendrecv']) {
      const offer = await call.session.offer(audioSdp(A.address, A.port, `a=${direction}`), { from: 'a' })
      expect(cryptosOf(offer)).toEqual(cryptosOf(call.offer))
      await call.session.answer(call.sdpOfB, { from: 'b' })
    }
    for (let sequence = 65_600; sequence < 65_620; sequence++) {
      const packet = rtpPacket({ sequence })
      expect(call.b.open(pass(call, 'a', packet) ?? Buffer.alloc(0))).toEqual(packet)
      const back = rtpPacket({ sequence, ssrc: 5 })
      expect(pass(call, 'b', call.b.protect(back))).toEqual(back)
    }
  })

  it('takes a new key in a re-INVITE of the other side, and opens what was under way with the old one', async () => {
    const call = await bridged({ b: CM_80, options })
    const before = call.b.protect(rtpPacket({ sequence: 1, ssrc: 5 }))
    const late = call.b.protect(rtpPacket({ sequence: 2, ssrc: 5 }))
    expect(pass(call, 'b', before)).toBeDefined()
    const renewed = new SecuredPhone()
    const offer = secure(audioSdp(B.address, B.port, ...renewed.offer(CM_80)))
    const toA = await call.session.offer(offer, { from: 'b' })
    expect(text(toA)).toMatch(/^m=audio \d+ RTP\/AVP /m)
    expect(text(toA)).not.toContain('crypto')
    renewed.answered(await call.session.answer(audioSdp(A.address, A.port), { from: 'a' }))
    const fresh = rtpPacket({ sequence: 3, ssrc: 5 })
    expect(pass(call, 'b', renewed.protect(fresh))).toEqual(fresh)
    expect(pass(call, 'b', late)).toEqual(rtpPacket({ sequence: 2, ssrc: 5 }))
  })

  it('a re-INVITE that is refused leaves keys and counters as they were', async () => {
    const call = await bridged({ b: CM_80, options })
    const packet = rtpPacket({ sequence: 1 })
    expect(call.b.open(pass(call, 'a', packet) ?? Buffer.alloc(0))).toEqual(packet)
    await call.session.offer(secure(audioSdp(B.address, B.port, ...new SecuredPhone().offer(CM_32))), { from: 'b' })
    const next = rtpPacket({ sequence: 2 })
    expect(call.b.open(pass(call, 'a', next) ?? Buffer.alloc(0))).toEqual(next)
  })

  it('shows no key in a snapshot, and encrypts nothing after the end', async () => {
    const call = await bridged({ b: CM_80, options })
    const shown = JSON.stringify(call.session.snapshot())
    for (const { keys } of cryptosOf(call.offer)) expect(shown).not.toContain(keys[0]?.keySalt)
    const [leg] = call.session.legs().filter(({ side }) => side === 'b')
    call.session.close()
    expect(leg?.srtpOut?.protectRtp(rtpPacket({ sequence: 1 }), 172, Buffer.alloc(400))).toBe(-5)
  })
})
