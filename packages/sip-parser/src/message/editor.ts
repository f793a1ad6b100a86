/**
 * Changing a message: a proxy's and a B2BUA's edits without decoding or copying what stays (RFC 3261 §16.6). The
 * original is untouched; `build` makes a new message in which every untouched line is byte for byte the old one.
 */
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { encodeText, latin1Text } from '../grammar/text'
import { headerIdOf } from '../headers/recognise'
import type { Uri } from '../uri/parse-uri'
import { parseUri } from '../uri/parse-uri'
import { elementEnd, type HeaderIndex, idAt, nameAt, stride, wireValueAt } from './header-list'
import type { Leniency } from './leniency'
import type { MessageParts } from './parts'
import { reasonPhrase } from './reasons'
import { checkedText, checkName, type HeaderValue, HeadWriter } from './serialize'

/** What the editor needs of the message it changes. */
interface EditSource {
  readonly kind: 'request' | 'response'
  readonly text: string
  readonly index: HeaderIndex
  readonly startLineEnd: number
  readonly bodyStart: number
  readonly leniency: Leniency
}

/** A header line of the new message: an entry of the original's index, or a new line of wire text. */
type Line = number | { readonly name: string; readonly value: string }

/** Collects changes; each method returns the editor. Setters throw SipUsageError for what cannot be written. */
export class MessageEditor<M> {
  private readonly lines: Line[] = []
  private startLine: string | undefined
  private body: string | undefined

  /** @internal Use `message.edit()`. */
  constructor(
    private readonly source: EditSource,
    private readonly make: (parts: MessageParts, startLine: string | undefined) => M,
  ) {
    for (let entry = 0; entry < source.index.length; entry += stride) this.lines.push(entry)
  }

  /** Replaces the request URI. */
  setUri(uri: Uri | string): this {
    this.expectKind('request')
    const text = typeof uri === 'string' ? uri : uri.toString()
    checkUriText(text)
    this.startLine = `${this.currentStartLine().split(' ')[0]} ${encodeText(text)} SIP/2.0`
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
    this.lines.splice(Math.max(0, this.find(name)), 0, line)
    return this
  }

  /** Adds a line after the last of the same name, or after all others when there is none. */
  append(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    let position = this.lines.length
    for (let at = this.lines.length - 1; at >= 0; at -= 1) {
      if (!this.isNamed(this.lines[at]!, name)) continue
      position = at + 1
      break
    }
    this.lines.splice(position, 0, line)
    return this
  }

  /** Replaces every line of the header by one, at the place of the first; appends when there is none. */
  set(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    const first = this.find(name)
    if (first < 0) {
      this.lines.push(line)
      return this
    }
    this.lines[first] = line
    this.removeFrom(name, first + 1)
    return this
  }

  /** Replaces the first element of the first line, for instance the top Via; prepends when there is none. */
  replaceFirst(name: string, value: HeaderValue): this {
    checkName(name)
    const text = checkedText(value)
    const position = this.find(name)
    if (position < 0) return this.prepend(name, value)
    const old = this.wireLine(this.lines[position]!)
    const stop = elementEnd(old.value, 0, old.value.length)
    this.lines[position] = { name: old.name, value: stop === old.value.length ? text : text + old.value.slice(stop) }
    return this
  }

  /** Removes the first element of the first line; the whole line when it has no other. */
  removeFirst(name: string): this {
    const position = this.find(name)
    if (position < 0) return this
    const old = this.wireLine(this.lines[position]!)
    const stop = elementEnd(old.value, 0, old.value.length)
    const rest = old.value.slice(stop + 1).trim()
    if (rest === '') this.lines.splice(position, 1)
    else this.lines[position] = { name: old.name, value: rest }
    return this
  }

  /** Removes every line of the header. */
  remove(name: string): this {
    this.removeFrom(name, 0)
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
    const { source, lines } = this
    const writer = new HeadWriter(this.startLine ?? source.text.slice(0, source.startLineEnd))
    for (let at = 0; at < lines.length; ) {
      const line = lines[at]!
      if (typeof line !== 'number') {
        writer.addWire(line.name, line.value)
        at += 1
        continue
      }
      let next = at + 1
      while (next < lines.length && lines[next] === (lines[next - 1] as number) + stride) next += 1
      const to = (lines[next - 1] as number) + stride
      const runEnd = to < source.index.length ? source.index[to]! : source.bodyStart - 2
      writer.copyRun(source.text, source.index, line, to, runEnd)
      at = next
    }
    const body = this.body ?? source.text.slice(source.bodyStart)
    return this.make(writer.finish(body, source.leniency), this.startLine)
  }

  private currentStartLine(): string {
    return this.startLine ?? this.source.text.slice(0, this.source.startLineEnd)
  }

  private expectKind(kind: 'request' | 'response'): void {
    if (this.source.kind !== kind) throw new SipUsageError('START_LINE_MISMATCH')
  }

  private find(name: string): number {
    return this.lines.findIndex((line) => this.isNamed(line, name))
  }

  private isNamed(line: Line, name: string): boolean {
    const wanted = headerIdOf(name)
    if (typeof line !== 'number') return isSameName(line.name, name, wanted)
    const known = idAt(this.source.index, line)
    if (known !== 0 || wanted !== 0) return known === wanted
    return nameAt(this.source.text, this.source.index, line).toLowerCase() === name.toLowerCase()
  }

  private removeFrom(name: string, from: number): void {
    for (let at = this.lines.length - 1; at >= from; at -= 1) {
      if (this.isNamed(this.lines[at]!, name)) this.lines.splice(at, 1)
    }
  }

  private wireLine(line: Line): { readonly name: string; readonly value: string } {
    if (typeof line !== 'number') return line
    const { text, index } = this.source
    return { name: nameAt(text, index, line), value: wireValueAt(text, index, line) }
  }
}

/** A status line of wire text. Throws SipUsageError VALUE_INVALID for a status outside 100 to 699. */
export function statusLine(status: number, reason: string): string {
  if (!Number.isInteger(status) || status < 100 || status > 699) throw new SipUsageError('VALUE_INVALID', 'status')
  return `SIP/2.0 ${status} ${checkedText(reason)}`
}

/** Throws SipUsageError for a request URI that could not stand in a request line. */
export function checkUriText(text: string): void {
  checkedText(text)
  if (!parseUri(text).ok) throw new SipUsageError('VALUE_INVALID', 'request URI')
}

/** A body as wire text: bytes as they are, a string as UTF-8. */
export function bodyText(body: Uint8Array | string): string {
  if (typeof body === 'string') return encodeText(body)
  return latin1Text(body)
}

function newLine(name: string, value: HeaderValue): { readonly name: string; readonly value: string } {
  checkName(name)
  return { name, value: checkedText(value) }
}

function isSameName(one: string, other: string, otherId: number): boolean {
  const oneId = headerIdOf(one)
  return oneId !== 0 || otherId !== 0 ? oneId === otherId : one.toLowerCase() === other.toLowerCase()
}
