/**
 * Keys in SDP: a crypto attribute as keys for a direction, and the other way round (RFC 4568 §6, §9; RFC 6188 §4;
 * RFC 7714 §14). Pure: chance comes in.
 */
import { Buffer } from 'node:buffer'
import type { CryptoAttribute, CryptoKey } from '@carillon/sip-parser/sdp'
import type { SrtpMaterial } from './material'
import { mkiBytesMax, type SrtpSuite, type SrtpSuiteName, srtpSuites } from './suites'

/** The suites that are offered when nobody says which: what every phone knows, then what newer ones do. */
export const usualSuites: readonly SrtpSuiteName[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_256_CM_HMAC_SHA1_80',
]

/** New keys for a suite. `randomBytes` gives that many bytes that nobody can foretell. */
export function generateMaterial(suite: SrtpSuiteName, randomBytes: (count: number) => Uint8Array): SrtpMaterial {
  const { keyBytes, saltBytes } = srtpSuites[suite]
  return { suite, masterKey: randomBytes(keyBytes), masterSalt: randomBytes(saltBytes) }
}

/** The suite of a crypto attribute; undefined when it cannot be used here, or is not for SDP. */
export function suiteOf(crypto: CryptoAttribute): SrtpSuiteName | undefined {
  const name = crypto.suite as SrtpSuiteName
  return Object.hasOwn(srtpSuites, name) && srtpSuites[name].cipher !== 'null' ? name : undefined
}

/**
 * The keys that a crypto attribute gives, the first of them first.
 * @returns undefined when the suite, a key or a session parameter is one that cannot be used here: the attribute must
 * not be chosen then (RFC 4568 §6.3)
 */
export function materialsOf(crypto: CryptoAttribute): readonly SrtpMaterial[] | undefined {
  const suite = suiteOf(crypto)
  const parameters = readParameters(crypto.sessionParameters)
  if (suite === undefined || parameters === undefined) return undefined
  const materials: SrtpMaterial[] = []
  for (const key of crypto.keys) {
    const material = keyMaterial(suite, srtpSuites[suite], key)
    if (material === undefined) return undefined
    materials.push({ ...material, ...parameters })
  }
  const mkiBytes = materials[0]?.mki?.length ?? 0
  const isTold = materials.length === 1 || (mkiBytes > 0 && materials.every(({ mki }) => mki?.length === mkiBytes))
  return materials.length > 0 && isTold ? materials : undefined
}

/** The crypto attribute for keys. */
export function cryptoOf(material: SrtpMaterial, tag: number): CryptoAttribute {
  const { suite, masterKey, masterSalt, mki, lifetimePackets, keyDerivationRate, windowSize } = material
  const keySalt = Buffer.concat([masterKey, masterSalt]).toString('base64')
  return {
    tag,
    suite,
    keys: [
      {
        keySalt,
        ...(lifetimePackets === undefined ? {} : { lifetime: `${lifetimePackets}` }),
        ...(mki === undefined || mki.length === 0
          ? {}
          : { mki: { value: BigInt(`0x${Buffer.from(mki).toString('hex')}`).toString(), lengthBytes: mki.length } }),
      },
    ],
    sessionParameters: [
      ...(keyDerivationRate === undefined || keyDerivationRate === 0 ? [] : [`KDR=${Math.log2(keyDerivationRate)}`]),
      ...(material.isRtcpEncrypted === false ? ['UNENCRYPTED_SRTCP'] : []),
      ...(material.isRtpEncrypted === false ? ['UNENCRYPTED_SRTP'] : []),
      ...(windowSize === undefined ? [] : [`WSH=${windowSize}`]),
    ],
  }
}

/** True when two attributes give the same keys for the same use: packets go on as they were, indexes and all. */
export function isSameCrypto(one: CryptoAttribute, other: CryptoAttribute): boolean {
  return (
    one.suite === other.suite &&
    one.keys.length === other.keys.length &&
    one.keys.every((key, index) => isSameKey(key, other.keys[index])) &&
    one.sessionParameters.join(' ') === other.sessionParameters.join(' ')
  )
}

function isSameKey(one: CryptoKey, other: CryptoKey | undefined): boolean {
  return one.keySalt === other?.keySalt && one.mki?.value === other.mki?.value && one.lifetime === other.lifetime
}

function keyMaterial(name: SrtpSuiteName, suite: SrtpSuite, key: CryptoKey): SrtpMaterial | undefined {
  const bytes = Buffer.from(key.keySalt, 'base64')
  if (bytes.length !== suite.keyBytes + suite.saltBytes) return undefined
  const lifetimePackets = key.lifetime === undefined ? undefined : lifetimeOf(key.lifetime)
  if (lifetimePackets !== undefined && !(lifetimePackets >= 1)) return undefined
  const mki = key.mki === undefined ? undefined : mkiOf(key.mki.value, key.mki.lengthBytes)
  if (key.mki !== undefined && mki === undefined) return undefined
  return {
    suite: name,
    masterKey: bytes.subarray(0, suite.keyBytes),
    masterSalt: bytes.subarray(suite.keyBytes),
    ...(lifetimePackets === undefined ? {} : { lifetimePackets }),
    ...(mki === undefined ? {} : { mki }),
  }
}

/** A number of packets, or a power of two. */
function lifetimeOf(text: string): number {
  return text.startsWith('2^') ? 2 ** Number(text.slice(2)) : Number(text)
}

function mkiOf(value: string, lengthBytes: number): Uint8Array | undefined {
  if (lengthBytes < 1 || lengthBytes > mkiBytesMax) return undefined
  const digits = BigInt(value).toString(16)
  return digits.length > lengthBytes * 2 ? undefined : Buffer.from(digits.padStart(lengthBytes * 2, '0'), 'hex')
}

type Parameters = Pick<SrtpMaterial, 'keyDerivationRate' | 'isRtpEncrypted' | 'isRtcpEncrypted' | 'windowSize'>

const kdrExponentMax = 24
const windowSizeMin = 64

/** Undefined when one of them asks for what is not done here: UNAUTHENTICATED_SRTP, FEC, and what nobody knows. */
function readParameters(parameters: readonly string[]): Parameters | undefined {
  let found: Parameters = {}
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    const count = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
    if (name === 'KDR' && count <= kdrExponentMax) found = { ...found, keyDerivationRate: 2 ** count }
    else if (parameter === 'UNENCRYPTED_SRTP') found = { ...found, isRtpEncrypted: false }
    else if (parameter === 'UNENCRYPTED_SRTCP') found = { ...found, isRtcpEncrypted: false }
    else if (name === 'WSH' && count >= windowSizeMin) found = { ...found, windowSize: count }
    // A dash says that whoever does not know the parameter may leave it aside (RFC 4568 §6.3.8).
    else if (!name.startsWith('-')) return undefined
  }
  return found
}
