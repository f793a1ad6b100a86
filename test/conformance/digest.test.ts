/**
 * Digest responses against published vectors (RFC 2617, RFC 7616, SIP examples), read from the conformance folder, and
 * against a computation that shares nothing with ours.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Challenge } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { answerChallenge } from '../../packages/sip-transaction/src/auth/client'
import {
  computeHa1,
  computeResponse,
  computeUserhash,
  type DigestQop,
  digestHash,
  parseDigestAlgorithm,
} from '../../packages/sip-transaction/src/auth/digest'
import { root } from '../support/repository'

interface Vector {
  readonly name: string
  readonly algorithm: string
  readonly user: string
  readonly realm: string
  readonly pass?: string
  readonly nonce?: string
  readonly uri?: string
  readonly method?: string
  readonly qop?: DigestQop | null
  readonly nc?: string
  readonly cnonce?: string
  readonly body?: string
  readonly response?: string
  readonly userhash?: string
}

const folder = resolve(root, process.env.CARILLON_CONFORMANCE_DIR ?? '../shared/conformance')
const file = join(folder, 'digest', 'vectors.json')
const isThere = existsSync(file)
const vectors: readonly Vector[] = isThere ? (JSON.parse(readFileSync(file, 'utf8')) as Vector[]) : []

describe('digest vectors', () => {
  it.runIf(process.env.CI === 'true' || isThere)('are there', () => {
    expect(isThere, `${file} is missing; set CARILLON_CONFORMANCE_DIR`).toBe(true)
    expect(vectors.length).toBeGreaterThan(0)
  })

  const withResponse = vectors.filter((vector) => vector.response !== undefined)
  it.runIf(isThere).each(withResponse.map((vector) => [`${vector.name} (${vector.algorithm})`, vector] as const))(
    '%s',
    (_name, vector) => {
      const algorithm = parseDigestAlgorithm(vector.algorithm)
      if (algorithm === undefined) throw new Error(`unknown algorithm ${vector.algorithm}`)
      const ha1 = computeHa1(digestHash(algorithm), vector.user, vector.realm, vector.pass ?? '')
      const response = computeResponse({
        algorithm,
        ha1,
        nonce: vector.nonce ?? '',
        qop: vector.qop ?? undefined,
        nc: vector.nc,
        cnonce: vector.cnonce,
        method: vector.method ?? '',
        uri: vector.uri ?? '',
        body: vector.body === undefined ? undefined : Buffer.from(vector.body, 'utf8'),
      })
      expect(response).toBe(vector.response)
    },
  )

  it.runIf(isThere).each(withResponse.map((vector) => [`${vector.name} (${vector.algorithm})`, vector] as const))(
    '%s: agrees with the formula written out, and is what the client answers',
    (_name, vector) => {
      expect(writtenOut(vector, vector.method ?? '')).toBe(vector.response)
      const params: [string, string][] = [
        ['realm', vector.realm],
        ['nonce', vector.nonce ?? ''],
        ['algorithm', vector.algorithm],
      ]
      if (vector.qop) params.push(['qop', vector.qop])
      const answer = answerChallenge([Challenge.of({ params })], {
        username: vector.user,
        password: vector.pass ?? '',
        method: vector.method ?? '',
        uri: vector.uri ?? '',
        cnonce: vector.cnonce ?? '',
        nc: Number.parseInt(vector.nc ?? '1', 16),
        body: Buffer.from(vector.body ?? '', 'utf8'),
      })
      expect(answer?.response).toBe(vector.response)
    },
  )

  const qops: readonly (DigestQop | undefined)[] = [undefined, 'auth', 'auth-int']
  const every = ['MD5', 'SHA-256', 'SHA-512-256'].flatMap((hash) =>
    ['', '-sess'].flatMap((session) =>
      qops.flatMap((qop) => ['REGISTER', ''].map((method) => [`${hash}${session}`, qop, method] as const)),
    ),
  )
  it.each(every)(
    '%s with qop %s over method "%s" is as the formula written out (RFC 7616 §3.4, §3.5)',
    (name, qop, method) => {
      const algorithm = parseDigestAlgorithm(name)
      if (algorithm === undefined) throw new Error(name)
      const common = { nonce: 'n+/=', uri: 'sip:example.com', nc: '0000000f', cnonce: 'c"n' }
      const account = { user: 'Jäsøn "Doe"', realm: 'api@example.org', pass: 'Secret, or not?' }
      const body = 'v=0\r\n\u00e9'
      const ha1 = computeHa1(digestHash(algorithm), account.user, account.realm, account.pass)
      const ours = computeResponse({ ...common, algorithm, ha1, qop, method, body: Buffer.from(body) })
      expect(ours).toBe(writtenOut({ ...common, ...account, name, algorithm: name, qop: qop ?? null, body }, method))
    },
  )

  const withUserhash = vectors.filter((vector) => vector.userhash !== undefined)
  it.runIf(isThere).each(withUserhash.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    expect(computeUserhash('SHA-512-256', vector.user, vector.realm)).toBe(vector.userhash)
  })
})

/** KD(H(A1), …) of RFC 7616 §3.4.1 to §3.4.3, step by step. */
function writtenOut(vector: Vector, method: string): string {
  const [hash = '', session] = vector.algorithm.split(/(-sess)$/)
  const name = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' }[hash] ?? ''
  const h = (text: string) => createHash(name).update(Buffer.from(text, 'utf8')).digest('hex')
  const { user, realm, pass, nonce, cnonce, nc, qop, uri, body } = vector
  const secret = h(`${user}:${realm}:${pass}`)
  const ha1 = session === undefined ? secret : h(`${secret}:${nonce}:${cnonce}`)
  const ha2 = h(qop === 'auth-int' ? `${method}:${uri}:${h(body ?? '')}` : `${method}:${uri}`)
  return h(qop ? `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}` : `${ha1}:${nonce}:${ha2}`)
}
