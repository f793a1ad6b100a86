/** The digest computations of RFC 7616 §3.4 (MD5, SHA-256, SHA-512-256 and their -sess variants; RFC 8760 §2). Pure. */
import { hash as hashOnce } from 'node:crypto'

/** The hash that an algorithm is built on. */
export type DigestHash = 'MD5' | 'SHA-256' | 'SHA-512-256'

/** An algorithm as the algorithm parameter names it. */
export type DigestAlgorithm = DigestHash | `${DigestHash}-sess`

/** Quality of protection: auth covers method and URI, auth-int the body too. */
export type DigestQop = 'auth' | 'auth-int'

/** H(data) in lower-case hexadecimal; text is taken as UTF-8. */
export type DigestHashFunction = (hash: DigestHash, data: string | Uint8Array) => string

/** Every algorithm, the strongest first (RFC 8760 §2.4: order of preference). */
export const digestAlgorithms: readonly DigestAlgorithm[] = [
  'SHA-512-256-sess',
  'SHA-512-256',
  'SHA-256-sess',
  'SHA-256',
  'MD5-sess',
  'MD5',
]

const byLowerName = new Map(digestAlgorithms.map((algorithm) => [algorithm.toLowerCase(), algorithm]))

const opensslNames: Readonly<Record<DigestHash, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
}

/** How strong a hash is: a greater number is stronger. */
export const digestStrength: Readonly<Record<DigestHash, number>> = { MD5: 1, 'SHA-256': 2, 'SHA-512-256': 3 }

/** Reads an algorithm parameter, whatever its case; absent means MD5 (RFC 7616 §3.3). */
export function parseDigestAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  if (text === undefined) return 'MD5'
  // Before toLowerCase, which would copy whatever a peer sends.
  return text.length > 16 ? undefined : byLowerName.get(text.toLowerCase())
}

/** The hash of an algorithm. */
export function digestHash(algorithm: DigestAlgorithm): DigestHash {
  return isSession(algorithm) ? (algorithm.slice(0, -5) as DigestHash) : (algorithm as DigestHash)
}

/** True for the -sess variants. */
export function isSession(algorithm: DigestAlgorithm): boolean {
  return algorithm.endsWith('-sess')
}

/** Hexadecimal digits of the result of a hash. */
export function digestLength(hash: DigestHash): number {
  return hash === 'MD5' ? 32 : 64
}

/** H(data) in lower-case hexadecimal; text is taken as UTF-8. */
export function hashHex(hash: DigestHash, data: string | Uint8Array): string {
  // In one call, a third of the cost of a hash object.
  return hashOnce(opensslNames[hash], data, 'hex')
}

/** What a password becomes at rest: H(username ":" realm ":" password) (RFC 7616 §3.4.2, A1 without -sess). */
export function computeHa1(
  hash: DigestHash,
  username: string,
  realm: string,
  password: string,
  hashWith: DigestHashFunction = hashHex,
): string {
  return hashWith(hash, `${username}:${realm}:${password}`)
}

/** What a username becomes when it is hidden: H(username ":" realm) (RFC 7616 §3.4.4). */
export function computeUserhash(hash: DigestHash, username: string, realm: string): string {
  return hashHex(hash, `${username}:${realm}`)
}

/** What a response is computed from. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm
  /** From {@link computeHa1}, with the hash of the algorithm. */
  readonly ha1: string
  /** H(A2) where it is known; else it is made of method, URI and body. */
  readonly ha2?: string | undefined
  readonly nonce: string
  /** Absent for peers of RFC 2069, which know neither nc nor cnonce. */
  readonly qop?: DigestQop | undefined
  /** Eight hexadecimal digits, as sent. */
  readonly nc?: string | undefined
  readonly cnonce?: string | undefined
  /** Empty for the rspauth of Authentication-Info (RFC 7616 §3.5). */
  readonly method: string
  readonly uri: string
  /** Counts with auth-int only. */
  readonly body?: Uint8Array | undefined
  /** For -sess: the nonce that began the session, when a nextnonce has replaced it since (RFC 7616 §3.4.2). */
  readonly sessionNonce?: string | undefined
}

const noBody = new Uint8Array(0)

/** The response of RFC 7616 §3.4.1 in lower-case hexadecimal. */
export function computeResponse(input: DigestInput, hashWith: DigestHashFunction = hashHex): string {
  const { algorithm, nonce, qop } = input
  const hash = digestHash(algorithm)
  const cnonce = input.cnonce ?? ''
  const ha1 = isSession(algorithm) ? hashWith(hash, `${input.ha1}:${input.sessionNonce ?? nonce}:${cnonce}`) : input.ha1
  const ha2 = input.ha2 ?? ha2Of(input, hash, hashWith)
  if (qop === undefined) return hashWith(hash, `${ha1}:${nonce}:${ha2}`)
  return hashWith(hash, `${ha1}:${nonce}:${input.nc ?? ''}:${cnonce}:${qop}:${ha2}`)
}

function ha2Of({ qop, method, uri, body }: DigestInput, hash: DigestHash, hashWith: DigestHashFunction): string {
  if (qop !== 'auth-int') return hashWith(hash, `${method}:${uri}`)
  return hashWith(hash, `${method}:${uri}:${hashWith(hash, body ?? noBody)}`)
}
