/**
 * Changing a message: a proxy's and a B2BUA's edits without decoding or copying what stays (RFC 3261 §16.6). The
 * original is untouched; `build` makes a new message in which every untouched line is byte for byte the old one.
 */
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { encodeText, latin1Text } from '../grammar/text'
import { headerDefinition, headerDefinitions } from '../headers/index'
import { headerIdOf } from '../headers/recognise'
import type { Uri } from '../uri/parse-uri'
import { parseWireUri } from '../uri/parse-uri'
import { elementEnd, type HeaderIndex, idAt, nameAt, packHeader, stride, wireValueAt } from './header-list'
import { type Leniency, strict } from './leniency'
import type { MessageParts } from './parts'
import { reasonPhrase } from './reasons'
import { checkedText, checkName, type HeaderValue } from './serialize'

/** What the editor needs of the message it changes. */
interface EditSource {
  readonly kind: 'request' | 'response'
  readonly text: string
  readonly index: HeaderIndex
  readonly startLineEnd: number
  readonly bodyStart: number
  readonly leniency: Leniency
}

/** A header line that the original does not have; value in wire text. */
interface NewLine {
  readonly name: string
  /** Registry id; 0 for an unknown name. */
  readonly id: number
  readonly value: string
  /** The whole line, the line end before it included. */
  readonly wire: string
}

/** Makes the new message; start line and request URI are undefined when they are the original's. */
type Make<M> = (parts: MessageParts, startLine: string | undefined, uri: Uri | undefined) => M

/** What a line with a known name begins with, by id. */
const lineStarts = ['', ...headerDefinitions.map(({ name }) => `\r\n${name}: `)]
/** Filled anew by each build, then copied in its exact length. */
const scratch: number[] = []

/** Collects changes; each method returns the editor. Setters throw SipUsageError for what cannot be written. */
export class MessageEditor<M> {
  /** The lines in order: an entry of the original's index, or -1 less the place of a line in `added`. */
  private readonly lines: number[]
  private readonly added: NewLine[] = []
  private startLine: string | undefined
  private uri: Uri | undefined
  private body: string | undefined

  /** @internal Use `message.edit()`. */
  constructor(
    private readonly source: EditSource,
    private readonly make: Make<M>,
  ) {
    const lines: number[] = []
    for (let entry = 0; entry < source.index.length; entry += stride) lines.push(entry)
    this.lines = lines
    this.startLine = undefined
    this.uri = undefined
    this.body = undefined
  }

  /** Replaces the request URI. */
  setUri(uri: Uri | string): this {
    this.expectKind('request')
    const text = typeof uri === 'string' ? uri : uri.toString()
    const line = this.currentStartLine()
    this.uri = checkedUri(text)
    this.startLine = `${line.slice(0, line.indexOf(' '))} ${this.uri.toString()} SIP/2.0`
    return this
  }

  /** Replaces the method of the request line; CSeq stays as it is. */
  setMethod(method: string): this {
    this.expectKind('request')
    if (!isToken(method)) throw new SipUsageError('VALUE_INVALID', 'method')
    const line = this.currentStartLine()
    this.startLine = `${method}${line.slice(line.indexOf(' '))}`
    return this
  }

  /** Replaces status and reason phrase of a response. */
  setStatus(status: number, reason: string = reasonPhrase(status)): this {
    this.expectKind('response')
    this.startLine = statusLine(status, reason)
    return this
  }

  /** Adds a line before the first of the same name, or before all others when there is none. */
  prepend(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    this.insert(Math.max(0, this.find(line.name, line.id, 0)), line)
    return this
  }

  /** Adds a line after the last of the same name, or after all others when there is none. */
  append(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    let position = this.lines.length
    while (position > 0 && !this.isNamed(this.lines[position - 1]!, line.name, line.id)) position -= 1
    this.insert(position === 0 ? this.lines.length : position, line)
    return this
  }

