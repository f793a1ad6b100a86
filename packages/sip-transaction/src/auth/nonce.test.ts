import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NonceAuthority } from './nonce'

const secret = new Uint8Array(32).fill(7)
const salt = Uint8Array.of(1, 2, 3, 4, 5, 6)
const now = 1_893_456_000_000

describe('NonceAuthority', () => {
  const authority = new NonceAuthority(secret, 60_000)
  const nonce = authority.issue('192.0.2.1', now, salt)

  it('recognises its nonce for the source it was made for, until its lifetime ends', () => {
    expect(authority.check(nonce, '192.0.2.1', now)).toMatchObject({ kind: 'good', issuedMs: now })
    expect(authority.check(nonce, '192.0.2.1', now + 60_000)).toMatchObject({ kind: 'good', issuedMs: now })
    expect(authority.check(nonce, '192.0.2.1', now + 60_001)).toEqual({ kind: 'expired' })
    expect(authority.check(nonce, '192.0.2.2', now)).toEqual({ kind: 'foreign' })
  })

  it('is recognised by another server with the same secret, and by none with another', () => {
    expect(new NonceAuthority(secret, 60_000).check(nonce, '192.0.2.1', now).kind).toBe('good')
    expect(new NonceAuthority(new Uint8Array(32).fill(8), 60_000).check(nonce, '192.0.2.1', now).kind).toBe('foreign')
  })

  it('bears clocks that differ by seconds, not by minutes', () => {
    expect(authority.check(nonce, '192.0.2.1', now - 4_000).kind).toBe('good')
    expect(authority.check(nonce, '192.0.2.1', now - 60_000).kind).toBe('expired')
  })

  it('no two are alike when the salt differs', () => {
    expect(authority.issue('192.0.2.1', now, Uint8Array.of(6, 5, 4, 3, 2, 1))).not.toBe(nonce)
  })

  it('RFC 2104: is an HMAC, whatever the length of secret and source', () => {
    for (const length of [16, 63, 64, 65, 200]) {
      const key = Buffer.alloc(length, length)
      const own = new NonceAuthority(key, 60_000)
      for (const source of ['192.0.2.1', '', 'ä'.repeat(300), 'x'.repeat(40), '2001:db8::1']) {
        const bytes = Buffer.from(own.issue(source, now, salt), 'base64url')
        const mac = createHmac('sha256', key).update(bytes.subarray(0, 12)).update(source).digest()
        expect(bytes.subarray(12)).toEqual(mac.subarray(0, 16))
        expect(own.check(bytes.toString('base64url'), source, now).kind).toBe('good')
        expect(own.check(bytes.toString('base64url'), `${source}x`, now).kind).toBe('foreign')
      }
    }
  })

  it('a secret that changes afterwards changes nothing', () => {
    const own = Uint8Array.from(secret)
    const other = new NonceAuthority(own, 60_000)
    own.fill(0)
    expect(other.check(nonce, '192.0.2.1', now).kind).toBe('good')
  })

  it('refuses every change of a single character, and every length', () => {
    for (let i = 0; i < nonce.length; i++) {
      const other = nonce[i] === 'A' ? 'B' : 'A'
      const changed = nonce.slice(0, i) + other + nonce.slice(i + 1)
      expect(authority.check(changed, '192.0.2.1', now).kind).toBe('foreign')
      expect(authority.check(nonce.slice(0, i), '192.0.2.1', now).kind).toBe('foreign')
    }
    expect(authority.check(`${nonce}A`, '192.0.2.1', now).kind).toBe('foreign')
    expect(authority.check('é'.repeat(nonce.length), '192.0.2.1', now).kind).toBe('foreign')
    expect(authority.check('x'.repeat(1_000_000), '192.0.2.1', now).kind).toBe('foreign')
  })
})
