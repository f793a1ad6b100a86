import { Challenge, createRequest, createResponse, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { answerChallenge, DigestClient, type DigestClientOptions, DigestRounds } from './client'
import { DigestVerifier } from './verifier'

const now = 1_893_456_000_000
const alice = { username: 'alice', password: 'wonderland' }

function request(uri = 'sip:bob@example.com'): SipRequest {
  return createRequest({
    method: 'MESSAGE',
    uri,
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['To', '<sip:bob@example.com>'],
      ['From', '<sip:alice@example.com>;tag=1'],
      ['Call-ID', 'c'],
      ['CSeq', '1 MESSAGE'],
    ],
  })
}

function refusal(status: 401 | 407, ...challenges: readonly (Challenge | string)[]): SipResponse {
  const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate'
  return createResponse({ status, headers: challenges.map((challenge) => [name, challenge.toString()] as const) })
}

const digest = (params: Readonly<Record<string, string>>) =>
  Challenge.of({ params: { realm: 'example.com', nonce: 'n1', qop: 'auth', ...params } })

function client(changes: Partial<DigestClientOptions> = {}): DigestClient {
  return new DigestClient({ random: new SeededRandom(1), account: alice, ...changes })
}

describe('answerChallenge', () => {
  const base = { ...alice, method: 'MESSAGE', uri: 'sip:bob@example.com', cnonce: 'c', nc: 1 }

  it('RFC 7616 §3.9.1: answers as the example does', () => {
    const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v'
    const params = {
      realm: 'http-auth@example.org',
      nonce,
      qop: 'auth, auth-int',
      opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
    }
    const both = ['MD5', 'SHA-256'].map((algorithm) => Challenge.of({ params: { ...params, algorithm } }))
    const credentials = answerChallenge(both, {
      username: 'Mufasa',
      password: 'Circle of Life',
      method: 'GET',
      uri: '/dir/index.html',
      cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      nc: 1,
    })
    expect(credentials?.response).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
    expect(credentials?.opaque).toBe(params.opaque)
    expect(credentials?.toString()).toMatch(/^Digest username="Mufasa", realm=".*", qop=auth, nc=00000001$/)
  })

  it('takes the strongest that it knows, the first among equals, and skips the rest', () => {
    const pick = (...algorithms: string[]) =>
      answerChallenge(
        algorithms.map((algorithm, i) => digest({ algorithm, nonce: `n${i}` })),
        base,
      )
    expect(pick('MD5', 'SHA-256', 'SHA-512-256', 'SHA-3')?.algorithm).toBe('SHA-512-256')
    expect(pick('SHA-256', 'SHA-256-sess')?.nonce).toBe('n0')
    expect(pick('SHA-256-sess', 'SHA-256')?.nonce).toBe('n0')
    expect(pick('SHA-1')).toBeUndefined()
  })

  it('answers with the qop it knows, or in the old way when none is offered', () => {
    expect(answerChallenge([digest({ qop: 'auth-int' })], base)?.qop).toBe('auth-int')
    expect(answerChallenge([digest({ qop: 'auth-int,auth' })], base)?.qop).toBe('auth')
    expect(answerChallenge([digest({ qop: 'auth-conf' })], base)).toBeUndefined()
    const old = answerChallenge([Challenge.of({ params: { realm: 'r', nonce: 'n' } })], base)
    expect([old?.qop, old?.nc, old?.cnonce, old?.algorithm]).toEqual([undefined, undefined, undefined, undefined])
  })

  it('passes over other schemes and challenges without realm or nonce', () => {
    expect(answerChallenge([Challenge.of({ scheme: 'Bearer', params: { realm: 'r' } })], base)).toBeUndefined()
    expect(answerChallenge([Challenge.of({ params: { realm: 'r' } })], base)).toBeUndefined()
    expect(answerChallenge([], base)).toBeUndefined()
  })
})

