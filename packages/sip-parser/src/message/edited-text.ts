/**
 * The text of an edited message before anybody has asked for it (RFC 3261 §16.6): which lines of the original stay, and
 * the new ones. A proxy's copy is mostly written to bytes and never read, so its text and header index are made on demand.
 */
import { Buffer } from 'node:buffer'
import { type HeaderIndex, nameStartAt, stride } from './header-list'

/** A header line that the original does not have. */
export interface NewLine {
  readonly name: string
  /** Registry id; 0 for an unknown name. */
  readonly id: number
  /** What precedes the value: the line end before the line, its name, colon and space. */
  readonly start: string
  /** Wire text. */
  readonly value: string
  /** The line's integer in a header index. */
  readonly packed: number
}

/** A start line that the original does not have, in three parts: put together they would have to be copied once more. */
export interface NewStartLine {
  readonly before: string
  readonly target: string
  readonly after: string
}

/** What is edited: wire text, and what is known of it. */
export interface Original {
  readonly text: string
  readonly index: HeaderIndex
  readonly startLineEnd: number
  readonly bodyStart: number
}

interface Latin1Writable {
  latin1Write(text: string, offset: number, length: number): number
}

/** Filled anew for each index, then copied in its exact length. */
const scratch: number[] = []

/** Lines of an original and new ones, in order. It keeps the original's text and index alive, nothing else of it. */
export class EditedText {
  readonly startLineEnd: number
  readonly bodyStart: number
  readonly length: number
  private readonly text: string
  private readonly index: HeaderIndex
  private readonly oldStartLineEnd: number
  private readonly oldBodyStart: number

  /** The first arrays must not be changed afterwards, `added` may grow; undefined is what stays as it is. */
  constructor(
    original: Original,
    /**
     * Two integers for each piece: entries of the original's index, from the first up to the second; or -1 less a place in
     * `added`, and 0.
     */
    private readonly pieces: readonly number[],
    private readonly added: readonly NewLine[],
    private readonly startLine: NewStartLine | undefined,
    private readonly body: string | undefined,
  ) {
    this.text = original.text
    this.index = original.index
    this.oldStartLineEnd = original.startLineEnd
    this.oldBodyStart = original.bodyStart
    this.startLineEnd =
      startLine === undefined
        ? original.startLineEnd
        : startLine.before.length + startLine.target.length + startLine.after.length
    let length = this.startLineEnd
    for (let at = 0; at < pieces.length; at += 2) {
      const from = pieces[at]!
      length += from < 0 ? lengthOf(added[-1 - from]!) : this.breakBefore(pieces[at + 1]!) - this.breakBefore(from)
    }
    this.bodyStart = length + (this.isEndKept ? this.oldBodyStart - this.breakBefore(this.index.length) : 4)
    this.length = this.bodyStart + (body === undefined ? this.text.length - this.oldBodyStart : body.length)
  }

  /** The whole as wire text. */
  toText(): string {
    const { text, pieces, startLine } = this
    let result =
      startLine === undefined
        ? text.slice(0, this.oldStartLineEnd)
        : `${startLine.before}${startLine.target}${startLine.after}`
    for (let at = 0; at < pieces.length; at += 2) {
      const from = pieces[at]!
      if (from < 0) {
        const { start, value } = this.added[-1 - from]!
        result += start + value
      } else {
        result += text.slice(this.breakBefore(from), this.breakBefore(pieces[at + 1]!))
      }
    }
    if (this.isEndKept) return result + text.slice(this.breakBefore(this.index.length))
    return `${result}\r\n\r\n${this.body ?? text.slice(this.oldBodyStart)}`
  }

  /** The index of the new text. */
  toIndex(): HeaderIndex {
    const { index, pieces } = this
    let size = 0
    let position = this.startLineEnd
    for (let at = 0; at < pieces.length; at += 2) {
      const from = pieces[at]!
      if (from < 0) {
        const { start, value, packed } = this.added[-1 - from]!
        const valueStart = position + start.length
        position = valueStart + value.length
        size = addEntry(size, packed, valueStart, position)
        continue
      }
      const to = pieces[at + 1]!
      const shift = position - this.breakBefore(from)
      for (let entry = from; entry < to; entry += stride) {
        size = addEntry(size, index[entry]!, index[entry + 1]! + shift, index[entry + 2]! + shift)
      }
      position = this.breakBefore(to) + shift
    }
    return scratch.slice(0, size)
  }

  /** The whole as bytes; a new buffer each time. */
  toBytes(): Buffer {
    const { text, pieces, startLine } = this
    const bytes = Buffer.allocUnsafe(this.length) as Buffer & Latin1Writable
    // The whole original, written where its end belongs, puts most lines in place with one call; the rest is put over it.
    const shift = this.body === undefined ? this.length - text.length : -1
    if (shift >= 0) bytes.latin1Write(text, shift, text.length)
    let position = this.startLineEnd
    if (startLine !== undefined) {
      put(bytes, startLine.after, put(bytes, startLine.target, put(bytes, startLine.before, 0)))
    } else if (shift !== 0) {
      bytes.latin1Write(text.slice(0, position), 0, position)
    }
    for (let at = 0; at < pieces.length; at += 2) {
      const from = pieces[at]!
      if (from < 0) {
        const { start, value } = this.added[-1 - from]!
        position = put(bytes, value, put(bytes, start, position))
        continue
      }
      const start = this.breakBefore(from)
      const end = this.breakBefore(pieces[at + 1]!)
      // Without a shift no line is in place: position is not below start then only by chance, and writing is right too.
      if (shift < 0 || position - start !== shift) bytes.latin1Write(text.slice(start, end), position, end - start)
      position += end - start
    }
    if (shift < 0 || !this.isEndKept) this.writeEnd(bytes, position)
    return bytes
  }

  private writeEnd(bytes: Buffer & Latin1Writable, at: number): void {
    const { text, body, isEndKept } = this
    const position = isEndKept ? at : put(bytes, '\r\n\r\n', at)
    put(bytes, body ?? text.slice(isEndKept ? this.breakBefore(this.index.length) : this.oldBodyStart), position)
  }

  /** True when the last line is that of the original, which then brings the line ends after it and the body along. */
  private get isEndKept(): boolean {
    const { pieces } = this
    return this.body === undefined && pieces.length > 0 && pieces[pieces.length - 1] === this.index.length
  }

  /** Where the line end before an entry of the original begins; past the last entry, the one before the empty line. */
  private breakBefore(entry: number): number {
    const { index, text } = this
    const at = entry < index.length ? nameStartAt(text, index, entry) : this.oldBodyStart - 2
    // A message that was refused may have line ends without CR.
    return text.charCodeAt(at - 2) === 0x0d ? at - 2 : at - 1
  }
}

function lengthOf({ start, value }: NewLine): number {
  return start.length + value.length
}

/** Writes one entry of the index; returns where the next one goes. */
function addEntry(size: number, packed: number, valueStart: number, valueEnd: number): number {
  scratch[size] = packed
  scratch[size + 1] = valueStart
  scratch[size + 2] = valueEnd
  return size + stride
}

/** A call into the runtime costs about as much as this many characters written one by one. */
const shortLength = 18

/** Writes wire text at `at`; returns the position after it. */
function put(bytes: Buffer & Latin1Writable, text: string, at: number): number {
  const { length } = text
  if (length > shortLength) bytes.latin1Write(text, at, length)
  else for (let position = 0; position < length; position += 1) bytes[at + position] = text.charCodeAt(position)
  return at + length
}
