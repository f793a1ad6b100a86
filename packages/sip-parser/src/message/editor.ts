/**
 * Changing a message: a proxy's and a B2BUA's edits without decoding or copying what stays (RFC 3261 §16.6). The
 * original is untouched; `build` makes a new message in which every untouched line is byte for byte the old one.
 */
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { DecodeFailure } from '../grammar/failure'
import { encodeText, latin1Text } from '../grammar/text'
import { passingAscii, passingWire, type Wire } from '../grammar/wire'
import { headerDefinition, headerDefinitions } from '../headers/index'
import { headerIdOf } from '../headers/recognise'
import type { Uri } from '../uri/parse-uri'
import { decodeUri } from '../uri/parse-uri'
import { EditedText, type NewLine, type NewStartLine, type Original } from './edited-text'
import { elementEnd, idAt, nameAt, packWritten, stride, wireValueAt } from './header-list'
import { type Leniency, strict } from './leniency'
import type { MessageParts } from './parts'
import { reasonPhrase } from './reasons'
import { checkedText, checkName, type HeaderValue } from './serialize'

/** What the editor needs of the message it changes. */
export interface EditSource extends Original {
  readonly kind: 'request' | 'response'
  /** Of a request. */
  readonly method?: string
  readonly leniency: Leniency
}

/**
 * Makes the new message. What is undefined is the original's; after a new method alone the request URI is read from the
 * new text.
 */
type Make<M> = (
  source: M,
  parts: MessageParts,
  method: string | undefined,
  uri: Uri | undefined,
  status: number | undefined,
) => M

/** What a line with a known name begins with, by id. */
const lineStarts = ['', ...headerDefinitions.map(({ name }) => `\r\n${name}: `)]
const noEntries: readonly number[] = []
const noLine: NewLine = { name: '', id: 0, start: '', value: '', packed: 0 }
/** Stands where a piece of the original has the entry at which it ends. */
const noEntry = -1
/** Collects changes; each method returns the editor. Setters throw SipUsageError for what cannot be written. */
export class MessageEditor<M extends EditSource> {
  /** The lines in order, two integers for each piece as EditedText takes them; only the first `size` count. */
  private readonly pieces: number[]
  private size: number
  private readonly added: NewLine[]
  private addedCount: number
  private foundPiece: number
  private foundEntry: number
  private startLine: NewStartLine | undefined
  private method: string | undefined
  private uri: Uri | undefined
  private status: number | undefined
  private body: string | undefined

