/**
 * Headers with one small value: numbers, CSeq, Call-ID, text, dates (RFC 3261 §20.8, §20.14, §20.16, §20.17, §20.19,
 * §20.22, §20.23, §20.33, §20.36, §20.38; RFC 3262 §7 for RSeq and RAck).
 */

import { charFlags, isAll, skipSpace, TOKEN, WORD } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { decodeParamsRange, type Params, scanParams } from '../grammar/params'
import { decodeText } from '../grammar/text'
import type { Wire } from '../grammar/wire'
import { type Leniency, tolerant } from '../message/leniency'
import { knownToken } from './known-tokens'
import { readBack, writeParams } from './param-value'

/** Number and method of a CSeq header. */
export interface CSeq {
  /** 0 to 2**31 - 1. */
  readonly seq: number
  /** Case-sensitive, as it came. */
  readonly method: string
}

/** RAck (RFC 3262 §7.2): which reliable provisional response a PRACK acknowledges. Immutable. */
export class RAck {
  /**
   * Takes what was read; use {@link RAck.of} instead.
   * @internal
   */
  constructor(
    readonly rseq: number,
    readonly seq: number,
    /** Case-sensitive, as it came. */
    readonly method: string,
  ) {}

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a number or method that cannot be written. */
  static of(rseq: number, seq: number, method: string): RAck {
    return readBack(decodeWholeRAck, `${rseq} ${seq} ${method}`, 'RAck')
  }

  toString(): string {
    return `${this.rseq} ${this.seq} ${this.method}`
  }
}

/** Retry-After (RFC 3261 §20.33). Immutable. */
export class RetryAfter {
  /** Takes values that can be written: a number of seconds, and a comment whose parentheses match. */
  constructor(
    readonly seconds: number,
    readonly params: Params,
    /** Text of the comment, without its parentheses; undefined when there is none. */
    readonly comment: string | undefined,
  ) {}

  toString(): string {
    const comment = this.comment === undefined ? '' : ` (${this.comment})`
    return `${this.seconds}${comment}${writeParams(this.params, () => false)}`
  }
}

/** What {@link decodeTokenWithParams} reads. */
export interface TokenAndParams {
  readonly value: string
  readonly params: Params
}

/** Reads a decimal number that fills the range; leading zeros allowed. */
export function decodeNumber(wire: Wire, start: number, end: number, max: number): number {
  if (start === end) fail('HEADER_EMPTY', start)
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = wire.bytes[at]! - 0x30
    if (digit < 0 || digit > 9) fail('NUMBER_INVALID', at)
    value = value * 10 + digit
    if (value > max) fail('NUMBER_TOO_LARGE', start)
  }
  return value
}

/** Max-Forwards: 0 to 255. */
export function decodeMaxForwards(wire: Wire, start: number, end: number): number {
  return decodeNumber(wire, start, end, 255)
}

/** Expires, Min-Expires: seconds, 0 to 2**32 - 1. */
export function decodeDeltaSeconds(wire: Wire, start: number, end: number): number {
  return decodeNumber(wire, start, end, 4294967295)
}

/** Content-Length. */
export function decodeLength(wire: Wire, start: number, end: number): number {
  return decodeNumber(wire, start, end, Number.MAX_SAFE_INTEGER)
}

/** RSeq: 1 to 2**32 - 1 (RFC 3262 §7.1). */
export function decodeRSeq(wire: Wire, start: number, end: number): number {
  return decodeNumber(wire, start, end, 4294967295)
}

/** CSeq: a number below 2**31 and a method. */
export function decodeCSeq(wire: Wire, start: number, end: number): CSeq {
  let position = start
  let seq = 0
  while (position < end) {
    const digit = wire.bytes[position]! - 0x30
    if (digit < 0 || digit > 9) break
    seq = seq * 10 + digit
    if (seq > 2147483647) fail('CSEQ_INVALID', start)
    position += 1
  }
  const methodStart = skipSpace(wire, position, end)
  if (position === start || methodStart === position || !isAll(wire, methodStart, end, TOKEN))
    fail('CSEQ_INVALID', position)
  return { seq, method: methodText(wire, methodStart, end) }
}

/** RAck: two numbers and a method. */
export function decodeRAck(wire: Wire, start: number, end: number): RAck {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  const rseq = decodeNumber(wire, start, position, 4294967295)
  const cseq = decodeCSeq(wire, skipSpace(wire, position, end), end)
  return new RAck(rseq, cseq.seq, cseq.method)
}

/** RAck for what a program makes: says that it fills the range. */
function decodeWholeRAck(wire: Wire, start: number, end: number): RAck {
  const value = decodeRAck(wire, start, end)
  cursor.next = end
  return value
}