describe('DigestClient', () => {
  const verifier = (realm = 'example.com') =>
    new DigestVerifier({ realm, secret: new Uint8Array(32).fill(1), random: new SeededRandom(2) })

  it('gets past a verifier, and past it again unasked with the next count', () => {
    const server = verifier()
    const agent = client()
    const retry = agent.answer(request(), refusal(401, ...server.challenge('s', now)))
    if (retry === undefined) throw new Error('no answer')
    expect(server.verify(retry, 'authorization', alice, 's', now)).toMatchObject({ ok: true, algorithm: 'SHA-256' })
    for (let count = 2; count < 5; count++) {
      const next = agent.preempt(request())
      expect(next.authorizations[0]?.nc).toBe(`0000000${count}`)
      expect(server.verify(next, 'authorization', alice, 's', now).ok).toBe(true)
    }
  })

  it('RFC 3261 §22.3: a fork goes on with the realms it met, wherever its later requests go', () => {
    const agent = client()
    const call = agent.fork()
    call.answer(request(), refusal(407, digest({})))
    const inDialog = request('sip:bob@192.0.2.77')
    expect(call.preempt(inDialog).proxyAuthorizations[0]).toMatchObject({ nonce: 'n1', nc: '00000002' })
    expect(agent.preempt(inDialog)).toBe(inDialog)
    expect(agent.fork().preempt(inDialog)).toBe(inDialog)
    expect(agent.fork().preempt(request()).proxyAuthorizations[0]?.nc).toBe('00000003')
  })

  it('RFC 3261 §22.3: credentials of a proxy go with whatever goes to that proxy first', () => {
    const agent = client()
    const through = (uri: string) => request(uri).edit().append('Route', '<sip:Proxy.example.org;lr>').build()
    agent.answer(through('sip:bob@example.com'), refusal(407, digest({})))
    expect(agent.preempt(through('sip:carol@example.net')).proxyAuthorizations).toHaveLength(1)
    expect(agent.preempt(request()).proxyAuthorizations).toHaveLength(0)
  })

  it('RFC 8760 §2.4: is not talked down to a weaker algorithm than its realm has asked for before', () => {
    const agent = client()
    agent.answer(request(), refusal(401, digest({ algorithm: 'SHA-256' }), digest({})))
    expect(agent.answer(request(), refusal(401, digest({ nonce: 'n2' })))).toBeUndefined()
    expect(agent.answer(request(), refusal(401, digest({ nonce: 'n2', algorithm: 'SHA-512-256' })))).toBeDefined()
    expect(agent.answer(request(), refusal(401, digest({ nonce: 'n3', algorithm: 'SHA-256' })))).toBeUndefined()
    expect(agent.answer(request(), refusal(401, digest({ realm: 'other' })))).toBeDefined()
  })

  it('never answers with less than its account allows', () => {
    const agent = client({ account: { ...alice, weakest: 'SHA-256' } })
    expect(agent.answer(request(), refusal(401, digest({}), digest({ algorithm: 'MD5-sess' })))).toBeUndefined()
    const retry = agent.answer(request(), refusal(401, digest({}), digest({ algorithm: 'SHA-256' })))
    expect(retry?.authorizations[0]?.algorithm).toBe('SHA-256')
  })

  it('protects the body where its account wants it and the server offers it', () => {
    const agent = client({ account: { ...alice, integrity: true } })
    const qopOf = (qop: string) => agent.answer(request(), refusal(401, digest({ qop })))?.authorizations[0]?.qop
    expect([qopOf('auth'), qopOf('auth,auth-int'), qopOf('AUTH-INT, x'), qopOf('x')]).toEqual([
      'auth',
      'auth-int',
      'auth-int',
      undefined,
    ])
  })

  it('answers what it can when other challenges are malformed, huge, unknown or of realms without an account', () => {
    const picky = client({ account: (realm) => (realm === 'example.com' ? alice : undefined) })
    const response = refusal(
      401,
      'Digest realm="example.com", realm="b"',
      'Digest',
      'Negotiate abcdef==',
      digest({ algorithm: 'SHA-3' }),
      digest({ algorithm: 'SHA-512-256', nonce: 'x'.repeat(5_000) }),
      digest({ realm: 'elsewhere', algorithm: 'SHA-256' }),
      digest({ algorithm: 'sha-256', nonce: 'good' }),
    )
    const retry = picky.answer(request(), response)
    expect(retry?.authorizations.map(({ realm, nonce }) => [realm, nonce])).toEqual([['example.com', 'good']])
  })

  it('a response with a thousand realms gets a bounded number of answers', () => {
    const realms = Array.from({ length: 200 }, (_, i) => digest({ realm: `r${i}` }))
    expect(client().answer(request(), refusal(401, ...realms))?.authorizations).toHaveLength(8)
  })

  it('counts a refusal as one only for the realm that was answered for this very request', () => {
    const agent = client()
    agent.answer(request(), refusal(401, digest({ realm: 'user' })))
    const rounds = new DigestRounds()
    const unasked = agent.preempt(request())
    const both = agent.answer(unasked, refusal(407, digest({ realm: 'proxy' })), rounds)!
    expect(both.authorizations).toHaveLength(1)
    const third = agent.answer(both, refusal(401, digest({ realm: 'user', nonce: 'n2' })), rounds)!
    expect(third.authorizations[0]?.nonce).toBe('n2')
    expect(agent.answer(third, refusal(401, digest({ realm: 'user', nonce: 'n3' })), rounds)).toBeUndefined()
  })

  it('RFC 7616 §3.4.2: a session has one cnonce, everything else a new one each time', () => {
    for (const [algorithm, cnonces] of [
      ['MD5', 3],
      ['MD5-sess', 1],
    ] as const) {
      const agent = client()
      const sent = [agent.answer(request(), refusal(401, digest({ algorithm })))!]
      sent.push(agent.preempt(request()), agent.preempt(request()))
      expect(new Set(sent.map(({ authorizations }) => authorizations[0]?.cnonce)).size).toBe(cnonces)
    }
  })

  it('RFC 7616 §3.4: writes any name so that it can be read, and no name can add a header', () => {
    const named = (username: string, params: Readonly<Record<string, string>> = {}) =>
      client({ account: { ...alice, username } }).answer(request(), refusal(401, digest(params)))!
    expect(named('a"b\\c').authorizations[0]?.username).toBe('a"b\\c')
    expect(named('Jäsøn').authorizations[0]?.username).toBe('Jäsøn')
    expect(named('Jäsøn', { charset: 'utf-8' }).get('Authorization')).toContain("username*=UTF-8''J%C3%A4s%C3%B8n,")
    const evil = named('x\r\nRoute: <sip:evil>')
    expect(evil.has('Route')).toBe(false)
    expect(evil.authorizations[0]?.params.get('username*')).toBe("UTF-8''x%0D%0ARoute%3A%20%3Csip%3Aevil%3E")
  })

  it('does not offer credentials to another host', () => {
    const agent = client()
    agent.answer(request(), refusal(401, digest({})))
    const other = request('sip:bob@example.net')
    expect(agent.preempt(other)).toBe(other)
  })

  it('gives up when its password is refused, and does not offer it again', () => {
    const agent = client()
    const rounds = new DigestRounds()
    const first = agent.answer(request(), refusal(401, digest({})), rounds)
    if (first === undefined) throw new Error('no answer')
    expect(agent.answer(first, refusal(401, digest({ nonce: 'n2' })), rounds)).toBeUndefined()
    const next = request()
    expect(agent.preempt(next)).toBe(next)
  })

  it('answers a stale challenge with the new nonce, and not for ever', () => {
    const agent = client()
    const rounds = new DigestRounds()
    let current = agent.answer(request(), refusal(401, digest({})), rounds)
    let sent = 1
    while (current !== undefined && sent < 100) {
      expect(current.authorizations).toHaveLength(1)
      sent += 1
      current = agent.answer(current, refusal(401, digest({ nonce: `n${sent}`, stale: 'true' })), rounds)
    }
    expect(sent).toBe(5)
  })

  it('a server that calls its own fresh nonce stale is not believed', () => {
    const agent = client()
    const rounds = new DigestRounds()
    const first = agent.answer(request(), refusal(401, digest({})), rounds)
    if (first === undefined) throw new Error('no answer')
    expect(agent.answer(first, refusal(401, digest({ stale: 'true' })), rounds)).toBeUndefined()
  })

  it('credentials sent unasked may fail once for a nonce that the server has forgotten', () => {
    const agent = client()
    agent.answer(request(), refusal(401, digest({})))
    const unasked = agent.preempt(request())
    const retry = agent.answer(unasked, refusal(401, digest({ nonce: 'n2' })))
    expect(retry?.authorizations[0]?.nonce).toBe('n2')
  })

  it('RFC 3261 §22.3: answers proxies and the server in turn, each with counts of its own', () => {
    const agent = client({ account: (realm) => ({ username: `alice@${realm}`, password: realm }) })
    const rounds = new DigestRounds()
    const one = agent.answer(request(), refusal(407, digest({ realm: 'one' })), rounds)
    if (one === undefined) throw new Error('no answer')
    const two = agent.answer(one, refusal(407, digest({ realm: 'two' })), rounds)
    if (two === undefined) throw new Error('no answer')
    const three = agent.answer(two, refusal(401, digest({ realm: 'three' })), rounds)
    expect(three?.proxyAuthorizations.map(({ realm, nc }) => [realm, nc]).sort()).toEqual([
      ['one', '00000003'],
      ['two', '00000002'],
    ])
    expect(three?.authorizations.map(({ realm, username }) => [realm, username])).toEqual([['three', 'alice@three']])
  })

  it('a forking proxy may pass on several challenges in one response', () => {
    const both = createResponse({
      status: 401,
      headers: [
        ['WWW-Authenticate', digest({ realm: 'a' }).toString()],
        ['WWW-Authenticate', digest({ realm: 'b' }).toString()],
        ['Proxy-Authenticate', digest({ realm: 'p' }).toString()],
      ],
    })
    const retry = client().answer(request(), both)
    expect(retry?.authorizations.map(({ realm }) => realm).sort()).toEqual(['a', 'b'])
    expect(retry?.proxyAuthorizations.map(({ realm }) => realm)).toEqual(['p'])
  })

  it('does not answer for a realm without an account, nor what it cannot read', () => {
    const picky = client({ account: (realm) => (realm === 'home' ? alice : undefined) })
    expect(picky.answer(request(), refusal(401, digest({ realm: 'elsewhere' })))).toBeUndefined()
    expect(client().answer(request(), createResponse({ status: 401, headers: [] }))).toBeUndefined()
    expect(client().answer(request(), refusal(401, 'Digest realm="a", realm="b"'))).toBeUndefined()
    expect(client().answer(request(), refusal(401, 'Basic realm="a"'))).toBeUndefined()
  })

  it('keeps a bounded number of realms, and can forget them', () => {
    const agent = client()
    for (let i = 0; i < 100; i++) agent.answer(request(), refusal(401, digest({ realm: `r${i}` })))
    expect(agent.preempt(request()).authorizations.length).toBeLessThanOrEqual(16)
    agent.clear()
    expect(agent.preempt(request()).authorizations).toEqual([])
  })
})