  /** Replaces every line of the header by one, at the place of the first; appends when there is none. */
  set(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    const first = this.find(name, line.id, 0)
    if (first < 0) {
      this.insert(this.lines.length, line)
      return this
    }
    this.lines[first] = this.add(line)
    this.removeFrom(name, line.id, first + 1)
    return this
  }

  /** Replaces the first element of the first line, for instance the top Via; prepends when there is none. */
  replaceFirst(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    const position = this.find(name, line.id, 0)
    if (position < 0) {
      this.insert(0, line)
      return this
    }
    const old = this.wireLine(this.lines[position]!)
    const rest = old.value.slice(elementEnd(old.value, 0, old.value.length))
    this.lines[position] = this.add(makeLine(old.name, line.id, line.value + rest))
    return this
  }

  /** Removes the first element of the first line; the whole line when it has no other. */
  removeFirst(name: string): this {
    const id = headerIdOf(name)
    const position = this.find(name, id, 0)
    if (position < 0) return this
    const old = this.wireLine(this.lines[position]!)
    const stop = elementEnd(old.value, 0, old.value.length)
    const rest = old.value.slice(stop + 1).trim()
    if (rest === '') this.lines.splice(position, 1)
    else this.lines[position] = this.add(makeLine(old.name, id, rest))
    return this
  }

  /** Removes every line of the header. */
  remove(name: string): this {
    this.removeFrom(name, headerIdOf(name), 0)
    return this
  }

  /** Replaces the body and fixes Content-Length; Content-Type is set when given and removed with an empty body. */
  setBody(body: Uint8Array | string, contentType?: HeaderValue): this {
    this.body = bodyText(body)
    if (contentType !== undefined) this.set('Content-Type', contentType)
    else if (this.body.length === 0) this.remove('Content-Type')
    return this.set('Content-Length', this.body.length)
  }

  /** The new message. The editor can go on and build again. */
  build(): M {
    const { source, lines, startLine, body } = this
    let text = startLine ?? source.text.slice(0, source.startLineEnd)
    const startLineEnd = text.length
    const isBodyKept = body === undefined
    let size = 0
    let isEnded = false
    // Each piece begins with the line end before it; the last one of the original brings the body along.
    for (let at = 0; at < lines.length; ) {
      const line = lines[at]!
      if (line < 0) {
        const added = this.added[-1 - line]!
        const nameStart = text.length + 2
        text += added.wire
        const valueStart = nameStart + added.name.length + 2
        addEntry(size, nameStart, packHeader(added.id, added.name.length, false), valueStart, text.length)
        size += stride
        at += 1
        continue
      }
      let next = at + 1
      while (next < lines.length && lines[next] === lines[next - 1]! + stride) next += 1
      const to = lines[next - 1]! + stride
      const from = this.breakBefore(line)
      isEnded = isBodyKept && next === lines.length && to === source.index.length
      copyEntries(source.index, line, to, text.length - from, size)
      text += isEnded ? source.text.slice(from) : source.text.slice(from, this.breakBefore(to))
      size += to - line
      at = next
    }
    if (!isEnded) text += `\r\n\r\n${body ?? source.text.slice(source.bodyStart)}`
    const bodyLength = body === undefined ? source.text.length - source.bodyStart : body.length
    const index = scratch.slice(0, size)
    const parts = { text, index, startLineEnd, bodyStart: text.length - bodyLength, leniency: source.leniency }
    return this.make(parts, startLine, this.uri)
  }

  private currentStartLine(): string {
    return this.startLine ?? this.source.text.slice(0, this.source.startLineEnd)
  }

  private expectKind(kind: 'request' | 'response'): void {
    if (this.source.kind !== kind) throw new SipUsageError('START_LINE_MISMATCH')
  }

