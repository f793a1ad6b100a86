/**
 * Parameters and headers of SIP URIs as maps and back (RFC 3261 §19.1.1, §25.1: uri-parameters, headers), and single ones
 * changed in wire text, so that what is not touched keeps its spelling.
 */
import { SipUsageError } from '../errors'
import { URI_HEADER, URI_PARAM } from '../grammar/chars'
import { noParams, type Params, type ParamsInit } from '../grammar/params'
import { decodeEscapes, encodeEscapes, foldCase } from './escape'

/** Headers of a URI as a caller may hand them over. */
export type UriHeadersInit = ReadonlyMap<string, string> | Readonly<Record<string, string>>

/** The map of `;name=value…`; names in lower case, both decoded once. Of a repeated name the first counts. */
export function decodeUriParams(wire: string): Params {
  if (wire.length === 0) return noParams
  const params = new Map<string, string | null>()
  for (const piece of paramPieces(wire)) {
    const name = pieceName(piece)
    if (!params.has(name)) params.set(name, pieceValue(piece))
  }
  return params
}

/** The name of a parameter, from wire text: decoded once, in lower case. */
export function uriParamName(wire: string): string {
  return foldCase(decodeEscapes(wire))
}

/** `;name=value…` of what a caller hands over. Throws SipUsageError VALUE_INVALID for an empty name or value. */
export function encodeUriParams(init: ParamsInit | undefined): string {
  if (init === undefined) return ''
  const params = new Map<string, string | null>()
  const pairs = Symbol.iterator in init ? init : Object.entries(init)
  for (const [name, value] of pairs as Iterable<readonly [string, string | null]>) params.set(foldCase(name), value)
  let text = ''
  for (const [name, value] of params) text += encodeUriParam(name, value)
  return text
}

/** The wire text of parameters with one of them set (null: without a value) or, for undefined, removed. */
export function replaceUriParam(wire: string, name: string, value: string | null | undefined): string {
  const wanted = foldCase(name)
  let replacement = value === undefined ? '' : encodeUriParam(wanted, value)
  let text = ''
  for (const piece of paramPieces(wire)) {
    if (pieceName(piece) !== wanted) text += `;${piece}`
    else {
      text += replacement
      replacement = ''
    }
  }
  return text + replacement
}

/** The wire text of parameters without what only a tolerant reader takes: empty parameters and empty values. */
export function tidyUriParams(wire: string): string {
  if (!/;(?:;|$)|=(?:;|$)/.test(wire)) return wire
  let text = ''
  for (const piece of paramPieces(wire)) text += `;${piece.endsWith('=') ? piece.slice(0, -1) : piece}`
  return text
}

/** The names and values of parameters, wire text, undecoded and in order; a value is null where there is none. */
export function rawUriParams(wire: string): readonly (readonly [string, string | null])[] {
  return paramPieces(wire).map((piece) => {
    const equals = piece.indexOf('=')
    return equals < 0 ? [piece, null] : [piece.slice(0, equals), piece.slice(equals + 1)]
  })
}

/**
 * The map of `name=value&…`; names as they came first, both decoded once. Values of a repeated name are joined with commas,
 * as those of repeated header lines may be (RFC 3261 §7.3.1).
 */
export function decodeUriHeaders(wire: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  const spellings = new Map<string, string>()
  for (const [rawName, rawValue] of rawUriHeaders(wire)) {
    const name = decodeEscapes(rawName)
    const spelling = spellings.get(foldCase(name))
    const earlier = spelling === undefined ? undefined : headers.get(spelling)
    const value = decodeEscapes(rawValue)
    if (spelling === undefined) spellings.set(foldCase(name), name)
    headers.set(spelling ?? name, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return headers
}

/** `name=value&…` of what a caller hands over. Throws SipUsageError VALUE_INVALID for an empty name. */
export function encodeUriHeaders(init: UriHeadersInit | undefined): string {
  if (init === undefined) return ''
  const pairs = init instanceof Map ? init : Object.entries(init as Readonly<Record<string, string>>)
  return [...(pairs as Iterable<readonly [string, string]>)]
    .map(([name, value]) => encodeUriHeader(name, value))
    .join('&')
}

/** The wire text of headers with one of them set or, for undefined, removed. Repeats of it are removed. */
export function replaceUriHeader(wire: string, name: string, value: string | undefined): string {
  const wanted = foldCase(name)
  let replacement = value === undefined ? undefined : encodeUriHeader(name, value)
  const parts: string[] = []
  for (const [rawName, rawValue] of rawUriHeaders(wire)) {
    if (foldCase(decodeEscapes(rawName)) !== wanted) parts.push(`${rawName}=${rawValue}`)
    else if (replacement !== undefined) {
      parts.push(replacement)
      replacement = undefined
    }
  }
  if (replacement !== undefined) parts.push(replacement)
  return parts.join('&')
}

/** The names and values of headers, wire text, undecoded and in order. */
export function rawUriHeaders(wire: string): readonly (readonly [string, string])[] {
  if (wire.length === 0) return []
  return wire.split('&').map((part) => {
    const equals = part.indexOf('=')
    return [part.slice(0, equals), part.slice(equals + 1)]
  })
}

function encodeUriParam(name: string, value: string | null): string {
  if (name === '') throw new SipUsageError('VALUE_INVALID', 'name of a URI parameter')
  const encoded = encodeEscapes(name, URI_PARAM)
  if (value === null) return `;${encoded}`
  if (value === '') throw new SipUsageError('VALUE_INVALID', `empty value of the URI parameter ${encoded}`)
  return `;${encoded}=${encodeEscapes(value, URI_PARAM)}`
}

function encodeUriHeader(name: string, value: string): string {
  if (name === '') throw new SipUsageError('VALUE_INVALID', 'name of a URI header')
  return `${encodeEscapes(name, URI_HEADER)}=${encodeEscapes(value, URI_HEADER)}`
}

/** The parameters without their semicolons; empty ones left out. */
function paramPieces(wire: string): string[] {
  return wire.split(';').filter((piece) => piece !== '')
}

function pieceName(piece: string): string {
  const equals = piece.indexOf('=')
  return uriParamName(equals < 0 ? piece : piece.slice(0, equals))
}

function pieceValue(piece: string): string | null {
  const equals = piece.indexOf('=')
  return equals < 0 ? null : decodeEscapes(piece.slice(equals + 1))
}
