import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../testing/seeded-random'
import { isSignedBy, type Passport, type PassportClaims, readPassport, signedText, signPassport } from './passport'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const x5u = 'https://cert.example.org/passport.cer'
const claims: PassportClaims = {
  orig: { tn: '12155551212' },
  dest: { uri: ['sip:alice@example.com'] },
  iat: 1_471_375_418,
}

function read(token: string): Passport {
  const passport = readPassport(token)
  if ('problem' in passport) throw new Error(passport.problem)
  return passport
}

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const header = { alg: 'ES256', typ: 'passport', x5u }
const token = (head: unknown, payload: unknown, signature = Buffer.alloc(64).toString('base64url')) =>
  `${part(head)}.${part(payload)}.${signature}`

describe('PASSporT', () => {
  it('RFC 8225 §9: names are in order, with nothing between them', () => {
    const [head = '', payload = ''] = signedText(claims, x5u, undefined).split('.')
    expect(Buffer.from(head, 'base64url').toString()).toBe(`{"alg":"ES256","typ":"passport","x5u":"${x5u}"}`)
    expect(Buffer.from(payload, 'base64url').toString()).toBe(
      '{"dest":{"uri":["sip:alice@example.com"]},"iat":1471375418,"orig":{"tn":"12155551212"}}',
    )
  })

  it('RFC 8588 §4: shaken has attest and origid in their places', () => {
    const origid = '123e4567-e89b-12d3-a456-426655440000'
    const text = signedText({ ...claims, dest: { tn: ['12155550113'] }, attest: 'A', origid }, x5u, 'shaken')
    const [head = '', payload = ''] = text.split('.')
    expect(Buffer.from(head, 'base64url').toString()).toBe(
      `{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"${x5u}"}`,
    )
    expect(Buffer.from(payload, 'base64url').toString()).toBe(
      `{"attest":"A","dest":{"tn":["12155550113"]},"iat":1471375418,"orig":{"tn":"12155551212"},"origid":"${origid}"}`,
    )
  })

  it('RFC 8225 §3, §4: is read as it was signed, and its signature holds', () => {
    const passport = read(signPassport(claims, x5u, privateKey))
    expect(passport).toMatchObject({ claims, x5u, ppt: undefined })
    expect(isSignedBy(passport, publicKey)).toBe(true)
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey
    expect(isSignedBy(passport, other)).toBe(false)
  })

  it('the signature covers every bit', () => {
    const text = signPassport({ ...claims, attest: 'B', origid: 'x' }, x5u, privateKey)
    const random = new SeededRandom(11)
    let readable = 0
    for (let round = 0; round < 2_000; round += 1) {
      const at = Math.floor(random.fraction() * text.length)
      const alphabet = 'ABCXYZabcxyz0189-_.{'
      const letter = alphabet[Math.floor(random.fraction() * alphabet.length)] ?? ''
      const changed = text.slice(0, at) + letter + text.slice(at + 1)
      if (changed === text) continue
      const passport = readPassport(changed)
      if ('problem' in passport) continue
      readable += 1
      expect(isSignedBy(passport, publicKey), changed).toBe(false)
    }
    expect(readable).toBeGreaterThan(50)
  })

  it.each([
    ['not three parts', 'a.b'],
    ['not three parts', `${token(header, claims)}.x`],
    ['its header is no JSON object', token('[]', claims)],
    ['its header is no JSON object', token('{', claims)],
    ['its header is no JSON object', token('{"alg":"none","alg":"ES256","typ":"passport","x5u":"x"}', claims)],
    ['its payload is no JSON object', token(header, '"text"')],
    ['its signature is none of ES256', token(header, claims, 'AAAA')],
    ['its signature is none of ES256', `${part(header)}.${part(claims)}.`],
    ['its signature is none of ES256', token(header, claims, `${Buffer.alloc(64).toString('base64url')}==`)],
    ['its algorithm is not ES256', token({ ...header, alg: 'none' }, claims)],
    ['its algorithm is not ES256', token({ ...header, alg: 'HS256' }, claims)],
    ['its type is not passport', token({ ...header, typ: 'JWT' }, claims)],
    ['it names no certificate', token({ alg: 'ES256', typ: 'passport' }, claims)],
    ['its extension is no text', token({ ...header, ppt: 1 }, claims)],
    ['it does not say who calls', token(header, { ...claims, orig: undefined })],
    ['it does not say who calls', token(header, { ...claims, orig: { tn: '1', uri: 'sip:a@b' } })],
    ['it does not say who calls', token(header, { ...claims, orig: { tn: '12x' } })],
    ['it does not say who is called', token(header, { ...claims, dest: { tn: [] } })],
    ['it does not say who is called', token(header, { ...claims, dest: { tn: '1' } })],
    ['it does not say who is called', token(header, { ...claims, dest: { uri: Array(100).fill('sip:a@b') } })],
    ['it does not say when', token(header, { ...claims, iat: '1471375418' })],
    ['it does not say when', token(header, { ...claims, iat: 1.5 })],
    ['its attestation is not A, B or C', token({ ...header, ppt: 'shaken' }, { ...claims, attest: 'D', origid: 'x' })],
    ['it has no origid', token({ ...header, ppt: 'shaken' }, { ...claims, attest: 'A' })],
    ['too long', token(header, { ...claims, x: 'x'.repeat(10_000) })],
  ])('RFC 8225: %s', (problem, text) => {
    expect(readPassport(text)).toEqual({ problem })
  })

  it('JSON as deep as fits is refused or read, and nothing throws', () => {
    for (const deep of ['['.repeat(5_000), `{"a":${'['.repeat(2_500)}${']'.repeat(2_500)}}`, '{"a":'.repeat(1_000)])
      expect(readPassport(token(header, deep))).toHaveProperty('problem')
  })
})
