import { describe, expect, it } from 'vitest'
import { directionOf } from '../attributes/direction'
import { parseSdp } from '../parse'
import { serializeSdp } from '../serialize'
import type { SessionDescription } from '../session'
import { answerOffer } from './answer'
import type { LocalSession, MediaCapability } from './capability'
import { checkAnswer, checkReoffer } from './check'
import { answerDirection } from './direction'
import { negotiatedMedia } from './negotiated'
import { createOffer, offerMedia } from './offer'
import { holdOffer, nextVersion, reoffer, resumeOffer } from './reoffer'

const AUDIO: MediaCapability = {
  media: 'audio',
  protocols: ['RTP/AVP', 'UDP/TLS/RTP/SAVPF'],
  port: 4_000,
  codecs: [
    { name: 'opus', clockRate: 48_000, channels: 2, fmtp: 'useinbandfec=1' },
    { name: 'PCMA', clockRate: 8_000 },
    { name: 'PCMU', clockRate: 8_000 },
    { name: 'telephone-event', clockRate: 8_000, fmtp: '0-11' },
  ],
}
const VIDEO: MediaCapability = {
  media: 'video',
  protocols: ['RTP/AVP'],
  port: 4_002,
  codecs: [{ name: 'H264', clockRate: 90_000, fmtp: 'profile-level-id=42e01f;packetization-mode=1' }],
}

function local(...media: MediaCapability[]): LocalSession {
  return {
    origin: { username: '-', sessionId: '7', sessionVersion: '1', netType: 'IN', family: 'IP4', address: '192.0.2.7' },
    connection: { netType: 'IN', family: 'IP4', address: '192.0.2.7' },
    media,
  }
}

