import { Challenge, createRequest, createResponse, type HeaderInit } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { DigestClient } from './client'
import { computeHa1, computeResponse, type DigestAlgorithm } from './digest'

const alice = { username: 'alice', password: 'wonderland' }

function start(params: Readonly<Record<string, string>> = {}, realms: readonly string[] = ['r']) {
  const client = new DigestClient({ random: new SeededRandom(1), account: alice })
  const request = createRequest({ method: 'REGISTER', uri: 'sip:r', headers: [['CSeq', '1 REGISTER']] })
  const challenges = realms.map((realm): HeaderInit => {
    return [
      'Proxy-Authenticate',
      Challenge.of({ params: { realm, nonce: `n-${realm}`, qop: 'auth', ...params } }).toString(),
    ]
  })
  const sent = client.answer(request, createResponse({ status: 407, headers: challenges }))!
  const told = (...values: string[]) =>
    client.learn(
      sent,
      createResponse({ status: 200, headers: values.map((value) => ['Proxy-Authentication-Info', value] as const) }),
    )
  const next = () => client.preempt(request).proxyAuthorizations
  return { client, sent, told, next }
}

function proof(sent: ReturnType<typeof start>['sent'], index = 0, algorithm: DigestAlgorithm = 'MD5'): string {
  const { realm = '', nonce = '', cnonce = '', nc = '', uri = '' } = sent.proxyAuthorizations[index]!
  const ha1 = computeHa1('MD5', 'alice', realm, 'wonderland')
  const rspauth = computeResponse({ algorithm, ha1, nonce, cnonce, nc, qop: 'auth', method: '', uri })
  return `qop=auth, rspauth="${rspauth}", cnonce="${cnonce}", nc=${nc}`
}

describe('what a server says of itself', () => {
  it('RFC 7616 §3.5: proves that it knows the password, with every parameter or with few', () => {
    const { sent, told } = start()
    expect(told(proof(sent))).toBe('verified')
    expect(told(proof(sent).replace(/, cnonce.*/, ''))).toBe('verified')
    expect(told(proof(sent).replace('qop=auth, ', ''))).toBe('verified')
    expect(told()).toBe('absent')
    expect(told('nextnonce="x"')).toBe('absent')
  })

  it('a proof that is none is found, and no nonce is taken from it', () => {
    const { sent, told, next } = start()
    const good = proof(sent)
    const bad = [
      good.replace(/rspauth="./, 'rspauth="g'),
      good.replace(/rspauth="[^"]*"/, `rspauth="${'0'.repeat(32)}"`),
      good.replace(/rspauth="[^"]*"/, 'rspauth=""'),
      good.replace(/cnonce="[^"]*"/, 'cnonce="mine"'),
      good.replace(/nc=.*/, 'nc=00000002'),
      good.replace('qop=auth', 'qop=auth-int'),
      good.replace('qop=auth', 'qop=none'),
    ]
    for (const value of bad) expect(told(`${value}, nextnonce="evil"`), value).toBe('wrong')
    expect(next()[0]?.nonce).toBe('n-r')
  })

  it('a nextnonce is used from the next request on, counted from one', () => {
    const { told, next } = start()
    told('nextnonce="n2"')
    expect(next()[0]).toMatchObject({ nonce: 'n2', nc: '00000001' })
    // A late answer to what was sent with the nonce before changes nothing.
    told('nextnonce="n3"')
    expect(next()[0]).toMatchObject({ nonce: 'n2', nc: '00000002' })
  })

  it('a nextnonce that is nothing or too much is left alone, and so is what cannot be read', () => {
    const { told, next } = start()
    for (const value of ['nextnonce=""', `nextnonce="${'x'.repeat(2_000)}"`, 'nextnonce', '', 'a=1, a=2'])
      expect(told(value)).toBe('absent')
    expect(next()[0]?.nonce).toBe('n-r')
  })

  it('RFC 7615 §4: of several proxies each is known by its cnonce', () => {
    const { sent, told, next } = start({}, ['a', 'b'])
    expect(told(`${proof(sent, 1)}, nextnonce="b2"`, `${proof(sent, 0)}, nextnonce="a2"`)).toBe('verified')
    expect(next().map(({ realm, nonce }) => [realm, nonce])).toEqual([
      ['a', 'a2'],
      ['b', 'b2'],
    ])
    // Nobody can tell whom this is from.
    expect(told('nextnonce="x"')).toBe('absent')
  })

  it('RFC 7616 §3.4.2: a session keeps the key of its first nonce and its cnonce', () => {
    const { sent, told, next } = start({ algorithm: 'MD5-sess' })
    expect(told(`${proof(sent, 0, 'MD5-sess')}, nextnonce="n2"`)).toBe('verified')
    const [second] = next()
    const { cnonce, nc } = sent.proxyAuthorizations[0]!
    expect(second).toMatchObject({ nonce: 'n2', nc: '00000001', cnonce })
    const ha1 = computeHa1('MD5', 'alice', 'r', 'wonderland')
    const common = { algorithm: 'MD5-sess', ha1, cnonce, nc, qop: 'auth', method: 'REGISTER', uri: 'sip:r' } as const
    expect(second?.response).toBe(computeResponse({ ...common, nonce: 'n2', sessionNonce: 'n-r' }))
  })
})
