/**
 * Session description parser (RFC 8866 §5, §9). One pass over the lines. What peers get wrong without harm is read:
 * lines out of order within a section, bare line feeds, an empty or absent `s=`, an absent `t=`.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import type { Result } from '../errors'
import { sdpBytesMax, sdpLinesMax, sdpMediaMax } from '../limits'
import { type SdpProblemCode, sdpProblem } from './errors'
import { SectionLayout, sdpLayout } from './layout'
import { isBandwidth, readAttribute, readConnection, readMediaLine, readOrigin, readTiming } from './read-lines'
import type {
  Attribute,
  Bandwidth,
  Connection,
  MediaDescription,
  Origin,
  OtherLine,
  SessionDescription,
  Timing,
} from './session'

/**
 * Reads a session description. Never throws. Bytes that are not UTF-8 are read as Latin-1 (RFC 8866 §4.6 allows other
 * character sets); the caller keeps the ownership of `input`.
 */
export function parseSdp(input: string | Uint8Array): Result<SessionDescription> {
  const size = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength
  if (size > sdpBytesMax) return { ok: false, error: sdpProblem('SDP_TOO_LARGE', sdpBytesMax) }
  const isLatin1 = typeof input !== 'string' && !isUtf8(input)
  const text = typeof input === 'string' ? input : decode(input, isLatin1)
  const builder = new Builder(isLatin1)
  let start = 0
  let lines = 0
  while (start < text.length) {
    const feed = text.indexOf('\n', start)
    const next = feed < 0 ? text.length : feed + 1
    let end = feed < 0 ? text.length : feed
    if (end > start && text.charCodeAt(end - 1) === 13) end--
    const code = ++lines > sdpLinesMax ? 'SDP_TOO_MANY_LINES' : readLine(builder, text, start, end)
    if (code !== undefined) return failure(code, text, start, isLatin1)
    start = next
  }
  return builder.finish(text)
}

type MutableMedia = {
  -readonly [K in keyof MediaDescription]: MediaDescription[K] extends readonly (infer E)[] ? E[] : MediaDescription[K]
}

function decode(bytes: Uint8Array, isLatin1: boolean): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(isLatin1 ? 'latin1' : 'utf8')
}

function failure(code: SdpProblemCode, text: string, index: number, isLatin1: boolean): Result<never> {
  return { ok: false, error: sdpProblem(code, isLatin1 ? index : Buffer.byteLength(text.slice(0, index))) }
}

function readLine(builder: Builder, text: string, start: number, end: number): SdpProblemCode | undefined {
  if (end === start) {
    builder.isBlankSeen = true
    return undefined
  }
  // Only empty lines may follow an empty line: they are what is left of a body that ends with one line end too many.
  if (builder.isBlankSeen || end - start < 2 || text.charCodeAt(start + 1) !== 0x3d) return 'SDP_LINE_INVALID'
  const value = text.slice(start + 2, end)
  if (value.includes('\r') || value.includes('\0')) return 'SDP_CONTROL_CHARACTER'
  const letter = text.charCodeAt(start) | 0x20
  if (letter < 0x61 || letter > 0x7a) return 'SDP_LINE_INVALID'
  return builder.line(text.charAt(start), value, start)
}

/** Collects the lines of one session description. */
class Builder {
  isBlankSeen = false
  private version: 0 | undefined
  private origin: Origin | undefined
  private name: string | undefined
  private info: string | undefined
  private uri: string | undefined
  private readonly emails: string[] = []
  private readonly phones: string[] = []
  private connection: Connection | undefined
  private readonly bandwidth: Bandwidth[] = []
  private readonly timing: Timing[] = []
  private readonly attributes: Attribute[] = []
  private readonly otherLines: OtherLine[] = []
  private readonly media: MutableMedia[] = []
  private readonly mediaStarts: number[] = []

  constructor(private readonly isLatin1: boolean) {}

  line(type: string, value: string, start: number): SdpProblemCode | undefined {
    if (this.version === undefined) {
      if (type !== 'v' || value.trim() !== '0') return 'SDP_VERSION_INVALID'
      this.version = 0
      return undefined
    }
    if (type === 'm') return this.mediaLine(value, start)
    const media = this.media[this.media.length - 1]
    return media === undefined ? this.sessionLine(type, value) : mediaPart(media, type, value)
  }

