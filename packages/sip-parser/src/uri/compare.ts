/** Comparison of SIP URIs (RFC 3261 §19.1.4 with its errata; RFC 5954 §3.2 for IPv6 addresses). */
import type { Params } from '../grammar/params'
import { foldCase, normaliseEscapes } from './escape'
import { canonicalHost } from './ipv6'
import type { SipUri, SipUriParts } from './sip-uri'
import { rawUriHeaders, rawUriParams } from './uri-params'

/** Parameters that make URIs different when only one of them has it. */
const decisive = ['user', 'ttl', 'method', 'maddr', 'transport']

/** Every byte: for spellings that are compared and never written. */
const anyByte = 0xffff

/** Headers whose values are compared with regard to case (RFC 3261 §20.8, §20.21); "body" is no header at all. */
const exactHeaders = new Set(['body', 'call-id', 'i', 'in-reply-to'])

/** What shows that a value holds a URI, an address or a quoted string, in which case may count. */
const caseCounts = /[":@<]|%3A|%40/

/** True when the URIs are equal by RFC 3261 §19.1.4: no default is filled in, escapes count as what they stand for. */
export function isSipUriEqual(one: SipUri, other: SipUri): boolean {
  if (one === other) return true
  if (one.scheme !== other.scheme || one.port !== other.port) return false
  if (one.host !== other.host && !isSameAddress(one.host, other.host)) return false
  const [mine, theirs] = [one.parts(), other.parts()]
  return (
    isSameComponent(mine.user, theirs.user) &&
    isSameComponent(mine.password, theirs.password) &&
    areParamsEqual(one, mine.params, other, theirs.params) &&
    areHeadersEqual(mine, theirs)
  )
}

/** RFC 3261 §19.1.4: the user and the password are compared with regard to case. */
function isSameComponent(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true
  return one !== undefined && other !== undefined && comparable(one) === comparable(other)
}

/** Hosts are in lower case already; an address has more than one spelling only in IPv6. */
function isSameAddress(one: string, other: string): boolean {
  return one.includes(':') && other.includes(':') && canonicalHost(one) === canonicalHost(other)
}

function areParamsEqual(one: SipUri, mineWire: string, other: SipUri, theirsWire: string): boolean {
  if (mineWire === theirsWire) return true
  const [mine, theirs] = [comparableParams(one, mineWire), comparableParams(other, theirsWire)]
  for (const [name, value] of mine) {
    const counterpart = theirs.get(name)
    if (counterpart === undefined || counterpart === value) continue
    if (counterpart === null || value === null) return false
    if (comparableValue(name, value) !== comparableValue(name, counterpart)) return false
  }
  for (const name of decisive) if (mine.has(name) !== theirs.has(name)) return false
  return true
}

/** Without an escape the decoded parameters, which are kept, are what is compared. */
function comparableParams(uri: SipUri, wire: string): Params {
  if (!wire.includes('%')) return uri.params
  const params = new Map<string, string | null>()
  for (const [rawName, rawValue] of rawUriParams(wire)) {
    const name = foldCase(comparable(rawName))
    if (!params.has(name)) params.set(name, rawValue === null ? null : comparable(rawValue))
  }
  return params
}

/** RFC 3261 §7.1: methods are compared with regard to case; everything else here is not. */
function comparableValue(name: string, value: string): string {
  if (name === 'method') return value
  const isAddress = name === 'maddr' && /^\[[0-9A-Fa-f:.]+\]$/.test(value)
  return isAddress ? canonicalHost(foldCase(value.slice(1, -1))) : foldCase(value)
}

function areHeadersEqual(one: SipUriParts, other: SipUriParts): boolean {
  if (one.headers === other.headers) return true
  const [mine, theirs] = [comparableHeaders(one.headers), comparableHeaders(other.headers)]
  if (mine.size !== theirs.size) return false
  for (const [name, values] of mine) {
    const counterparts = theirs.get(name)
    if (counterparts?.length !== values.length) return false
    if (!values.every((value, at) => value === counterparts[at])) return false
  }
  return true
}

/** The values of each header in their order, which counts only among those of one name. */
function comparableHeaders(wire: string): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>()
  for (const [rawName, rawValue] of rawUriHeaders(wire)) {
    const name = foldCase(comparable(rawName))
    const value = comparable(rawValue)
    const isExact = exactHeaders.has(name) || caseCounts.test(value)
    const values = headers.get(name)
    const compared = isExact ? value : foldCase(value)
    if (values === undefined) headers.set(name, [compared])
    else values.push(compared)
  }
  return headers
}

function comparable(wire: string): string {
  return normaliseEscapes(wire, anyByte)
}