  /** Where the line end before an entry of the original begins; past the last entry, the one before the empty line. */
  private breakBefore(entry: number): number {
    const { index, bodyStart, text } = this.source
    const at = entry < index.length ? index[entry]! : bodyStart - 2
    // A message that was refused may have line ends without CR.
    return text.charCodeAt(at - 2) === 0x0d ? at - 2 : at - 1
  }

  private add(line: NewLine): number {
    this.added.push(line)
    return -this.added.length
  }

  private insert(position: number, line: NewLine): void {
    const { lines } = this
    lines.push(0)
    for (let at = lines.length - 1; at > position; at -= 1) lines[at] = lines[at - 1]!
    lines[position] = this.add(line)
  }

  /** The place of the first line of this name from `from` on, or -1. */
  private find(name: string, id: number, from: number): number {
    const { lines } = this
    for (let at = from; at < lines.length; at += 1) {
      if (this.isNamed(lines[at]!, name, id)) return at
    }
    return -1
  }

  private isNamed(line: number, name: string, id: number): boolean {
    const { source } = this
    const known = line < 0 ? this.added[-1 - line]!.id : idAt(source.index, line)
    if (known !== 0 || id !== 0) return known === id
    const other = line < 0 ? this.added[-1 - line]!.name : nameAt(source.text, source.index, line)
    return other.toLowerCase() === name.toLowerCase()
  }

  private removeFrom(name: string, id: number, from: number): void {
    const { lines } = this
    let kept = from
    for (let at = from; at < lines.length; at += 1) {
      if (!this.isNamed(lines[at]!, name, id)) {
        lines[kept] = lines[at]!
        kept += 1
      }
    }
    if (kept < lines.length) lines.length = kept
  }

  private wireLine(line: number): { readonly name: string; readonly value: string } {
    if (line < 0) return this.added[-1 - line]!
    const { text, index } = this.source
    return { name: nameAt(text, index, line), value: wireValueAt(text, index, line) }
  }
}

/** Writes one entry of the index. */
function addEntry(size: number, nameStart: number, packed: number, valueStart: number, valueEnd: number): void {
  scratch[size] = nameStart
  scratch[size + 1] = packed
  scratch[size + 2] = valueStart
  scratch[size + 3] = valueEnd
}

/** Copies entries of an index, their places shifted. */
function copyEntries(index: HeaderIndex, from: number, to: number, shift: number, size: number): void {
  for (let entry = from, at = size; entry < to; entry += stride, at += stride) {
    addEntry(at, index[entry]! + shift, index[entry + 1]!, index[entry + 2]! + shift, index[entry + 3]! + shift)
  }
}

/** A status line of wire text. Throws SipUsageError VALUE_INVALID for a status outside 100 to 699. */
export function statusLine(status: number, reason: string): string {
  if (!Number.isInteger(status) || status < 100 || status > 699) throw new SipUsageError('VALUE_INVALID', 'status')
  return `SIP/2.0 ${status} ${checkedText(reason)}`
}

/** The request URI that `text` stands for. Throws SipUsageError for one that could not stand in a request line. */
export function checkedUri(text: string): Uri {
  const wire = checkedText(text)
  // A shorter text has lost white space at its ends, which no URI has.
  const result = wire.length < text.length ? undefined : parseWireUri(wire, strict)
  if (result === undefined || !result.ok) throw new SipUsageError('VALUE_INVALID', 'request URI')
  return result.value
}

/** A body as wire text: bytes as they are, a string as UTF-8. */
export function bodyText(body: Uint8Array | string): string {
  if (typeof body === 'string') return encodeText(body)
  return latin1Text(body)
}

function newLine(name: string, value: HeaderValue): NewLine {
  const id = headerIdOf(name)
  // Known names are tokens.
  if (id === 0) checkName(name)
  return makeLine(name, id, checkedText(value))
}

function makeLine(name: string, id: number, value: string): NewLine {
  const start = id > 0 && name === headerDefinition(id).name ? lineStarts[id]! : `\r\n${name}: `
  return { name, id, value, wire: start + value }
}
