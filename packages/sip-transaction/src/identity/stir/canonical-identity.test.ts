import { parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { canonicalIdentity, canonicalNumber, isSameIdentity } from './canonical-identity'

function identityOf(text: string) {
  const uri = parseUri(text)
  if (!uri.ok) throw new Error(text)
  return canonicalIdentity(uri.value)
}

describe('who calls, in the form that is signed', () => {
  it.each([
    ['tel:+1-215-555-1212', { tn: '12155551212' }],
    ['sip:+12155551212@example.com', { tn: '12155551212' }],
    ['sip:+12155551212@example.com;user=phone', { tn: '12155551212' }],
    ['sip:12155551212@example.com;user=phone', { tn: '12155551212' }],
    ['sip:+12155551212;verstat=TN-Validation-Passed@example.com;user=phone', { tn: '12155551212' }],
    ['sip:*66@example.com;user=phone', { tn: '*66' }],
  ])('RFC 8224 §8.1, §8.3: %s is a number', (text, identity) => {
    expect(identityOf(text)).toEqual(identity)
  })

  it.each([
    ['sip:2001@example.com', 'sip:2001@example.com'],
    ['sip:alice@Example.COM:5060;transport=tcp?Subject=x', 'sip:alice@example.com'],
    ['sips:alice:secret@example.com:5070', 'sip:alice@example.com:5070'],
    ['sip:example.com', 'sip:example.com'],
    ['sip:+1215x@example.com', 'sip:+1215x@example.com'],
  ])('RFC 8224 §8.5: %s is the URI %s', (text, uri) => {
    expect(identityOf(text)).toEqual({ uri })
  })

  it('RFC 8224 §8.3: separators and the plus go, anything else makes it no number', () => {
    expect(['+1 (215) 555.1212', '12155551212', '', '+', '1a', '1'.repeat(65)].map(canonicalNumber)).toEqual([
      ...['12155551212', '12155551212', undefined, undefined, undefined, undefined],
    ])
  })

  it('a number and a URI are never the same', () => {
    expect(isSameIdentity({ tn: '1' }, { tn: '1' })).toBe(true)
    expect(isSameIdentity({ tn: '1' }, { uri: '1' })).toBe(false)
    expect(isSameIdentity({ uri: 'sip:a@b' }, { uri: 'sip:a@c' })).toBe(false)
  })
})
