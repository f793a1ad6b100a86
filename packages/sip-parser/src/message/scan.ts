/**
 * The one pass over a message's head (RFC 3261 §7.1 to §7.3, §25.1): finds the parts of the start line, the lines, names
 * and values of the headers, and Content-Length. It works on bytes, makes no string and keeps going after a bad line, so
 * that a request with a bad line can still be answered.
 */
import { type Problem, type ProblemCode, problem } from '../errors'
import { charFlags, TOKEN } from '../grammar/chars'
import type { HeadBytes } from '../grammar/wire'
import { CONTENT_LENGTH } from '../headers/ids'
import { recogniseAt, recogniseName } from '../headers/recognise'
import { headerNameBytesMax, type ParserLimits, problemsMax } from '../limits'
import { type HeaderIndex, packHeader, stride } from './header-list'
import type { Leniency } from './leniency'
import { judgeStartLine } from './start-line'

const noEntries: HeaderIndex = []

/** What the pass found. Positions count from the first byte of the start line. */
export class HeadScan {
  isResponse = false
  /** Length of the method; -1 when there is none. */
  methodEnd = -1
  /** End of the request URI; -1 when the request line is malformed. */
  uriEnd = -1
  /** Status of a response; -1 when the status line is malformed. */
  status = -1
  startLineEnd = 0
  /** The position after the empty line, or after the last whole line when there is no empty line. */
  bodyStart = 0
  isComplete = false
  /** -1 when absent or malformed. */
  contentLength = -1
  hasContentLength = false
  /** The first line that ends with LF alone, or -1. */
  bareLfAt = -1
  /** The start line in strict form, when a tolerated deviation was found in it. */
  rewritten: string | undefined = undefined
  problems: Problem[] | undefined = undefined
  index: HeaderIndex = noEntries

  /** What precedes the start line in the input; it is added to the offsets of problems. */
  base = 0

  /** Forgets the last message. */
  reset(base: number): void {
    this.isResponse = false
    this.methodEnd = -1
    this.uriEnd = -1
    this.status = -1
    this.startLineEnd = 0
    this.bodyStart = 0
    this.isComplete = false
    this.contentLength = -1
    this.hasContentLength = false
    this.bareLfAt = -1
    this.rewritten = undefined
    this.problems = undefined
    this.index = noEntries
    this.base = base
  }

  report(code: ProblemCode, at: number): void {
    this.problems ??= []
    if (this.problems.length >= problemsMax) return
    this.problems.push(problem(code, at + this.base, undefined, this.isResponse))
  }
}

const cr = 0x0d
const lf = 0x0a
/** Filled anew by each scan, then copied in its exact length. */
const scratch: number[] = []
const shared = new HeadScan()

/**
 * Scans the head in the first `end` bytes of `head`, which has a zero byte after them; `text` is the message as wire
 * text. The result is shared and good until the next call.
 */
export function scanHead(
  text: string,
  head: HeadBytes,
  end: number,
  base: number,
  limits: ParserLimits,
  leniency: Leniency,
): HeadScan {
  const scan = shared
  scan.reset(base)
  const at = scanStartLine(text, head.bytes, end, scan, leniency)
  if (scan.rewritten !== undefined) return scan
  scanHeaders(text, head, at, end, limits.headersMax, scan)
  if (!scan.isComplete) scan.report(end < text.length ? 'HEAD_TOO_LARGE' : 'HEAD_INCOMPLETE', scan.bodyStart)
  return scan
}

/** Reads the digits of a Content-Length value, white space and folds around them; -1 when it is malformed. */
export function readLength(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && isSpace(bytes[at]!)) at += 1
  let value = 0
  const first = at
  while (at < end) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
    if (value > Number.MAX_SAFE_INTEGER) return -1
    at += 1
  }
  if (at === first) return -1
  while (at < end && isSpace(bytes[at]!)) at += 1
  return at === end ? value : -1
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === cr || code === lf
}

/** Scans the start line; returns the position after its line end. */
function scanStartLine(text: string, bytes: Uint8Array, end: number, scan: HeadScan, leniency: Leniency): number {
  let at = tokenEnd(bytes, 0)
  if (at > 0 && at < end && bytes[at] === 0x20) {
    const methodEnd = at
    at += 1
    while (bytes[at]! > 0x20) at += 1
    if (at + 9 < end && at > methodEnd + 1 && bytes[methodEnd + 1] !== 0x3c && isVersion(bytes, at)) {
      scan.methodEnd = methodEnd
      scan.uriEnd = at
      scan.startLineEnd = at + 8
      return at + 10
    }
  } else if (at === 3 && end > 13 && isStatusLine(bytes)) {
    scan.isResponse = true
    const stop = reasonEnd(bytes, 12, end)
    if (stop + 1 < end && bytes[stop] === cr && bytes[stop + 1] === lf) {
      scan.status = (bytes[8]! - 0x30) * 100 + (bytes[9]! - 0x30) * 10 + bytes[10]! - 0x30
      scan.startLineEnd = stop
      return stop + 2
    }
  }
  return judge(text, bytes, end, scan, leniency)
}

