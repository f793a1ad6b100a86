/** Keys of SRTP in the description: crypto (RFC 4568 §4, §6, §9; RFC 6188 §4, RFC 7714 §14 for further suites). */
import { Buffer } from 'node:buffer'
import { type AttributeCodec, type ValueReader, valueCodec } from './codec'

/** One key of a crypto attribute. Holds a secret: not for logs. */
export interface CryptoKey {
  /** Master key and salt, base64, as written. */
  readonly keySalt: string
  /** Packets that the key may protect: a number, or a power such as `2^31`, as written. */
  readonly lifetime?: string
  readonly mki?: { readonly value: string; readonly lengthBytes: number }
}

/** The value of a crypto attribute. */
export interface CryptoAttribute {
  /** 0 to 999999999; an answer names the offered one. */
  readonly tag: number
  readonly suite: string
  readonly keys: readonly CryptoKey[]
  /** Such as `UNENCRYPTED_SRTCP` or `WSH=128`, as written. */
  readonly sessionParameters: readonly string[]
}

const KEY_SALT_BYTES: ReadonlyMap<string, number> = new Map([
  ['AES_CM_128_HMAC_SHA1_80', 30],
  ['AES_CM_128_HMAC_SHA1_32', 30],
  ['F8_128_HMAC_SHA1_80', 30],
  ['AES_192_CM_HMAC_SHA1_80', 38],
  ['AES_192_CM_HMAC_SHA1_32', 38],
  ['AES_256_CM_HMAC_SHA1_80', 46],
  ['AES_256_CM_HMAC_SHA1_32', 46],
  ['AEAD_AES_128_GCM', 28],
  ['AEAD_AES_256_GCM', 44],
])

/** Bytes of master key and salt together that a suite takes; undefined for a suite that is not known here. */
export function keySaltBytes(suite: string): number | undefined {
  return KEY_SALT_BYTES.get(suite)
}

/** Codec of `a=crypto`. The key of a known suite must have the suite's length. */
export const cryptoCodec: AttributeCodec<CryptoAttribute> = valueCodec(
  'crypto',
  'SDP_CRYPTO_INVALID',
  (reader) => {
    const tag = reader.number(0, 999_999_999)
    reader.space()
    const suite = reader.match(/\w+/y)
    reader.space()
    const keys = [readKey(reader, suite)]
    while (reader.take(';')) keys.push(readKey(reader, suite))
    const sessionParameters: string[] = []
    while (reader.optional(/ +(?=[^ ])/y) !== undefined) sessionParameters.push(reader.match(/-?\w+(?:=[!-~]+)?/y))
    return { tag, suite, keys, sessionParameters }
  },
  ({ tag, suite, keys, sessionParameters }) =>
    [tag, suite, keys.map(keyText).join(';'), ...sessionParameters].join(' '),
)

function readKey(reader: ValueReader, suite: string): CryptoKey {
  reader.match(/inline:/y)
  const start = reader.at
  const keySalt = reader.match(/[A-Za-z0-9+/]{1,172}={0,2}/y)
  const expected = KEY_SALT_BYTES.get(suite)
  if (expected !== undefined && Buffer.from(keySalt, 'base64').length !== expected) reader.fail(start)
  const lifetime = reader.optional(/\|(?:2\^)?\d{1,15}(?!:|\d)/y)?.slice(1)
  const mki = reader
    .optional(/\|\d{1,39}:\d{1,3}/y)
    ?.slice(1)
    .split(':')
  return {
    keySalt,
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(mki === undefined ? {} : { mki: { value: mki[0]!, lengthBytes: Number(mki[1]) } }),
  }
}

function keyText({ keySalt, lifetime, mki }: CryptoKey): string {
  const life = lifetime === undefined ? '' : `|${lifetime}`
  return `inline:${keySalt}${life}${mki === undefined ? '' : `|${mki.value}:${mki.lengthBytes}`}`
}
