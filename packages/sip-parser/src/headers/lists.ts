/**
 * Elements of comma-separated lists (RFC 3261 §7.3.1): option tags, methods, values with parameters, warnings, URIs of
 * Alert-Info and its kind. Each codec reads one element and leaves `cursor.next` at a comma or the end.
 */

import { charFlags, skipSpace, TOKEN, trimSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { decodeParamsRange, type Params, scanParams } from '../grammar/params'
import { scanQuoted, unquote } from '../grammar/quoted'
import type { Wire } from '../grammar/wire'
import { type Leniency, tolerant } from '../message/leniency'
import { decodeUri, type Uri } from '../uri/parse-uri'
import { knownToken } from './known-tokens'
import { decodeCallId, type ValueWithParams } from './scalars'

/** A Warning value (RFC 3261 §20.43). */
export interface Warning {
  /** 100 to 999. */
  readonly code: number
  readonly agent: string
  readonly text: string
}

/** A URI with parameters: Alert-Info, Call-Info, Error-Info (RFC 3261 §20.4, §20.9, §20.18). */
export interface UriWithParams {
  readonly uri: Uri
  readonly params: Params
}

/** One token. */
export function decodeTokenElement(wire: Wire, start: number, end: number): string {
  const from = skipSpace(wire, start, end)
  const stop = tokenEnd(wire, from, end)
  endElement(wire, stop, end)
  return knownToken(wire, from, stop)
}

/** One Call-ID of In-Reply-To. */
export function decodeCallIdElement(wire: Wire, start: number, end: number): string {
  const from = skipSpace(wire, start, end)
  let stop = from
  while (stop < end && wire.bytes[stop]! !== 0x2c) stop += 1
  cursor.next = stop
  return decodeCallId(wire, from, trimSpace(wire, from, stop))
}

/** A token, or a media range with slashes, with parameters: Accept, Accept-Language, Reason and their kind. */
export function decodeValueElement(wire: Wire, start: number, end: number, leniency: Leniency): ValueWithParams {
  const from = skipSpace(wire, start, end)
  let stop = tokenEnd(wire, from, end)
  let value = wire.text.slice(from, stop)
  let position = skipSpace(wire, stop, end)
  if (position < end && wire.bytes[position]! === 0x2f) {
    const subtypeStart = skipSpace(wire, position + 1, end)
    stop = tokenEnd(wire, subtypeStart, end)
    value = `${value}/${wire.text.slice(subtypeStart, stop)}`
    position = skipSpace(wire, stop, end)
  }
  cursor.next = scanParams(wire, position, end, leniency)
  return { value, params: decodeParamsRange(wire, position, cursor.next, tolerant) }
}

/** `code agent "text"`. */
export function decodeWarningElement(wire: Wire, start: number, end: number): Warning {
  const from = skipSpace(wire, start, end)
  const codeEnd = tokenEnd(wire, from, end)
  const code = Number(wire.text.slice(from, codeEnd))
  if (codeEnd - from !== 3 || !(code >= 100)) fail('WARNING_INVALID', from)
  const agentStart = skipSpace(wire, codeEnd, end)
  let agentEnd = agentStart
  while (agentEnd < end && wire.bytes[agentEnd]! > 0x20 && wire.bytes[agentEnd]! !== 0x22) agentEnd += 1
  const textStart = skipSpace(wire, agentEnd, end)
  if (agentEnd === agentStart || textStart === agentEnd || wire.bytes[textStart]! !== 0x22)
    fail('WARNING_INVALID', agentEnd)
  const textEnd = scanQuoted(wire, textStart, end)
  endElement(wire, textEnd, end)
  return { code, agent: wire.text.slice(agentStart, agentEnd), text: unquote(wire.text, textStart, textEnd) }
}

/** `<URI>` with parameters. */
export function decodeUriElement(wire: Wire, start: number, end: number, leniency: Leniency): UriWithParams {
  const open = skipSpace(wire, start, end)
  if (open >= end || wire.bytes[open]! !== 0x3c) fail('ADDRESS_BRACKET_MISSING', open)
  let close = open + 1
  while (close < end && wire.bytes[close]! !== 0x3e) close += 1
  if (close >= end) fail('ADDRESS_BRACKET_MISSING', open)
  const uri = decodeUri(wire, open + 1, close, leniency)
  const position = skipSpace(wire, close + 1, end)
  cursor.next = scanParams(wire, position, end, leniency)
  return { uri, params: decodeParamsRange(wire, position, cursor.next, tolerant) }
}

function tokenEnd(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === start) fail(start < end && wire.bytes[start]! === 0x2c ? 'EMPTY_ELEMENT' : 'TOKEN_EXPECTED', start)
  return position
}

function endElement(wire: Wire, at: number, end: number): void {
  const position = skipSpace(wire, at, end)
  if (position < end && wire.bytes[position]! !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
}
