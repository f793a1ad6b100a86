/** Fingerprints of certificates (RFC 8122 §5) and who opens the connection: setup, connection, tls-id (RFC 4145; RFC 8842). */
import { type AttributeCodec, valueCodec } from './codec'

/** The value of a fingerprint attribute. */
export interface Fingerprint {
  /** In lower case: `sha-256`. */
  readonly hash: string
  /** Pairs of hexadecimal digits in upper case, joined by colons. */
  readonly digest: string
}

/** Who opens the connection, or would. */
export type Setup = 'active' | 'passive' | 'actpass' | 'holdconn'

const HASH_BYTES: ReadonlyMap<string, number> = new Map([
  ['md2', 16],
  ['md5', 16],
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
])

/** Codec of `a=fingerprint`. The digest of a known hash must have its length. */
export const fingerprintCodec: AttributeCodec<Fingerprint> = valueCodec(
  'fingerprint',
  'SDP_FINGERPRINT_INVALID',
  (reader) => {
    const hash = reader.token().toLowerCase()
    reader.space()
    const start = reader.at
    const digest = reader.match(/[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){0,255}/y).toUpperCase()
    const expected = HASH_BYTES.get(hash)
    return expected !== undefined && digest.length !== expected * 3 - 1 ? reader.fail(start) : { hash, digest }
  },
  ({ hash, digest }) => `${hash} ${digest}`,
)

/** Codec of `a=setup`. */
export const setupCodec: AttributeCodec<Setup> = valueCodec(
  'setup',
  'SDP_SETUP_INVALID',
  (reader) => reader.match(/(?:active|passive|actpass|holdconn)(?![^ ])/iy).toLowerCase() as Setup,
  (setup) => setup,
)

/** Codec of `a=connection`: whether the connection there is goes on (RFC 4145 §5). */
export const connectionCodec: AttributeCodec<'new' | 'existing'> = valueCodec(
  'connection',
  'SDP_SETUP_INVALID',
  (reader) => reader.match(/(?:new|existing)(?![^ ])/iy).toLowerCase() as 'new' | 'existing',
  (value) => value,
)

/** Codec of `a=tls-id` (RFC 8842 §4). */
export const tlsIdCodec: AttributeCodec<string> = valueCodec(
  'tls-id',
  'SDP_SETUP_INVALID',
  (reader) => reader.match(/[A-Za-z0-9+/\-_]{20,255}/y),
  (value) => value,
)

/** What an answer says to an offered setup: the one who may choose opens (RFC 5763 §5, RFC 4145 §4.1). */
export function answerSetup(offered: Setup): Setup {
  if (offered === 'active') return 'passive'
  return offered === 'holdconn' ? 'holdconn' : 'active'
}
