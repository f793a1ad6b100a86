/**
 * Hosts (RFC 3261 §25.1: hostname, IPv4address, IPv6reference; RFC 5954 for the IPv6 grammar; RFC 5118 §4.10 for the
 * third colon that RFC 3261's grammar let in).
 */

import { Buffer } from 'node:buffer'
import { type Leniency, tolerant } from '../message/leniency'
import { charFlags, HOST, hexValue, LABEL, SEPARATOR, UPPER } from './chars'
import { attempt, fail } from './failure'
import { encodeText } from './text'
import { type Wire, wireOf } from './wire'

/**
 * What {@link scanHostPort} found last: where the host ends, its port, -1 when there is none, and
 * the place after it.
 */
export const hostPort = { hostEnd: 0, port: -1, next: 0 }

/**
 * Reads `host [":" port]` at `start`; white space around the colon when `allowSpace`. The result is undefined when the
 * host stands there as it is to be read; else it is what it is to be read as.
 */
export function scanHostPort(
  wire: Wire,
  start: number,
  end: number,
  leniency: Leniency,
  allowSpace: boolean,
): string | undefined {
  const isReference = start < end && wire.bytes[start]! === 0x5b
  const host = isReference ? readIpv6Reference(wire, start, end) : scanName(wire, start, end, leniency)
  hostPort.hostEnd = hostPort.next
  hostPort.port = -1
  readColonPort(wire, hostPort.next, end, allowSpace)
  return host
}

function readColonPort(wire: Wire, position: number, end: number, allowSpace: boolean): void {
  if (position >= end) return
  let colon = position
  if (allowSpace) colon = skip(wire, colon, end)
  if (colon < end && wire.bytes[colon]! === 0x3a) readPort(wire, colon + 1, end, allowSpace)
}

/** True for an IPv4 address in dotted decimal form, each part 0 to 255. */
export function isIpv4(text: string): boolean {
  const bytes = Buffer.from(text, 'utf8')
  return isIpv4Range(bytes, 0, bytes.length)
}

