/**
 * Challenges and credentials: WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization
 * (RFC 3261 §20.7, §20.27, §20.28, §20.44; RFC 7616 §3.3, §3.4; RFC 8760). Syntax only: no digest is computed here.
 */

import { SipUsageError } from '../errors'
import { charFlags, equalsIgnoreCase, isToken, lowerWord, skipSpace, TOKEN } from '../grammar/chars'
import { fail } from '../grammar/failure'
import { type Params, type ParamsInit, toParams } from '../grammar/params'
import { quote, scanQuoted, unquote } from '../grammar/quoted'
import type { Wire } from '../grammar/wire'
import { parametersMax } from '../limits'

/** Scheme and parameters of a challenge or of credentials, decoded. */
export interface AuthInit {
  /** `Digest` when left out. */
  readonly scheme?: string | undefined
  readonly params: ParamsInit
}

/** What both kinds share. Immutable. */
abstract class AuthValue {
  constructor(
    /** As it came; compare without regard to case. */
    readonly scheme: string,
    /** Unquoted, names in lower case. */
    readonly params: Params,
    /** The rest of the value for schemes whose form is a single token68, such as Bearer; else undefined. */
    readonly token68?: string | undefined,
  ) {}

  get isDigest(): boolean {
    return this.scheme.toLowerCase() === 'digest'
  }
  get realm(): string | undefined {
    return this.text('realm')
  }
  get nonce(): string | undefined {
    return this.text('nonce')
  }
  /** As it came; absent means MD5 (RFC 7616 §3.3). */
  get algorithm(): string | undefined {
    return this.text('algorithm')
  }
  get opaque(): string | undefined {
    return this.text('opaque')
  }

  protected text(name: string): string | undefined {
    return this.params.get(name) ?? undefined
  }

  protected write(isQuoted: (name: string) => boolean): string {
    if (this.token68 !== undefined) return `${this.scheme} ${this.token68}`
    let text = this.scheme
    let separator = ' '
    for (const [name, value] of this.params) {
      if (value === null) continue
      text += `${separator}${name}=${isQuoted(name) || !isToken(value) ? quote(value) : value}`
      separator = ', '
    }
    return text
  }
}

/** A challenge (RFC 7616 §3.3). */
export class Challenge extends AuthValue {
  /** Makes a challenge. Throws SipUsageError VALUE_INVALID for a scheme or name that is no token. */
  static of(init: AuthInit): Challenge {
    return new Challenge(checkedScheme(init.scheme), toParams(init.params))
  }

  /** The quality values offered, in order; empty when the parameter is absent (RFC 2069). */
  get qop(): readonly string[] {
    const value = this.text('qop')
    return value === undefined
      ? []
      : value
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
  }
  /** True when the nonce was valid but is too old. */
  get stale(): boolean {
    return this.text('stale')?.toLowerCase() === 'true'
  }
  get domain(): string | undefined {
    return this.text('domain')
  }
  get userhash(): boolean {
    return this.text('userhash')?.toLowerCase() === 'true'
  }

