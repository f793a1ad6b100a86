/**
 * Foreign bytes made fit to be shown: harmless, and with a caret under a place. Nothing shown here can move a cursor or
 * colour a screen.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Problem } from '../errors'

/** Control characters, directional marks and overrides, separators, and the like that take no room. */
const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** Characters that take two columns of a terminal: those of East Asia, and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u
/** Characters that stand on the one before them. */
const combining = /[\p{Mn}\p{Me}]/u

/**
 * Bytes as they may be shown: UTF-8 as it is, tabs as spaces; control characters, what turns the direction of writing,
 * and bytes that are no UTF-8 as `\xNN` or `\u{NNNN}`.
 */
export function visible(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return visibleText(isUtf8(buffer) ? buffer.toString('utf8') : escapeHigh(buffer.toString('latin1')))
}

/** The same for text. */
export function visibleText(text: string): string {
  return text.replace(/\t/g, ' ').replace(harmful, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** Columns of a terminal that visible text takes. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += wide.test(character) ? 2 : combining.test(character) ? 0 : 1
  return columns
}

/** A line and where its caret goes, cut to a width with the place in sight. */
export interface CaretLine {
  readonly text: string
  /** Columns before the caret. */
  readonly column: number
  /** True when the line was cut. */
  readonly isCut: boolean
}

/** Cuts a line so that the byte at `at` is in sight. What is far from the place is not looked at. */
export function caretLine(line: Uint8Array, at: number, width: number): CaretLine {
  const from = characterStart(line, Math.max(0, at - 4 * width))
  const to = characterStart(line, Math.min(line.length, at + 4 * width))
  const cells = cellsOf(line.subarray(from, to))
  let place = cells.findIndex(({ end }) => from + end > at)
  if (place < 0) place = cells.length
  const isWhole = from === 0 && to === line.length && columnsIn(cells, 0, cells.length) <= width
  const [first, last] = isWhole ? [0, cells.length] : around(cells, place, width)
  const head = first > 0 || from > 0 ? '…' : ''
  const tail = last < cells.length || to < line.length ? '…' : ''
  const shown = cells.slice(first, last).map(({ text }) => text)
  return {
    text: head + shown.join('') + tail,
    column: head.length + columnsIn(cells, first, place),
    isCut: head !== '' || tail !== '',
  }
}

/**
 * A problem for people: the line that it is in with a caret under the place, and the sentence. `input` is what was handed
 * to `inspectMessage` or `parseMessage`. The line is foreign text, made harmless, and may hold secrets: not for logs.
 */
export function explainProblem(input: Uint8Array, problem: Problem, width = 80): string {
  const at = Math.min(problem.offset, input.length)
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const start = at === 0 ? 0 : bytes.lastIndexOf(0x0a, at - 1) + 1
  const feed = bytes.indexOf(0x0a, start)
  const next = feed < 0 ? bytes.length : feed
  const end = feed > start && bytes[feed - 1] === 0x0d ? feed - 1 : next
  const { text, column } = caretLine(bytes.subarray(start, end), Math.min(at, end) - start, width - 2)
  const header = problem.header === undefined ? '' : `${problem.header}: `
  return `${text}\n${' '.repeat(column)}^\n${header}${problem.sentence}`
}

interface Cell {
  readonly text: string
  readonly columns: number
  /** Where its bytes end. */
  readonly end: number
}

/** One cell a character; every byte is one when the bytes are no UTF-8. */
function cellsOf(bytes: Uint8Array): Cell[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isText = isUtf8(buffer)
  const cells: Cell[] = []
  let end = 0
  for (const character of buffer.toString(isText ? 'utf8' : 'latin1')) {
    end += isText ? Buffer.byteLength(character) : 1
    const text = visibleText(isText ? character : escapeHigh(character))
    cells.push({ text, columns: columnsOf(text), end })
  }
  return cells
}

/** The cells that fit into the width: half of it before the place, and what is left after it. */
function around(cells: readonly Cell[], place: number, width: number): [first: number, last: number] {
  let [first, last] = [place, place]
  let left = width
  const take = (cell: Cell | undefined, least: number): boolean => {
    if (cell === undefined || left - cell.columns < least) return false
    left -= cell.columns
    return true
  }
  while (take(cells[first - 1], width >> 1)) first--
  while (take(cells[last], 0)) last++
  while (take(cells[first - 1], 0)) first--
  return [first, last]
}

function columnsIn(cells: readonly Cell[], from: number, to: number): number {
  let columns = 0
  for (let at = from; at < to; at++) columns += cells[at]!.columns
  return columns
}

/** The first byte, at `at` or up to three before it, that does not go on with a character of UTF-8. */
function characterStart(line: Uint8Array, at: number): number {
  let start = at
  while (start > 0 && start > at - 3 && start < line.length && (line[start]! & 0xc0) === 0x80) start--
  return start
}

function escapeHigh(text: string): string {
  return text.replace(/[\x80-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`)
}