/** The same for a range of bytes. */
export function isIpv4Range(bytes: Uint8Array, start: number, end: number): boolean {
  let parts = 1
  let value = 0
  let digits = 0
  for (let at = start; at < end; at += 1) {
    const code = bytes[at]!
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
export function isIpv6(text: string): boolean {
  const bytes = Buffer.from(text, 'utf8')
  return isIpv6Range(bytes, 0, bytes.length)
}

/** The same for a range of bytes. */
export function isIpv6Range(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0
  let gap = false
  let at = start
  if (at < end && bytes[at] === 0x3a) {
    if (at + 1 >= end || bytes[at + 1] !== 0x3a) return false
    gap = true
    at += 2
  }
  while (at < end) {
    let digits = 0
    while (at + digits < end && digits < 5 && hexValue(bytes[at + digits]!) >= 0) digits += 1
    const after = at + digits
    if (after < end && bytes[after]! === 0x2e) return isIpv4Range(bytes, at, end) && fits(groups + 2, gap)
    if (digits === 0 || digits > 4) return false
    groups += 1
    at = after
    if (at === end) break
    if (bytes[at]! !== 0x3a) return false
    at += 1
    if (at === end) return false
    if (bytes[at]! === 0x3a) {
      if (gap) return false
      gap = true
      at += 1
      if (at < end && bytes[at]! === 0x3a) return isIpv4Range(bytes, at + 1, end) && fits(groups + 2, gap)
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
  const wire = wireOf(encodeText(text))
  const end = wire.text.length
  return attempt(() => scanName(wire, 0, end, tolerant)).ok && hostPort.next === end
}

/** True for what a name or IPv4 address may be made of, tolerated underscores among it. */
export function isHostCode(code: number): boolean {
  return (charFlags[code]! & HOST) !== 0 || code === 0x5f
}

function fits(groups: number, gap: boolean): boolean {
  return gap ? groups <= 7 : groups === 8
}

function readIpv6Reference(wire: Wire, start: number, end: number): string {
  let position = start + 1
  while (position < end && position - start < 64 && wire.bytes[position]! !== 0x5d) position += 1
  if (position >= end || wire.bytes[position]! !== 0x5d || !isIpv6Range(wire.bytes, start + 1, position))
    fail('HOST_INVALID', start)
  hostPort.next = position + 1
  return wire.text
    .slice(start + 1, position)
    .toLowerCase()
    .replace(':::', '::')
}

/** Reads a name or IPv4 address; undefined when it stands there as it is to be read. */
function scanName(wire: Wire, start: number, end: number, leniency: Leniency): string | undefined {
  const stop = plainNameEnd(wire.bytes, start, end)
  if (stop < 0) return scanAnyName(wire, start, end, leniency)
  hostPort.next = stop
  return undefined
}

/** The end of a name of lower-case labels without "-", or of an IPv4 address; -1 when the host is anything else. */
function plainNameEnd(bytes: Uint8Array, start: number, end: number): number {
  const flags = charFlags
  let position = start
  let labelStart: number
  if (start < end && bytes[start]! <= 0x39) {
    position = ipv4End(bytes, start, end)
    const after = position < end ? bytes[position]! : 0
    if (position > start && (flags[after]! & HOST) === 0 && after !== 0x5f) return position
    position = start
  }
  for (;;) {
    labelStart = position
    while (position < end && (flags[bytes[position]!]! & LABEL) !== 0) position += 1
    if (position === labelStart) return -1
    if (position === end || bytes[position] !== 0x2e) break
    position += 1
  }
  const code = position < end ? bytes[position]! : 0
  if ((flags[code]! & HOST) !== 0 || code === 0x5f) return -1
  return bytes[labelStart]! > 0x39 ? position : -1
}

/** The end of the IPv4 address at `start`, whatever follows it; `start` when there is none. */
function ipv4End(bytes: Uint8Array, start: number, end: number): number {
  let position = start
  for (let part = 0; part < 4; part += 1) {
    if (part > 0) {
      if (position >= end || bytes[position] !== 0x2e) return start
      position += 1
    }
    const first = position
    let value = 0
    while (position < end) {
      const digit = bytes[position]! - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      position += 1
    }
    if (position === first || position - first > 3 || value > 255) return start
  }
  return position
}

/**
 * Reads any name, without the short cut of {@link scanHostPort}; `hostPort.next` is then after it.
 * @internal
 */
export function readAnyName(wire: Wire, start: number, end: number, leniency: Leniency): string {
  return scanAnyName(wire, start, end, leniency) ?? wire.text.slice(start, hostPort.next)
}

/** Reads any name in one run; its labels are looked at only when two separators meet. */
function scanAnyName(wire: Wire, start: number, end: number, leniency: Leniency): string | undefined {
  const { bytes } = wire
  const flags = charFlags
  let position = start
  let all = 0
  let meeting = 0
  let previous = SEPARATOR
  for (;;) {
    while (position < end) {
      const flag = flags[bytes[position]!]!
      if ((flag & HOST) === 0) break
      all |= flag
      meeting |= flag & previous
      previous = flag
      position += 1
    }
    if (position >= end || bytes[position] !== 0x5f || !leniency.hostUnderscore) break
    previous = 0
    position += 1
  }
  if (position === start) fail('HOST_INVALID', position)
  if ((meeting & SEPARATOR) !== 0 || bytes[position - 1] === 0x2d) checkLabels(bytes, start, position)
  checkTop(bytes, start, position)
  hostPort.next = position
  return (all & UPPER) !== 0 ? wire.text.slice(start, position).toLowerCase() : undefined
}

/** No label may be empty or begin or end with "-"; a dot may end the name. */
function checkLabels(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at <= end; at += 1) {
    const before = at === start ? 0x2e : bytes[at - 1]
    const here = at === end ? 0x2e : bytes[at]
    if (before === 0x2e && (here === 0x2d || (here === 0x2e && (at < end || end - start === 1))))
      fail('HOST_INVALID', at)
    if (before === 0x2d && here === 0x2e) fail('HOST_INVALID', at)
  }
}

/** A last label that begins with a digit means an IPv4 address. */
function checkTop(bytes: Uint8Array, start: number, end: number): void {
  let top = bytes[end - 1] === 0x2e ? end - 2 : end - 1
  while (top > start && bytes[top - 1] !== 0x2e) top -= 1
  const first = bytes[Math.max(top, start)]!
  if (first >= 0x30 && first <= 0x39 && !isIpv4Range(bytes, start, end)) fail('HOST_INVALID', start)
}

function readPort(wire: Wire, start: number, end: number, allowSpace: boolean): void {
  let position = allowSpace ? skip(wire, start, end) : start
  const first = position
  let port = 0
  while (position < end && position - first < 6) {
    const code = wire.bytes[position]!
    if (code < 0x30 || code > 0x39) break
    port = port * 10 + code - 0x30
    position += 1
  }
  if (position === first || port > 65535) fail('PORT_INVALID', first)
  hostPort.port = port
  hostPort.next = position
}

function skip(wire: Wire, at: number, end: number): number {
  let position = at
  while (position < end && (wire.bytes[position]! === 0x20 || wire.bytes[position]! === 0x09)) position += 1
  return position
}
