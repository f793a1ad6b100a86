/**
 * PASSporT (RFC 8225): a signed statement of who calls whom, and the extension `shaken` (RFC 8588). Signing and reading of
 * tokens; whether they are to be believed is the verifier's business. Pure.
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { canonicalNumber, type PassportIdentity } from './canonical-identity'
import { passportBytesMax, passportDestinationsMax } from './limits'

/** How sure the signer is of his caller (RFC 8588 §4): of the caller and the number (A), of the caller (B), of neither (C). */
export type Attestation = 'A' | 'B' | 'C'

/** Who is called: numbers without `+`, and URIs; one of them at least. */
export interface PassportDestination {
  readonly tn?: readonly string[]
  readonly uri?: readonly string[]
}

/** What a PASSporT says. */
export interface PassportClaims {
  readonly orig: PassportIdentity
  readonly dest: PassportDestination
  /** When it was signed, in whole seconds since the Unix epoch. */
  readonly iat: number
  /** With `origid`, the extension `shaken`. */
  readonly attest?: Attestation
  /** Names who or what the call entered the network by, a UUID (RFC 8588 §5). */
  readonly origid?: string
}

/** A PASSporT as it was read, its signature not checked. */
export interface Passport {
  readonly claims: PassportClaims
  /** Where the certificate is. */
  readonly x5u: string
  readonly ppt: string | undefined
  /** What is signed: the first two parts of the full form. */
  readonly signed: string
  readonly signature: Uint8Array
}

/** Why a token is no PASSporT, in a word or two; no data of the token. */
export type PassportProblem = { readonly problem: string }

const signatureBytes = 64
const es256 = { dsaEncoding: 'ieee-p1363' } as const

/** Signs claims, in full form. `key` is a private key on the curve P-256. */
export function signPassport(claims: PassportClaims, x5u: string, key: KeyObject): string {
  const signed = signedText(claims, x5u, claims.attest === undefined ? undefined : 'shaken')
  const signature = sign('sha256', Buffer.from(signed, 'latin1'), { key, ...es256 })
  return `${signed}.${signature.toString('base64url')}`
}

/** Whether the signature is that of the key. */
export function isSignedBy({ signed, signature }: Passport, key: KeyObject): boolean {
  return verify('sha256', Buffer.from(signed, 'latin1'), { key, ...es256 }, signature)
}

/** The first two parts of a token: the JSON of RFC 8225 §9, its names in order and nothing between them. */
export function signedText(claims: PassportClaims, x5u: string, ppt: string | undefined): string {
  const header = { alg: 'ES256', ...(ppt === undefined ? {} : { ppt }), typ: 'passport', x5u }
  const { attest, dest, iat, orig, origid } = claims
  const { tn, uri } = dest
  const payload = {
    ...(attest === undefined ? {} : { attest }),
    dest: { ...(tn === undefined ? {} : { tn }), ...(uri === undefined ? {} : { uri }) },
    iat,
    orig,
    ...(origid === undefined ? {} : { origid }),
  }
  return `${encode(header)}.${encode(payload)}`
}

/** Reads the full form of a token (RFC 8225 §3 to §5). */
export function readPassport(token: string): Passport | PassportProblem {
  if (token.length > passportBytesMax) return { problem: 'too long' }
  const parts = token.split('.')
  const [head = '', payload = '', signature = ''] = parts
  if (parts.length !== 3) return { problem: 'not three parts' }
  const header = decode(head)
  const claims = decode(payload)
  const bytes = bytesOf(signature)
  if (header === undefined) return { problem: 'its header is no JSON object' }
  if (claims === undefined) return { problem: 'its payload is no JSON object' }
  if (bytes?.length !== signatureBytes) return { problem: 'its signature is none of ES256' }
  const { alg, typ, x5u, ppt } = header
  if (alg !== 'ES256') return { problem: 'its algorithm is not ES256' }
  if (typ !== 'passport') return { problem: 'its type is not passport' }
  if (typeof x5u !== 'string') return { problem: 'it names no certificate' }
  if (ppt !== undefined && typeof ppt !== 'string') return { problem: 'its extension is no text' }
  const read = readClaims(claims, ppt === 'shaken')
  return 'problem' in read ? read : { claims: read, x5u, ppt, signed: `${head}.${payload}`, signature: bytes }
}

function readClaims(claims: Record<string, unknown>, isShaken: boolean): PassportClaims | PassportProblem {
  const { iat, attest, origid } = claims
  const orig = readOrig(claims.orig)
  const dest = readDest(claims.dest)
  if (orig === undefined) return { problem: 'it does not say who calls' }
  if (dest === undefined) return { problem: 'it does not say who is called' }
  if (typeof iat !== 'number' || !Number.isSafeInteger(iat) || iat < 0) return { problem: 'it does not say when' }
  if (!isShaken) return { orig, dest, iat }
  if (attest !== 'A' && attest !== 'B' && attest !== 'C') return { problem: 'its attestation is not A, B or C' }
  if (typeof origid !== 'string' || origid === '') return { problem: 'it has no origid' }
  return { orig, dest, iat, attest, origid }
}

function readOrig(orig: unknown): PassportIdentity | undefined {
  if (!isObject(orig)) return undefined
  const { tn, uri } = orig
  if (typeof tn === 'string' && uri === undefined) return numberIn(tn)
  return typeof uri === 'string' && tn === undefined ? { uri } : undefined
}

function numberIn(text: string): PassportIdentity | undefined {
  const tn = canonicalNumber(text)
  return tn === undefined ? undefined : { tn }
}

function readDest(dest: unknown): PassportDestination | undefined {
  if (!isObject(dest)) return undefined
  const { tn, uri } = dest
  if (!isTexts(tn) || !isTexts(uri) || (tn === undefined && uri === undefined)) return undefined
  const numbers = tn?.map(canonicalNumber)
  if (numbers !== undefined && !isTexts(numbers)) return undefined
  return { ...(numbers === undefined ? {} : { tn: numbers }), ...(uri === undefined ? {} : { uri }) }
}

function isTexts(value: unknown): value is readonly string[] | undefined {
  if (value === undefined) return true
  const isList = Array.isArray(value) && value.length > 0 && value.length <= passportDestinationsMax
  return isList && value.every((one) => typeof one === 'string')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')
}

/** A JSON object; undefined for anything else, and for one that says something twice. */
function decode(part: string): Record<string, unknown> | undefined {
  const bytes = bytesOf(part)
  if (bytes === undefined) return undefined
  const text = bytes.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && !saysTwice(text, value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Of two members with one name every reader takes another. Their names are counted in the text and in what was read; strings
 * that look like names are counted in both.
 */
function saysTwice(text: string, value: unknown): boolean {
  const countIn = (json: string) => json.match(/"(?:[^"\\]|\\.)*"\s*:/g)?.length ?? 0
  return countIn(text) !== countIn(JSON.stringify(value))
}

/** Bytes of strict base64url; undefined for other characters, padding and bits that are left over. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
