import { Challenge, Credentials, createRequest, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { answerChallenge } from './client'
import { computeHa1, type DigestAlgorithm } from './digest'
import { DigestVerifier } from './verifier'
import type { DigestSecret, DigestVerifierOptions } from './verifier-options'

const now = 1_893_456_000_000
const source = '192.0.2.1'
const alice = { username: 'alice', password: 'wonderland' }

function verifier(changes: Partial<DigestVerifierOptions> = {}): DigestVerifier {
  const secret = new Uint8Array(32).fill(1)
  return new DigestVerifier({ realm: 'example.com', secret, random: new SeededRandom(1), ...changes })
}

function request(
  credentials: readonly string[] = [],
  uri = 'sip:bob@example.com',
  header = 'Authorization',
): SipRequest {
  return createRequest({
    method: 'INVITE',
    uri,
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['Max-Forwards', 70],
      ['To', '<sip:bob@example.com>'],
      ['From', '<sip:alice@example.com>;tag=1'],
      ['Call-ID', 'c'],
      ['CSeq', '1 INVITE'],
      ...credentials.map((value) => [header, value] as const),
    ],
    body: 'v=0\r\n',
    contentType: 'application/sdp',
  })
}

interface Answer {
  readonly account?: typeof alice
  readonly nc?: number
  readonly method?: string
  readonly uri?: string
}

function answer(
  challenges: readonly Challenge[],
  { account = alice, nc = 1, method = 'INVITE', uri = 'sip:bob@example.com' }: Answer = {},
) {
  const body = new Uint8Array(Buffer.from('v=0\r\n'))
  const credentials = answerChallenge(challenges, { ...account, method, uri, body, cnonce: 'c0ffee', nc })
  if (credentials === undefined) throw new Error('no challenge could be answered')
  return credentials
}

function judge(auth: DigestVerifier, credentials: Credentials | string, secret: DigestSecret = alice) {
  return auth.verify(request([credentials.toString()]), 'authorization', secret, source, now)
}

describe('challenges', () => {
  it('RFC 8760 §2.4: are offered strongest first, one for each algorithm', () => {
    const challenges = verifier().challenge(source, now)
    expect(challenges.map(({ algorithm }) => algorithm)).toEqual(['SHA-256', 'MD5'])
    expect(challenges.every(({ realm, qop, stale }) => realm === 'example.com' && qop.includes('auth') && !stale)).toBe(
      true,
    )
  })

  it('never repeat a nonce', () => {
    const auth = verifier()
    const nonces = Array.from({ length: 100 }, () => auth.challenge(source, now)[0]?.nonce)
    expect(new Set(nonces).size).toBe(100)
  })

  it('say stale when asked to', () => {
    expect(
      verifier()
        .challenge(source, now, { stale: true })
        .every(({ stale }) => stale),
    ).toBe(true)
  })
})

