/**
 * Finds messages in what people have: bytes from the wire, several messages one after another, or text that was copied
 * from a capture tool, where line ends, prefixes and sometimes bytes have changed.
 */
import { Buffer } from 'node:buffer'
import { knownMethods } from '../message/methods'
import { hexDumpPackets } from './hex-dump'

/** One message found in the input. */
export interface FoundMessage {
  readonly bytes: Buffer
  /** Where it begins in the input. For a hex dump, where its packet begins in the decoded bytes. */
  readonly offset: number
  /** What the tool had written above it: addresses and time. */
  readonly label?: string
  /** What was done to make bytes of text again, in words. */
  readonly notes: readonly string[]
}

/** A request line or a status line, well formed or nearly; `[^ ]` so that spaces cost no backtracking. */
const REQUEST = /^[!%'*+\-.0-9A-Z_`a-z~]+ +[^ \r\n].* SIP\/\d{1,9}\.\d{1,9} *$/
const STATUS = /^SIP\/\d{1,9}\.\d{1,9} +\d.*$/

/** Finds the messages. What holds no start line at all is one message as a whole, for its verdict. */
export function extractMessages(input: Uint8Array): readonly FoundMessage[] {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  if (isBlank(bytes)) return []
  const packets = hexDumpPackets(bytes)
  if (packets !== undefined) return packets.flatMap(({ bytes: packet, label }) => inPacket(packet, label))
  const starts = startLines(bytes)
  if (starts.length === 0) return [{ bytes, offset: 0, notes: [] }]
  return cut(bytes, starts)
}

function isBlank(bytes: Buffer): boolean {
  let at = 0
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a || bytes[at] === 0x20)) at++
  return at === bytes.length
}

interface StartLine {
  /** Where the line's own text begins, after what a tool put before it. */
  readonly offset: number
  /** Where the line as a whole begins. */
  readonly lineStart: number
  /** White space before it, which the lines that follow have as well when a tool indented the message. */
  readonly indent: string
}

function inPacket(packet: Buffer, label: string | undefined): FoundMessage[] {
  const text = packet.toString('latin1')
  const found = /[!-~]+ [^ \r\n]{1,2048} SIP\/2\.0\r\n|SIP\/2\.0 \d{3} [^\r\n]*\r\n/.exec(text.slice(0, 4_096))
  if (found === null) return []
  const offset = found.index + junkBefore(found[0])
  const notes = [`decoded from a hex dump; ${offset} bytes of lower layers left out`]
  return [{ bytes: packet.subarray(offset), offset, notes, ...(label === undefined ? {} : { label }) }]
}

/** Bytes of lower layers may look like the beginning of the method; a known method ends them. */
function junkBefore(line: string): number {
  if (line.startsWith('SIP/')) return 0
  const word = line.slice(0, line.indexOf(' '))
  const method = [...knownMethods].find((known) => word.endsWith(known)) ?? /[A-Z]*$/.exec(word)?.[0] ?? ''
  return word.length - method.length
}

function startLines(bytes: Buffer): StartLine[] {
  const starts: StartLine[] = []
  let free = 0
  // Every start line holds this; most lines of a large file do not.
  for (let found = bytes.indexOf('SIP/'); found >= 0; found = bytes.indexOf('SIP/', free)) {
    const lineStart = bytes.subarray(free, found).lastIndexOf(0x0a) + 1 + free
    const feed = bytes.indexOf(0x0a, found)
    const lineEnd = feed < 0 ? bytes.length : feed
    const line = bytes.toString('latin1', lineStart, Math.min(lineEnd, lineStart + 8_192)).replace(/\r$/, '')
    const place = placeOfStartLine(line)
    if (place >= 0) {
      const before = line.slice(0, place)
      starts.push({ offset: lineStart + place, lineStart, indent: /^[ \t]*$/.test(before) ? before : '' })
    }
    free = lineEnd + 1
  }
  return starts
}

/** Where a start line begins in a line: at its start, after white space, or after the packet header of `tcpdump -A`. */
function placeOfStartLine(line: string): number {
  const indent = /^[ \t]*/.exec(line)?.[0].length ?? 0
  const text = line.slice(indent)
  if (REQUEST.test(text) || STATUS.test(text)) return indent
  // tcpdump -A writes the bytes of the headers below before the payload, unprintable ones as dots.
  const [, junk, rest] = /^(E[^\r\n]{19,90}?)((?:[A-Z]{3,12} sips?:|SIP\/2\.0 \d).*)$/.exec(line) ?? []
  return junk !== undefined && rest !== undefined && (REQUEST.test(rest) || STATUS.test(rest)) ? junk.length : -1
}

