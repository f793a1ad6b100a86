/**
 * Parameters of header values: `*( SEMI generic-param )` (RFC 3261 §7.3.1, §25.1). A scan checks them without
 * allocating; the map is made when somebody asks for it.
 */
import { SipUsageError } from '../errors'
import { parametersMax } from '../limits'
import type { Leniency } from '../message/leniency'
import { charFlags, equalsIgnoreCase, isToken, skipSpace, TOKEN, tokenEnd } from './chars'
import { fail } from './failure'
import { isIpv6, isIpv6Range } from './host'
import { quote, scanQuoted, unquote } from './quoted'
import { decodeText, encodeText } from './text'
import { passingWire, type Wire } from './wire'

/** Parameters by lower-case name, in order; null for a parameter without a value. Quoted values are unquoted. */
export type Params = ReadonlyMap<string, string | null>

/** Parameters as a caller may hand them over: a map, a plain object or pairs. */
export type ParamsInit = Params | Iterable<readonly [string, string | null]> | Readonly<Record<string, string | null>>

/** No parameters. */
export const noParams: Params = new Map()

/** What {@link readParam} read last: positions in the text; `valueStart` is -1 when there is no value. */
export const param = { nameStart: 0, nameEnd: 0, valueStart: -1, valueEnd: -1, next: 0 }

/**
 * Reads one `name [= value]` at `at` (after the semicolon) into {@link param}. White space is allowed around each
 * part; `param.next` is the position after it, trailing white space skipped.
 */
export function readParam(wire: Wire, at: number, end: number, leniency: Leniency): void {
  if (!readPlainParam(wire.bytes, at, end)) readAnyParam(wire, at, end, leniency)
}

