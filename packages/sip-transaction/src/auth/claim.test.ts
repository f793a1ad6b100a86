import { Credentials } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { readClaim } from './claim'

const base = {
  username: 'alice',
  realm: 'r',
  nonce: 'n',
  uri: 'sip:r',
  response: '0'.repeat(64),
  algorithm: 'SHA-256',
  qop: 'auth',
  nc: '0000000a',
  cnonce: 'c',
}

function read(changes: Readonly<Record<string, string | undefined>>) {
  const params: [string, string][] = []
  for (const [name, value] of Object.entries({ ...base, ...changes }))
    if (value !== undefined) params.push([name, value])
  return readClaim(Credentials.of({ params }), 100)
}

describe('readClaim', () => {
  it('reads credentials', () => {
    expect(read({})).toMatchObject({ username: 'alice', isHashed: false, algorithm: 'SHA-256', qop: 'auth', count: 10 })
    expect(read({ nc: 'FFFFFFFF' })).toMatchObject({ count: 0xffffffff })
    expect(read({ qop: 'AUTH-INT' })).toMatchObject({ qop: 'auth-int' })
  })

  it('RFC 7616 §3.4: username* is the name in another notation, and stands alone', () => {
    const star = "utf-8'de'J%c3%a4s%C3%B8n%20Doe"
    expect(read({ username: undefined, 'username*': star })).toMatchObject({ username: 'Jäsøn Doe' })
    expect(read({ 'username*': star })).toBe('malformed')
    expect(read({ username: undefined, 'username*': star, userhash: 'true' })).toBe('malformed')
    for (const bad of ["iso-8859-1''a", "UTF-8''%", "UTF-8''%C3", "UTF-8''a b", "UTF-8'", 'a', "UTF-8''%zz", ''])
      expect(read({ username: undefined, 'username*': bad })).toBe('malformed')
  })

  it('RFC 7616 §3.4.4: a hidden name is a hash of the length of its algorithm', () => {
    expect(read({ username: 'A'.repeat(64), userhash: 'true' })).toMatchObject({ isHashed: true })
    expect(read({ username: 'A'.repeat(32), userhash: 'true' })).toBe('malformed')
    expect(read({ username: 'alice', userhash: 'true' })).toBe('malformed')
    expect(read({ userhash: 'false' })).toMatchObject({ isHashed: false })
  })

  it('RFC 7616 §3.4.2: a session key cannot be made without cnonce, with or without qop', () => {
    const old = { qop: undefined, nc: undefined, algorithm: 'MD5-sess', response: '0'.repeat(32) }
    expect(read({ ...old, cnonce: undefined })).toBe('malformed')
    expect(read(old)).toMatchObject({ qop: undefined, count: 0 })
  })

  it('tells an algorithm that nobody knows from nonsense', () => {
    expect(read({ algorithm: 'SHA3-512' })).toBe('unsupported')
    expect(read({ algorithm: 'x'.repeat(50_000) })).toBe('unsupported')
    expect(read({ algorithm: undefined })).toBe('malformed')
    expect(read({ algorithm: undefined, response: '0'.repeat(32) })).toMatchObject({ algorithm: 'MD5' })
    expect(read({ qop: 'x'.repeat(50_000) })).toBe('malformed')
  })
})
