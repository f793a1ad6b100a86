import { describe, expect, it } from 'vitest'
import { parseSdp } from '../parse'
import { serializeSdp } from '../serialize'
import type { Attribute, SessionDescription } from '../session'
import { answerOffer } from './answer'
import type { LocalSession, MediaCapability } from './capability'
import { checkAnswer } from './check'

const HEAD = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0']
const FINGERPRINT: Attribute = { name: 'fingerprint', value: `sha-256 ${Array(32).fill('AB').join(':')}` }
const KEY = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  keys: [{ keySalt: 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj' }],
  sessionParameters: [],
}

function sdp(...lines: readonly string[]): SessionDescription {
  const parsed = parseSdp([...HEAD, ...lines, ''].join('\r\n'))
  if (!parsed.ok) throw new Error(parsed.error.code)
  return parsed.value
}

function local(audio: Partial<MediaCapability> = {}, attributes: readonly Attribute[] = []): LocalSession {
  return {
    origin: { username: '-', sessionId: '5', sessionVersion: '1', netType: 'IN', family: 'IP4', address: '192.0.2.9' },
    connection: { netType: 'IN', family: 'IP4', address: '192.0.2.9' },
    media: [
      {
        media: 'audio',
        protocols: ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVPF'],
        port: 6000,
        codecs: [{ name: 'PCMU', clockRate: 8000, feedback: ['nack', 'nack pli'] }],
        ...audio,
      },
    ],
    attributes,
  }
}

/** The lines after `t=`, or the problem's code. */
function answered(offer: SessionDescription, side: LocalSession): string[] {
  const result = answerOffer(offer, side)
  if (!result.ok) return [result.error.code]
  expect(checkAnswer(offer, result.value)).toEqual([])
  return serializeSdp(result.value).split('\r\n').slice(5, -1)
}

describe('what an answer takes of an offer', () => {
  it('RFC 4585 §4.2: feedback, as far as it was offered, and with a profile that has it', () => {
    const offer = (protocol: string, ...lines: string[]) => sdp(`m=audio 5000 ${protocol} 0`, ...lines)
    const feedback = (offered: SessionDescription) =>
      answered(offered, local()).filter((line) => line.includes('rtcp-fb'))
    expect(feedback(offer('RTP/AVPF', 'a=rtcp-fb:* NACK'))).toEqual(['a=rtcp-fb:0 nack'])
    expect(feedback(offer('RTP/AVPF', 'a=rtcp-fb:0 nack pli', 'a=rtcp-fb:8 nack'))).toEqual(['a=rtcp-fb:0 nack pli'])
    expect(feedback(offer('RTP/AVPF'))).toEqual([])
    expect(feedback(offer('RTP/AVP', 'a=rtcp-fb:* nack'))).toEqual([])
  })

  it('RFC 5763 §5: keys by DTLS where both sides have a certificate, whatever the profile is called', () => {
    const offer = sdp('m=audio 5000 RTP/SAVPF 0', 'a=setup:actpass', `a=fingerprint:${FINGERPRINT.value}`)
    const answer = [
      'm=audio 6000 RTP/SAVPF 0',
      'a=setup:active',
      'a=rtpmap:0 PCMU/8000',
      `a=fingerprint:${FINGERPRINT.value}`,
    ]
    expect(answered(offer, local({ attributes: [FINGERPRINT] }))).toEqual(answer)
    expect(answered(offer, local({}, [FINGERPRINT]))[1]).toBe('m=audio 6000 RTP/SAVPF 0')
    expect(answered(offer, local())).toEqual(['SDP_OFFER_UNACCEPTABLE'])
    expect(answered(offer, local({ crypto: [KEY] }))).toEqual(['SDP_OFFER_UNACCEPTABLE'])
    expect(answered(sdp('m=audio 5000 RTP/SAVPF 0'), local({}, [FINGERPRINT]))).toEqual(['SDP_OFFER_UNACCEPTABLE'])
  })

  it('RFC 8858 §3: no medium with rtcp-mux-only from a side that cannot multiplex', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 0', 'a=rtcp-mux', 'a=rtcp-mux-only')
    expect(answered(offer, local())).toEqual(['SDP_OFFER_UNACCEPTABLE'])
    expect(answered(offer, local({ rtcpMux: true }))).toContain('a=rtcp-mux')
  })

  it('RFC 9143 §7.3.2: groups without what is refused or was not grouped', () => {
    const lines = ['m=audio 5000 RTP/AVP 0', 'a=mid:a', 'm=video 5000 RTP/AVP 31', 'a=mid:v']
    const bundle = (value: string): Attribute => ({ name: 'group', value })
    const group = (offered: string, own: string) =>
      answered(sdp(`a=group:${offered}`, ...lines), local({}, [bundle(own), { name: 'x' }])).slice(0, 2)
    expect(group('BUNDLE a v', 'BUNDLE a v')).toEqual(['a=group:BUNDLE a', 'a=x'])
    expect(group('BUNDLE v', 'BUNDLE a v')[0]).toBe('a=x')
    expect(group('LS a v', 'BUNDLE a v')[0]).toBe('a=x')
  })

  it('RFC 9143 §7.3.2: a group that holds a refused medium is no answer', () => {
    const offer = sdp('a=group:BUNDLE a v', 'm=audio 1 RTP/AVP 0', 'a=mid:a', 'm=video 1 RTP/AVP 31', 'a=mid:v')
    const answer = (group: string) =>
      sdp(`a=group:${group}`, 'm=audio 1 RTP/AVP 0', 'a=mid:a', 'm=video 0 RTP/AVP 31', 'a=mid:v')
    expect(checkAnswer(offer, answer('BUNDLE a v')).map(({ code }) => code)).toEqual(['SDP_ANSWER_GROUP'])
    expect(checkAnswer(offer, answer('BUNDLE a'))).toEqual([])
  })

  it('RFC 3264 §5.1: payload types may differ between the sides, but not mean two things', () => {
    const offer = sdp('m=audio 1 RTP/AVP 97 0', 'a=rtpmap:97 opus/48000/2')
    expect(checkAnswer(offer, sdp('m=audio 1 RTP/AVP 98', 'a=rtpmap:98 OPUS/48000/2'))).toEqual([])
    const remapped = sdp('m=audio 1 RTP/AVP 97 98', 'a=rtpmap:97 iLBC/8000', 'a=rtpmap:98 opus/48000/2')
    expect(checkAnswer(offer, remapped).map(({ code }) => code)).toEqual(['SDP_PAYLOAD_TYPE_CHANGED'])
  })
})
