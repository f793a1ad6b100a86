/** Reading URIs: sip, sips (RFC 3261 §19.1, §25.1), tel (RFC 3966), any other as opaque text (RFC 3986). */

import type { Result } from '../errors'
import {
  charFlags,
  equalsIgnoreCase,
  lowerWord,
  PASSWORD,
  URI_ANY,
  URI_HEADER,
  URI_PARAM,
  USER,
} from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { attempt, fail } from '../grammar/failure'
import { hostPort, scanHostPort } from '../grammar/host'
import { encodeText } from '../grammar/text'
import { passingWire, type Wire } from '../grammar/wire'
import { parametersMax } from '../limits'
import { type Leniency, strict } from '../message/leniency'
import { scanComponent } from './escape'
import { OpaqueUri } from './opaque-uri'
import { decodeTelUri } from './parse-tel'
import { SipUri } from './sip-uri'
import type { TelUri } from './tel-uri'
import { uriParamName } from './uri-params'

const telScheme = lowerWord('tel')

/** Any URI: SIP or SIPS, telephone, or text that is only carried. Tell them apart by `scheme` or `instanceof`. */
export type Uri = SipUri | TelUri | OpaqueUri

/** Reads one URI without angle brackets. Never throws; offsets count bytes from the start of `text`. */
export function parseUri(text: string, leniency: Leniency = strict): Result<Uri> {
  return parseWireUri(encodeText(text), leniency)
}

/** The same for wire text. */
export function parseWireUri(text: string, leniency: Leniency): Result<Uri> {
  const wire = passingWire(text)
  return attempt(() => decodeUri(wire, 0, text.length, leniency))
}

/** The codec behind {@link parseUri}: the URI is exactly the range of wire text. */
export function decodeUri(wire: Wire, start: number, end: number, leniency: Leniency): Uri {
  const uri = decodeUriPrefix(wire, start, end, leniency)
  if (cursor.next < end) fail('URI_INVALID', cursor.next)
  return uri
}

/** Reads the URI at `start` as far as it goes; `cursor.next` is then at the first character that is not part of it. */
export function decodeUriPrefix(wire: Wire, start: number, end: number, leniency: Leniency): Uri {
  if (end - start >= 4 && (wire.bytes[start]! | 0x20) === 0x73) {
    const isSip = (wire.bytes[start + 1]! | 0x20) === 0x69 && (wire.bytes[start + 2]! | 0x20) === 0x70
    const fourth = wire.bytes[start + 3]!
    if (isSip && fourth === 0x3a) return decodeSipUri(wire, start, start + 4, end, leniency)
    if (isSip && (fourth | 0x20) === 0x73 && end - start > 4 && wire.bytes[start + 4]! === 0x3a) {
      return decodeSipUri(wire, start, start + 5, end, leniency)
    }
  }
  const colon = scanScheme(wire, start, end)
  const stop = scanOpaque(wire, colon + 1, end)
  cursor.next = stop
  if (equalsIgnoreCase(wire, start, colon, telScheme)) return decodeTelUri(wire, start, colon + 1, stop)
  if (stop === colon + 1) fail('URI_INVALID', stop)
  const scheme = wire.text.slice(start, colon).toLowerCase()
  if (scheme === 'sip' || scheme === 'sips') fail('URI_INVALID', stop)
  return new OpaqueUri(scheme, wire.text.slice(start, stop))
}

function decodeSipUri(wire: Wire, start: number, from: number, end: number, leniency: Leniency): SipUri {
  const hostStart = leniency.userCharacters ? scanUserTolerantly(wire, from, end) : scanUserInfo(wire, from, end)
  if (hostStart > from && userEnd === from) fail('URI_INVALID', from)
  const host = scanHostPort(wire, hostStart, end, leniency, false)
  const port = hostPort.port < 0 ? undefined : hostPort.port
  const paramsStart = hostPort.next
  let stop = paramsStart
  if (stop < end && wire.bytes[stop]! === 0x3b) stop = scanUriParams(wire, paramsStart, end, leniency)
  const paramsEnd = stop
  if (stop < end && wire.bytes[stop]! === 0x3f) stop = scanUriHeaders(wire, stop, end)
  cursor.next = stop
  return new SipUri(wire.text, host, port, { start, hostStart, paramsStart, paramsEnd, end: stop })
}

/** Where the user ends, after {@link scanUserInfo} has found one. */
let userEnd = 0

/**
 * The position after the "@", or `start` when there is no user. What a user may hold includes all that a host and its
 * parameters may hold, so one run over it tells.
 */