  finish(text: string): Result<SessionDescription> {
    if (this.version === undefined) return failure('SDP_EMPTY', text, 0, this.isLatin1)
    if (this.origin === undefined) return failure('SDP_ORIGIN_INVALID', text, text.length, this.isLatin1)
    return {
      ok: true,
      value: {
        version: 0,
        origin: this.origin,
        name: this.name ?? '-',
        ...(this.info === undefined ? {} : { info: this.info }),
        ...(this.uri === undefined ? {} : { uri: this.uri }),
        emails: this.emails,
        phones: this.phones,
        ...(this.connection === undefined ? {} : { connection: this.connection }),
        bandwidth: this.bandwidth,
        timing: this.timing,
        attributes: this.attributes,
        otherLines: this.otherLines,
        media: this.media,
        [sdpLayout]: this.layOut(text),
      },
    }
  }

  private sessionLine(type: string, value: string): SdpProblemCode | undefined {
    switch (type) {
      case 'a':
        return attributeInto(this.attributes, value)
      case 'o':
        if (this.origin !== undefined) return 'SDP_LINE_REPEATED'
        this.origin = readOrigin(value)
        return this.origin === undefined ? 'SDP_ORIGIN_INVALID' : undefined
      case 's':
        if (this.name !== undefined) return 'SDP_LINE_REPEATED'
        this.name = value
        return undefined
      case 'c':
        if (this.connection !== undefined) return 'SDP_LINE_REPEATED'
        this.connection = readConnection(value)
        return this.connection === undefined ? 'SDP_CONNECTION_INVALID' : undefined
      case 't':
        return this.timingLine(value)
      case 'r': {
        const timing = this.timing.pop()
        if (timing === undefined) return 'SDP_TIMING_INVALID'
        this.timing.push({ ...timing, repeats: [...timing.repeats, value] })
        return undefined
      }
      case 'b':
        bandwidthInto(this.bandwidth, this.otherLines, value)
        return undefined
      default:
        return this.textLine(type, value)
    }
  }

  private textLine(type: string, value: string): SdpProblemCode | undefined {
    switch (type) {
      case 'i':
        if (this.info !== undefined) return 'SDP_LINE_REPEATED'
        this.info = value
        return undefined
      case 'u':
        if (this.uri !== undefined) return 'SDP_LINE_REPEATED'
        this.uri = value
        return undefined
      case 'e':
        this.emails.push(value)
        return undefined
      case 'p':
        this.phones.push(value)
        return undefined
      case 'v':
        return 'SDP_LINE_REPEATED'
      default:
        this.otherLines.push({ type, value })
        return undefined
    }
  }

  private timingLine(value: string): SdpProblemCode | undefined {
    const timing = readTiming(value)
    if (timing === undefined) return 'SDP_TIMING_INVALID'
    this.timing.push(timing)
    return undefined
  }

  private mediaLine(value: string, start: number): SdpProblemCode | undefined {
    if (this.media.length >= sdpMediaMax) return 'SDP_TOO_MANY_MEDIA'
    const line = readMediaLine(value)
    if (typeof line === 'string') return line
    this.media.push({ ...line, bandwidth: [], attributes: [], otherLines: [] })
    this.mediaStarts.push(start)
    return undefined
  }

  /** Gives the session and each medium its part of the source. */
  private layOut(text: string): SectionLayout {
    for (const [index, media] of this.media.entries()) {
      const end = this.mediaStarts[index + 1] ?? text.length
      media[sdpLayout] = new SectionLayout(text, this.mediaStarts[index]!, end, this.isLatin1)
    }
    return new SectionLayout(text, 0, this.mediaStarts[0] ?? text.length, this.isLatin1)
  }
}

function mediaPart(media: MutableMedia, type: string, value: string): SdpProblemCode | undefined {
  switch (type) {
    case 'a':
      return attributeInto(media.attributes, value)
    case 'c': {
      const connection = readConnection(value)
      if (connection === undefined) return 'SDP_CONNECTION_INVALID'
      if (media.connection === undefined) media.connection = connection
      else media.furtherConnections = [...(media.furtherConnections ?? []), connection]
      return undefined
    }
    case 'b':
      bandwidthInto(media.bandwidth, media.otherLines, value)
      return undefined
    case 'i':
      if (media.title !== undefined) return 'SDP_LINE_REPEATED'
      media.title = value
      return undefined
    case 'v':
    case 'o':
    case 's':
    case 't':
      return 'SDP_LINE_INVALID'
    default:
      media.otherLines.push({ type, value })
      return undefined
  }
}

function attributeInto(attributes: Attribute[], value: string): SdpProblemCode | undefined {
  const attribute = readAttribute(value)
  if (attribute === undefined) return 'SDP_LINE_INVALID'
  attributes.push(attribute)
  return undefined
}

function bandwidthInto(bandwidth: Bandwidth[], otherLines: OtherLine[], value: string): void {
  if (!isBandwidth(value)) {
    otherLines.push({ type: 'b', value })
    return
  }
  const colon = value.indexOf(':')
  bandwidth.push({ modifier: value.slice(0, colon), value: value.slice(colon + 1) })
}