function sdpOf(...lines: string[]): SessionDescription {
  const head = ['v=0', 'o=a 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0']
  const result = parseSdp([...head, ...lines, ''].join('\r\n'))
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

function answered(offer: SessionDescription, ...media: MediaCapability[]): SessionDescription {
  const result = answerOffer(offer, local(...media))
  if (!result.ok) throw new Error(result.error.code)
  expect(checkAnswer(offer, result.value)).toEqual([])
  return result.value
}

function mediaLines(sdp: SessionDescription): string[] {
  return serializeSdp(sdp).split('\r\n').slice(5, -1)
}

describe('answers', () => {
  it('RFC 3264 §6.1: take the common codecs with the payload types and in the order of the offer', () => {
    const offer = sdpOf(
      'm=audio 5000 RTP/AVP 0 111 8 18 101',
      'a=rtpmap:111 OPUS/48000/2',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
    )
    expect(mediaLines(answered(offer, AUDIO))).toEqual([
      'm=audio 4000 RTP/AVP 0 111 8 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:111 OPUS/48000/2',
      'a=fmtp:111 useinbandfec=1',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-11',
    ])
    const own = answerOffer(offer, local(AUDIO), { order: 'local' })
    expect(own.ok && own.value.media[0]?.formats).toEqual(['111', '8', '0', '101'])
  })

  it('RFC 3264 §6: refuse what cannot be had, in its place, and the whole when nothing can', () => {
    const offer = sdpOf(
      'm=video 6000 RTP/AVP 31',
      'a=mid:v',
      'm=audio 5000 RTP/AVP 0',
      'm=audio 5002 RTP/AVP 0',
      'm=text 0 RTP/AVP 98',
    )
    const answer = answered(offer, AUDIO, VIDEO)
    expect(answer.media.map(({ media, port }) => [media, port])).toEqual([
      ['video', 0],
      ['audio', 4_000],
      ['audio', 0],
      ['text', 0],
    ])
    expect(answer.media[0]).toMatchObject({ formats: ['31'], attributes: [{ name: 'mid', value: 'v' }] })
    expect(answerOffer(sdpOf('m=video 6000 RTP/AVP 31'), local(VIDEO))).toMatchObject({
      ok: false,
      error: { code: 'SDP_OFFER_UNACCEPTABLE', suggestedStatus: 488 },
    })
    expect(answerOffer(sdpOf('m=audio 0 RTP/AVP 0'), local(AUDIO)).ok).toBe(true)
    expect(answerOffer(sdpOf(), local(AUDIO)).ok).toBe(true)
  })

  it('refuse tones without a voice, another transport, and multicast', () => {
    const code = (...lines: string[]) => {
      const result = answerOffer(sdpOf(...lines), local(AUDIO))
      return result.ok ? 'ok' : result.error.code
    }
    expect(code('m=audio 5000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000')).toBe('SDP_OFFER_UNACCEPTABLE')
    expect(code('m=audio 5000 RTP/SAVP 0')).toBe('SDP_OFFER_UNACCEPTABLE')
    expect(code('m=audio 5000 RTP/AVP 0', 'c=IN IP4 233.252.0.1/127')).toBe('SDP_OFFER_UNACCEPTABLE')
    expect(code('m=audio 5000 RTP/AVP 0')).toBe('ok')
  })

  it.each([
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendrecv', 'recvonly', 'recvonly'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['sendonly', 'sendonly', 'inactive'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
  ] as const)('RFC 3264 §6.1: %s, wanted %s, is answered with %s', (offered, wanted, direction) => {
    expect(answerDirection(offered, wanted)).toBe(direction)
    const offer = sdpOf('m=audio 5000 RTP/AVP 0', `a=${offered}`)
    const answer = answered(offer, { ...AUDIO, direction: wanted })
    expect(directionOf(answer.media[0]!)).toBe(direction)
  })

  it('RFC 3264 §8.4: the unspecified address is a hold', () => {
    const offer = sdpOf('m=audio 5000 RTP/AVP 0', 'c=IN IP4 0.0.0.0')
    const answer = answered(offer, AUDIO)
    expect(directionOf(answer.media[0]!)).toBe('recvonly')
    expect(negotiatedMedia(answer, offer)[0]).toMatchObject({ isOpen: true, direction: 'recvonly' })
  })

  it('RFC 4568 §5.1.2: choose one offered key by its tag, and refuse without', () => {
    const key = `inline:${'A'.repeat(40)}`
    const own = { suite: 'AES_CM_128_HMAC_SHA1_32', keys: [{ keySalt: 'B'.repeat(40) }], sessionParameters: [] }
    const secure: MediaCapability = { ...AUDIO, protocols: ['RTP/SAVP'], crypto: [own] }
    const offer = sdpOf(
      'm=audio 5000 RTP/SAVP 0',
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${key}`,
      `a=crypto:4 AES_CM_128_HMAC_SHA1_32 ${key}`,
    )
    const answer = answered(offer, secure)
    expect(mediaLines(answer)).toContain(`a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:${'B'.repeat(40)}`)
    expect(answerOffer(offer, local({ ...secure, crypto: [] })).ok).toBe(false)
    const made = createOffer(local(secure))
    expect(mediaLines(made)).toContain(`a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${'B'.repeat(40)}`)
  })

  it('RFC 5763 §5, RFC 5888, RFC 5761: say setup, mid and rtcp-mux where they were offered', () => {
    const offer = sdpOf('a=setup:actpass', 'm=audio 5000 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', 'a=rtcp-mux')
    const lines = mediaLines(answered(offer, { ...AUDIO, rtcpMux: true, rtcpPort: 4_001, ptime: 20 }))
    expect(lines).toEqual([
      'm=audio 4000 UDP/TLS/RTP/SAVPF 0',
      'a=mid:0',
      'a=setup:active',
      'a=rtpmap:0 PCMU/8000',
      'a=ptime:20',
      'a=rtcp-mux',
    ])
    const plain = mediaLines(answered(sdpOf('m=audio 5000 RTP/AVP 0'), { ...AUDIO, rtcpMux: true, rtcpPort: 4_009 }))
    expect(plain).toContain('a=rtcp:4009')
  })

  it('match parameters that tell codecs apart', () => {
    const h264 = (fmtp: string) =>
      answerOffer(sdpOf('m=video 5000 RTP/AVP 99', 'a=rtpmap:99 H264/90000', `a=fmtp:99 ${fmtp}`), local(VIDEO)).ok
    expect(h264('packetization-mode=1;profile-level-id=42E034')).toBe(true)
    expect(h264('packetization-mode=0;profile-level-id=42e01f')).toBe(false)
    expect(h264('packetization-mode=1;profile-level-id=64001f')).toBe(false)
    const g729: MediaCapability = { ...AUDIO, codecs: [{ name: 'G729', clockRate: 8_000 }] }
    expect(mediaLines(answered(sdpOf('m=audio 1 RTP/AVP 18', 'a=fmtp:18 annexb=no'), g729))).toContain(
      'a=fmtp:18 annexb=no',
    )
  })

  it('serve fax', () => {
    const fax: MediaCapability = {
      media: 'image',
      protocols: ['udptl'],
      formats: ['t38'],
      port: 4_010,
      attributes: [{ name: 'T38FaxVersion', value: '0' }],
    }
    expect(mediaLines(answered(sdpOf('m=audio 0 RTP/AVP 0', 'm=image 5000 udptl t38'), fax))).toEqual([
      'm=audio 0 RTP/AVP 0',
      'm=image 4010 udptl t38',
      'a=T38FaxVersion:0',
    ])
  })
})

describe('offers', () => {
  it('RFC 3264 §5: hold every medium, with payload types of RFC 3551 or free ones', () => {
    const media = offerMedia({ ...AUDIO, codecs: [{ name: 'x', clockRate: 1, payloadType: 96 }, ...AUDIO.codecs!] })
    expect(media.formats).toEqual(['96', '97', '8', '0', '98'])
    expect(() => offerMedia({ ...AUDIO, codecs: [] })).toThrow()
    expect(() => offerMedia({ ...AUDIO, protocols: [] })).toThrow()
  })

  it('RFC 3261 §13.2.1: a late offer is answered by the other side', () => {
    const offer = createOffer(local(AUDIO, VIDEO))
    const answer = sdpOf('m=audio 9000 RTP/AVP 8', 'm=video 0 RTP/AVP 97')
    expect(checkAnswer(offer, answer)).toEqual([])
    const [audio, video] = negotiatedMedia(offer, answer)
    expect(audio).toMatchObject({ isOpen: true, direction: 'sendrecv', send: [{ name: 'PCMA', payloadType: 8 }] })
    expect(video).toMatchObject({ isOpen: false, direction: 'inactive', send: [], receive: [] })
  })

  it('RFC 3264 §6.1: payload types may differ by direction, and order is that of the receiver', () => {
    const offer = sdpOf('m=audio 1 RTP/AVP 96 0', 'a=rtpmap:96 opus/48000/2')
    const answer = sdpOf('m=audio 2 RTP/AVP 0 111', 'a=rtpmap:111 opus/48000/2')
    const [media] = negotiatedMedia(offer, answer)
    expect(media?.send.map(({ payloadType }) => payloadType)).toEqual([0, 111])
    expect(media?.receive.map(({ payloadType }) => payloadType)).toEqual([96, 0])
  })
})

describe('new offers', () => {
  const first = sdpOf('m=audio 5000 RTP/AVP 0 96', 'a=rtpmap:96 opus/48000/2', 'm=video 5002 RTP/AVP 31')

  it('RFC 3264 §8: raise the version by one if anything changed', () => {
    expect(nextVersion(first, { ...first })).toEqual(first)
    expect(nextVersion(first, { ...first, name: 'x' }).origin.sessionVersion).toBe('2')
    const large = { ...first, origin: { ...first.origin, sessionVersion: '18446744073709551615' } }
    expect(nextVersion(large, { ...first, name: 'x' }).origin.sessionVersion).toBe('18446744073709551616')
  })

  it('RFC 3264 §8.2: close a medium in its place, and add others behind it or in its place', () => {
    const closed = reoffer(first, [first.media[0], undefined])
    expect(closed.media.map(({ port }) => port)).toEqual([5_000, 0])
    expect(checkReoffer(first, closed)).toEqual([])
    const added = reoffer(closed, [...closed.media, offerMedia(VIDEO)])
    expect(added.media.map(({ port }) => port)).toEqual([5_000, 0, 4_002])
    const reused = reoffer(closed, [...closed.media, offerMedia(VIDEO)], true)
    expect(reused.media.map(({ port }) => port)).toEqual([5_000, 4_002])
    expect(reused.origin.sessionVersion).toBe('3')
  })

  it('RFC 3264 §8.4: hold and resume, one medium or all', () => {
    const held = holdOffer(first)
    expect(held.media.map((media) => directionOf(media))).toEqual(['sendonly', 'sendonly'])
    expect(holdOffer(held)).toEqual(held)
    expect(checkReoffer(first, held)).toEqual([])
    const resumed = resumeOffer(held, 0)
    expect(resumed.media.map((media) => directionOf(media))).toEqual(['sendrecv', 'sendonly'])
    expect(resumed.origin.sessionVersion).toBe('3')
    const oneWay = sdpOf('a=recvonly', 'm=audio 5000 RTP/AVP 0')
    expect(directionOf(holdOffer(oneWay).media[0]!, oneWay)).toBe('inactive')
    const session = sdpOf('a=sendonly', 'm=audio 5000 RTP/AVP 0')
    expect(directionOf(resumeOffer(session).media[0]!, session)).toBe('sendrecv')
  })

  it.each([
    [
      'SDP_REOFFER_MEDIA_COUNT',
      { ...first, media: first.media.slice(1), origin: { ...first.origin, sessionVersion: '2' } },
    ],
    ['SDP_REOFFER_ORIGIN', { ...first, origin: { ...first.origin, sessionId: '9' } }],
    ['SDP_REOFFER_VERSION', { ...first, name: 'x' }],
    ['SDP_REOFFER_VERSION', { ...first, origin: { ...first.origin, sessionVersion: '0' } }],
    [
      'SDP_PAYLOAD_TYPE_CHANGED',
      nextVersion(first, {
        ...first,
        media: sdpOf('m=audio 5000 RTP/AVP 0 96', 'a=rtpmap:96 speex/8000', 'm=video 5002 RTP/AVP 31').media,
      }),
    ],
  ])('are refused with %s', (code, next) => {
    expect(checkReoffer(first, next).map((problem) => problem.code)).toEqual([code])
  })
})

describe('checks of answers', () => {
  const offer = sdpOf(
    'a=group:BUNDLE a b',
    'm=audio 5000 RTP/AVP 0 96',
    'a=rtpmap:96 opus/48000/2',
    'a=mid:a',
    'a=sendonly',
    'm=video 0 RTP/AVP 31',
    'a=mid:b',
  )

  it.each([
    ['SDP_ANSWER_MEDIA_COUNT', undefined, ['m=audio 1 RTP/AVP 0', 'a=recvonly']],
    ['SDP_ANSWER_MEDIA_TYPE', 0, ['m=text 1 RTP/AVP 0', 'm=video 0 RTP/AVP 31']],
    ['SDP_ANSWER_PROTOCOL', 0, ['m=audio 1 RTP/AVPF 0', 'm=video 0 RTP/AVP 31']],
    ['SDP_ANSWER_NOT_REJECTED', 1, ['m=audio 0 RTP/AVP 0', 'm=video 1 RTP/AVP 31']],
    ['SDP_ANSWER_FORMATS', 0, ['m=audio 1 RTP/AVP 8', 'a=recvonly', 'm=video 0 RTP/AVP 31']],
    ['SDP_ANSWER_DIRECTION', 0, ['m=audio 1 RTP/AVP 0', 'm=video 0 RTP/AVP 31']],
    ['SDP_ANSWER_RTCP_MUX', 0, ['m=audio 1 RTP/AVP 0', 'a=inactive', 'a=rtcp-mux', 'm=video 0 RTP/AVP 31']],
    ['SDP_ANSWER_MID', 0, ['m=audio 1 RTP/AVP 0', 'a=inactive', 'a=mid:x', 'm=video 0 RTP/AVP 31']],
    ['SDP_ANSWER_SETUP', 0, ['m=audio 1 RTP/AVP 0', 'a=inactive', 'a=setup:active', 'm=video 0 RTP/AVP 31']],
    [
      'SDP_ANSWER_GROUP',
      undefined,
      ['a=group:BUNDLE a c', 'm=audio 1 RTP/AVP 0', 'a=inactive', 'm=video 0 RTP/AVP 31'],
    ],
    [
      'SDP_PAYLOAD_TYPE_CHANGED',
      0,
      ['m=audio 1 RTP/AVP 0 96', 'a=rtpmap:96 x/1', 'a=inactive', 'm=video 0 RTP/AVP 31'],
    ],
  ])('find %s', (code, mediaIndex, lines) => {
    const answer = sdpOf(...lines)
    const [found, ...others] = checkAnswer(offer, answer)
    expect(others).toEqual([])
    expect([found?.code, found?.mediaIndex]).toEqual([code, mediaIndex])
    if (mediaIndex !== undefined) expect(serializeSdp(answer).slice(found?.offset).startsWith('m=')).toBe(true)
  })

  it('find a changed time, and a key that was not offered', () => {
    const timed = {
      ...sdpOf('m=audio 0 RTP/AVP 0', 'm=video 0 RTP/AVP 31'),
      timing: [{ start: '1', stop: '2', repeats: [] }],
    }
    expect(checkAnswer(offer, timed).map(({ code }) => code)).toEqual(['SDP_ANSWER_TIMING'])
    const key = `inline:${'A'.repeat(40)}`
    const secure = sdpOf('m=audio 1 RTP/SAVP 0', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${key}`)
    const other = sdpOf('m=audio 1 RTP/SAVP 0', `a=crypto:2 AES_CM_128_HMAC_SHA1_80 ${key}`)
    expect(checkAnswer(secure, other).map(({ code }) => code)).toEqual(['SDP_ANSWER_CRYPTO'])
    expect(checkAnswer(secure, secure)).toEqual([])
  })
})
