/** Nobody learns who exists: neither from an answer, nor from the work that it takes (RFC 7616 §5). */
import { createRequest, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { answerChallenge } from './client'
import { computeHa1, type DigestAlgorithm, digestAlgorithms, digestHash, hashHex } from './digest'
import { DigestVerifier } from './verifier'
import type { DigestSecret } from './verifier-options'

const now = 1_893_456_000_000
const realm = 'example.com'
const source = '192.0.2.1'

/** Counts the hashes that a judgement takes. */
class Counted {
  readonly calls: string[] = []
  readonly verifier: DigestVerifier

  constructor(algorithm: DigestAlgorithm, qop: 'auth' | 'auth-int') {
    this.verifier = new DigestVerifier({
      realm,
      algorithms: [algorithm],
      qop: [qop],
      userhash: true,
      secret: new Uint8Array(32).fill(1),
      random: new SeededRandom(1),
      hash: (hash, data) => {
        this.calls.push(hash)
        return hashHex(hash, data)
      },
    })
  }

  guess(username: string): SipRequest {
    const challenges = this.verifier.challenge(source, now)
    const body = Buffer.from('v=0\r\n')
    const answer = {
      username,
      password: 'a guess',
      method: 'REGISTER',
      uri: 'sip:example.com',
      body,
      cnonce: 'c',
      nc: 1,
    }
    const credentials = answerChallenge(challenges, answer)
    return createRequest({
      method: 'REGISTER',
      uri: 'sip:example.com',
      headers: [
        ['CSeq', '1 REGISTER'],
        ['Authorization', credentials?.toString() ?? ''],
      ],
      body,
      contentType: 'application/sdp',
    })
  }

  judge(request: SipRequest, secret: DigestSecret | undefined, wallMs: number) {
    this.calls.length = 0
    const verdict = this.verifier.verify(request, 'authorization', secret, source, wallMs)
    return { verdict, calls: [...this.calls], remembered: this.verifier.noncesRemembered }
  }
}

describe('a guess', () => {
  const cases = digestAlgorithms.flatMap((algorithm) => [
    [algorithm, 'auth'] as const,
    [algorithm, 'auth-int'] as const,
  ])

  it.each(cases)('costs the same hashes and gets the same answer whoever it names: %s, %s', (algorithm, qop) => {
    const hash = digestHash(algorithm)
    const ha1 = computeHa1(hash, 'alice', realm, 'wonderland')
    const secrets: (DigestSecret | undefined)[] = [
      undefined,
      {},
      { password: 'wonderland' },
      { ha1: { [hash]: ha1 } },
      { username: 'alice', password: 'wonderland' },
      { ha1: { MD5: 'nothing' } },
    ]
    for (const wallMs of [now, now + 400_000]) {
      const outcomes = secrets.map((secret) => {
        const counted = new Counted(algorithm, qop)
        return counted.judge(counted.guess('alice'), secret, wallMs)
      })
      const [first] = outcomes
      expect(first?.verdict).toEqual({ ok: false, reason: 'wrong' })
      expect(first?.calls.length).toBeGreaterThanOrEqual(3)
      for (const outcome of outcomes) expect(outcome).toEqual(first)
    }
  })

  it('the right password costs no more hashes than a wrong one', () => {
    const counted = new Counted('SHA-256', 'auth')
    // H(A2) of the last method and URI is remembered, which has nothing to do with the user.
    counted.judge(counted.guess('nobody'), undefined, now)
    const wrong = counted.judge(counted.guess('alice'), { password: 'wonderland' }, now)
    const right = counted.judge(counted.guess('alice'), { username: 'alice', password: 'a guess' }, now)
    expect(right.verdict.ok).toBe(true)
    expect(right.calls).toEqual(wrong.calls)
  })

  it('whose nonce is not of this server costs no hash of the password at all', () => {
    const counted = new Counted('SHA-256', 'auth')
    const request = counted.guess('alice')
    const verdict = counted.verifier.verify(request, 'authorization', { password: 'a guess' }, '192.0.2.99', now)
    expect(verdict).toEqual({ ok: false, reason: 'stale' })
    expect(counted.calls).toEqual([])
  })

  it('a verdict shows nothing of what it was made from', () => {
    const counted = new Counted('SHA-256', 'auth')
    const { verdict } = counted.judge(counted.guess('alice'), { username: 'alice', password: 'a guess' }, now)
    const ha1 = computeHa1('SHA-256', 'alice', realm, 'a guess')
    expect(JSON.stringify(verdict)).not.toContain(ha1)
    expect(JSON.stringify(verdict)).not.toMatch(/[0-9a-f]{32}/)
  })
})
