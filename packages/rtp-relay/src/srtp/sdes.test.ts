import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { type CryptoAttribute, cryptoCodec } from '@carillon/sip-parser/sdp'
import { describe, expect, it } from 'vitest'
import { cryptoOf, generateMaterial, isSameCrypto, materialsOf, suiteOf, usualSuites } from './sdes'
import { type SrtpSuiteName, srtpSuites } from './suites'

const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'

function crypto(value: string): CryptoAttribute {
  const read = cryptoCodec.decode(value)
  if (!read.ok) throw new Error(read.error.sentence)
  return read.value
}

const offered = Object.keys(srtpSuites).filter((name) => !name.startsWith('NULL')) as SrtpSuiteName[]

describe('RFC 4568: a crypto attribute', () => {
  it('gives key, salt, lifetime and identifier as the example of §4 has them', () => {
    const [material] = materialsOf(crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:32`)) ?? []
    const bytes = Buffer.from(KEY, 'base64')
    expect(material).toEqual({
      suite: 'AES_CM_128_HMAC_SHA1_80',
      masterKey: bytes.subarray(0, 16),
      masterSalt: bytes.subarray(16),
      lifetimePackets: 2 ** 20,
      mki: Buffer.from(`${'00'.repeat(31)}01`, 'hex'),
    })
  })

  it.each([
    ['KDR=4', { keyDerivationRate: 16 }],
    ['UNENCRYPTED_SRTP', { isRtpEncrypted: false }],
    ['UNENCRYPTED_SRTCP', { isRtcpEncrypted: false }],
    ['WSH=256', { windowSize: 256 }],
    ['-X_MAYBE=1', {}],
  ])('§6.3: %s is understood', (parameter, wanted) => {
    expect(materialsOf(crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} ${parameter}`))?.[0]).toMatchObject(wanted)
  })

  it.each(['UNAUTHENTICATED_SRTP', 'FEC_ORDER=FEC_SRTP', 'KDR=25', 'KDR=x', 'WSH=63', 'X_MUST=1'])(
    '§6.3: %s is not, and the attribute is not chosen',
    (parameter) => {
      expect(materialsOf(crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY} ${parameter}`))).toBeUndefined()
    },
  )

  it.each([
    ['a suite that nobody knows', '1 SOMETHING_ELSE inline:QUJD'],
    ['a suite that encrypts nothing', `1 NULL_HMAC_SHA1_80 inline:${KEY}`],
    ['a suite that is not made here', `1 F8_128_HMAC_SHA1_80 inline:${KEY}`],
    ['a lifetime of none', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|0`],
    ['an identifier longer than its length', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|256:1`],
    ['an identifier of no length', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|1:0`],
    ['two keys that nothing tells apart', `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY};inline:${KEY}`],
  ])('%s cannot be used', (_what, value) => {
    expect(materialsOf(crypto(value))).toBeUndefined()
  })

  it('of several keys gives them all', () => {
    const materials = materialsOf(
      crypto(`1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4;inline:${KEY.replace('d0', 'd1')}|1000|2:4`),
    )
    expect(materials?.map(({ mki, lifetimePackets }) => [mki?.[3], lifetimePackets])).toEqual([
      [1, 2 ** 20],
      [2, 1000],
    ])
  })

  it.each(offered)('RFC 6188 §4, RFC 7714 §14: %s is written as it is read', (suite) => {
    const material = {
      ...generateMaterial(suite, (count) => randomBytes(count)),
      mki: Buffer.of(0, 7),
      lifetimePackets: 5000,
      keyDerivationRate: 256,
      isRtcpEncrypted: false,
      windowSize: 128,
    }
    const written = cryptoOf(material, 3)
    expect(written.tag).toBe(3)
    expect(suiteOf(written)).toBe(suite)
    expect(materialsOf(crypto(cryptoCodec.encode(written).value ?? ''))).toEqual([
      { ...material, masterKey: Buffer.from(material.masterKey), masterSalt: Buffer.from(material.masterSalt) },
    ])
    expect(isSameCrypto(written, { ...cryptoOf(material, 9) })).toBe(true)
    expect(isSameCrypto(written, cryptoOf({ ...material, windowSize: 64 }, 3))).toBe(false)
    expect(
      isSameCrypto(
        written,
        cryptoOf(
          generateMaterial(suite, (count) => randomBytes(count)),
          3,
        ),
      ),
    ).toBe(false)
  })

  it('is offered for suites that exist, the one that every phone knows first', () => {
    expect(usualSuites[0]).toBe('AES_CM_128_HMAC_SHA1_80')
    expect(usualSuites.every((suite) => offered.includes(suite))).toBe(true)
  })
})