describe('verification', () => {
  it.each<DigestAlgorithm>(['MD5', 'SHA-256', 'SHA-512-256', 'MD5-sess', 'SHA-256-sess', 'SHA-512-256-sess'])(
    'accepts the right password with %s, and with qop auth-int',
    (algorithm) => {
      const auth = verifier({ algorithms: [algorithm] })
      expect(judge(auth, answer(auth.challenge(source, now)))).toMatchObject({ ok: true, username: 'alice', algorithm })
      const integrity = verifier({ algorithms: [algorithm], qop: ['auth-int'] })
      expect(judge(integrity, answer(integrity.challenge(source, now))).ok).toBe(true)
    },
  )

  it('accepts what is stored as a hash', () => {
    const auth = verifier()
    const md5 = computeHa1('MD5', 'alice', 'example.com', 'wonderland')
    const sha256 = computeHa1('SHA-256', 'alice', 'example.com', 'wonderland')
    const [strong, weak] = auth.challenge(source, now) as [Challenge, Challenge]
    expect(judge(auth, answer([strong]), { ha1: sha256 }).ok).toBe(true)
    expect(judge(auth, answer([weak], { nc: 2 }), { ha1: md5.toUpperCase() }).ok).toBe(true)
    expect(judge(auth, answer([weak], { nc: 3 }), { ha1: { MD5: md5, 'SHA-256': sha256 } }).ok).toBe(true)
    expect(judge(auth, answer([weak], { nc: 4 }), { ha1: sha256 })).toEqual({ ok: false, reason: 'wrong' })
  })

  it('refuses a wrong password and an unknown user in the same way', () => {
    const auth = verifier()
    const challenges = auth.challenge(source, now)
    const wrong = judge(auth, answer(challenges, { account: { username: 'alice', password: 'guess' } }))
    const unknown = auth.verify(request([answer(challenges).toString()]), 'authorization', undefined, source, now)
    expect(wrong).toEqual({ ok: false, reason: 'wrong' })
    expect(unknown).toEqual(wrong)
    const empty = judge(auth, answer(challenges), {})
    expect(empty).toEqual(wrong)
  })

  it('refuses credentials for another method, body or URI', () => {
    const auth = verifier({ qop: ['auth-int'] })
    const challenges = auth.challenge(source, now)
    expect(judge(auth, answer(challenges, { method: 'REGISTER' }))).toEqual({ ok: false, reason: 'wrong' })
    expect(judge(auth, answer(challenges, { uri: 'sip:mallory@example.com' }))).toEqual({
      ok: false,
      reason: 'uri-mismatch',
    })
    const other = request([answer(challenges).toString()])
      .edit()
      .setBody('v=1\r\n', 'application/sdp')
      .build()
    expect(auth.verify(other, 'authorization', alice, source, now)).toEqual({ ok: false, reason: 'wrong' })
  })

  it('RFC 3261 §22.4: a URI that a proxy gave a port or parameters is still the same', () => {
    const auth = verifier()
    const credentials = answer(auth.challenge(source, now)).toString()
    const rewritten = request([credentials], 'sip:bob@example.com:5060;transport=tcp')
    expect(auth.verify(rewritten, 'authorization', alice, source, now).ok).toBe(true)
    const lenient = verifier({ checkUri: false })
    const far = request([answer(lenient.challenge(source, now)).toString()], 'sip:carol@example.org')
    expect(lenient.verify(far, 'authorization', alice, source, now).ok).toBe(true)
  })

  it('a nonce made for another source or by another server is stale, and the password is not looked at', () => {
    const auth = verifier()
    const foreign = verifier({ secret: new Uint8Array(32).fill(2) })
    for (const credentials of [answer(auth.challenge('192.0.2.2', now)), answer(foreign.challenge(source, now))]) {
      for (const secret of [alice, { password: 'other' }, undefined]) {
        const verdict = auth.verify(request([credentials.toString()]), 'authorization', secret, source, now)
        expect(verdict).toEqual({ ok: false, reason: 'stale' })
      }
    }
  })

  it('RFC 7616 §3.3: an old nonce is stale for whoever knows the password, and wrong for everybody else', () => {
    const auth = verifier({ nonceLifetimeMs: 1_000 })
    const old = answer(auth.challenge(source, now - 1_001))
    expect(judge(auth, old)).toEqual({ ok: false, reason: 'stale' })
    expect(judge(auth, old)).toEqual({ ok: false, reason: 'stale' })
    expect(judge(auth, old, { password: 'other' })).toEqual({ ok: false, reason: 'wrong' })
    const nobody = auth.verify(request([old.toString()]), 'authorization', undefined, source, now)
    expect(nobody).toEqual({ ok: false, reason: 'wrong' })
    expect(auth.noncesRemembered).toBe(0)
  })

  it('takes each nonce count once', () => {
    const auth = verifier()
    const challenges = auth.challenge(source, now)
    expect(judge(auth, answer(challenges, { nc: 1 })).ok).toBe(true)
    expect(judge(auth, answer(challenges, { nc: 1 }))).toEqual({ ok: false, reason: 'replayed' })
    expect(judge(auth, answer(challenges, { nc: 3 })).ok).toBe(true)
    expect(judge(auth, answer(challenges, { nc: 2 })).ok).toBe(true)
    expect(judge(auth, answer(challenges, { nc: 2 }))).toEqual({ ok: false, reason: 'replayed' })
  })

  it('records nothing for those who do not know the password', () => {
    const auth = verifier()
    for (let i = 1; i < 200; i++) {
      judge(auth, answer(auth.challenge(source, now), { nc: i, account: { username: 'alice', password: 'guess' } }))
      judge(auth, answer(auth.challenge(source, now - 400_000)))
    }
    expect(auth.noncesRemembered).toBe(0)
  })

  it('RFC 7616 §3.4: qop is owed, and with auth-int offered alone auth is not enough', () => {
    const auth = verifier({ algorithms: ['MD5'] })
    const params = new Map(auth.challenge(source, now)[0]?.params)
    params.delete('qop')
    expect(judge(auth, answer([Challenge.of({ params })]))).toEqual({ ok: false, reason: 'unsupported' })
    const strict = verifier({ qop: ['auth-int'] })
    const weakened = strict.challenge(source, now).map((challenge) => {
      return Challenge.of({ params: new Map(challenge.params).set('qop', 'auth') })
    })
    expect(judge(strict, answer(weakened))).toEqual({ ok: false, reason: 'unsupported' })
  })

  it('where it is allowed a client of RFC 2069, without qop, may use a nonce once', () => {
    const auth = verifier({ algorithms: ['MD5'], allowNoQop: true })
    const [challenge] = auth.challenge(source, now) as [Challenge]
    const params = new Map(challenge.params)
    params.delete('qop')
    const old = answer([Challenge.of({ params })])
    expect(old.qop).toBeUndefined()
    expect(judge(auth, old).ok).toBe(true)
    expect(judge(auth, old)).toEqual({ ok: false, reason: 'replayed' })
  })

  it('finds its realm among several credentials, and looks at a bounded number', () => {
    const auth = verifier()
    const right = answer(auth.challenge(source, now)).toString()
    const others = [
      'Basic YWxpY2U6eA==',
      'Digest realm="elsewhere", username="x", nonce="n", uri="sip:a", response="0"',
    ]
    const both = request([...others, right])
    expect(auth.usernameOf(both, 'authorization')).toBe('alice')
    expect(auth.verify(both, 'authorization', alice, source, now).ok).toBe(true)
    const many = request([...Array.from({ length: 20 }, () => others[1] ?? ''), right])
    expect(auth.verify(many, 'authorization', alice, source, now)).toEqual({ ok: false, reason: 'absent' })
  })

  it('keeps Authorization and Proxy-Authorization apart', () => {
    const auth = verifier()
    const credentials = answer(auth.challenge(source, now)).toString()
    const proxied = request([credentials], 'sip:bob@example.com', 'Proxy-Authorization')
    expect(auth.verify(proxied, 'authorization', alice, source, now)).toEqual({ ok: false, reason: 'absent' })
    expect(auth.verify(proxied, 'proxy-authorization', alice, source, now).ok).toBe(true)
  })

  it('a request without credentials is no attack', () => {
    const auth = verifier()
    expect(auth.verify(request(), 'authorization', undefined, source, now)).toEqual({ ok: false, reason: 'absent' })
    expect(auth.usernameOf(request(), 'authorization')).toBeUndefined()
  })
})

