/**
 * Hosts (RFC 3261 §25.1: hostname, IPv4address, IPv6reference; RFC 5954 for the IPv6 grammar; RFC 5118 §4.10 for the
 * third colon that RFC 3261's grammar let in).
 */

import { type Leniency, tolerant } from '../message/leniency'
import { charFlags, HOST, hexValue } from './chars'
import { attempt, fail } from './failure'

/** What {@link readHostPort} read last. `port` is -1 when there is none. */
export const hostPort = { host: '', port: -1, next: 0 }

/** Reads `host [":" port]` at `start` into {@link hostPort}; white space around the colon when `allowSpace`. */
export function readHostPort(text: string, start: number, end: number, leniency: Leniency, allowSpace: boolean): void {
  let position = start
  if (position < end && text.charCodeAt(position) === 0x5b) {
    position = readIpv6Reference(text, start, end)
  } else {
    position = readName(text, start, end, leniency)
  }
  hostPort.port = -1
  hostPort.next = position
  if (position >= end) return
  let colon = position
  if (allowSpace) colon = skip(text, colon, end)
  if (colon < end && text.charCodeAt(colon) === 0x3a) readPort(text, colon + 1, end, allowSpace)
}

/** True for an IPv4 address in dotted decimal form, each part 0 to 255. */
export function isIpv4(text: string, start = 0, end = text.length): boolean {
  let parts = 1
  let value = 0
  let digits = 0
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x2e) {
      if (digits === 0) return false
      parts += 1
      value = 0
      digits = 0
    } else if (code >= 0x30 && code <= 0x39) {
      value = value * 10 + code - 0x30
      digits += 1
      if (digits > 3 || value > 255) return false
    } else {
      return false
    }
  }
  return parts === 4 && digits > 0
}

/** True for an IPv6 address without brackets; `:::` before an IPv4 tail counts as `::` (RFC 5118 §4.10). */
export function isIpv6(text: string, start = 0, end = text.length): boolean {
  let groups = 0
  let gap = false
  let at = start
  if (text.charCodeAt(at) === 0x3a) {
    if (text.charCodeAt(at + 1) !== 0x3a || at + 1 >= end) return false
    gap = true
    at += 2
  }
  while (at < end) {
    let digits = 0
    while (at + digits < end && digits < 5 && hexValue(text.charCodeAt(at + digits)) >= 0) digits += 1
    const after = at + digits
    if (after < end && text.charCodeAt(after) === 0x2e) return isIpv4(text, at, end) && fits(groups + 2, gap)
    if (digits === 0 || digits > 4) return false
    groups += 1
    at = after
    if (at === end) break
    if (text.charCodeAt(at) !== 0x3a) return false
    at += 1
    if (at === end) return false
    if (text.charCodeAt(at) === 0x3a) {
      if (gap) return false
      gap = true
      at += 1
      if (at < end && text.charCodeAt(at) === 0x3a) return isIpv4(text, at + 1, end) && fits(groups + 2, gap)
    }
  }
  return fits(groups, gap)
}

/** A host as it is written in a URI or Via: IPv6 in brackets. */
export function bracketHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** True when the text is an acceptable host: name, IPv4, or IPv6 without brackets. */
export function isHost(text: string): boolean {
  if (text.includes(':')) return isIpv6(text)
  return attempt(() => readName(text, 0, text.length, tolerant) === text.length || fail('HOST_INVALID', 0)).ok
}

function fits(groups: number, gap: boolean): boolean {
  return gap ? groups <= 7 : groups === 8
}

function readIpv6Reference(text: string, start: number, end: number): number {
  let position = start + 1
  while (position < end && position - start < 64 && text.charCodeAt(position) !== 0x5d) position += 1
  if (position >= end || text.charCodeAt(position) !== 0x5d || !isIpv6(text, start + 1, position))
    fail('HOST_INVALID', start)
  hostPort.host = text
    .slice(start + 1, position)
    .toLowerCase()
    .replace(':::', '::')
  return position + 1
}

/** Reads a name or IPv4 address in one run: no label may be empty or begin or end with "-". */
function readName(text: string, start: number, end: number, leniency: Leniency): number {
  let position = start
  let hasUpper = false
  let previous = 0x2e
  let top = 0
  while (position < end) {
    const code = text.charCodeAt(position)
    if ((charFlags[code]! & HOST) === 0 && !(code === 0x5f && leniency.hostUnderscore)) break
    if (previous === 0x2e) {
      if (code === 0x2e || code === 0x2d) fail('HOST_INVALID', position)
      top = code
    } else if (code === 0x2e && previous === 0x2d) {
      fail('HOST_INVALID', position)
    }
    if (code >= 0x41 && code <= 0x5a) hasUpper = true
    previous = code
    position += 1
  }
  if (position === start || previous === 0x2d) fail('HOST_INVALID', position)
  // A last label that begins with a digit means an IPv4 address.
  if (top >= 0x30 && top <= 0x39 && !isIpv4(text, start, position)) fail('HOST_INVALID', start)
  const host = text.slice(start, position)
  hostPort.host = hasUpper ? host.toLowerCase() : host
  return position
}

function readPort(text: string, start: number, end: number, allowSpace: boolean): void {
  let position = allowSpace ? skip(text, start, end) : start
  const first = position
  let port = 0
  while (position < end && position - first < 6) {
    const code = text.charCodeAt(position)
    if (code < 0x30 || code > 0x39) break
    port = port * 10 + code - 0x30
    position += 1
  }
  if (position === first || port > 65535) fail('PORT_INVALID', first)
  hostPort.port = port
  hostPort.next = position
}

function skip(text: string, at: number, end: number): number {
  let position = at
  while (position < end && (text.charCodeAt(position) === 0x20 || text.charCodeAt(position) === 0x09)) position += 1
  return position
}