/** Reads `name` or `name=token` without white space, with ";", "," or the end after it; false for anything else. */
function readPlainParam(bytes: Uint8Array, at: number, end: number): boolean {
  const flags = charFlags
  let position = at
  while (position < end && (flags[bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === at) return false
  const nameEnd = position
  let valueStart = -1
  if (position < end && bytes[position] === 0x3d) {
    position += 1
    valueStart = position
    while (position < end && (flags[bytes[position]!]! & TOKEN) !== 0) position += 1
    if (position === valueStart) return false
  }
  if (position < end && bytes[position] !== 0x3b && bytes[position] !== 0x2c) return false
  param.nameStart = at
  param.nameEnd = nameEnd
  param.valueStart = valueStart
  param.valueEnd = valueStart < 0 ? -1 : position
  param.next = position
  return true
}

/**
 * The whole grammar of a parameter, without the short cut of {@link readParam}.
 * @internal
 */
export function readAnyParam(wire: Wire, at: number, end: number, leniency: Leniency): void {
  let position = skipSpace(wire, at, end)
  param.nameStart = position
  position = tokenEnd(wire, position, end)
  param.nameEnd = position
  param.valueStart = -1
  param.valueEnd = -1
  if (position === param.nameStart) {
    const code = position < end ? wire.bytes[position]! : 0x3b
    if (code !== 0x3b && code !== 0x2c) fail('PARAMETER_INVALID', position)
    if (!leniency.emptyParameters) fail('EMPTY_PARAMETER', position)
    param.next = position
    return
  }
  position = skipSpace(wire, position, end)
  if (position < end && wire.bytes[position]! === 0x3d) position = readValue(wire, position + 1, end, leniency)
  param.next = position
}

/** True when the parameter read last has this name (given in lower case). */
export function paramIs(wire: Wire, lower: Uint8Array): boolean {
  return equalsIgnoreCase(wire, param.nameStart, param.nameEnd, lower)
}

/**
 * Checks parameters from `at` up to a comma or `end` and returns the position of that comma, or `end`. The text at `at`
 * is a semicolon, a comma or the end.
 */
export function scanParams(wire: Wire, at: number, end: number, leniency: Leniency): number {
  let position = skipSpace(wire, at, end)
  let count = 0
  while (position < end && wire.bytes[position]! === 0x3b) {
    count += 1
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    readParam(wire, position + 1, end, leniency)
    position = param.next
  }
  if (position < end && wire.bytes[position]! !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  return position
}

/** The map of parameters that {@link scanParams} has accepted, from their wire text. Of a repeated name the first counts. */
export function decodeParams(text: string, leniency: Leniency): Params {
  return text.length === 0 ? noParams : decodeParamsRange(passingWire(text), 0, text.length, leniency)
}

/** The same for a range that a codec is reading. */
export function decodeParamsRange(wire: Wire, start: number, end: number, leniency: Leniency): Params {
  let position = skipSpace(wire, start, end)
  if (position >= end) return noParams
  const params = new Map<string, string | null>()
  while (position < end && wire.bytes[position] === 0x3b) {
    readParam(wire, position + 1, end, leniency)
    position = param.next
    if (param.nameEnd === param.nameStart) continue
    const name = wire.text.slice(param.nameStart, param.nameEnd).toLowerCase()
    if (!params.has(name)) params.set(name, paramValue(wire))
  }
  return params
}

/** The value of the parameter read last: unquoted, UTF-8 decoded; null when it has none. */
export function paramValue(wire: Wire): string | null {
  if (param.valueStart < 0) return null
  const { text, bytes } = wire
  const isQuoted = param.valueEnd > param.valueStart && bytes[param.valueStart] === 0x22
  if (isQuoted) return unquote(text, param.valueStart, param.valueEnd)
  return decodeText(text.slice(param.valueStart, param.valueEnd))
}

/**
 * Parameters in the form of a map; names in lower case. Throws SipUsageError VALUE_INVALID for a name that is no token,
 * HEADER_INJECTION for a value with CR, LF or NUL.
 */
export function toParams(init: ParamsInit | undefined): Params {
  if (init === undefined) return noParams
  const pairs = Symbol.iterator in init ? init : Object.entries(init)
  const params = new Map<string, string | null>()
  for (const [name, value] of pairs as Iterable<readonly [string, string | null]>) {
    checkName(name)
    checkNoLineEnd(value)
    params.set(name.toLowerCase(), value)
  }
  return params
}

/** A copy with one parameter set (null: without a value) or, for undefined, removed. */
export function withParam(params: Params, name: string, value: string | null | undefined): Params {
  checkName(name)
  checkNoLineEnd(value)
  const changed = new Map(params)
  if (value === undefined) changed.delete(name.toLowerCase())
  else changed.set(name.toLowerCase(), value)
  return changed
}

/** `;name=value…` as wire text; a value that is no token and no host is quoted. */
export function encodeParams(params: Params): string {
  let text = ''
  for (const [name, value] of params) {
    text += value === null ? `;${name}` : `;${name}=${encodeParamValue(value)}`
  }
  return encodeText(text)
}

/** A parameter value as it must be written: a token or an IPv6 literal as it is, anything else quoted. */
export function encodeParamValue(value: string): string {
  if (isToken(value) || (value.includes(':') && isIpv6Value(value))) return value
  return quote(value)
}

/** Throws SipUsageError HEADER_INJECTION for CR, LF or NUL: not even quoted may they stand in a header. */
export function checkNoLineEnd(value: string | null | undefined): void {
  if (value !== null && value !== undefined && /[\r\n\0]/.test(value)) throw new SipUsageError('HEADER_INJECTION')
}

function checkName(name: string): void {
  if (!isToken(name)) throw new SipUsageError('VALUE_INVALID', 'name of a parameter')
}

function isIpv6Value(value: string): boolean {
  const bracketed = value.startsWith('[') && value.endsWith(']')
  return bracketed ? isIpv6(value.slice(1, -1)) : isIpv6(value)
}

/** Reads the value after "="; returns the position after it and its white space. */
function readValue(wire: Wire, at: number, end: number, leniency: Leniency): number {
  const start = skipSpace(wire, at, end)
  let position = start
  const first = start < end ? wire.bytes[start]! : 0
  if (first === 0x22) {
    position = scanQuoted(wire, start, end)
  } else if (first === 0x5b) {
    position = scanBracketed(wire, start, end)
  } else {
    position = tokenEnd(wire, position, end)
    if (position < end && wire.bytes[position]! === 0x3a) position = scanBareIpv6(wire, start, end)
    if (position < end && leniency.parameterCharacters) position = scanLenient(wire, position, end)
    if (position === start && !leniency.emptyParameters) fail('PARAMETER_INVALID', position)
  }
  param.valueStart = start
  param.valueEnd = position
  return skipSpace(wire, position, end)
}

function scanBracketed(wire: Wire, start: number, end: number): number {
  let position = start + 1
  while (position < end && wire.bytes[position]! !== 0x5d) position += 1
  if (position >= end || !isIpv6Range(wire.bytes, start + 1, position)) fail('HOST_INVALID', start)
  return position + 1
}

/** RFC 5118 §4.5: the grammar of via-received has the address without brackets. */
function scanBareIpv6(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end) {
    const code = wire.bytes[position]!
    if (code !== 0x3a && (charFlags[code]! & TOKEN) === 0) break
    position += 1
  }
  if (!isIpv6Range(wire.bytes, start, position)) fail('PARAMETER_INVALID', start)
  return position
}

function scanLenient(wire: Wire, at: number, end: number): number {
  let position = at
  while (position < end) {
    const code = wire.bytes[position]!
    if (code === 0x3b || code === 0x2c || code <= 0x20 || code === 0x22 || code === 0x7f) break
    position += 1
  }
  return position
}
