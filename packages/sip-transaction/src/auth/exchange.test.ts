/** Client against server, for everything that the two can agree on (RFC 7616 §3). */
import { createRequest, createResponse, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { DigestClient, DigestRounds } from './client'
import { computeHa1, computeUserhash, type DigestAlgorithm, digestAlgorithms, digestHash } from './digest'
import { DigestVerifier } from './verifier'
import type { CredentialsHeader, DigestSecret, DigestVerifierOptions } from './verifier-options'

const now = 1_893_456_000_000
const source = '2001:db8::1'
const multipart =
  '--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhé\0\r\n--b--\r\n'
const bodies = { empty: '', sdp: 'v=0\r\n', multipart } as const
const accounts = [
  { username: 'alice', password: 'wonderland' },
  { username: 'a"l\\i ce', password: 'p:"\\' },
  { username: 'Jäsøn Doe', password: 'Secret, or n\u00f6t?' },
  { username: 'Ja\u0308so\u0308n', password: 'e\u0301' },
]

/** A server with one user, and the path of requests to it. */
class World {
  readonly verifier: DigestVerifier
  private cseq = 0

  constructor(
    readonly random: SeededRandom,
    readonly header: CredentialsHeader,
    readonly body: string,
    readonly secret: DigestSecret & { readonly username: string },
    options: Partial<DigestVerifierOptions>,
  ) {
    const key = new Uint8Array(32).fill(3)
    this.verifier = new DigestVerifier({ realm: 'ex"ample', secret: key, random, ...options })
  }

  request(): SipRequest {
    this.cseq += 1
    const { body } = this
    return createRequest({
      method: 'MESSAGE',
      uri: 'sip:b%20b@example.com;transport=udp',
      headers: [
        ['Via', `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${this.cseq}`],
        ['To', '<sip:bob@example.com>'],
        ['From', '<sip:alice@example.com>;tag=1'],
        ['Call-ID', 'c'],
        ['CSeq', `${this.cseq} MESSAGE`],
      ],
      ...(body === '' ? {} : { body, contentType: 'multipart/mixed;boundary=b' }),
    })
  }

  /** What the server answers; the response has a body of its own. */
  serve(request: SipRequest, wallMs = now): SipResponse {
    const { header, verifier } = this
    const [status, challengeName, infoName] =
      header === 'authorization'
        ? ([401, 'WWW-Authenticate', 'Authentication-Info'] as const)
        : ([407, 'Proxy-Authenticate', 'Proxy-Authentication-Info'] as const)
    const identity = verifier.identityOf(request, header)
    const verdict = verifier.verify(request, header, this.find(identity), source, wallMs)
    if (!verdict.ok) {
      const stale = verdict.reason === 'stale' || verdict.reason === 'replayed'
      const challenges = verifier.challengeValues(source, wallMs, { stale })
      return createResponse({ status, headers: challenges.map((value) => [challengeName, value] as const) })
    }
    expect(verdict.username).toBe(this.secret.username.normalize('NFC'))
    const body = Buffer.from('done\r\n')
    const value = verifier.info(verdict.proof, source, wallMs, body)
    return createResponse({
      status: 200,
      headers: value === undefined ? [] : [[infoName, value]],
      body,
      contentType: 'a/b',
    })
  }

  private find(identity: ReturnType<DigestVerifier['identityOf']>): DigestSecret | undefined {
    const username = this.secret.username.normalize('NFC')
    if (identity === undefined) return undefined
    const { userhash } = identity
    const wanted = userhash === undefined ? username : computeUserhash(userhash, username, this.verifier.realm)
    return identity.username === wanted ? { ...this.secret, username } : undefined
  }
}

const combinations: [DigestAlgorithm, 'auth' | 'auth-int', boolean, keyof typeof bodies, CredentialsHeader][] = []
for (const algorithm of digestAlgorithms)
  for (const qop of ['auth', 'auth-int'] as const)
    for (const userhash of [false, true])
      for (const body of ['empty', 'sdp', 'multipart'] as const)
        for (const header of ['authorization', 'proxy-authorization'] as const)
          combinations.push([algorithm, qop, userhash, body, header])

describe('client and server', () => {
  it.each(combinations)('agree with %s, %s, userhash %s, body %s, %s', (algorithm, qop, userhash, body, header) => {
    for (const [i, account] of accounts.entries()) {
      const random = new SeededRandom(i + 1)
      // Composed and decomposed names are the same user only where both sides normalise.
      const options = { algorithms: [algorithm], qop: [qop], userhash, charset: true, nextNonce: 'always' } as const
      const isStored = i % 2 === 0
      const { username, password } = account
      const ha1 = computeHa1(digestHash(algorithm), username.normalize('NFC'), 'ex"ample', password.normalize('NFC'))
      const secret = isStored ? { username, ha1: { [digestHash(algorithm)]: ha1 } } : account
      const world = new World(random, header, bodies[body], { ...secret, username }, options)
      const client = new DigestClient({ random, account })
      const first = world.request()
      const challenge = world.serve(first)
      expect(challenge.status).toBeGreaterThan(400)
      let sent = client.answer(first, challenge)
      for (let round = 0; round < 4; round += 1) {
        if (sent === undefined) throw new Error('the client gave up')
        const response = world.serve(sent)
        expect(response.status, `round ${round} of ${username}`).toBe(200)
        expect(client.learn(sent, response)).toBe('verified')
        const values = header === 'authorization' ? sent.authorizations : sent.proxyAuthorizations
        // A session keeps its nonce, everybody else takes the next one.
        expect(values[0]?.nc).toBe(algorithm.endsWith('-sess') ? `0000000${round + 1}` : '00000001')
        expect(values[0]?.userhash).toBe(userhash)
        if (userhash) expect(values[0]?.username).toMatch(/^[0-9a-f]{32,64}$/)
        sent = client.preempt(world.request())
      }
    }
  })

  it.each(combinations.filter(([, , userhash]) => !userhash))(
    'a wrong password, method, URI or protected body is found with %s, %s, userhash %s, body %s, %s',
    (algorithm, qop, userhash, body, header) => {
      const random = new SeededRandom(9)
      const secret = { username: 'alice', password: 'wonderland' }
      const world = new World(random, header, bodies[body], secret, { algorithms: [algorithm], qop: [qop], userhash })
      const wrong = new DigestClient({ random, account: { username: 'alice', password: 'Wonderland' } })
      const rounds = new DigestRounds()
      const guess = wrong.answer(world.request(), world.serve(world.request()), rounds)!
      expect(wrong.answer(guess, world.serve(guess), rounds)).toBeUndefined()
      const client = new DigestClient({ random, account: secret })
      const right = () => client.answer(world.request(), world.serve(world.request()))!
      const isProtected = qop === 'auth-int'
      const changed = right().edit().setBody('other', 'text/plain').build()
      expect(world.serve(changed).status === 200).toBe(!isProtected)
      const headers = [...right().headers()].filter(({ name }) => !name.startsWith('Content'))
      const other = (method: string, uri: string) =>
        createRequest({ method, uri, headers: headers.map(({ name, value }) => [name, value]), body: bodies[body] })
      expect(world.serve(other('MESSAGE', 'sip:b%20b@example.com')).status).toBe(200)
      expect(world.serve(other('MESSAGE', 'sip:carol@example.com')).status).toBeGreaterThan(400)
      expect(world.serve(other('INFO', 'sip:b%20b@example.com')).status).toBeGreaterThan(400)
    },
  )

  it('RFC 7616 §3.3: an old nonce costs one more round, and no question to the user', () => {
    const random = new SeededRandom(4)
    const account = { username: 'alice', password: 'wonderland' }
    const world = new World(random, 'authorization', '', account, { nonceLifetimeMs: 1_000, nextNonce: 'never' })
    const client = new DigestClient({ random, account })
    const first = client.answer(world.request(), world.serve(world.request()))!
    expect(world.serve(first).status).toBe(200)
    const rounds = new DigestRounds()
    const late = client.preempt(world.request())
    const refusal = world.serve(late, now + 5_000)
    expect(refusal.wwwAuthenticate.every(({ stale }) => stale)).toBe(true)
    const again = client.answer(late, refusal, rounds)!
    expect(world.serve(again, now + 5_000).status).toBe(200)
  })

  it('RFC 7616 §3.5: a nonce is replaced in time, so that a client that keeps sending is never refused', () => {
    const random = new SeededRandom(5)
    const account = { username: 'alice', password: 'wonderland' }
    const world = new World(random, 'authorization', '', account, { nonceLifetimeMs: 60_000 })
    const client = new DigestClient({ random, account })
    let sent = client.answer(world.request(), world.serve(world.request()))!
    const nonces = new Set<string | undefined>()
    for (let passedMs = 0; passedMs < 600_000; passedMs += 10_000) {
      const response = world.serve(sent, now + passedMs)
      expect(response.status).toBe(200)
      expect(client.learn(sent, response)).toBe('verified')
      nonces.add(sent.authorizations[0]?.nonce)
      sent = client.preempt(world.request())
    }
    expect(nonces.size).toBeGreaterThan(5)
    expect(nonces.size).toBeLessThan(30)
  })
})
