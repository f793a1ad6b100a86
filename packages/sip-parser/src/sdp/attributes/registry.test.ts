import { describe, expect, it } from 'vitest'
import { parseSdp } from '../parse'
import { serializeSdp } from '../serialize'
import type { SessionDescription } from '../session'
import { attributeCodecs, decodeAttribute, makeAttribute, readAttributeOf, readAttributesOf } from './registry'

const BROWSER = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=x-unknown: kept ',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
  'a=candidate:1 1 UDP 1 192.0.2.1 5000 typ host',
  'a=candidate:broken',
  'a=rtcp-fb:111 transport-cc',
  'a=X-Other',
  '',
].join('\r\n')

function parsed(): SessionDescription {
  const result = parseSdp(BROWSER)
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

describe('attribute registry', () => {
  it('has each codec under the name that it writes', () => {
    for (const [name, codec] of Object.entries(attributeCodecs)) expect(codec.name).toBe(name)
  })

  it('reads the first, or all that are well formed', () => {
    const [audio] = parsed().media
    expect(readAttributeOf(parsed(), 'group')).toEqual({ ok: true, value: { semantics: 'BUNDLE', mids: ['0'] } })
    expect(readAttributeOf(audio!, 'mid')).toBeUndefined()
    expect(readAttributesOf(audio!, 'candidate')).toHaveLength(1)
  })

  it('has nothing for names that it does not know, those of Object included', () => {
    for (const name of ['x-unknown', 'toString', '__proto__', 'constructor']) {
      expect(decodeAttribute({ name, value: 'x' })).toBeUndefined()
    }
    expect(decodeAttribute({ name: 't38maxbitrate', value: '9600' })).toEqual({ ok: true, value: 9_600 })
  })

  it('keeps unknown attributes in their order among known ones', () => {
    const sdp = parsed()
    const attributes = [...sdp.attributes, makeAttribute('ice-options', ['trickle'])]
    expect(serializeSdp({ ...sdp, attributes })).toBe(
      BROWSER.replace('a=x-unknown: kept \r\n', 'a=x-unknown: kept \r\na=ice-options:trickle\r\n'),
    )
  })
})
