/** Comparison of SIP URIs (RFC 3261 §19.1.4 with its errata). */
import type { SipUri } from './sip-uri'

/** Parameters that make URIs different when only one of them has it. */
const decisive = ['user', 'ttl', 'method', 'maddr', 'transport']

/** True when the URIs are equal by RFC 3261 §19.1.4: no default is filled in, escapes count as what they stand for. */
export function isSipUriEqual(one: SipUri, other: SipUri): boolean {
  if (one.scheme !== other.scheme || one.host !== other.host || one.port !== other.port) return false
  if (one.user !== other.user || one.password !== other.password) return false
  return areParamsEqual(one, other) && areHeadersEqual(one, other)
}

function areParamsEqual(one: SipUri, other: SipUri): boolean {
  for (const [name, value] of one.params) {
    const counterpart = other.params.get(name)
    if (counterpart !== undefined && fold(value) !== fold(counterpart)) return false
  }
  for (const name of decisive) {
    if (one.params.has(name) !== other.params.has(name)) return false
  }
  return true
}

function areHeadersEqual(one: SipUri, other: SipUri): boolean {
  if (one.headers.size !== other.headers.size) return false
  const theirs = new Map<string, string>()
  for (const [name, value] of other.headers) theirs.set(name.toLowerCase(), value)
  for (const [name, value] of one.headers) {
    if (theirs.get(name.toLowerCase()) !== value) return false
  }
  return true
}

function fold(value: string | null): string | null {
  return value === null ? null : value.toLowerCase()
}
