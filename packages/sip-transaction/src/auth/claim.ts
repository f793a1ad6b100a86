/** What credentials claim, checked for everything that can be checked without a secret (RFC 7616 §3.4). Pure. */
import type { Credentials } from '@carillon/sip-parser'
import { decodeExtended } from './auth-params'
import {
  type DigestAlgorithm,
  type DigestQop,
  digestHash,
  digestLength,
  isSession,
  parseDigestAlgorithm,
} from './digest'
import { isHex } from './equal-digest'

/** Credentials with everything there that the computation needs. */
export interface Claim {
  /** The user's name, or its hash when `isHashed`. */
  readonly username: string
  readonly isHashed: boolean
  readonly algorithm: DigestAlgorithm
  readonly nonce: string
  readonly uri: string
  readonly response: string
  readonly opaque: string | undefined
  /** Absent for clients of RFC 2069. */
  readonly qop: DigestQop | undefined
  readonly nc: string | undefined
  readonly cnonce: string | undefined
  /** 0 without qop. */
  readonly count: number
}

/**
 * Reads credentials.
 * @param bytesMax characters of one parameter
 * @returns why not, when a parameter is missing or cannot be right, or when the algorithm is not known
 */
export function readClaim(credentials: Credentials, bytesMax: number): Claim | 'malformed' | 'unsupported' {
  const { nonce, uri, response, cnonce, opaque } = credentials
  if (nonce === undefined || uri === undefined || response === undefined) return 'malformed'
  if (nonce.length > bytesMax || uri.length > bytesMax || response.length > bytesMax) return 'malformed'
  if ((cnonce?.length ?? 0) > bytesMax || (opaque?.length ?? 0) > bytesMax) return 'malformed'
  const algorithm = parseDigestAlgorithm(credentials.algorithm)
  if (algorithm === undefined) return 'unsupported'
  const hash = digestHash(algorithm)
  if (response.length !== digestLength(hash)) return 'malformed'
  const isHashed = credentials.userhash
  const username = readUsername(credentials, isHashed, bytesMax)
  if (username === undefined) return 'malformed'
  if (isHashed && (username.length !== digestLength(hash) || !isHex(username))) return 'malformed'
  const common = { username, isHashed, algorithm, nonce, uri, response, opaque, cnonce }
  const qop = readQop(credentials.qop)
  if (qop === undefined) {
    // RFC 7616 §3.4.2: the session key is made with a cnonce, whoever leaves qop out.
    if (isSession(algorithm) && cnonce === undefined) return 'malformed'
    return { ...common, qop: undefined, nc: undefined, count: 0 }
  }
  const count = readCount(credentials.nc)
  if (qop === 'unknown' || cnonce === undefined || count === 0) return 'malformed'
  return { ...common, qop, nc: credentials.nc, count }
}

function readUsername(credentials: Credentials, isHashed: boolean, bytesMax: number): string | undefined {
  const { username } = credentials
  const extended = credentials.params.get('username*')
  if (extended === undefined || extended === null) {
    return username === undefined || username.length > bytesMax ? undefined : username
  }
  // RFC 7616 §3.4: one of the two, and none beside userhash=true.
  if (username !== undefined || isHashed || extended.length > 3 * bytesMax) return undefined
  return decodeExtended(extended)
}

function readQop(text: string | undefined): DigestQop | undefined | 'unknown' {
  if (text === undefined || text === 'auth' || text === 'auth-int') return text
  if (text.length > 8) return 'unknown'
  const lower = text.toLowerCase()
  return lower === 'auth' || lower === 'auth-int' ? lower : 'unknown'
}

/** Eight hexadecimal digits; 0 for anything else, for counts begin with 1. */
function readCount(nc: string | undefined): number {
  if (nc?.length !== 8) return 0
  let count = 0
  for (let at = 0; at < 8; at += 1) {
    const code = nc.charCodeAt(at)
    const lower = code | 0x20
    if (code >= 0x30 && code <= 0x39) count = count * 16 + code - 0x30
    else if (code < 0x80 && lower >= 0x61 && lower <= 0x66) count = count * 16 + lower - 0x57
    else return 0
  }
  return count
}