/** True for ` SIP/2.0` CRLF at `at`. */
function isVersion(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x20 &&
    bytes[at + 1] === 0x53 &&
    bytes[at + 2] === 0x49 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === 0x2f &&
    bytes[at + 5] === 0x32 &&
    bytes[at + 6] === 0x2e &&
    bytes[at + 7] === 0x30 &&
    bytes[at + 8] === cr &&
    bytes[at + 9] === lf
  )
}

/** True for `SIP/2.0 ddd ` with a status from 100 to 699 at the beginning. */
function isStatusLine(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x53 &&
    bytes[1] === 0x49 &&
    bytes[2] === 0x50 &&
    bytes[3] === 0x2f &&
    bytes[4] === 0x32 &&
    bytes[5] === 0x2e &&
    bytes[6] === 0x30 &&
    bytes[7] === 0x20 &&
    bytes[8]! >= 0x31 &&
    bytes[8]! <= 0x36 &&
    isDigit(bytes[9]!) &&
    isDigit(bytes[10]!) &&
    bytes[11] === 0x20
  )
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** The position of the first control character (tab apart) from `at`. */
function reasonEnd(bytes: Uint8Array, at: number, end: number): number {
  let position = at
  while (position < end) {
    const code = bytes[position]!
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) break
    position += 1
  }
  return position
}

/** The slow path: says what is wrong with the start line, or how it should read. */
function judge(text: string, bytes: Uint8Array, end: number, scan: HeadScan, leniency: Leniency): number {
  const stop = text.indexOf('\n')
  // Without a line end there is nothing to judge: the head is incomplete or too large.
  if (stop < 0 || stop >= end) return end
  const hasCr = stop > 0 && bytes[stop - 1] === cr
  const lineEnd = hasCr ? stop - 1 : stop
  const line = text.slice(0, lineEnd)
  const verdict = judgeStartLine(line, leniency)
  scan.isResponse = verdict.kind === 'response'
  scan.startLineEnd = lineEnd
  if (verdict.method !== undefined) scan.methodEnd = verdict.method.length
  if (verdict.code !== undefined) scan.report(verdict.code, verdict.at)
  if (!hasCr) {
    scan.bareLfAt = stop
    scan.report('BARE_LF', stop)
  } else if (verdict.code === undefined) {
    // What the fast path refused cannot be right as it stands: the rewritten line must differ.
    if (verdict.rewritten === undefined || verdict.rewritten === line) scan.report('START_LINE_INVALID', 0)
    else scan.rewritten = verdict.rewritten
  }
  return stop + 1
}

/** Scans header lines from `from`, up to and with the empty line. A zero byte stands at `end`. */
function scanHeaders(
  text: string,
  head: HeadBytes,
  from: number,
  end: number,
  headersMax: number,
  scan: HeadScan,
): void {
  const { bytes, words } = head
  const sizeMax = headersMax * stride
  let at = from
  let size = 0
  scan.bodyStart = at
  while (at < end) {
    const nameStart = at
    // A known name up to its colon needs no look at its characters.
    const known = recogniseAt(bytes, at)
    let id = known >> 8
    let nameEnd = at + (known & 255)
    let isHeader = true
    if (known === 0) {
      nameEnd = tokenEnd(bytes, at)
      at = spaceEnd(bytes, nameEnd)
      isHeader = bytes[at] === 0x3a && nameEnd > nameStart && nameEnd - nameStart <= headerNameBytesMax
      if (isHeader) id = recogniseName(bytes, nameStart, nameEnd)
    } else {
      at = nameEnd
    }
    if (isHeader) at = spaceEnd(bytes, at + 1)
    const valueStart = at
    let isFolded = false
    let lineEnd: number
    for (;;) {
      lineEnd = controlAt(words, at)
      while (lineEnd < end && bytes[lineEnd] !== cr && bytes[lineEnd] !== lf) lineEnd = controlAt(words, lineEnd + 1)
      at = lineEnd + 2
      if (bytes[lineEnd] !== cr || bytes[lineEnd + 1] !== lf) {
        const stop = text.indexOf('\n', lineEnd)
        if (lineEnd >= end || stop < 0 || stop >= end) {
          scan.index = scratch.slice(0, size)
          return
        }
        lineEnd = noteOddLineEnd(bytes, lineEnd, stop, scan)
        at = stop + 1
      }
      if (lineEnd === nameStart || (bytes[at] !== 0x20 && bytes[at] !== 0x09)) break
      isFolded = true
    }
    scan.bodyStart = at
    if (lineEnd === nameStart) {
      scan.isComplete = true
      break
    }
    if (!isHeader) {
      noteBadLine(bytes, nameStart, nameEnd, valueStart, lineEnd, scan)
      continue
    }
    if (size >= sizeMax) {
      scan.report('TOO_MANY_HEADERS', nameStart)
      break
    }
    const valueEnd = spaceStart(bytes, valueStart, lineEnd)
    if (id === CONTENT_LENGTH) noteContentLength(bytes, valueStart, valueEnd, nameStart, scan)
    size = addEntry(size, packHeader(id, nameEnd - nameStart, valueStart - nameEnd, isFolded), valueStart, valueEnd)
  }
  scan.index = scratch.slice(0, size)
}

