/**
 * Messages out of a byte stream (RFC 3261 §18.3; RFC 5626 §3.5.1 for keep-alives). Each byte is looked at once for the
 * end of the head and copied at most twice; nothing is allocated for what a Content-Length promises.
 */
import { type Problem, type ProblemCode, problem } from '../errors'
import { charFlags, TOKEN } from '../grammar/chars'
import { defaultParserLimits, type ParserLimits } from '../limits'
import { type Leniency, strict } from '../message/leniency'
import { readLength } from '../message/scan'

/** What came out of the stream. */
export type FramerEvent =
  /** One whole message. A view of the pushed chunk or of memory of its own; parse it or copy it before the chunk is reused. */
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** CRLFCRLF between messages: answer with CRLF. At most one in each push. */
  | { readonly kind: 'ping' }
  /** One CRLF between messages. At most one in each push. */
  | { readonly kind: 'pong' }
  /** The stream cannot be read any further: close it. `head` is the head at fault, when it was whole. */
  | { readonly kind: 'error'; readonly error: Problem; readonly head?: Uint8Array }

/** Settings of a framer. */
export interface FramerOptions {
  readonly limits?: Partial<ParserLimits>
  readonly leniency?: Partial<Leniency>
}

const cr = 0x0d
const lf = 0x0a
const nothing = new Uint8Array(0)
const bufferBytesMin = 2048

/** Cuts one stream into messages. After an `error` event it takes nothing more. */
export class StreamFramer {
  private readonly limits: ParserLimits
  private readonly leniency: Leniency
  /** The unfinished message is `buffer[0 … length)`; the rest of the buffer is room to grow. */
  private buffer: Uint8Array = nothing
  private length = 0
  /** Scan state, relative to the message's first byte: where the scan is, and where its line begins. */
  private scanned = 0
  private lineStart = 0
  /** Length of the whole message once its head is known, else -1. */
  private total = -1
  private dead = false
  /** Line ends seen since the last message: a CR alone, or one whole CRLF whose pair may still come. */
  private halfLineEnd = false
  private loneLineEnd = false

  constructor(options: FramerOptions = {}) {
    this.limits = { ...defaultParserLimits, ...options.limits }
    this.leniency = { ...strict, ...options.leniency }
  }

  /** Bytes kept for a message that is not whole yet. */
  get bufferedBytes(): number {
    return this.length
  }

  /** True between messages. */
  get isIdle(): boolean {
    return this.length === 0 && !this.halfLineEnd
  }

  /** True after an `error` event. */
  get isDead(): boolean {
    return this.dead
  }

  /** Takes the next bytes of the stream and returns what they complete, in order. The chunk is not kept. */
  push(chunk: Uint8Array): FramerEvent[] {
    const events: FramerEvent[] = []
    let at = 0
    if (!this.dead && this.length > 0) at = this.resume(chunk, events)
    while (at < chunk.length && !this.dead) {
      at = this.skipLineEnds(chunk, at, events)
      if (at < chunk.length && !this.dead) at = this.begin(chunk, at, events)
    }
    return events
  }

  /** Goes on with the buffered message; returns the position in the chunk after what belongs to it. */
  private resume(chunk: Uint8Array, events: FramerEvent[]): number {
    let taken = 0
    while (taken < chunk.length) {
      // With the head unknown take a bounded piece, so that what follows the message is not copied in whole.
      const wanted = this.total < 0 ? bufferBytesMin : this.total - this.length
      const piece = chunk.subarray(taken, Math.min(chunk.length, taken + wanted))
      this.keep(piece)
      taken += piece.length
      if (!this.scan(this.buffer.subarray(0, this.length), events)) return chunk.length
      if (this.total >= 0 && this.length >= this.total) {
        const surplus = this.length - this.total
        events.push({ kind: 'message', bytes: new Uint8Array(this.buffer.subarray(0, this.total)) })
        this.reset()
        return taken - surplus
      }
    }
    return taken
  }

  /** Begins a message at `start` of the chunk; returns the position after it, the rest of the chunk being kept if it is not whole. */
  private begin(chunk: Uint8Array, start: number, events: FramerEvent[]): number {
    if ((charFlags[chunk[start]!]! & TOKEN) === 0) {
      this.fail('START_LINE_INVALID', 0, events)
      return chunk.length
    }
    const view = chunk.subarray(start)
    if (!this.scan(view, events)) return chunk.length
    if (this.total >= 0 && view.length >= this.total) {
      const end = start + this.total
      events.push({ kind: 'message', bytes: chunk.subarray(start, end) })
      this.reset()
      return end
    }
    this.keep(view)
    return chunk.length
  }

  /** Looks for the end of the head in what is new; false when the stream is dead. */
  private scan(bytes: Uint8Array, events: FramerEvent[]): boolean {
    if (this.total >= 0) return true
    const end = Math.min(bytes.length, this.limits.headBytesMax)
    for (let at = this.scanned; at < end; at += 1) {
      if (bytes[at] !== lf) continue
      const hasCr = at > this.lineStart && bytes[at - 1] === cr
      if (!hasCr && !this.leniency.bareLf) return this.fail('BARE_LF', at, events)
      if (at - this.lineStart === (hasCr ? 1 : 0)) return this.endHead(bytes, at + 1, events)
      this.lineStart = at + 1
    }
    this.scanned = end
    if (bytes.length < this.limits.headBytesMax) return true
    return this.fail('HEAD_TOO_LARGE', this.limits.headBytesMax, events)
  }

