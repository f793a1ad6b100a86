/**
 * Elements of comma-separated lists (RFC 3261 §7.3.1): option tags, methods, values with parameters, warnings, URIs of
 * Alert-Info and its kind. Each codec reads one element and leaves `cursor.next` at a comma or the end.
 */
import { charFlags, skipSpace, TOKEN, trimSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { decodeParams, type Params, scanParams } from '../grammar/params'
import { scanQuoted, unquote } from '../grammar/quoted'
import { type Leniency, tolerant } from '../message/leniency'
import { decodeUri, type Uri } from '../uri/parse-uri'
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
export function decodeTokenElement(text: string, start: number, end: number): string {
  const from = skipSpace(text, start, end)
  const stop = tokenEnd(text, from, end)
  endElement(text, stop, end)
  return text.slice(from, stop)
}

/** One Call-ID of In-Reply-To. */
export function decodeCallIdElement(text: string, start: number, end: number): string {
  const from = skipSpace(text, start, end)
  let stop = from
  while (stop < end && text.charCodeAt(stop) !== 0x2c) stop += 1
  cursor.next = stop
  return decodeCallId(text, from, trimSpace(text, from, stop))
}

/** A token, or a media range with slashes, with parameters: Accept, Accept-Language, Reason and their kind. */
export function decodeValueElement(text: string, start: number, end: number, leniency: Leniency): ValueWithParams {
  const from = skipSpace(text, start, end)
  let stop = tokenEnd(text, from, end)
  let value = text.slice(from, stop)
  let position = skipSpace(text, stop, end)
  if (position < end && text.charCodeAt(position) === 0x2f) {
    const subtypeStart = skipSpace(text, position + 1, end)
    stop = tokenEnd(text, subtypeStart, end)
    value = `${value}/${text.slice(subtypeStart, stop)}`
    position = skipSpace(text, stop, end)
  }
  cursor.next = scanParams(text, position, end, leniency)
  return { value, params: decodeParams(text.slice(position, cursor.next), tolerant) }
}

/** `code agent "text"`. */
export function decodeWarningElement(text: string, start: number, end: number): Warning {
  const from = skipSpace(text, start, end)
  const codeEnd = tokenEnd(text, from, end)
  const code = Number(text.slice(from, codeEnd))
  if (codeEnd - from !== 3 || !(code >= 100)) fail('WARNING_INVALID', from)
  const agentStart = skipSpace(text, codeEnd, end)
  let agentEnd = agentStart
  while (agentEnd < end && text.charCodeAt(agentEnd) > 0x20 && text.charCodeAt(agentEnd) !== 0x22) agentEnd += 1
  const textStart = skipSpace(text, agentEnd, end)
  if (agentEnd === agentStart || textStart === agentEnd || text.charCodeAt(textStart) !== 0x22)
    fail('WARNING_INVALID', agentEnd)
  const textEnd = scanQuoted(text, textStart, end)
  endElement(text, textEnd, end)
  return { code, agent: text.slice(agentStart, agentEnd), text: unquote(text, textStart, textEnd) }
}

/** `<URI>` with parameters. */
export function decodeUriElement(text: string, start: number, end: number, leniency: Leniency): UriWithParams {
  const open = skipSpace(text, start, end)
  if (open >= end || text.charCodeAt(open) !== 0x3c) fail('ADDRESS_BRACKET_MISSING', open)
  let close = open + 1
  while (close < end && text.charCodeAt(close) !== 0x3e) close += 1
  if (close >= end) fail('ADDRESS_BRACKET_MISSING', open)
  const uri = decodeUri(text, open + 1, close, leniency)
  const position = skipSpace(text, close + 1, end)
  cursor.next = scanParams(text, position, end, leniency)
  return { uri, params: decodeParams(text.slice(position, cursor.next), tolerant) }
}

function tokenEnd(text: string, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[text.charCodeAt(position)]! & TOKEN) !== 0) position += 1
  if (position === start)
    fail(start < end && text.charCodeAt(start) === 0x2c ? 'EMPTY_ELEMENT' : 'TOKEN_EXPECTED', start)
  return position
}

function endElement(text: string, at: number, end: number): void {
  const position = skipSpace(text, at, end)
  if (position < end && text.charCodeAt(position) !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
}