/** Both bits that tell printable bytes from control characters, for four bytes, moved into one place. */
const printable = 0x40404040
const isBigEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 0
/** Makes the bytes of a word that stand before a position look printable. */
const passed = new Int32Array(isBigEndian ? [0, 0x40000000, 0x40400000, 0x40404000] : [0, 0x40, 0x4040, 0x404040])

/**
 * The position of the first byte from `from` on that may be a control character: below 0x20, or in 0x80 to 0x9f, where
 * the caller looks and goes on. Four bytes at a time: a control character has neither bit 5 nor bit 6.
 */
function controlAt(words: Int32Array, from: number): number {
  let at = from >> 2
  const first = words[at]! | passed[from & 3]!
  let plain = (first | (first << 1)) & printable
  while (plain === printable) {
    at += 1
    const word = words[at]!
    plain = (word | (word << 1)) & printable
  }
  const odd = plain ^ printable
  const bit = isBigEndian ? Math.clz32(odd) : 31 - Math.clz32(odd & -odd)
  return (at << 2) + (bit >> 3)
}

/** Reports CR without LF from `at` to the line end at `stop`, and LF without CR; returns where the line's text ends. */
function noteOddLineEnd(bytes: Uint8Array, at: number, stop: number, scan: HeadScan): number {
  for (let position = at; position < stop - 1; position += 1) {
    if (bytes[position] === cr) scan.report('BARE_CR', position)
  }
  if (stop > at && bytes[stop - 1] === cr) return stop - 1
  noteBareLf(scan, stop)
  return stop
}

function tokenEnd(bytes: Uint8Array, start: number): number {
  const flags = charFlags
  let at = start
  while ((flags[bytes[at]!]! & TOKEN) !== 0) at += 1
  return at
}

function spaceEnd(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1
  return at
}

/** Writes one entry of the index; returns where the next one goes. */
function addEntry(size: number, packed: number, valueStart: number, valueEnd: number): number {
  scratch[size] = packed
  scratch[size + 1] = valueStart
  scratch[size + 2] = valueEnd
  return size + stride
}

/** Where the white space before `end` begins, folds included, not before `start`: no value ends with a line end. */
function spaceStart(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && isSpace(bytes[at - 1]!)) at -= 1
  return at
}

function noteBareLf(scan: HeadScan, at: number): void {
  if (scan.bareLfAt >= 0) return
  scan.bareLfAt = at
  scan.report('BARE_LF', at)
}

function noteContentLength(bytes: Uint8Array, start: number, end: number, nameStart: number, scan: HeadScan): void {
  if (scan.hasContentLength) {
    scan.contentLength = -1
    scan.report('CONTENT_LENGTH_REPEATED', nameStart)
    return
  }
  scan.hasContentLength = true
  scan.contentLength = readLength(bytes, start, end)
  if (scan.contentLength < 0) scan.report('CONTENT_LENGTH_INVALID', start)
}

/** Reports a line that is no header. */
function noteBadLine(
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  at: number,
  lineEnd: number,
  scan: HeadScan,
): void {
  const first = bytes[nameStart]!
  if (first === 0x20 || first === 0x09) scan.report('HEADER_FOLD_MISPLACED', nameStart)
  else if (nameEnd - nameStart > headerNameBytesMax) scan.report('HEADER_NAME_TOO_LONG', nameStart)
  else if (nameEnd === nameStart || hasColon(bytes, at, lineEnd)) scan.report('HEADER_NAME_INVALID', nameEnd)
  else scan.report('HEADER_COLON_MISSING', at)
}

function hasColon(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === 0x3a) return true
  }
  return false
}
