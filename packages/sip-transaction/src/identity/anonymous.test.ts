import { parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { anonymousAddress, anonymousCall, isAnonymous } from './anonymous'

const uri = (text: string) => {
  const read = parseUri(text)
  if (!read.ok) throw new Error(text)
  return read.value
}

describe('an anonymous call', () => {
  it('RFC 3323 §4.1.1.3: comes from nobody, and RFC 3325 §9.3: asks the network to tell nobody', () => {
    const { from, headers } = anonymousCall()
    expect(from.toString()).toBe('"Anonymous" <sip:anonymous@anonymous.invalid>')
    expect(headers).toEqual([['Privacy', 'id']])
  })

  it('RFC 3323 §4.3: what is critical requires it of the proxies on the way', () => {
    expect(anonymousCall({ levels: ['user', 'header'], critical: true }).headers).toEqual([
      ['Privacy', 'user;header;critical'],
      ['Proxy-Require', 'privacy'],
    ])
  })

  it('RFC 3325 §6: tells the network which of its identities it is', () => {
    expect(anonymousCall({ preferred: uri('tel:+14085264000') }).headers).toContainEqual([
      'P-Preferred-Identity',
      '<tel:+14085264000>',
    ])
  })

  it('is told by its host, whoever it says to be', () => {
    expect(isAnonymous(anonymousAddress.uri)).toBe(true)
    expect(isAnonymous(uri('sip:+1408@anonymous.invalid;user=phone'))).toBe(true)
    expect(isAnonymous(uri('sip:anonymous@example.com'))).toBe(false)
    expect(isAnonymous(uri('tel:+1408'))).toBe(false)
  })
})
