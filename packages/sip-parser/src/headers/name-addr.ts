/** name-addr and addr-spec with parameters: From, To, Route, Record-Route and their kind (RFC 3261 §20, §20.10, §25.1). */

import { charFlags, lowerWord, skipSpace, TOKEN, trimSpace, trimSpacesEnd } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import {
  checkNoLineEnd,
  decodeParams,
  encodeParams,
  type Params,
  type ParamsInit,
  param,
  paramIs,
  readParam,
  toParams,
  withParam,
} from '../grammar/params'
import { quote, scanQuoted, unquote } from '../grammar/quoted'
import { decodeText, encodeText } from '../grammar/text'
import type { Wire } from '../grammar/wire'
import { parametersMax } from '../limits'
import { type Leniency, tolerant } from '../message/leniency'
import { decodeUri, decodeUriPrefix, type Uri } from '../uri/parse-uri'
import { SipUri } from '../uri/sip-uri'
import { TelUri } from '../uri/tel-uri'

/** The parts of a name-addr. */
export interface NameAddrInit {
  readonly displayName?: string | undefined
  readonly uri: Uri
  readonly params?: ParamsInit | undefined
}

/** Wire text with places in it: a display name as written (empty for none) and header parameters. */
export interface AddressSource {
  readonly text: string
  readonly nameStart: number
  readonly nameEnd: number
  readonly paramsStart: number
  readonly paramsEnd: number
}

/** A URI with an optional display name and header parameters. Immutable; name and parameters are cut out when asked for. */
export class NameAddr {
  private readonly source: string
  private readonly nameStart: number
  private readonly nameEnd: number
  private readonly paramsStart: number
  private readonly paramsEnd: number
  private cachedParams: Params | undefined

  /**
   * Takes parts as they are on the wire; use {@link NameAddr.of} instead.
   * @internal
   */
  constructor(
    source: AddressSource,
    readonly uri: Uri,
    /** The tag parameter; undefined when absent. */
    readonly tag: string | undefined,
  ) {
    this.source = source.text
    this.nameStart = source.nameStart
    this.nameEnd = source.nameEnd
    this.paramsStart = source.paramsStart
    this.paramsEnd = source.paramsEnd
    this.cachedParams = undefined
  }

  /** Makes a name-addr; a display name is always quoted when written. */
  static of(init: NameAddrInit): NameAddr {
    const params = toParams(init.params)
    const source = addressSource(writeDisplayName(init.displayName), encodeParams(params))
    return new NameAddr(source, init.uri, params.get('tag') ?? undefined)
  }

  /** The display name: unquoted, UTF-8 decoded; undefined when there is none. */
  get displayName(): string | undefined {
    const raw = this.rawDisplayName
    if (raw.length === 0) return undefined
    return raw.charCodeAt(0) === 0x22 ? unquote(raw, 0, raw.length) : decodeText(raw)
  }

  /** Who it is: the user of a SIP URI, the number of a tel URI; undefined when there is neither. */
  get user(): string | undefined {
    if (this.uri instanceof SipUri) return this.uri.user
    return this.uri instanceof TelUri ? this.uri.number : undefined
  }

  /** Header parameters (not those of the URI); names in lower case. */
  get params(): Params {
    this.cachedParams ??= decodeParams(this.rawParams, tolerant)
    return this.cachedParams
  }

  /** A copy with one parameter set (null: without a value) or, for undefined, removed. */
  withParam(name: string, value: string | null | undefined): NameAddr {
    const params = withParam(this.params, name, value)
    return new NameAddr(
      addressSource(this.rawDisplayName, encodeParams(params)),
      this.uri,
      params.get('tag') ?? undefined,
    )
  }

  /** Always with angle brackets, so that parameters cannot move from header to URI. */
  toString(): string {
    const name = this.nameEnd === this.nameStart ? '' : `${decodeText(this.rawDisplayName)} `
    return `${name}<${this.uri.toString()}>${decodeText(trimSpacesEnd(this.rawParams))}`
  }

  toJSON(): string {
    return this.toString()
  }

  /** The display name as written, quotes included; empty when there is none. */
  protected get rawDisplayName(): string {
    return this.source.slice(this.nameStart, this.nameEnd)
  }

  private get rawParams(): string {
    return this.source.slice(this.paramsStart, this.paramsEnd)
  }
}

/** A source of its own for a display name and parameters (both wire text). */
export function addressSource(name: string, params: string): AddressSource {
  const text = name + params
  return { text, nameStart: 0, nameEnd: name.length, paramsStart: name.length, paramsEnd: text.length }
}

/**
 * What {@link readAddress} read last: where the display name stands and where parameters may begin. `quotedName` is a
 * name that had to be quoted and stands nowhere; empty otherwise.
 */
export const address = { nameStart: 0, nameEnd: 0, quotedName: '', next: 0 }

/** The source of the address read last, whose parameters end at `paramsEnd`; call it before reading another one. */
export function lastSource(
  text: string,
  nameStart: number,
  nameEnd: number,
  paramsStart: number,
  paramsEnd: number,
): AddressSource {
  if (address.quotedName !== '') return addressSource(address.quotedName, text.slice(paramsStart, paramsEnd))
  return { text, nameStart, nameEnd, paramsStart, paramsEnd }
}

const tagName = lowerWord('tag')

