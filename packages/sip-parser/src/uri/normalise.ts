/** SIP URIs in one spelling, as look-up keys and for logs (RFC 3261 §10.3, §19.1.4; RFC 5954 §3.2). */
import { PASSWORD, URI_HEADER, URI_PARAM, USER } from '../grammar/chars'
import { bracketHost } from '../grammar/host'
import { decodeEscapes, foldCase, normaliseEscapes } from './escape'
import { canonicalHost } from './ipv6'
import type { SipUri, SipUriParts } from './sip-uri'
import { rawUriHeaders, rawUriParams } from './uri-params'

/** What stands in logs for a secret. */
const mask = '***'
const secretHeaders = new Set(['authorization', 'proxy-authorization'])

/** The parts in the spelling that all equal parts have which differ in spelling only. */
export function normalisedParts(parts: SipUriParts): SipUriParts {
  return {
    ...parts,
    user: parts.user === undefined ? undefined : normaliseEscapes(parts.user, USER),
    password: parts.password === undefined ? undefined : normaliseEscapes(parts.password, PASSWORD),
    host: canonicalHost(parts.host),
    params: normalisedParams(parts.params),
    headers: normalisedHeaders(parts.headers),
  }
}

/** Scheme "sip", user with its escapes decoded, host. */
export function addressOfRecordOf(uri: SipUri): string {
  const { user, host } = uri
  const at = bracketHost(canonicalHost(host))
  return user === undefined ? `sip:${at}` : `sip:${user}@${at}`
}

/** The parts with secrets masked. */
export function maskedParts(parts: SipUriParts): SipUriParts {
  const headers = rawUriHeaders(parts.headers).map(([name, value]) => {
    const isSecret = secretHeaders.has(foldCase(decodeEscapes(name)))
    return `${name}=${isSecret ? mask : value}`
  })
  return { ...parts, password: parts.password === undefined ? undefined : mask, headers: headers.join('&') }
}

/** Values of "method" keep their case (RFC 3261 §7.1). */
function normalisedParams(wire: string): string {
  const params = new Map<string, string>()
  for (const [rawName, rawValue] of rawUriParams(wire)) {
    const name = foldEscaped(normaliseEscapes(rawName, URI_PARAM))
    if (params.has(name)) continue
    const value = normaliseEscapes(rawValue ?? '', URI_PARAM)
    params.set(name, value === '' ? '' : `=${name === 'method' ? value : canonicalValue(name, value)}`)
  }
  return [...params]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `;${name}${value}`)
    .join('')
}

function canonicalValue(name: string, value: string): string {
  const folded = foldEscaped(value)
  const isAddress = name === 'maddr' && /^\[[0-9a-f:.]+\]$/.test(folded)
  return isAddress ? `[${canonicalHost(folded.slice(1, -1))}]` : folded
}

/** Values keep their case: in most headers it may count. Repeats of a name keep their order. */
function normalisedHeaders(wire: string): string {
  return rawUriHeaders(wire)
    .map(([name, value]) => [foldEscaped(normaliseEscapes(name, URI_HEADER)), normaliseEscapes(value, URI_HEADER)])
    .sort(([one = ''], [other = '']) => (one === other ? 0 : one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Lower case but for the digits of escapes, which are capitals. */
function foldEscaped(text: string): string {
  return foldCase(text).replace(/%[0-9a-f]{2}/g, (digits) => digits.toUpperCase())
}