function cut(bytes: Buffer, starts: readonly StartLine[]): FoundMessage[] {
  const found: FoundMessage[] = []
  let free = 0
  for (const [index, start] of starts.entries()) {
    // A start line inside a body, as in message/sipfrag, begins no message.
    if (start.offset < free) continue
    const next = starts[index + 1]?.lineStart ?? bytes.length
    const label = labelBefore(bytes, free, start.lineStart)
    const taken = take(bytes, start, next)
    free = taken.end
    const isWhole = found.length === 0 && index === 0 && label === undefined && start.indent === ''
    const rest = bytes.length - taken.end
    const notes =
      isWhole && rest > 0 && next === bytes.length ? [...taken.notes, `${rest} bytes follow the body`] : taken.notes
    found.push({ bytes: taken.bytes, offset: start.offset, notes, ...(label === undefined ? {} : { label }) })
  }
  return found
}

interface Taken {
  readonly bytes: Buffer
  readonly notes: readonly string[]
  /** Where the message ends in the input. */
  readonly end: number
}

/** One message from its start line to the end of its body. `next` is where the next start line, or the input, ends it. */
function take(bytes: Buffer, start: StartLine, next: number): Taken {
  const firstEnd = bytes.indexOf(0x0a, start.offset)
  const isWire = firstEnd > 0 && bytes[firstEnd - 1] === 0x0d
  if (isWire && start.indent === '') return takeWire(bytes, start.offset, next)
  const lines = bytes
    .toString('latin1', start.offset, next)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
  const own = start.indent === '' ? lines : lines.map((line) => withoutIndent(line, start.indent))
  const blank = own.indexOf('')
  const head = blank < 0 ? own : own.slice(0, blank)
  const length = contentLength(head)
  const body = blank < 0 ? '' : bodyOf(own.slice(blank + 1), length)
  const text = `${head.join('\r\n')}\r\n\r\n${body}`
  const notes = ['line ends restored: the text had lost its carriage returns']
  const bodyLines = body === '' ? 0 : body.replace(/\r\n$/, '').split('\r\n').length
  const taken = blank < 0 ? head.length : blank + 1 + bodyLines
  return { bytes: Buffer.from(text, 'latin1'), notes, end: Math.min(afterLines(bytes, start.offset, taken), next) }
}

/** The place after a number of lines. */
function afterLines(bytes: Buffer, from: number, count: number): number {
  let at = from
  for (let line = 0; line < count; line++) {
    const feed = bytes.indexOf(0x0a, at)
    if (feed < 0) return bytes.length
    at = feed + 1
  }
  return at
}

function takeWire(bytes: Buffer, offset: number, next: number): Taken {
  // No further than the next start line: the input may hold very many of them.
  const headLength = bytes.subarray(offset, next).indexOf('\r\n\r\n')
  if (headLength < 0) return whole(bytes, offset, next)
  const headEnd = offset + headLength
  const length = contentLength(bytes.toString('latin1', offset, Math.min(headEnd, offset + 65_536)).split('\r\n'))
  const bodyStart = headEnd + 4
  const end = length === undefined ? next : bodyStart + length
  return end > bytes.length ? whole(bytes, offset, next) : whole(bytes, offset, end)
}

function whole(bytes: Buffer, offset: number, end: number): Taken {
  return { bytes: bytes.subarray(offset, end), notes: [], end }
}

/** The body's lines with CRLF again, as long as Content-Length says: copying often loses or adds a last line end. */
function bodyOf(lines: readonly string[], length: number | undefined): string {
  const separator = lines.findIndex((line) => /^(?:={8,}|-{8,}|<-{3}|U \d|T \d)/.test(line))
  let text = (separator < 0 ? lines : lines.slice(0, separator)).join('\r\n')
  if (length === undefined) return text.replace(/(?:\r\n)+$/, '')
  if (text.length < length) text += '\r\n'
  return text.slice(0, Math.max(length, 0))
}

function withoutIndent(line: string, indent: string): string {
  return line.startsWith(indent) ? line.slice(indent.length) : line.trim() === '' ? '' : line
}

function contentLength(head: readonly string[]): number | undefined {
  for (const line of head) {
    const [, digits] = /^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*$/i.exec(line) ?? []
    if (digits !== undefined) return Number(digits)
  }
  return undefined
}

/** The last line between two messages that names addresses, as sngrep, ngrep, tcpdump, and servers' logs write it. */
function labelBefore(bytes: Buffer, from: number, to: number): string | undefined {
  const lines = bytes.toString('latin1', Math.max(from, to - 1_024), to).split(/\r?\n/)
  const named = lines.filter((line) => /\d+\.\d+\.\d+\.\d+|[0-9a-f]:[0-9a-f:]+|->|Node \d/i.test(line))
  const label = named[named.length - 1]?.trim()
  return label === undefined || label === '' ? undefined : label.slice(0, 160)
}