/** Reads one name-addr or addr-spec with its parameters at `start`; `cursor.next` is then at a comma or `end`. */
export function decodeNameAddr(wire: Wire, start: number, end: number, leniency: Leniency): NameAddr {
  const uri = readAddress(wire, start, end, leniency)
  const { nameStart, nameEnd, next: paramsStart } = address
  let position = paramsStart
  let tag: string | undefined
  let count = 0
  while (position < end && wire.bytes[position]! === 0x3b) {
    count += 1
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    readParam(wire, position + 1, end, leniency)
    position = param.next
    if (param.nameEnd - param.nameStart !== 3 || !paramIs(wire, tagName)) continue
    if (tag !== undefined) fail('PARAMETER_REPEATED', param.nameStart)
    if (param.valueStart < 0 || wire.bytes[param.valueStart]! === 0x22) fail('PARAMETER_INVALID', param.nameStart)
    tag = wire.text.slice(param.valueStart, param.valueEnd)
  }
  if (position < end && wire.bytes[position]! !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
  return new NameAddr(lastSource(wire.text, nameStart, nameEnd, paramsStart, position), uri, tag)
}

/** Reads a name-addr or addr-spec that fills the range: From, To, Refer-To and their kind. */
export function decodeOneNameAddr(wire: Wire, start: number, end: number, leniency: Leniency): NameAddr {
  const value = decodeNameAddr(wire, start, end, leniency)
  if (cursor.next < end) fail('UNEXPECTED_CHARACTER', cursor.next)
  return value
}

/** Reads display name and URI and returns the URI; {@link address} says where they stood, `address.next` what follows. */
export function readAddress(wire: Wire, start: number, end: number, leniency: Leniency): Uri {
  const from = skipSpace(wire, start, end)
  if (from >= end) fail('HEADER_EMPTY', from)
  const first = wire.bytes[from]!
  address.nameStart = from
  address.nameEnd = from
  address.quotedName = ''
  if (first === 0x3c) return readBracketed(wire, from, end, leniency)
  if (first === 0x22) {
    const quoteEnd = scanQuoted(wire, from, end)
    const bracket = skipSpace(wire, quoteEnd, end)
    if (bracket >= end || wire.bytes[bracket]! !== 0x3c) fail('ADDRESS_BRACKET_MISSING', bracket)
    address.nameEnd = quoteEnd
    return readBracketed(wire, bracket, end, leniency)
  }
  const stop = skipTokens(wire, from, end)
  const code = stop < end ? wire.bytes[stop]! : 0
  if (code === 0x3c) {
    address.nameEnd = trimSpace(wire, from, stop)
    return readBracketed(wire, stop, end, leniency)
  }
  if (code === 0x3a) return readBare(wire, from, end, leniency)
  return readUnquotedName(wire, from, stop, end, leniency)
}

/** The position of the first character from `at` that is neither of a token nor white space. */
function skipTokens(wire: Wire, at: number, end: number): number {
  let position = at
  while (position < end) {
    const code = wire.bytes[position]!
    if ((charFlags[code]! & TOKEN) === 0 && code !== 0x20 && code !== 0x09) break
    position += 1
  }
  return position
}

function readBracketed(wire: Wire, bracket: number, end: number, leniency: Leniency): Uri {
  let uriStart = bracket + 1
  if (leniency.spacesInAddress) uriStart = skipSpace(wire, uriStart, end)
  else if (uriStart < end && isSpace(wire.bytes[uriStart]!)) fail('ADDRESS_SPACE', uriStart)
  if (uriStart >= end) fail('ADDRESS_BRACKET_MISSING', bracket)
  const uri = decodeUriPrefix(wire, uriStart, end, leniency)
  let close = cursor.next
  if (close < end && isSpace(wire.bytes[close]!)) {
    if (!leniency.spacesInAddress) fail('ADDRESS_SPACE', close)
    close = skipSpace(wire, close, end)
  }
  if (close >= end) fail('ADDRESS_BRACKET_MISSING', bracket)
  if (wire.bytes[close]! !== 0x3e) fail('URI_INVALID', close)
  address.next = skipSpace(wire, close + 1, end)
  return uri
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** RFC 3261 §20.10: without brackets what follows a semicolon belongs to the header; "?" and "," need brackets. */
function readBare(wire: Wire, from: number, end: number, leniency: Leniency): Uri {
  let stop = from
  while (stop < end) {
    const code = wire.bytes[stop]!
    if (code === 0x3b || code === 0x2c || code === 0x20 || code === 0x09) break
    if (code === 0x3f && !leniency.addressWithoutBrackets) fail('ADDRESS_NEEDS_BRACKETS', stop)
    stop += 1
  }
  const uri = decodeUri(wire, from, stop, leniency)
  address.next = skipSpace(wire, stop, end)
  return uri
}

/** A display name with characters that want quotes; it must not reach beyond the next quote or bracket. */
function readUnquotedName(wire: Wire, from: number, stop: number, end: number, leniency: Leniency): Uri {
  if (stop >= end) fail('URI_INVALID', from)
  let bracket = stop
  while (bracket < end && wire.bytes[bracket]! !== 0x3c) bracket += 1
  if (bracket >= end) fail(wire.bytes[stop]! === 0x3e ? 'ADDRESS_BRACKET_MISSING' : 'URI_INVALID', stop)
  if (!leniency.unquotedDisplayName) fail('DISPLAY_NAME_INVALID', stop)
  for (let at = from; at < bracket; at += 1) {
    const code = wire.bytes[at]!
    // No quotes make a control character fit.
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) fail('DISPLAY_NAME_INVALID', at)
  }
  address.quotedName = quote(wire.text.slice(from, trimSpace(wire, from, bracket)))
  return readBracketed(wire, bracket, end, leniency)
}

/** A display name as wire text, quoted; empty for none. */
export function writeDisplayName(name: string | undefined): string {
  if (name === undefined || name === '') return ''
  checkNoLineEnd(name)
  return encodeText(quote(name))
}
