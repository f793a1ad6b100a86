import { describe, expect, it } from 'vitest'
import { NonceAuthority } from './nonce'

const secret = new Uint8Array(32).fill(7)
const salt = Uint8Array.of(1, 2, 3, 4, 5, 6)
const now = 1_893_456_000_000

describe('NonceAuthority', () => {
  const authority = new NonceAuthority(secret, 60_000)
  const nonce = authority.issue('192.0.2.1', now, salt)

  it('recognises its nonce for the source it was made for, until its lifetime ends', () => {
    expect(authority.check(nonce, '192.0.2.1', now)).toEqual({ kind: 'good', issuedMs: now })
    expect(authority.check(nonce, '192.0.2.1', now + 60_000)).toEqual({ kind: 'good', issuedMs: now })
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
