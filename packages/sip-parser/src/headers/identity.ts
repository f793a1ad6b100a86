/** Signed identity: Identity (RFC 8224 §4, RFC 8225 §7; the older form of RFC 4474 §9, a signature alone, is read too). */
import { equalsIgnoreCase, lowerWord, skipSpace, tokenEnd } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { type Params, type ParamsInit, param, readParam, toParams } from '../grammar/params'
import { quote, scanQuoted, unquote } from '../grammar/quoted'
import type { Wire } from '../grammar/wire'
import { parametersMax } from '../limits'
import type { Leniency } from '../message/leniency'
import type { Uri } from '../uri/parse-uri'
import { addParam, ParamValue, readBack, single } from './param-value'
import { readBracketedUri } from './values'

/** The parts of an Identity header. */
export interface IdentityInit {
  /** The PASSporT: three parts in base64url with dots between them, or its compact form `..signature`. */
  readonly signature: string
  /** Where the certificate is. */
  readonly info: Uri
  readonly alg?: string | undefined
  /** The extension of PASSporT, such as `shaken`. */
  readonly ppt?: string | undefined
  readonly params?: ParamsInit | undefined
}

/** The parts of a PASSporT, in base64url. */
export interface PassportParts {
  /** Empty in the compact form. */
  readonly header: string
  /** Empty in the compact form. */
  readonly payload: string
  readonly signature: string
}

/** One signed identity. Immutable. */
export class Identity extends ParamValue {
  /**
   * Takes what was read; use {@link Identity.of} instead.
   * @internal
   */
  constructor(
    /** What stands before the parameters: a PASSporT, whole or compact, or the older form's signature. */
    readonly signature: string,
    /** Where the certificate is; undefined only in the older form, which has it in Identity-Info. */
    readonly info: Uri | undefined,
    params: Params,
    private readonly isInQuotes: boolean,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static of(init: IdentityInit): Identity {
    const params = new Map<string, string | null>()
    if (init.alg !== undefined) params.set('alg', init.alg)
    if (init.ppt !== undefined) params.set('ppt', init.ppt)
    for (const [name, value] of toParams(init.params)) params.set(name, value)
    return readBack(decodeIdentity, new Identity(init.signature, init.info, params, false), 'Identity')
  }

  /** The signature algorithm, as it came; undefined when absent (ES256). */
  get alg(): string | undefined {
    return this.textOf('alg')
  }

  /** The extension of PASSporT, such as `shaken`; undefined when absent. */
  get ppt(): string | undefined {
    return this.textOf('ppt')
  }

  /** The parts of the PASSporT, not decoded; undefined in the older form. */
  get passport(): PassportParts | undefined {
    const [header, payload, signature] = this.signature.split('.')
    if (header === undefined || payload === undefined || signature === undefined) return undefined
    return { header, payload, signature }
  }

  protected override get head(): string {
    const info = this.info === undefined ? '' : `;info=<${this.info.toString()}>`
    return `${this.isInQuotes ? quote(this.signature) : this.signature}${info}`
  }
}

const infoName = lowerWord('info')

/** One signed identity, the whole of a line. */
export const decodeIdentity = single(readIdentity)

function readIdentity(wire: Wire, start: number, end: number, leniency: Leniency): Identity {
  const isInQuotes = wire.bytes[start] === 0x22
  const stop = isInQuotes ? scanQuoted(wire, start, end) : signatureEnd(wire, start, end)
  const signature = isInQuotes ? unquote(wire.text, start, stop) : wire.text.slice(start, stop)
  if (signature === '') fail('IDENTITY_INVALID', start)
  const params = new Map<string, string | null>()
  let info: Uri | undefined
  let position = skipSpace(wire, stop, end)
  let count = 0
  while (position < end && wire.bytes[position] === 0x3b) {
    count += 1
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    const nameStart = skipSpace(wire, position + 1, end)
    const nameEnd = tokenEnd(wire, nameStart, end)
    if (equalsIgnoreCase(wire, nameStart, nameEnd, infoName)) {
      if (info !== undefined) fail('PARAMETER_REPEATED', nameStart)
      const equals = skipSpace(wire, nameEnd, end)
      if (equals >= end || wire.bytes[equals] !== 0x3d) fail('PARAMETER_INVALID', nameStart)
      info = readBracketedUri(wire, skipSpace(wire, equals + 1, end), end, leniency)
      position = skipSpace(wire, cursor.next, end)
      continue
    }
    readParam(wire, position + 1, end, leniency)
    position = param.next
    if (param.nameEnd > param.nameStart) addParam(params, wire)
  }
  if (info === undefined && signature.includes('.')) fail('PARAMETER_MISSING', start)
  cursor.next = position
  return new Identity(signature, info, params, isInQuotes)
}

/** The position after base64 and base64url characters and dots. */
function signatureEnd(wire: Wire, start: number, end: number): number {
  let position = start
  let dots = 0
  while (position < end) {
    const code = wire.bytes[position]!
    const lower = code | 0x20
    const isWord = (lower >= 0x61 && lower <= 0x7a) || (code >= 0x2d && code <= 0x39) || code === 0x2b || code === 0x5f
    if (!isWord && code !== 0x3d) break
    if (code === 0x2e) dots += 1
    position += 1
  }
  // A PASSporT has two dots, a compact one both before its signature; the older form has none.
  if ((dots !== 2 && dots !== 0) || position === start || wire.bytes[position - 1] === 0x2e)
    fail('IDENTITY_INVALID', start)
  return position
}