  /** Quotes what RFC 7616 §3.3 quotes: everything but stale, algorithm, charset and userhash. */
  override toString(): string {
    return this.write((name) => name !== 'stale' && name !== 'algorithm' && name !== 'charset' && name !== 'userhash')
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Credentials (RFC 7616 §3.4). */
export class Credentials extends AuthValue {
  /** Makes credentials. Throws SipUsageError VALUE_INVALID for a scheme or name that is no token. */
  static of(init: AuthInit): Credentials {
    return new Credentials(checkedScheme(init.scheme), toParams(init.params))
  }

  get username(): string | undefined {
    return this.text('username')
  }
  /** The digest URI as it came. */
  get uri(): string | undefined {
    return this.text('uri')
  }
  get response(): string | undefined {
    return this.text('response')
  }
  get cnonce(): string | undefined {
    return this.text('cnonce')
  }
  /** The nonce count as it came: eight hexadecimal digits. */
  get nc(): string | undefined {
    return this.text('nc')
  }
  get qop(): string | undefined {
    return this.text('qop')
  }
  get userhash(): boolean {
    return this.text('userhash')?.toLowerCase() === 'true'
  }

  /** Quotes what RFC 7616 §3.4 quotes: everything but qop, nc, algorithm and userhash. */
  override toString(): string {
    return this.write((name) => name !== 'qop' && name !== 'nc' && name !== 'algorithm' && name !== 'userhash')
  }

  /** Masked, so that a log never holds a digest. */
  toJSON(): string {
    return `${this.scheme} ***`
  }
}

const digestScheme = lowerWord('digest')

/** Reads a challenge that fills the range; these headers are never split at commas (RFC 3261 §7.3.1). */
export function decodeChallenge(wire: Wire, start: number, end: number): Challenge {
  const value = readAuth(wire, start, end)
  return new Challenge(value.scheme, value.params, value.token68)
}

/** Reads credentials that fill the range. */
export function decodeCredentials(wire: Wire, start: number, end: number): Credentials {
  const value = readAuth(wire, start, end)
  return new Credentials(value.scheme, value.params, value.token68)
}

/** Authentication-Info (RFC 7615): parameters without a scheme. */
export function decodeAuthParams(wire: Wire, start: number, end: number): Params {
  return readAuthParams(wire, start, end)
}

function readAuth(wire: Wire, start: number, end: number): { scheme: string; params: Params; token68?: string } {
  const schemeEnd = tokenEnd(wire, start, end)
  const position = skipSpace(wire, schemeEnd, end)
  const scheme = wire.text.slice(start, schemeEnd)
  if (position === end) return { scheme, params: new Map() }
  if (position === schemeEnd) fail('CREDENTIALS_INVALID', position)
  if (!equalsIgnoreCase(wire, start, schemeEnd, digestScheme) && isToken68(wire, position, end))
    return { scheme, params: new Map(), token68: wire.text.slice(position, end) }
  return { scheme, params: readAuthParams(wire, position, end) }
}

function readAuthParams(wire: Wire, start: number, end: number): Params {
  const params = new Map<string, string | null>()
  let position = start
  for (;;) {
    position = skipSpace(wire, position, end)
    const nameEnd = tokenEnd(wire, position, end)
    const name = wire.text.slice(position, nameEnd).toLowerCase()
    if (params.has(name)) fail('PARAMETER_REPEATED', position)
    if (params.size >= parametersMax) fail('TOO_MANY_PARAMETERS', position)
    const equals = skipSpace(wire, nameEnd, end)
    if (equals >= end || wire.bytes[equals]! !== 0x3d) fail('CREDENTIALS_INVALID', equals)
    const valueStart = skipSpace(wire, equals + 1, end)
    const isQuoted = valueStart < end && wire.bytes[valueStart]! === 0x22
    const valueEnd = isQuoted ? scanQuoted(wire, valueStart, end) : tokenEnd(wire, valueStart, end)
    params.set(name, isQuoted ? unquote(wire.text, valueStart, valueEnd) : wire.text.slice(valueStart, valueEnd))
    position = skipSpace(wire, valueEnd, end)
    if (position >= end) return params
    if (wire.bytes[position]! !== 0x2c) fail('CREDENTIALS_INVALID', position)
    position += 1
  }
}

/** RFC 7235 §2.1: letters, digits, `-._~+/`, then `=`; not to be mistaken for `name=value`. */
function isToken68(wire: Wire, start: number, end: number): boolean {
  let position = start
  while (position < end) {
    const code = wire.bytes[position]!
    const lower = code | 0x20
    const isLetter = lower >= 0x61 && lower <= 0x7a
    const isDigit = code >= 0x30 && code <= 0x39
    if (!isLetter && !isDigit && !(code === 0x2b || code === 0x7e || code === 0x5f || (code >= 0x2d && code <= 0x2f)))
      break
    position += 1
  }
  if (position === start) return false
  while (position < end && wire.bytes[position]! === 0x3d) position += 1
  return position === end
}

function tokenEnd(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === start) fail('CREDENTIALS_INVALID', start)
  return position
}

function checkedScheme(scheme: string | undefined): string {
  if (scheme === undefined) return 'Digest'
  if (!isToken(scheme)) throw new SipUsageError('VALUE_INVALID', 'authentication scheme')
  return scheme
}
