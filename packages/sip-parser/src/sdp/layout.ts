/**
 * How the lines of a parsed description were written, kept beside the model so that what nobody changed is written again
 * byte for byte (RFC 8866 §5: order, white space and line ends that peers get wrong without harm). Only the source text is
 * kept; its lines are looked at when the section is written.
 */
import { connectionLine, mediaLine, originLine, timingLine } from './lines'
import { isBandwidth, readConnection, readMediaLine, readOrigin, readTiming } from './read-lines'

/**
 * The group of lines in which order matters: the letter of the line, except that `r` goes with its `t`, and that lines
 * without a field of their own are `?`.
 */
export type LineKind = 'v' | 'o' | 's' | 'i' | 'u' | 'e' | 'p' | 'c' | 'b' | 't' | '?' | 'a' | 'm'

/** One line as it came. */
export interface KeptLine {
  readonly kind: LineKind
  /** The line as the serializer would write it from the model: the same as long as the line has not been changed. */
  readonly canonical: string
  /** The line as it was written, without its end. */
  readonly raw: string
  /** What ended it: CRLF or LF; for a last line also CR alone, or nothing. */
  readonly end: '\r\n' | '\n' | '\r' | ''
}

/**
 * The key under which a parsed section carries its layout. Copies made by spreading keep it; JSON does not show it. Not
 * for users of the package.
 */
export const sdpLayout: unique symbol = Symbol('sdp-layout')

/** The source of one section: of the session, or of one medium with its `m=` line first. */
export class SectionLayout {
  readonly #text: string
  readonly #start: number
  readonly #end: number
  readonly #isLatin1: boolean

  constructor(text: string, start: number, end: number, isLatin1: boolean) {
    this.#text = text
    this.#start = start
    this.#end = end
    this.#isLatin1 = isLatin1
  }

  /** True when the description came as bytes that are not UTF-8. */
  get isLatin1(): boolean {
    return this.#isLatin1
  }

  /** The empty lines at the end of the whole description. */
  get tail(): string {
    const text = this.#text
    let at = text.length
    while (at > 0 && (text.charCodeAt(at - 1) === 10 || text.charCodeAt(at - 1) === 13)) at--
    if (text.charCodeAt(at) === 13) at++
    if (text.charCodeAt(at) === 10) at++
    return text.slice(at)
  }

  /** The lines, without empty ones. */
  lines(): KeptLine[] {
    const text = this.#text
    const isMedia = text.charCodeAt(this.#start) === 0x6d
    const lines: KeptLine[] = []
    let start = this.#start
    while (start < this.#end) {
      const feed = text.indexOf('\n', start)
      const next = feed < 0 ? text.length : feed + 1
      let end = feed < 0 ? text.length : feed
      if (end > start && text.charCodeAt(end - 1) === 13) end--
      if (end > start) lines.push(keptLine(text.slice(start, end), text.slice(end, next) as KeptLine['end'], isMedia))
      start = next
    }
    return lines
  }
}

function keptLine(raw: string, end: KeptLine['end'], isMedia: boolean): KeptLine {
  const kind = kindOf(raw, isMedia)
  return { kind, canonical: canonicalOf(kind, raw), raw, end }
}

function kindOf(raw: string, isMedia: boolean): LineKind {
  const letter = raw.charAt(0)
  if (letter === 'b') return isBandwidth(raw.slice(2)) ? 'b' : '?'
  if (letter === 'a' || letter === 'c' || letter === 'i') return letter
  if (isMedia) return letter === 'm' ? 'm' : '?'
  if (letter === 'r') return 't'
  return 'vosuept'.includes(letter) ? (letter as LineKind) : '?'
}

function canonicalOf(kind: LineKind, raw: string): string {
  const value = raw.slice(2)
  if (kind === 'v') return 'v=0'
  if (kind === 'o') {
    const origin = readOrigin(value)
    return origin === undefined ? raw : originLine(origin)
  }
  if (kind === 'c') {
    const connection = readConnection(value)
    return connection === undefined ? raw : connectionLine(connection)
  }
  if (kind === 't' && raw.charAt(0) === 't') {
    const timing = readTiming(value)
    return timing === undefined ? raw : timingLine(timing)
  }
  if (kind !== 'm') return raw
  const media = readMediaLine(value)
  return typeof media === 'string' ? raw : mediaLine(media)
}
