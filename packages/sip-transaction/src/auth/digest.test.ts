import { describe, expect, it } from 'vitest'
import {
  computeHa1,
  computeResponse,
  type DigestInput,
  digestAlgorithms,
  digestHash,
  parseDigestAlgorithm,
} from './digest'

const mufasa = { username: 'Mufasa', realm: 'http-auth@example.org', password: 'Circle of Life' }
const rfc7616 = {
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  nc: '00000001',
  qop: 'auth',
  method: 'GET',
  uri: '/dir/index.html',
} as const

function respond(input: Omit<DigestInput, 'ha1'>, { username, realm, password } = mufasa): string {
  return computeResponse({ ...input, ha1: computeHa1(digestHash(input.algorithm), username, realm, password) })
}

describe('computeResponse', () => {
  it('RFC 7616 §3.9.1: MD5 and SHA-256', () => {
    expect(respond({ ...rfc7616, algorithm: 'MD5' })).toBe('8ca523f5e9506fed4657c9700eebdbec')
    expect(respond({ ...rfc7616, algorithm: 'SHA-256' })).toBe(
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    )
  })

  it('RFC 2617 §3.5: the example that everybody knows', () => {
    const account = { username: 'Mufasa', realm: 'testrealm@host.com', password: 'Circle Of Life' }
    const nonce = 'dcd98b7102dd2f0e8b11d0f600bfb0c093'
    expect(respond({ ...rfc7616, nonce, cnonce: '0a4f113b', algorithm: 'MD5' }, account)).toBe(
      '6629fae49393a05397450978507c4ef1',
    )
  })

  it.each(digestAlgorithms)(
    '%s covers method, URI, nonce, count, cnonce, password and, with auth-int, the body',
    (algorithm) => {
      const base: Omit<DigestInput, 'ha1'> = { ...rfc7616, algorithm, qop: 'auth-int', body: Buffer.from('v=0') }
      const right = respond(base)
      expect(right).toMatch(/^[0-9a-f]+$/)
      expect(respond({ ...base })).toBe(right)
      for (const change of [
        { method: 'POST' },
        { uri: '/' },
        { nonce: 'x' },
        { nc: '00000002' },
        { cnonce: 'x' },
        { body: Buffer.from('v=1') },
        { qop: 'auth' as const },
        { qop: undefined },
      ]) {
        expect(respond({ ...base, ...change })).not.toBe(right)
      }
      expect(respond(base, { ...mufasa, password: 'circle of life' })).not.toBe(right)
    },
  )

  it('takes names and passwords as UTF-8', () => {
    expect(computeHa1('MD5', 'Jäsøn', 'r', 'påss')).toBe(computeHa1('MD5', 'J\u00e4s\u00f8n', 'r', 'p\u00e5ss'))
    expect(computeHa1('MD5', 'Jäsøn', 'r', 'påss')).not.toBe(computeHa1('MD5', 'Jason', 'r', 'pass'))
  })
})

describe('parseDigestAlgorithm', () => {
  it.each([
    [undefined, 'MD5'],
    ['md5', 'MD5'],
    ['MD5-SESS', 'MD5-sess'],
    ['sha-256', 'SHA-256'],
    ['SHA-512-256', 'SHA-512-256'],
    ['SHA-1', undefined],
    ['', undefined],
  ])('reads %j as %j', (text, algorithm) => {
    expect(parseDigestAlgorithm(text)).toBe(algorithm)
  })
})
