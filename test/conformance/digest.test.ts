/** Digest responses against published vectors (RFC 2617, RFC 7616, SIP examples), read from the conformance folder. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  computeHa1,
  computeResponse,
  type DigestQop,
  digestHash,
  hashHex,
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

  const withUserhash = vectors.filter((vector) => vector.userhash !== undefined)
  it.runIf(isThere).each(withUserhash.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    expect(hashHex('SHA-512-256', `${vector.user}:${vector.realm}`)).toBe(vector.userhash)
  })
})