describe('malformed credentials', () => {
  const auth = verifier()
  const good = answer(auth.challenge(source, now))

  it.each([
    ['username', undefined],
    ['nonce', undefined],
    ['uri', undefined],
    ['response', undefined],
    ['nc', undefined],
    ['cnonce', undefined],
    ['nc', '1'],
    ['nc', '00000000'],
    ['nc', '0000000g'],
    ['qop', 'auth-conf'],
    ['nc', '000000001'],
    ['nc', '+0000001'],
    ['nc', '0x000001'],
    ['nc', '００００００01'],
    ['cnonce', 'x'.repeat(1_025)],
    ['username', 'x'.repeat(1_025)],
    ['uri', `sip:${'x'.repeat(1_025)}`],
    ['opaque', 'x'.repeat(1_025)],
    ['response', ''],
    ['response', '0'.repeat(32)],
    ['response', '0'.repeat(100_000)],
    ['username*', "UTF-8''alice"],
  ])('%s %j is malformed', (name, value) => {
    const params = new Map(good.params)
    if (value === undefined) params.delete(name)
    else params.set(name, value)
    expect(judge(auth, Credentials.of({ params }))).toEqual({ ok: false, reason: 'malformed' })
  })

  it.each(['Digest', 'Digest realm', 'Digest realm="example.com', '', 'Digest ,,,,', 'Digest realm="a", realm="b"'])(
    '%j is refused without an exception',
    (text) => {
      expect(judge(auth, text).ok).toBe(false)
    },
  )

  it('an algorithm that was not offered is not accepted', () => {
    const weak = verifier({ algorithms: ['MD5'] })
    const strict = verifier({ algorithms: ['SHA-256'] })
    expect(judge(strict, answer(weak.challenge(source, now)))).toEqual({ ok: false, reason: 'unsupported' })
    const params = new Map(good.params).set('algorithm', 'SHA-3')
    expect(judge(auth, Credentials.of({ params }))).toEqual({ ok: false, reason: 'unsupported' })
  })

  it.each(['zz'.repeat(32), '0'.repeat(64), 'é'.repeat(64), 'š'.repeat(64)])('%j is a wrong response', (response) => {
    const params = new Map(good.params).set('response', response)
    expect(judge(auth, Credentials.of({ params }))).toEqual({ ok: false, reason: 'wrong' })
  })

  it('nobody is looked up for what cannot be right', () => {
    const params = new Map(good.params).set('username', 'x'.repeat(60_000))
    const huge = request([Credentials.of({ params }).toString()])
    expect(auth.identityOf(huge, 'authorization')).toBeUndefined()
    expect(auth.usernameOf(huge, 'authorization')).toBeUndefined()
  })

  it('reads tokens in any case, quoted or not, and digests in either case', () => {
    const own = verifier({ algorithms: ['SHA-256'] })
    const fine = answer(own.challenge(source, now))
    const response = fine.response?.toUpperCase()
    const text = [
      `DIGEST UserName="alice" , REALM = "example.com",nonce="${fine.nonce}",uri="${fine.uri}"`,
      `response="${response}",algorithm="sha-256",QOP="auth",nc="00000001",cnonce="c0ffee",auth-param=x`,
    ].join(',')
    expect(judge(own, text)).toMatchObject({ ok: true })
  })
})
