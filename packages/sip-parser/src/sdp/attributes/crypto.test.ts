import { describe, expect, it } from 'vitest'
import { cryptoCodec, keySaltBytes } from './crypto'

describe('crypto', () => {
  it.each([
    [
      '1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^20|1:4 KDR=1 UNENCRYPTED_SRTCP',
      {
        tag: 1,
        suite: 'AES_CM_128_HMAC_SHA1_80',
        keys: [
          {
            keySalt: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
            lifetime: '2^20',
            mki: { value: '1', lengthBytes: 4 },
          },
        ],
        sessionParameters: ['KDR=1', 'UNENCRYPTED_SRTCP'],
      },
    ],
    [
      '2 OTHER inline:AAAA;inline:BBBB|1:4',
      {
        tag: 2,
        suite: 'OTHER',
        keys: [{ keySalt: 'AAAA' }, { keySalt: 'BBBB', mki: { value: '1', lengthBytes: 4 } }],
        sessionParameters: [],
      },
    ],
  ])('RFC 4568 §9.1: reads and writes %j', (text, value) => {
    expect(cryptoCodec.decode(text)).toEqual({ ok: true, value })
    expect(cryptoCodec.encode(value as never)).toEqual({ name: cryptoCodec.name, value: text })
  })

  it.each([
    [undefined, 'SDP_CRYPTO_INVALID', 0],
    ['x', 'SDP_CRYPTO_INVALID', 0],
    ['1 AES_CM_128_HMAC_SHA1_80 inline:AAAA', 'SDP_CRYPTO_INVALID', 33],
    ['1 AES_CM_128_HMAC_SHA1_80 clear:AAAA', 'SDP_CRYPTO_INVALID', 26],
    ['1 X inline:AA AA=', 'SDP_CRYPTO_INVALID', 16],
  ])('RFC 4568 §9.1: refuses %j with %s', (text, code, offset) => {
    const result = cryptoCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it('says nothing of the key in its problem', () => {
    const result = cryptoCodec.decode('1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0')
    expect(JSON.stringify(result)).not.toContain('c2Vj')
    expect(keySaltBytes('AEAD_AES_256_GCM')).toBe(44)
    expect(keySaltBytes('NONE')).toBeUndefined()
  })
})