/** Call-ID: `word ["@" word]`. */
export function decodeCallId(wire: Wire, start: number, end: number): string {
  if (start === end) fail('HEADER_EMPTY', start)
  let position = wordEnd(wire.bytes, start, end)
  if (position > start && position < end - 1 && wire.bytes[position] === 0x40)
    position = wordEnd(wire.bytes, position + 1, end)
  if (position < end) fail('CALL_ID_INVALID', position)
  return wire.text.slice(start, end)
}

function wordEnd(bytes: Uint8Array, start: number, end: number): number {
  const flags = charFlags
  let at = start
  while (at < end && (flags[bytes[at]!]! & WORD) !== 0) at += 1
  return at
}

/** Subject, User-Agent, Server, Organization: text that may be empty. */
export function decodeFreeText(wire: Wire, start: number, end: number): string {
  const { bytes } = wire
  let all = 0
  for (let at = start; at < end; at += 1) {
    const code = bytes[at]!
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) fail('HEADER_CONTROL_CHARACTER', at)
    all |= code
  }
  const text = wire.text.slice(start, end)
  return all > 0x7f ? decodeText(text) : text
}

/** One token that fills the range: Priority, MIME-Version and their kind. */
export function decodeToken(wire: Wire, start: number, end: number): string {
  if (!isAll(wire, start, end, TOKEN)) fail('TOKEN_EXPECTED', start)
  return wire.text.slice(start, end)
}

/** Retry-After: seconds, an optional comment, parameters. */
export function decodeRetryAfter(wire: Wire, start: number, end: number, leniency: Leniency): RetryAfter {
  let position = digitsEnd(wire, start, end)
  const seconds = decodeNumber(wire, start, position, 4294967295)
  position = skipSpace(wire, position, end)
  let comment: string | undefined
  if (position < end && wire.bytes[position]! === 0x28) {
    const close = commentEnd(wire, position, end)
    comment = decodeText(wire.text.slice(position + 1, close - 1))
    position = skipSpace(wire, close, end)
  }
  const params = paramsToEnd(wire, position, end, leniency)
  return new RetryAfter(seconds, params, comment)
}

/** A token and parameters that fill the range. */
export function decodeTokenWithParams(wire: Wire, start: number, end: number, leniency: Leniency): TokenAndParams {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === start) fail('TOKEN_EXPECTED', start)
  const value = wire.text.slice(start, position)
  return { value, params: paramsToEnd(wire, skipSpace(wire, position, end), end, leniency) }
}

/** Timestamp: `1*DIGIT ["." *DIGIT] [LWS delay]`; the text is checked and returned. */
export function decodeTimestamp(wire: Wire, start: number, end: number): string {
  const value = wire.text.slice(start, end)
  if (!/^[0-9]{1,15}(?:\.[0-9]{0,15})?(?:[ \t]+[0-9]{0,15}(?:\.[0-9]{0,15})?)?$/.test(value))
    fail('NUMBER_INVALID', start)
  return value
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const datePattern =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-3][0-9]) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-2][0-9]):([0-5][0-9]):([0-6][0-9]) GMT$/

/** Date: RFC 1123 form, GMT only; the result is in milliseconds since the Unix epoch. */
export function decodeDate(wire: Wire, start: number, end: number): number {
  const match = end - start === 29 ? datePattern.exec(wire.text.slice(start, end)) : null
  const month = match === null ? -1 : months.indexOf(match[2]!)
  if (match === null || month < 0) return fail('DATE_INVALID', start)
  const ms = Date.UTC(+match[3]!, month, +match[1]!, +match[4]!, +match[5]!, +match[6]!)
  if (new Date(ms).getUTCDate() !== +match[1]! || +match[4]! > 23) fail('DATE_INVALID', start)
  return ms
}

/** The method in the range; the common ones are shared strings. */
export function methodText(wire: Wire, start: number, end: number): string {
  return knownToken(wire, start, end)
}

/** Parameters that reach to the end of the range. */
export function paramsToEnd(wire: Wire, at: number, end: number, leniency: Leniency): Params {
  const stop = scanParams(wire, at, end, leniency)
  if (stop < end) fail('UNEXPECTED_CHARACTER', stop)
  return decodeParamsRange(wire, at, stop, tolerant)
}

function digitsEnd(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && wire.bytes[position]! >= 0x30 && wire.bytes[position]! <= 0x39) position += 1
  return position
}

/** The position after the comment that begins at `start`; comments nest and may hold quoted pairs. */
function commentEnd(wire: Wire, start: number, end: number): number {
  let depth = 0
  for (let at = start; at < end; at += 1) {
    const code = wire.bytes[at]!
    if (code === 0x5c) at += 1
    else if (code === 0x28) depth += 1
    else if (code === 0x29) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return fail('UNEXPECTED_CHARACTER', start)
}
