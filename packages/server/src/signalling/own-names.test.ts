import { parseUri, type Uri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { dialledName, OwnNames } from './own-names'

function uri(text: string): Uri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(text)
  return result.value
}

describe('OwnNames', () => {
  const chosen = new OwnNames('phones.example.com', true, ['192.0.2.1', '::1', '0.0.0.0'])

  it('knows the domain and its own addresses, in any case', () => {
    for (const host of ['phones.example.com', 'PHONES.example.com', '192.0.2.1', '[::1]']) {
      expect(chosen.includes(uri(`sip:1001@${host}:5060`))).toBe(true)
    }
  })

  it('knows no other host, and never the wildcard', () => {
    for (const host of ['example.com', 'phones.example.com.evil.example', '192.0.2.2', '0.0.0.0']) {
      expect(chosen.includes(uri(`sip:1001@${host}`))).toBe(false)
    }
  })

  it('takes any host when nobody has chosen a domain', () => {
    expect(new OwnNames('192.0.2.1', false, []).includes(uri('sip:1001@pbx.lan'))).toBe(true)
  })

  it('takes a telephone number as its own to route, but no other kind of URI', () => {
    expect(chosen.includes(uri('tel:+15551234'))).toBe(true)
    expect(chosen.includes(uri('urn:service:sos'))).toBe(false)
  })
})

describe('dialledName', () => {
  it('is the user part, decoded once, or the number', () => {
    expect(dialledName(uri('sip:1001@example.com'))).toBe('1001')
    expect(dialledName(uri('sip:%31001@example.com'))).toBe('1001')
    expect(dialledName(uri('tel:+1-55-51'))).toBe('+15551')
    expect(dialledName(uri('sip:example.com'))).toBeUndefined()
    expect(dialledName(uri('urn:service:sos'))).toBeUndefined()
  })
})
