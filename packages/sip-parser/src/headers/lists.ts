/**
 * Elements of comma-separated lists (RFC 3261 §7.3.1): option tags, methods, warnings, Call-IDs, services. Each codec reads one element and leaves `cursor.next` at a comma or the end.
 */

import { charFlags, skipSpace, TOKEN, trimSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { quote, scanQuoted, unquote } from '../grammar/quoted'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { decodeUri, type Uri } from '../uri/parse-uri'
import { knownToken } from './known-tokens'
import { readBack, requireToken } from './param-value'
import { decodeCallId } from './scalars'

/** A Warning value (RFC 3261 §20.43). Immutable. */
export class Warning {
  /**
   * Takes what was read; use {@link Warning.of} instead.
   * @internal
   */
  constructor(
    /** 100 to 999. */
    readonly code: number,
    /** A host with or without a port, or a pseudonym. */
    readonly agent: string,
    readonly text: string,
  ) {}

  /** Makes a warning. Throws SipUsageError VALUE_INVALID for a code or agent that cannot be written. */
  static of(code: number, agent: string, text: string): Warning {
    return readBack(decodeWarningElement, new Warning(code, agent, text).toString(), 'Warning')
  }

  toString(): string {
    return `${this.code} ${this.agent} ${quote(this.text)}`
  }

  toJSON(): string {
    return this.toString()
  }
}

/** One token. */
export function decodeTokenElement(wire: Wire, start: number, end: number): string {
  const from = skipSpace(wire, start, end)
  const stop = requireToken(wire, from, end)
  endElement(wire, stop, end)
  return knownToken(wire, from, stop)
}

/**
 * The tokens of a line that holds tokens, commas and single spaces after these alone, `most` of them at most; undefined
 * for any other line, which {@link decodeTokenElement} has to judge.
 * @internal
 */
export function readPlainTokens(wire: Wire, start: number, end: number, most: number): string[] | undefined {
  const { bytes } = wire
  const flags = charFlags
  let tokens: string[] | undefined
  let position = start
  for (let count = 0; count < most; count += 1) {
    const from = position
    while (position < end && (flags[bytes[position]!]! & TOKEN) !== 0) position += 1
    if (position === from) return undefined
    const token = knownToken(wire, from, position)
    if (tokens === undefined) tokens = [token]
    else tokens.push(token)
    if (position === end) return tokens
    if (bytes[position] !== 0x2c) return undefined
    position += bytes[position + 1] === 0x20 ? 2 : 1
  }
  return undefined
}

/** One Call-ID of In-Reply-To. */
export function decodeCallIdElement(wire: Wire, start: number, end: number): string {
  const from = skipSpace(wire, start, end)
  let stop = from
  while (stop < end && wire.bytes[stop]! !== 0x2c) stop += 1
  cursor.next = stop
  return decodeCallId(wire, from, trimSpace(wire, from, stop))
}

/** `code agent "text"`. */
export function decodeWarningElement(wire: Wire, start: number, end: number): Warning {
  const from = skipSpace(wire, start, end)
  const codeEnd = requireToken(wire, from, end)
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
  return new Warning(code, wire.text.slice(agentStart, agentEnd), unquote(wire.text, textStart, textEnd))
}

/** One service of P-Asserted-Service (RFC 6050 §4.1): a bare URN, `urn:urn-7:3gpp-service.ims.icsi.mmtel`. */
export function decodeServiceElement(wire: Wire, start: number, end: number, leniency: Leniency): Uri {
  const from = skipSpace(wire, start, end)
  let stop = from
  while (stop < end && wire.bytes[stop]! !== 0x2c) stop += 1
  const uri = decodeUri(wire, from, trimSpace(wire, from, stop), leniency)
  if (uri.scheme !== 'urn') fail('URI_INVALID', from)
  cursor.next = stop
  return uri
}

function endElement(wire: Wire, at: number, end: number): void {
  const position = skipSpace(wire, at, end)
  if (position < end && wire.bytes[position]! !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
}