function scanUserInfo(wire: Wire, start: number, end: number): number {
  let position = scanComponent(wire, start, end, USER)
  userEnd = position
  if (position < end && wire.bytes[position]! === 0x3a) position = scanComponent(wire, position + 1, end, PASSWORD)
  return position < end && wire.bytes[position]! === 0x40 ? position + 1 : start
}

/** The same for users with characters that should be escaped: anything visible that is no quote, bracket or "@". */
function scanUserTolerantly(wire: Wire, start: number, end: number): number {
  let position = start
  userEnd = -1
  while (position < end) {
    const code = wire.bytes[position]!
    if (code === 0x40) {
      if (userEnd < 0) userEnd = position
      return position + 1
    }
    if (code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x3c || code === 0x3e) break
    if (code === 0x3a && userEnd < 0) userEnd = position
    position += 1
  }
  return start
}

/** Where the names of the parameters read last begin and end, two numbers each. */
const nameRanges = new Int32Array(2 * parametersMax)

/** No parameter may appear twice (RFC 3261 §19.1.1): two readers would not agree on which one counts. */
function scanUriParams(wire: Wire, start: number, end: number, leniency: Leniency): number {
  let position = start
  let count = 0
  while (position < end && wire.bytes[position]! === 0x3b) {
    const nameStart = position + 1
    position = scanComponent(wire, nameStart, end, URI_PARAM)
    if (position === nameStart) {
      const code = position < end ? wire.bytes[position]! : 0x3b
      if (code === 0x3d) fail('URI_INVALID', position)
      if (!leniency.emptyParameters) fail('EMPTY_PARAMETER', position)
      continue
    }
    if (count >= parametersMax) fail('TOO_MANY_PARAMETERS', nameStart - 1)
    nameRanges[2 * count] = nameStart
    nameRanges[2 * count + 1] = position
    count += 1
    if (position < end && wire.bytes[position]! === 0x3d) {
      const valueStart = position + 1
      position = scanComponent(wire, valueStart, end, URI_PARAM)
      if (position === valueStart && !leniency.emptyParameters) fail('URI_INVALID', position)
    }
  }
  if (count > 1) checkRepeats(wire, count)
  return position
}

function checkRepeats(wire: Wire, count: number): void {
  for (let later = 1; later < count; later += 1) {
    for (let earlier = 0; earlier < later; earlier += 1) {
      if (isSameName(wire, later, earlier)) fail('PARAMETER_REPEATED', nameRanges[2 * later]!)
    }
  }
}

/** The first letter tells most names apart. */
function isSameName(wire: Wire, one: number, other: number): boolean {
  const { bytes } = wire
  const start = nameRanges[2 * one]!
  const otherStart = nameRanges[2 * other]!
  const first = bytes[start]!
  const otherFirst = bytes[otherStart]!
  if (lowerLetter(first) !== lowerLetter(otherFirst) && first !== 0x25 && otherFirst !== 0x25) return false
  const end = nameRanges[2 * one + 1]!
  const otherEnd = nameRanges[2 * other + 1]!
  if (hasEscape(wire, start, end) || hasEscape(wire, otherStart, otherEnd)) {
    return uriParamName(wire.text.slice(start, end)) === uriParamName(wire.text.slice(otherStart, otherEnd))
  }
  if (end - start !== otherEnd - otherStart) return false
  for (let at = start, shift = otherStart - start; at < end; at += 1) {
    if (lowerLetter(bytes[at]!) !== lowerLetter(bytes[at + shift]!)) return false
  }
  return true
}

function hasEscape(wire: Wire, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (wire.bytes[at] === 0x25) return true
  return false
}

function lowerLetter(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code
}

function scanUriHeaders(wire: Wire, start: number, end: number): number {
  let position = start
  do {
    const nameStart = position + 1
    position = scanComponent(wire, nameStart, end, URI_HEADER)
    if (position === nameStart || position >= end || wire.bytes[position]! !== 0x3d) fail('URI_INVALID', position)
    position = scanComponent(wire, position + 1, end, URI_HEADER)
  } while (position < end && wire.bytes[position]! === 0x26)
  return position
}

/** RFC 3986 §3.1: a letter, then letters, digits, "+", "-", "."; returns the position of the colon. */
function scanScheme(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end) {
    const code = wire.bytes[position]!
    if (code === 0x3a) break
    const lower = code | 0x20
    const isLetter = lower >= 0x61 && lower <= 0x7a
    const isLater = (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e
    if (!isLetter && !(isLater && position > start)) fail('URI_INVALID', position)
    position += 1
  }
  if (position >= end || position === start) fail('URI_INVALID', start)
  return position
}

/** The position after the characters that a URI may hold. */
function scanOpaque(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & URI_ANY) !== 0) position += 1
  return position
}
