import { describe, expect, it } from 'vitest'
import { parseSdp } from '../parse'
import type { MediaDescription, SessionDescription } from '../session'
import {
  codecsOf,
  directionOf,
  getAttribute,
  getAttributes,
  hasAttribute,
  isHeld,
  isRtcpMux,
  rtcpOf,
  rtcpPortOf,
  staticCodec,
  withAttribute,
  withoutAttributes,
} from './index'

function sdpOf(
  session: readonly string[],
  media: readonly string[],
  connection = 'c=IN IP4 192.0.2.1',
): SessionDescription {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    connection,
    't=0 0',
    ...session,
    'm=audio 4000 RTP/AVP 0 96 13 200 x',
    ...media,
  ]
  const result = parseSdp(lines.join('\r\n'))
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

function mediaOf(...lines: readonly string[]): MediaDescription {
  return sdpOf([], lines).media[0]!
}

describe('attributes', () => {
  it('are found by their exact name', () => {
    const media = mediaOf('a=x:1', 'a=X:2', 'a=x', 'a=flag')
    expect(getAttribute(media, 'x')).toEqual({ name: 'x', value: '1' })
    expect(getAttributes(media, 'x').length).toBe(2)
    expect(hasAttribute(media, 'flag')).toBe(true)
    expect(hasAttribute(media, 'Flag')).toBe(false)
  })

  it('are replaced where they stood, and leave the original as it was', () => {
    const media = mediaOf('a=a', 'a=x:1', 'a=b', 'a=x:2')
    expect(withAttribute(media, 'x', '9').attributes).toEqual([{ name: 'a' }, { name: 'x', value: '9' }, { name: 'b' }])
    expect(withAttribute(media, 'c').attributes.at(-1)).toEqual({ name: 'c' })
    expect(withoutAttributes(media, new Set(['a', 'x'])).attributes).toEqual([{ name: 'b' }])
    expect(media.attributes.length).toBe(4)
  })
})

describe('direction', () => {
  it('RFC 8866 §6.7: is that of the medium, else of the session, else sendrecv', () => {
    const of = (sdp: SessionDescription): string => directionOf(sdp.media[0]!, sdp)
    expect(of(sdpOf([], []))).toBe('sendrecv')
    expect(of(sdpOf(['a=recvonly'], []))).toBe('recvonly')
    expect(of(sdpOf(['a=recvonly'], ['a=sendrecv']))).toBe('sendrecv')
    expect(of(sdpOf([], ['a=inactive:no']))).toBe('sendrecv')
  })

  it('RFC 3264 §8.4: is a hold when the writer will not receive, by attribute or by address', () => {
    const held = (sdp: SessionDescription): boolean => isHeld(sdp.media[0]!, sdp)
    expect(held(sdpOf([], []))).toBe(false)
    expect(held(sdpOf([], ['a=recvonly']))).toBe(false)
    expect(held(sdpOf([], ['a=sendonly']))).toBe(true)
    expect(held(sdpOf(['a=inactive'], []))).toBe(true)
    expect(held(sdpOf([], [], 'c=IN IP4 0.0.0.0'))).toBe(true)
    expect(held(sdpOf([], [], 'c=IN IP6 ::'))).toBe(true)
    expect(held(sdpOf([], ['c=IN IP4 192.0.2.9'], 'c=IN IP4 0.0.0.0'))).toBe(false)
  })
})

describe('RTCP', () => {
  it('RFC 3605 §2.1: goes where the attribute says, else to the next port', () => {
    expect(rtcpPortOf(mediaOf())).toBe(4_001)
    expect(rtcpPortOf(mediaOf('a=rtcp:5005'))).toBe(5_005)
    expect(rtcpOf(mediaOf('a=rtcp:5005 IN IP6 2001:db8::2'))).toEqual({
      port: 5_005,
      family: 'IP6',
      address: '2001:db8::2',
    })
    expect(rtcpOf(mediaOf('a=rtcp:99999'))).toBeUndefined()
    expect(rtcpOf(mediaOf('a=rtcp:x'))).toBeUndefined()
    expect(rtcpPortOf({ ...mediaOf(), port: 0 })).toBe(0)
    expect(rtcpPortOf({ ...mediaOf(), port: 65_535 })).toBe(0)
  })

  it('RFC 5761 §5.1.1: shares the port where rtcp-mux says so', () => {
    expect(isRtcpMux(mediaOf('a=rtcp-mux'))).toBe(true)
    expect(isRtcpMux(mediaOf())).toBe(false)
  })
})

describe('codecs', () => {
  it('RFC 8866 §6.6, RFC 3551 §6: come from rtpmap and fmtp, else from the static table, in order of preference', () => {
    expect(codecsOf(mediaOf('a=rtpmap:96 opus/48000/2', 'a=fmtp:96 useinbandfec=1', 'a=rtpmap:96 again/1'))).toEqual([
      { payloadType: 0, name: 'PCMU', clockRate: 8_000, channels: 1 },
      { payloadType: 96, name: 'opus', clockRate: 48_000, channels: 2, fmtp: 'useinbandfec=1' },
      { payloadType: 13, name: 'CN', clockRate: 8_000, channels: 1 },
    ])
  })

  it('are unknown without rtpmap', () => {
    expect(codecsOf(mediaOf('a=rtpmap:96 broken'))[1]).toEqual({
      payloadType: 96,
      name: 'unknown',
      clockRate: 0,
      channels: 1,
    })
    expect(staticCodec(96)).toBeUndefined()
    expect(staticCodec(9)).toMatchObject({ name: 'G722', clockRate: 8_000 })
  })
})
