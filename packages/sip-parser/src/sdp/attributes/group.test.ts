import { describe, expect, it } from 'vitest'
import { parseSdp } from '../parse'
import { bundlesOf, groupCodec, midCodec } from './group'

describe('mid and group', () => {
  it.each([
    ['0', '0'],
    ['audio-1', 'audio-1'],
  ])('RFC 5888 §4: reads and writes %j', (text, value) => {
    expect(midCodec.decode(text)).toEqual({ ok: true, value })
    expect(midCodec.encode(value as never)).toEqual({ name: midCodec.name, value: text })
  })

  it.each([
    ['', 'SDP_MID_INVALID', 0],
    ['a b', 'SDP_MID_INVALID', 2],
  ])('RFC 5888 §4: refuses %j with %s', (text, code, offset) => {
    const result = midCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([
    ['BUNDLE 0 1', { semantics: 'BUNDLE', mids: ['0', '1'] }],
    ['LS', { semantics: 'LS', mids: [] }],
  ])('RFC 5888 §5: reads and writes %j', (text, value) => {
    expect(groupCodec.decode(text)).toEqual({ ok: true, value })
    expect(groupCodec.encode(value as never)).toEqual({ name: groupCodec.name, value: text })
  })

  it.each([
    ['', 'SDP_GROUP_INVALID', 0],
    ['LS a,(b', 'SDP_GROUP_INVALID', 4],
  ])('RFC 5888 §5: refuses %j with %s', (text, code, offset) => {
    const result = groupCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('RFC 9143: media of a bundle by their place', () => {
    const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 'a=group:BUNDLE b x a', 'a=group:LS a b', 'm=audio 1 RTP/AVP 0']
    const result = parseSdp([...lines, 'a=mid:a', 'm=video 2 RTP/AVP 31', 'a=mid:b', ''].join('\r\n'))
    expect(result.ok && bundlesOf(result.value)).toEqual([[1, 0]])
  })
})