  /** @internal Use `message.edit()`. */
  constructor(
    private readonly source: M,
    private readonly make: Make<M>,
  ) {
    const { length } = source.index
    // Room for the pieces of usual edits.
    this.pieces = [0, length, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    this.size = length > 0 ? 2 : 0
    this.added = [noLine, noLine, noLine, noLine]
    this.addedCount = 0
    this.foundPiece = 0
    this.foundEntry = 0
    this.startLine = undefined
    this.method = undefined
    this.uri = undefined
    this.status = undefined
    this.body = undefined
  }

  /** Replaces the request URI. */
  setUri(uri: Uri | string): this {
    this.expectKind('request')
    const checked = checkedUri(typeof uri === 'string' ? uri : uri.toString())
    const method = this.method ?? this.source.method ?? ''
    this.method = method
    this.uri = checked
    this.startLine = { before: `${method} `, target: checked.toString(), after: ' SIP/2.0' }
    return this
  }

  /** Replaces the method of the request line; CSeq stays as it is. */
  setMethod(method: string): this {
    this.expectKind('request')
    if (!isToken(method)) throw new SipUsageError('VALUE_INVALID', 'method')
    this.startLine = { before: method, target: this.restOfStartLine(), after: '' }
    this.method = method
    return this
  }

  /** Replaces status and reason phrase of a response. */
  setStatus(status: number, reason: string = reasonPhrase(status)): this {
    this.expectKind('response')
    this.startLine = { before: '', target: statusLine(status, reason), after: '' }
    this.status = status
    return this
  }

  /** Adds a line before the first of the same name, or before all others when there is none. */
  prepend(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    if (this.find(name, line.id, 0, 0)) this.insertBefore(this.foundPiece, this.foundEntry, line)
    else this.insertBefore(0, 0, line)
    return this
  }

  /** Adds a line after the last of the same name, or after all others when there is none. */
  append(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    let piece = this.size
    let entry = 0
    for (let isFound = this.find(name, line.id, 0, 0); isFound; ) {
      piece = this.foundPiece
      entry = this.foundEntry + stride
      isFound = this.find(name, line.id, entry > 0 ? piece : piece + 2, entry)
    }
    if (piece < this.size && (entry === 0 || entry === this.pieces[piece + 1])) this.insertBefore(piece + 2, 0, line)
    else this.insertBefore(piece, entry, line)
    return this
  }

  /** Replaces every line of the header by one, at the place of the first; appends when there is none. */
  set(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    if (!this.find(name, line.id, 0, 0)) {
      this.insertBefore(this.size, 0, line)
      return this
    }
    const next = this.replace(this.foundPiece, this.foundEntry, line)
    this.removeFrom(name, line.id, next)
    return this
  }

  /** Replaces the first element of the first line, for instance the top Via; prepends when there is none. */
  replaceFirst(name: string, value: HeaderValue): this {
    const line = newLine(name, value)
    if (!this.find(name, line.id, 0, 0)) {
      this.insertBefore(0, 0, line)
      return this
    }
    const old = this.foundLine()
    const rest = old.value.slice(elementEnd(old.value, 0, old.value.length))
    this.replace(this.foundPiece, this.foundEntry, makeLine(old.name, line.id, line.value + rest))
    return this
  }

  /** Removes the first element of the first line; the whole line when it has no other. */
  removeFirst(name: string): this {
    const id = headerIdOf(name)
    if (!this.find(name, id, 0, 0)) return this
    const old = this.foundLine()
    const stop = elementEnd(old.value, 0, old.value.length)
    const rest = old.value.slice(stop + 1).trim()
    this.replace(this.foundPiece, this.foundEntry, rest === '' ? undefined : makeLine(old.name, id, rest))
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
    const { source } = this
    const edited = new EditedText(source, this.pieces.slice(0, this.size), this.added, this.startLine, this.body)
    const { startLineEnd, bodyStart } = edited
    const parts = { text: '', index: noEntries, edited, startLineEnd, bodyStart, leniency: source.leniency }
    return this.make(source, parts, this.method, this.uri, this.status)
  }

  private expectKind(kind: 'request' | 'response'): void {
    if (this.source.kind !== kind) throw new SipUsageError('START_LINE_MISMATCH')
  }

  /** The start line from the space after the method on. */
  private restOfStartLine(): string {
    const { startLine, source } = this
    const line = startLine === undefined ? source.text.slice(0, source.startLineEnd) : textOf(startLine)
    return line.slice(line.indexOf(' '))
  }

  /**
   * Looks for a line of this name from an entry of a piece on; where it stands is then in `foundPiece` and `foundEntry`.
   * For a new line the entry is the one that makes the next be 0.
   */
  private find(name: string, id: number, piece: number, entry: number): boolean {
    const { pieces, size } = this
    const { text, index } = this.source
    for (let at = piece; at < size; at += 2) {
      const from = pieces[at]!
      this.foundPiece = at
      this.foundEntry = -stride
      if (from < 0) {
        const line = this.added[-1 - from]!
        if (line.id === id && (id !== 0 || isSameName(line.name, name))) return true
        continue
      }
      const to = pieces[at + 1]!
      for (let line = at === piece && entry > from ? entry : from; line < to; line += stride) {
        if (idAt(index, line) !== id || (id === 0 && !isSameName(nameAt(text, index, line), name))) continue
        this.foundEntry = line
        return true
      }
    }
    return false
  }

  private foundLine(): { readonly name: string; readonly value: string } {
    const from = this.pieces[this.foundPiece]!
    if (from < 0) return this.added[-1 - from]!
    const { text, index } = this.source
    return { name: nameAt(text, index, this.foundEntry), value: wireValueAt(text, index, this.foundEntry) }
  }

  /** Puts a line before an entry of a piece, or before the piece; a piece in two when the entry is in its middle. */
  private insertBefore(piece: number, entry: number, line: NewLine): void {
    const { pieces } = this
    const from = piece < this.size ? pieces[piece]! : -1
    let at = piece
    if (from >= 0 && entry > from) {
      const to = pieces[piece + 1]!
      this.makeRoom(piece, 4)
      at = piece + 2
      pieces[piece + 1] = entry
      pieces[piece + 4] = entry
      pieces[piece + 5] = to
    } else {
      this.makeRoom(piece, 2)
    }
    this.write(at, line)
  }

  /** Replaces the line at an entry of a piece, or removes it; returns the piece after its place. */
  private replace(piece: number, entry: number, line: NewLine | undefined): number {
    const { pieces } = this
    const from = pieces[piece]!
    const to = pieces[piece + 1]!
    const hasBefore = from >= 0 && entry > from
    const hasAfter = from >= 0 && entry + stride < to
    const count = (hasBefore ? 1 : 0) + (hasAfter ? 1 : 0) + (line === undefined ? 0 : 1)
    this.makeRoom(piece, 2 * (count - 1))
    let at = piece
    if (hasBefore) {
      pieces[at + 1] = entry
      at += 2
    }
    if (line !== undefined) {
      this.write(at, line)
      at += 2
    }
    if (hasAfter) {
      pieces[at] = entry + stride
      pieces[at + 1] = to
    }
    return at
  }

  private removeFrom(name: string, id: number, piece: number): void {
    let next = piece
    while (this.find(name, id, next, 0)) next = this.replace(this.foundPiece, this.foundEntry, undefined)
  }

  private write(at: number, line: NewLine): void {
    const { added, addedCount } = this
    if (addedCount < added.length) added[addedCount] = line
    else added.push(line)
    this.addedCount = addedCount + 1
    this.pieces[at] = -1 - addedCount
    this.pieces[at + 1] = noEntry
  }

  /** Moves the pieces from `piece` on by so many integers, down when it is negative, over what stands before them. */
  private makeRoom(piece: number, by: number): void {
    const { pieces, size } = this
    while (pieces.length < size + by) pieces.push(0)
    if (by > 0) for (let at = size - 1; at >= piece; at -= 1) pieces[at + by] = pieces[at]!
    else if (by < 0) for (let at = piece + 2; at < size; at += 1) pieces[at + by] = pieces[at]!
    this.size = size + by
  }
}

function isSameName(one: string, other: string): boolean {
  return one.length === other.length && one.toLowerCase() === other.toLowerCase()
}

function textOf({ before, target, after }: NewStartLine): string {
  return before + target + after
}

/** A status line of wire text. Throws SipUsageError VALUE_INVALID for a status outside 100 to 699. */
export function statusLine(status: number, reason: string): string {
  if (!Number.isInteger(status) || status < 100 || status > 699) throw new SipUsageError('VALUE_INVALID', 'status')
  return `SIP/2.0 ${status} ${checkedText(reason)}`
}

/** The request URI that `text` stands for. Throws SipUsageError for one that could not stand in a request line. */
export function checkedUri(text: string): Uri {
  const wire = passingAscii(text)
  const uri = wire === undefined ? undefined : readUri(wire, text.length)
  if (uri !== undefined) return uri
  const checked = checkedText(text)
  // A shorter text has lost white space at its ends, which no URI has.
  const long = checked.length < text.length ? undefined : readUri(passingWire(checked), checked.length)
  if (long === undefined) throw new SipUsageError('VALUE_INVALID', 'request URI')
  return long
}

function readUri(wire: Wire, length: number): Uri | undefined {
  try {
    return decodeUri(wire, 0, length, strict)
  } catch (thrown) {
    if (thrown instanceof DecodeFailure) return undefined
    throw thrown
  }
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
  return { name, id, start, value, packed: packWritten(id, name.length) }
}
