/**
 * Session description serializer (RFC 8866 §5). A description that was parsed changes only where it was changed: lines
 * that still say what they said come out as they came in, in their order, with their line ends. A description that was
 * built, and each new line, is written in the order of RFC 8866 §5 and ended by CRLF.
 */
import { Buffer } from 'node:buffer'
import { SipUsageError } from '../errors'
import { type KeptLine, type LineKind, sdpLayout } from './layout'
import { type Lines, linesOfMedia, linesOfSession } from './lines'
import type { SessionDescription } from './session'

/** How to write. */
export interface SerializeOptions {
  /**
   * `kept` (the default) ends each parsed line as it was ended, and new lines as the first line was. `crlf` ends every
   * line as RFC 8866 §5 wants.
   */
  readonly lineEnds?: 'kept' | 'crlf'
}

/**
 * Writes a session description as text. Throws SipUsageError HEADER_INJECTION for CR, LF or NUL in a value: a field built
 * from foreign text can never begin a line of its own. What was parsed holds none.
 */
export function serializeSdp(sdp: SessionDescription, options?: SerializeOptions): string {
  const layout = sdp[sdpLayout]
  const kept = layout?.lines()
  const isKept = kept !== undefined && options?.lineEnds !== 'crlf'
  const writer = new Writer(isKept && kept[0]?.end === '\n' ? '\n' : '\r\n', isKept)
  const hasName = kept === undefined || kept.some((line) => line.kind === 's')
  writeSection(writer, linesOfSession(sdp, hasName), kept)
  for (const media of sdp.media) writeSection(writer, linesOfMedia(media), media[sdpLayout]?.lines())
  return writer.text + (isKept ? writer.lastEnd + (layout?.tail ?? '') : '\r\n')
}

/** Writes a session description as bytes: those it came with when nothing was changed. The caller owns the buffer. */
export function sdpToBytes(sdp: SessionDescription, options?: SerializeOptions): Buffer {
  const text = serializeSdp(sdp, options)
  const isLatin1 = sdp[sdpLayout]?.isLatin1 === true && !/[^\0-\xff]/.test(text)
  return Buffer.from(text, isLatin1 ? 'latin1' : 'utf8')
}

/** The byte offset of each medium's `m=` line in the UTF-8 text that {@link serializeSdp} writes. */
export function mediaOffsets(sdp: SessionDescription): readonly number[] {
  const text = serializeSdp(sdp)
  const offsets: number[] = []
  let bytes = 0
  let from = 0
  for (let feed = text.indexOf('\nm='); feed >= 0; feed = text.indexOf('\nm=', feed + 1)) {
    bytes += Buffer.byteLength(text.slice(from, feed + 1))
    from = feed + 1
    offsets.push(bytes)
  }
  return offsets
}

/** Joins lines; the end of the last one is decided when it is known to be the last. */
class Writer {
  text = ''
  lastEnd = ''
  private isBegun = false

  constructor(
    private readonly end: string,
    private readonly isKept: boolean,
  ) {}

  line(line: string, kept?: KeptLine): void {
    // A line that nothing ended, and that is not the last any more, needs an end.
    if (this.isBegun) this.text += this.lastEnd.endsWith('\n') ? this.lastEnd : this.end
    this.isBegun = true
    this.text += kept === undefined ? checkedLine(line) : kept.raw
    this.lastEnd = kept !== undefined && this.isKept ? kept.end : this.end
  }
}

/** The order of new lines among those that were there. */
const ORDER: readonly LineKind[] = ['m', 'v', 'o', 's', 'i', 'u', 'e', 'p', 'c', 'b', 't', '?', 'a']

function writeSection(writer: Writer, groups: Lines, kept: readonly KeptLine[] | undefined): void {
  if (kept === undefined) {
    for (const kind of ORDER) for (const line of groups[kind] ?? []) writer.line(line)
    return
  }
  const merge = new Merge(writer, groups, kept)
  for (const line of kept) merge.take(line)
  merge.finish()
}

/** Writes what a section says now along the lines that it had: the order within a kind is that of the model. */
class Merge {
  private readonly positions = new Map<LineKind, number>()
  private readonly left = new Map<LineKind, number>()
  private readonly kept = new Map<string, KeptLine>()
  private readonly places = new Map<LineKind, Map<string, number>>()
  /** Kinds that the section did not have, in order, until they are written. */
  private readonly added: LineKind[]

  constructor(
    private readonly writer: Writer,
    private readonly groups: Lines,
    lines: readonly KeptLine[],
  ) {
    for (const line of lines) {
      this.left.set(line.kind, (this.left.get(line.kind) ?? 0) + 1)
      if (!this.kept.has(line.kind + line.canonical)) this.kept.set(line.kind + line.canonical, line)
    }
    this.added = ORDER.filter((kind) => !this.left.has(kind) && (groups[kind]?.length ?? 0) > 0)
  }

  take(line: KeptLine): void {
    const { kind } = line
    while (this.added.length > 0 && ORDER.indexOf(this.added[0]!) < ORDER.indexOf(kind)) this.rest(this.added.shift()!)
    const group = this.groups[kind] ?? []
    const position = this.positions.get(kind) ?? 0
    this.left.set(kind, this.left.get(kind)! - 1)
    if (group[position] === line.canonical) {
      this.writer.line(line.canonical, line)
      this.positions.set(kind, position + 1)
    } else {
      this.changed(kind, line, group, position)
    }
    if (this.left.get(kind) === 0) this.rest(kind)
  }

  finish(): void {
    for (const kind of this.added) this.rest(kind)
  }

  /** The line is not what comes next: it was replaced, or removed, or something was put before it. */
  private changed(kind: LineKind, line: KeptLine, group: readonly string[], position: number): void {
    if (position >= group.length) return
    const isStillThere = this.indexOf(kind, line.canonical, group) >= position
    let at = position
    if (!isStillThere) {
      // Something that was not there takes the place of what is not there any more.
      if (this.kept.has(kind + group[at]!)) return
      this.write(kind, group[at]!)
      at += 1
    } else {
      while (group[at] !== line.canonical) this.write(kind, group[at++]!)
      this.writer.line(line.canonical, line)
      at += 1
    }
    this.positions.set(kind, at)
  }

  private rest(kind: LineKind): void {
    const group = this.groups[kind] ?? []
    for (let at = this.positions.get(kind) ?? 0; at < group.length; at++) this.write(kind, group[at]!)
    this.positions.set(kind, group.length)
  }

  private write(kind: LineKind, line: string): void {
    this.writer.line(line, this.kept.get(kind + line))
  }

  /** The last place of a line in its group; made once a group, so that many changes do not cost a search each. */
  private indexOf(kind: LineKind, canonical: string, group: readonly string[]): number {
    let places = this.places.get(kind)
    if (places === undefined) {
      places = new Map(group.map((line, index) => [line, index]))
      this.places.set(kind, places)
    }
    return places.get(canonical) ?? -1
  }
}

function checkedLine(line: string): string {
  if (/[\r\n\0]/.test(line)) throw new SipUsageError('HEADER_INJECTION', `${line.charAt(0)}= line`)
  return line
}
