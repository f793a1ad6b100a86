import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { SrtpSuiteName } from '../srtp/suites'
import { A, B, world } from '../testing/fixture'
import { audioSdp, rtpPacket, senderReport, targetOf } from '../testing/packets'
import { bridged, pass, secure, text } from '../testing/secured-call'
import { cryptosOf, SecuredPhone } from '../testing/secured-phone'

const CM_80: SrtpSuiteName = 'AES_CM_128_HMAC_SHA1_80'
const CM_192: SrtpSuiteName = 'AES_192_CM_HMAC_SHA1_80'
const GCM: SrtpSuiteName = 'AEAD_AES_256_GCM'
const toSrtp = { from: 'a', transportProtocol: 'RTP/SAVP', sdes: { suites: [CM_80] } } as const
const secret = 'SECRETSECRETSECRETSECRETSECRETSECRETSECR'

describe('an offer by the side that was called', () => {
  it.each([
    { used: CM_80, asked: { sdes: { suites: [GCM] } }, b: GCM },
    { used: CM_192, asked: { sdes: {} }, b: CM_80 },
  ])('goes out with the key in use with the other side ($used), whatever was asked for this one', async (one) => {
    const call = await bridged({ a: [one.used], b: one.b, options: one.asked })
    const offer = await call.session.offer(call.sdpOfB, { from: 'b' })
    const [first] = cryptosOf(offer)
    expect(first).toMatchObject({ suite: one.used, keys: [{ keySalt: cryptosOf(call.answer)[0]?.keys[0]?.keySalt }] })
  })
})

describe('an offer that fails', () => {
  it('for lack of ports leaves the one before it to be answered', async () => {
    const { relay, network } = await world({}, 20_000, 20_003)
    const session = relay.createSession('call')
    const b = new SecuredPhone()
    const offer = await session.offer(audioSdp(A.address, A.port), toSrtp)
    const larger = `${audioSdp(A.address, A.port)}m=video 4100 RTP/AVP 31\r\nm=video 4102 RTP/AVP 31\r\n`
    await expect(session.offer(larger, toSrtp)).rejects.toMatchObject({ code: 'PORTS_EXHAUSTED' })
    const answer = await session.answer(secure(audioSdp(B.address, B.port, b.answer(offer, CM_80))), { from: 'b' })
    const packet = rtpPacket({ sequence: 1 })
    const [sent] = network.deliver(network.at(targetOf(answer).port), packet, A.address, A.port)
    expect(b.open(sent?.packet ?? Buffer.alloc(0))).toEqual(packet)
  })

  it('for a key of its second medium does so too', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    const b = new SecuredPhone()
    const offer = await session.offer(audioSdp(A.address, A.port), toSrtp)
    const broken = `${audioSdp(A.address, A.port)}m=video 4100 RTP/SAVP 31\r\na=crypto:1 NOPE inline:AAAA\r\n`
    await expect(session.offer(broken, { from: 'a', sdes: { suites: [GCM] } })).rejects.toMatchObject({
      code: 'CRYPTO_UNUSABLE',
    })
    const sdp = secure(audioSdp(B.address, B.port, b.answer(offer, CM_80)))
    await expect(session.answer(sdp, { from: 'b' })).resolves.toBeDefined()
  })
})

describe('answers of several phones to one offer', () => {
  it('RFC 3711 §9.1: never use an index twice with one key', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const offer = await session.offer(audioSdp(A.address, A.port), { ...toSrtp, sdes: { suites: [CM_80, GCM] } })
    const lines = [new SecuredPhone().answer(offer, CM_80), new SecuredPhone().answer(offer, GCM)] as const
    const answer = (line: string) => session.answer(secure(audioSdp(B.address, B.port, line)), { from: 'b' })
    const toA = targetOf(await answer(lines[0])).port
    let sequence = 0
    const srtcpIndex = (): number => {
      network.deliver(network.at(toA), rtpPacket({ sequence: sequence++ }), A.address, A.port)
      const [sent] = network.deliver(network.at(toA + 1), senderReport(1), A.address, A.port + 1)
      const packet = Buffer.from(sent?.packet ?? Buffer.alloc(14))
      return packet.readUInt32BE(packet.length - 14) & 0x7fff_ffff
    }
    const first = srtcpIndex()
    await answer(lines[1])
    await answer(lines[0])
    expect(srtcpIndex()).toBe(first + 1)
  })
})

describe('what a description tells besides', () => {
  it('RFC 5939: keys and protocols among capabilities do not pass a bridge', async () => {
    const { relay } = await world()
    const lines = ['a=tcap:1 RTP/SAVP', `a=acap:1 crypto:1 ${CM_80} inline:${secret}`, 'a=pcfg:1 t=1 a=1']
    const offer = await relay.createSession('call').offer(audioSdp(A.address, A.port, ...lines), toSrtp)
    expect(text(offer)).not.toMatch(/SECRET|acap|pcfg|tcap/)
  })

  it('keys and addresses for all media do not pass it either', async () => {
    const { relay } = await world()
    const lines = ['k=clear:SECRET', 'a=rtcp:4001 IN IP4 198.51.100.10', `a=crypto:1 ${CM_80} inline:${secret}`]
    const sdp = audioSdp(A.address, A.port, 'k=clear:SECRET').replace('t=0 0', ['t=0 0', ...lines].join('\r\n'))
    const offer = await relay.createSession('call').offer(sdp, toSrtp)
    expect(text(offer)).not.toMatch(/SECRET|198\.51\.100\.10/)
  })

  it('a medium that was refused in the offer is refused in the answer', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    await session.offer(`${audioSdp(A.address, A.port)}m=video 0 RTP/AVP 31\r\n`, { from: 'a' })
    const answer = await session.answer(`${audioSdp(B.address, B.port)}m=video 5100 RTP/AVP 31\r\n`, { from: 'b' })
    expect(text(answer)).toContain('m=video 0 ')
  })
})

it('an offer that nobody answers leaves the keys in force', async () => {
  const call = await bridged({ a: [CM_80], b: CM_80, options: { sdes: {} } })
  await call.session.offer(secure(audioSdp(A.address, A.port, ...new SecuredPhone().offer(GCM))), { from: 'a' })
  const packet = rtpPacket({ sequence: 7 })
  expect(call.b.open(pass(call, 'a', call.a.protect(packet)) ?? Buffer.alloc(0))).toEqual(packet)
})
