import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { OpaqueUri } from './opaque-uri'
import { parseUri } from './parse-uri'

function opaque(text: string): OpaqueUri {
  const result = parseUri(text)
  if (!result.ok || !(result.value instanceof OpaqueUri)) throw new Error(`${text} is not opaque`)
  return result.value
}

describe('URIs that are only carried', () => {
  it('RFC 8141 §2: a URN has a namespace and a name', () => {
    expect(opaque('URN:Example:a/b%2F:c?+r?=q#f').urn).toEqual({ nid: 'example', nss: 'a/b%2F:c' })
    expect(opaque('urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6').urn?.nid).toBe('uuid')
    for (const text of ['urn:x:y', 'urn:-ab:c', 'urn:ab-:c', 'urn:abc', 'urn:ab:', `urn:${'a'.repeat(33)}:b`, 'im:a@b'])
      expect(opaque(text).urn, text).toBeUndefined()
  })

  it.each([
    ['urn:example:a123,z456', 'URN:EXAMPLE:a123,z456', true],
    ['urn:example:a123,z456', 'urn:example:a123,z456?+abc', true],
    ['urn:example:a123,z456', 'urn:example:a123,z456?=xyz', true],
    ['urn:example:a123,z456', 'urn:example:a123,z456#789', true],
    ['urn:example:a123%2Cz456', 'URN:EXAMPLE:a123%2cz456', true],
    ['urn:example:a123,z456', 'urn:example:a123%2Cz456', false],
    ['urn:example:a123,z456', 'urn:example:A123,z456', false],
    ['urn:example:a123,z456', 'urn:example:a123,z456/foo', false],
    ['urn:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', true],
    ['urn:service:sos.fire', 'urn:service:SOS.Fire', true],
    ['urn:uuid:1', 'urn:example:1', false],
    ['http://Example.com/A', 'HTTP://example.COM/A', true],
    ['http://example.com/a', 'http://example.com/A', false],
    ['http://u@example.com/', 'http://U@example.com/', false],
    ['http://a/%2f', 'http://a/%2F', true],
    ['https://a/', 'http://a/', false],
    ['nobodyKnows:This', 'NOBODYKNOWS:This', true],
    ['nobodyKnows:This', 'nobodyKnows:this', false],
  ])('%s and %s: %s', (one, other, isEqual) => {
    expect(opaque(one).equals(opaque(other))).toBe(isEqual)
    expect(opaque(other).equals(opaque(one))).toBe(isEqual)
    expect(opaque(one).normalised().toString() === opaque(other).normalised().toString()).toBe(isEqual)
  })

  it('hide a password in JSON', () => {
    expect(JSON.stringify(opaque('ftp://u:secret@example.com/a@b:c'))).toBe('"ftp://u:***@example.com/a@b:c"')
    expect(opaque('http://example.com:80/x@y').toJSON()).toBe('http://example.com:80/x@y')
    expect(opaque('im:alice@example.com').toJSON()).toBe('im:alice@example.com')
  })

  it('are made from text that a URI may hold', () => {
    expect(OpaqueUri.of('HTTP://example.com/a').scheme).toBe('http')
    for (const text of [
      '',
      'a',
      'a:',
      '1a:b',
      'a:b c',
      'a:b\r\nX: y',
      'a:<b>',
      'a:ä',
      'a:\u{1f600}',
      'sip:a@b',
      'tel:+1',
    ])
      expect(() => OpaqueUri.of(text), text).toThrow(SipUsageError)
  })
})