  private endHead(bytes: Uint8Array, headEnd: number, events: FramerEvent[]): boolean {
    const found = findContentLength(bytes, headEnd)
    if (typeof found !== 'number')
      return this.fail(found.code, found.at, events, new Uint8Array(bytes.subarray(0, headEnd)))
    if (found > this.limits.bodyBytesMax)
      return this.fail('BODY_TOO_LARGE', headEnd, events, new Uint8Array(bytes.subarray(0, headEnd)))
    if (headEnd + found > this.limits.messageBytesMax) {
      return this.fail('MESSAGE_TOO_LARGE', headEnd, events, new Uint8Array(bytes.subarray(0, headEnd)))
    }
    this.total = headEnd + found
    this.scanned = headEnd
    return true
  }

  /** Skips line ends between messages and turns them into keep-alive events. */
  private skipLineEnds(chunk: Uint8Array, start: number, events: FramerEvent[]): number {
    let at = start
    while (at < chunk.length) {
      const code = chunk[at]!
      if (this.halfLineEnd) {
        if (code !== lf) {
          this.fail('BARE_CR', 0, events)
          return chunk.length
        }
        this.halfLineEnd = false
        this.noteLineEnd(chunk, at + 1, events)
      } else if (code === cr) {
        this.halfLineEnd = true
      } else if (code === lf && this.leniency.bareLf) {
        this.noteLineEnd(chunk, at + 1, events)
      } else {
        this.loneLineEnd = false
        return at
      }
      at += 1
    }
    return at
  }

  /** A CRLF has ended: with the one before it a ping, alone a pong. A pair may be split between two chunks. */
  private noteLineEnd(chunk: Uint8Array, next: number, events: FramerEvent[]): void {
    if (this.loneLineEnd) {
      this.loneLineEnd = false
      addOnce(events, 'ping')
      return
    }
    this.loneLineEnd = true
    // The pair's second half may be in this chunk; then it is no pong.
    if (!(next < chunk.length && (chunk[next] === cr || chunk[next] === lf))) addOnce(events, 'pong')
  }

  private keep(bytes: Uint8Array): void {
    const needed = this.length + bytes.length
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(bufferBytesMin, this.buffer.length * 2, needed))
      grown.set(this.buffer.subarray(0, this.length))
      this.buffer = grown
    }
    this.buffer.set(bytes, this.length)
    this.length = needed
  }

  private reset(): void {
    this.buffer = nothing
    this.length = 0
    this.scanned = 0
    this.lineStart = 0
    this.total = -1
  }

  private fail(code: ProblemCode, offset: number, events: FramerEvent[], head?: Uint8Array): false {
    const error = problem(code, offset)
    events.push(head === undefined ? { kind: 'error', error } : { kind: 'error', error, head })
    this.reset()
    this.halfLineEnd = false
    this.dead = true
    return false
  }
}

/** The Content-Length of a whole head, or why there is none to go by (RFC 3261 §18.3: on a stream it must be there). */
function findContentLength(bytes: Uint8Array, headEnd: number): number | { code: ProblemCode; at: number } {
  let found = -1
  let lineStart = bytes.indexOf(lf) + 1
  while (lineStart < headEnd) {
    const valueStart = contentLengthValue(bytes, lineStart, headEnd)
    const lineEnd = logicalLineEnd(bytes, lineStart, headEnd)
    if (valueStart >= 0) {
      if (found >= 0) return { code: 'CONTENT_LENGTH_REPEATED', at: lineStart }
      found = readLength(bytes, valueStart, lineEnd)
      if (found < 0) return { code: 'CONTENT_LENGTH_INVALID', at: spaceEnd(bytes, valueStart) }
    }
    lineStart = lineEnd
  }
  return found < 0 ? { code: 'CONTENT_LENGTH_MISSING', at: headEnd } : found
}

/** The position after the line that begins at `start` and its continuation lines. */
function logicalLineEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    if (bytes[at] === lf && !(at + 1 < end && (bytes[at + 1] === 0x20 || bytes[at + 1] === 0x09))) return at + 1
    at += 1
  }
  return end
}

const longName = new Uint8Array([...'content-length'].map((letter) => letter.charCodeAt(0)))

/** Where the value begins when the line's header is Content-Length or its compact form; else -1. */
function contentLengthValue(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]! | 0x20
  let at = start + 1
  if (first === 0x63) {
    for (let letter = 1; letter < longName.length; letter += 1, at += 1) {
      if (at >= end || (bytes[at]! | 0x20) !== longName[letter]) return -1
    }
  } else if (first !== 0x6c) {
    return -1
  }
  at = spaceEnd(bytes, at)
  return at < end && bytes[at] === 0x3a ? at + 1 : -1
}

function spaceEnd(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1
  return at
}

function addOnce(events: FramerEvent[], kind: 'ping' | 'pong'): void {
  if (!events.some((event) => event.kind === kind)) events.push({ kind })
}
