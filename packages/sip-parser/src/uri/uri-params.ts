/** Parameters and headers of URIs as maps and back (RFC 3261 §19.1.1, §25.1: uri-parameters, headers). */
import { URI_HEADER, URI_PARAM } from '../grammar/chars'
import { noParams, type Params } from '../grammar/params'
import { decodeEscapes, encodeEscapes } from './escape'

/** The map of `;name=value…`; names in lower case, both decoded once. Of a repeated name the first counts. */
export function decodeUriParams(wire: string): Params {
  if (wire.length === 0) return noParams
  const params = new Map<string, string | null>()
  for (const part of wire.slice(1).split(';')) {
    if (part.length === 0) continue
    const equals = part.indexOf('=')
    const name = decodeEscapes(equals < 0 ? part : part.slice(0, equals)).toLowerCase()
    if (!params.has(name)) params.set(name, equals < 0 ? null : decodeEscapes(part.slice(equals + 1)))
  }
  return params
}

/** `;name=value…` with what must be escaped escaped. */
export function encodeUriParams(params: Params): string {
  let text = ''
  for (const [name, value] of params) {
    text += `;${encodeEscapes(name, URI_PARAM)}`
    if (value !== null) text += `=${encodeEscapes(value, URI_PARAM)}`
  }
  return text
}

/** The map of `name=value&…`; names as they came, both decoded once. */
export function decodeUriHeaders(wire: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  if (wire.length === 0) return headers
  for (const part of wire.split('&')) {
    const equals = part.indexOf('=')
    if (equals > 0) headers.set(decodeEscapes(part.slice(0, equals)), decodeEscapes(part.slice(equals + 1)))
  }
  return headers
}

/** `name=value&…` with what must be escaped escaped. */
export function encodeUriHeaders(headers: ReadonlyMap<string, string>): string {
  let text = ''
  for (const [name, value] of headers) {
    text += `${text === '' ? '' : '&'}${encodeEscapes(name, URI_HEADER)}=${encodeEscapes(value, URI_HEADER)}`
  }
  return text
}
