/** Text for a terminal: colours, and foreign bytes made harmless and visible. */
import { Buffer, isUtf8 } from 'node:buffer'

/** Wraps text in a style; with colours off it gives the text back. */
export type Paint = (style: Style, text: string) => string

/** What a piece of text is. */
export type Style = 'bad' | 'good' | 'warn' | 'name' | 'dim' | 'strong'

const CODES: Readonly<Record<Style, string>> = {
  bad: '1;31',
  good: '1;32',
  warn: '1;33',
  name: '36',
  dim: '2',
  strong: '1',
}

/** The painter for a terminal with colours, or without. */
export function painter(isColoured: boolean): Paint {
  return isColoured ? (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m` : (_style, text) => text
}

/**
 * Bytes as they may be shown: UTF-8 as it is, tabs as spaces; control characters, what turns the direction of writing,
 * and bytes that are no UTF-8 as `\xNN` or `\u{NNNN}`. Nothing of it can move a cursor or colour a screen.
 */
export function visible(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = isUtf8(buffer) ? buffer.toString('utf8') : escapeHigh(buffer.toString('latin1'))
  return visibleText(text)
}

/** The same for text. */
export function visibleText(text: string): string {
  return text.replace(/\t/g, ' ').replace(HARMFUL, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** Control characters, directional marks and overrides, separators, and the like that take no room. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

function escapeHigh(text: string): string {
  return text.replace(/[\x80-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`)
}

/** A line and where its caret goes, cut to a width with the place in sight. */
export interface CaretLine {
  readonly text: string
  /** Characters before the caret. */
  readonly column: number
}

/** Cuts a line so that the byte at `at` is in sight. */
export function caretLine(line: Uint8Array, at: number, width: number): CaretLine {
  const before = visible(line.subarray(0, at))
  const after = visible(line.subarray(at))
  const column = [...before].length
  const characters = [...before, ...after]
  if (characters.length <= width) return { text: characters.join(''), column }
  const from = Math.max(0, Math.min(column - Math.floor(width / 2), characters.length - width))
  const head = from > 0 ? '…' : ''
  const tail = from + width < characters.length ? '…' : ''
  return { text: head + characters.slice(from, from + width).join('') + tail, column: column - from + head.length }
}
