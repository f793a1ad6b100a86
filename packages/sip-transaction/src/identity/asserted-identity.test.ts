import { parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { AssertedIdentity } from './asserted-identity'
import { invite } from './fixtures/messages'

const uri = (text: string) => {
  const read = parseUri(text)
  if (!read.ok) throw new Error(text)
  return read.value
}

const read = (...lines: string[]) =>
  AssertedIdentity.read(invite(lines.map((line) => `P-Asserted-Identity: ${line}`)), 'P-Asserted-Identity')

describe('an asserted identity', () => {
  it('RFC 3325 §9.1: is a SIP URI, a tel URI, or one of each, on one line or on two', () => {
    const both = read('"Cullen Jennings" <sip:fluffy@cisco.com>', 'tel:+14085264000')
    expect(both?.sip?.uri.toString()).toBe('sip:fluffy@cisco.com')
    expect(both?.tel?.uri.toString()).toBe('tel:+14085264000')
    expect(both?.displayName).toBe('Cullen Jennings')
    expect(both?.uri.toString()).toBe('sip:fluffy@cisco.com')
    expect(read('tel:+1408, <sips:a@b>')?.toString()).toBe('<sips:a@b>, <tel:+1408>')
  })

  it('has a number where its tel URI is one, or its SIP user', () => {
    expect(read('<tel:+1-408-526-4000>')?.number?.digits).toBe('+14085264000')
    expect(read('<sip:+14085264000@cisco.com;user=phone>')?.number?.digits).toBe('+14085264000')
    expect(read('<sip:fluffy@cisco.com>')?.number).toBeUndefined()
  })

  it('RFC 5876 §4.5: of several of one kind the first counts, and other schemes do not', () => {
    const identity = read('<sip:a@b>, <sips:c@d>', '<tel:+1>, <tel:+2>, <mailto:x@y>')
    expect(identity?.toString()).toBe('<sip:a@b>, <tel:+1>')
    expect(read('<mailto:x@y>')).toBeUndefined()
  })

  it.each(['', '<>', 'sip:a@b, <', '"a" sip:b@c', '<sip:a@b', '<sip:a@b>, ,<tel:+1>', `<sip:${'x'.repeat(30_000)}`])(
    'is not believed where a value is malformed: %.30s',
    (value) => {
      expect(read(value)).toBeUndefined()
    },
  )

  it('RFC 3325 §9.1: is made of one or two URIs of different kinds, and written on a line each', () => {
    const identity = AssertedIdentity.of(uri('tel:+1'), uri('sip:a@b'))
    expect(identity.lines()).toEqual([
      ['P-Asserted-Identity', '<sip:a@b>'],
      ['P-Asserted-Identity', '<tel:+1>'],
    ])
    for (const wrong of [[], ['sip:a@b', 'sips:a@b'], ['mailto:a@b'], ['tel:+1', 'tel:+2']]) {
      expect(() => AssertedIdentity.of(...wrong.map(uri))).toThrow(
        expect.objectContaining({ code: 'IDENTITY_INVALID' }),
      )
    }
  })
})
