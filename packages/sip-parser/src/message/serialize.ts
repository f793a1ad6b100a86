/**
 * Writing heads: start line and header lines are appended while the index of the new message grows beside them, so a
 * written message needs no parse (RFC 3261 §7). Every value from a caller passes {@link checkedText}.
 */
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { encodeText } from '../grammar/text'
import { headerIdOf } from '../headers/recognise'
import { headerNameBytesMax } from '../limits'
import { findId, type HeaderIndex, nameStartAt, packWritten, valueEndAt, valueStartAt } from './header-list'
import type { Leniency } from './leniency'
import { strict } from './leniency'
import type { MessageParts } from './parts'

/** What a header value may be given as; objects are written with `toString`. */
export type HeaderValue = string | number | { toString(): string }

/** One header line to be written. */
export type HeaderInit = readonly [name: string, value: HeaderValue]

/** Anything but visible ASCII and spaces. */
const unusual = /[^ -~]/

/** A head in the making. */
export class HeadWriter {
  private text: string
  private readonly startLineEnd: number
  private readonly index: number[] = []

  /** Begins with a start line of checked wire text, without its line end. */
  constructor(startLine: string) {
    this.startLineEnd = startLine.length
    this.text = `${startLine}\r\n`
  }

  /** Adds a line. Throws SipUsageError HEADER_NAME_INVALID or HEADER_INJECTION. */
  add(name: string, value: HeaderValue): void {
    checkName(name)
    this.addWire(name, checkedText(value))
  }

  /** True when a line with this registry id has been written. */
  has(headerId: number): boolean {
    return findId(this.index, headerId) >= 0
  }

  /** Adds a line whose value is wire text without line ends. */
  addWire(name: string, value: string): void {
    const valueStart = this.text.length + name.length + 2
    this.text += `${name}: ${value}\r\n`
    this.index.push(packWritten(headerIdOf(name), name.length), valueStart, valueStart + value.length)
  }

  /** Copies one header line byte for byte, with `suffix` (checked wire text) after its value. */
  copyLine(source: string, index: HeaderIndex, entry: number, suffix = ''): void {
    const lineStart = nameStartAt(source, index, entry)
    const valueEnd = valueEndAt(index, entry)
    const shift = this.text.length - lineStart
    this.text += `${source.slice(lineStart, valueEnd)}${suffix}\r\n`
    this.index.push(index[entry]!, valueStartAt(index, entry) + shift, valueEnd + shift + suffix.length)
  }

  /** Ends the head and adds the body (wire text). */
  finish(body: string, leniency: Leniency = strict): MessageParts {
    const head = `${this.text}\r\n`
    return {
      text: head + body,
      index: this.index,
      edited: undefined,
      startLineEnd: this.startLineEnd,
      bodyStart: head.length,
      leniency,
    }
  }
}

/** A caller's value as wire text. Throws SipUsageError HEADER_INJECTION for CR, LF or NUL. */
export function checkedText(value: HeaderValue): string {
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'string' ? value : value.toString()
  // No other test of what most values are made of is as quick.
  if (unusual.test(text) || text.charCodeAt(0) === 0x20 || text.charCodeAt(text.length - 1) === 0x20)
    return checkedAnyText(text)
  return text
}

/**
 * The same for any text, without the short cut.
 * @internal
 */
export function checkedAnyText(text: string): string {
  let all = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x0d || code === 0x0a || code === 0) throw new SipUsageError('HEADER_INJECTION')
    all |= code
  }
  return all > 0x7f ? encodeText(text.trim()) : text.trim()
}

/** Throws SipUsageError HEADER_NAME_INVALID unless the name is a token of a length the index can hold. */
export function checkName(name: string): void {
  if (name.length > headerNameBytesMax || !isToken(name)) throw new SipUsageError('HEADER_NAME_INVALID')
}
