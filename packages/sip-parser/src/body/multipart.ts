/**
 * Bodies in parts, on bytes (RFC 2046 §5.1; RFC 5621). Content is never copied or decoded: parts are views. The work is
 * bounded by the size of the body times the depth of nesting, which is capped.
 */
import { Buffer } from 'node:buffer'
import type { Result } from '../errors'
import { decodeText } from '../grammar/text'
import { multipartDepthMax, multipartPartsMax, partHeaderBytesMax, partHeadersMax } from '../limits'
import { type Leniency, strict } from '../message/leniency'
import type { BodyPart, PartHeader } from './body-part'
import { ContentDisposition } from './content-disposition'
import { type BodyProblemCode, bodyProblem } from './errors'
import { MediaType } from './media-type'

/** What of a message the reading of its body needs: any SipMessage has it. */
export interface BodySource {
  readonly body: Uint8Array
  readonly leniency?: Leniency
  get(name: string): string | undefined
  headers(): Iterable<PartHeader>
}

/** How to read. */
export interface MultipartOptions {
  /** `bareLf` lets lines of the multipart framing end with LF alone; the others are those of header values. */
  readonly leniency?: Partial<Leniency>
}

/** Reads a body of a given Content-Type into its parts; a body that is no multipart is one part. Never throws. */
export function parseBody(
  body: Uint8Array,
  contentType: MediaType | string,
  options?: MultipartOptions,
): Result<BodyPart> {
  const type =
    typeof contentType === 'string'
      ? MediaType.parse(contentType, { ...strict, ...options?.leniency })
      : { ok: true as const, value: contentType }
  if (!type.ok) return type
  const disposition = ContentDisposition.defaultFor(type.value.essence)
  return read(body, { contentType: type.value, disposition, isDispositionSaid: false, headers: [] }, options)
}

/** Reads a message's body by its own Content-Type and Content-Disposition; undefined when it has none. Never throws. */
export function bodyOf(message: BodySource): Result<BodyPart> | undefined {
  const typeText = message.get('Content-Type')
  if (typeText === undefined || message.body.length === 0) return undefined
  const leniency = message.leniency ?? strict
  const contentType = MediaType.parse(typeText, leniency)
  if (!contentType.ok) return contentType
  const dispositionText = message.get('Content-Disposition')
  const disposition = dispositionText === undefined ? undefined : ContentDisposition.parse(dispositionText, leniency)
  if (disposition !== undefined && !disposition.ok) return disposition
  return read(
    message.body,
    {
      contentType: contentType.value,
      disposition: disposition?.value ?? ContentDisposition.defaultFor(contentType.value.essence),
      isDispositionSaid: disposition !== undefined,
      headers: [...message.headers()].filter(({ name }) => /^content-/i.test(name)),
    },
    { leniency },
  )
}

/** Ends the reading; never seen outside. */
class Malformed {
  constructor(
    readonly code: BodyProblemCode,
    readonly offset: number,
  ) {}
}

interface Settings {
  readonly body: Buffer
  readonly leniency: Leniency
  partsLeft: number
}

type Head = Pick<BodyPart, 'contentType' | 'disposition' | 'isDispositionSaid' | 'headers'>

function read(body: Uint8Array, head: Head, options: MultipartOptions | undefined): Result<BodyPart> {
  const settings: Settings = {
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    leniency: { ...strict, ...options?.leniency },
    partsLeft: multipartPartsMax,
  }
  try {
    return { ok: true, value: readPart(settings, head, 0, body.byteLength, 1) }
  } catch (thrown) {
    if (!(thrown instanceof Malformed)) throw thrown
    return { ok: false, error: bodyProblem(thrown.code, thrown.offset) }
  }
}

function readPart(settings: Settings, head: Head, start: number, end: number, depth: number): BodyPart {
  const isMultipart = head.contentType.type === 'multipart'
  const parts = isMultipart ? readParts(settings, head.contentType, start, end, depth) : []
  return { ...head, bytes: settings.body.subarray(start, end), offset: start, parts }
}

function readParts(settings: Settings, type: MediaType, start: number, end: number, depth: number): BodyPart[] {
  if (depth > multipartDepthMax) throw new Malformed('MULTIPART_TOO_DEEP', start)
  const delimiters = findDelimiters(settings, boundaryOf(type, start), start, end)
  const parts: BodyPart[] = []
  for (let at = 0; at + 1 < delimiters.length; at++) {
    if (--settings.partsLeft < 0) throw new Malformed('MULTIPART_TOO_MANY_PARTS', delimiters[at]!.next)
    const partStart = delimiters[at]!.next
    // The line end before a delimiter belongs to it; between two adjacent delimiters there is only one.
    const partEnd = Math.max(delimiters[at + 1]!.start, partStart)
    const { head, bodyStart } = readHead(settings, partStart, partEnd, type.subtype === 'digest')
    parts.push(readPart(settings, head, bodyStart, partEnd, depth + 1))
  }
  return parts
}

/** The boundary of a multipart type (RFC 2046 §5.1.1). */
function boundaryOf(type: MediaType, offset: number): string {
  const boundary = type.params.get('boundary')
  if (boundary === undefined || boundary === null) throw new Malformed('MULTIPART_BOUNDARY_MISSING', offset)
  if (!isBoundary(boundary)) throw new Malformed('MULTIPART_BOUNDARY_INVALID', offset)
  return boundary
}

/** True for what may be a boundary: 1 to 70 characters of a small set, the last no space (RFC 2046 §5.1.1). */
export function isBoundary(text: string): boolean {
  return /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(text)
}

interface Delimiter {
  /** Where it begins, with the line end before it. */
  readonly start: number
  /** Where the line after it begins. */
  readonly next: number
}

/** The delimiter lines from the first to the closing one. */
function findDelimiters(settings: Settings, boundary: string, start: number, end: number): Delimiter[] {
  const { body, leniency } = settings
  const dashed = Buffer.from(`--${boundary}`, 'latin1')
  const found: Delimiter[] = []
  let from = start
  for (;;) {
    const at = body.indexOf(dashed, from)
    if (at < 0 || at + dashed.length > end) break
    from = at + 1
    const lineEnd = lineEndBefore(body, start, at, leniency.bareLf)
    if (lineEnd < 0) continue
    const afterName = at + dashed.length
    const isClosing = body[afterName] === 0x2d && body[afterName + 1] === 0x2d && afterName + 2 <= end
    const next = paddingEnd(body, isClosing ? afterName + 2 : afterName, end, leniency.bareLf, isClosing)
    if (next < 0) continue
    if (found.length > multipartPartsMax) throw new Malformed('MULTIPART_TOO_MANY_PARTS', at)
    found.push({ start: lineEnd, next })
    if (isClosing) {
      if (found.length === 1) throw new Malformed('MULTIPART_NO_PART', at)
      return found
    }
    // The line end of a delimiter line may begin the next delimiter.
    from = next
  }
  throw new Malformed(found.length === 0 ? 'MULTIPART_NO_PART' : 'MULTIPART_NOT_CLOSED', end)
}

/** The start of the line end before `at`, `at` itself at the start of the body, or -1. */
function lineEndBefore(body: Buffer, start: number, at: number, isBareLf: boolean): number {
  if (at === start) return at
  if (body[at - 1] !== 0x0a) return -1
  if (at - 2 >= start && body[at - 2] === 0x0d) return at - 2
  return isBareLf ? at - 1 : -1
}

/** Where the line after a delimiter begins: white space may stand before its line end; a closing one needs none. */
function paddingEnd(body: Buffer, at: number, end: number, isBareLf: boolean, isClosing: boolean): number {
  let position = at
  while (position < end && (body[position] === 0x20 || body[position] === 0x09)) position++
  if (position >= end) return isClosing ? end : -1
  if (body[position] === 0x0d && position + 1 < end && body[position + 1] === 0x0a) return position + 2
  return isBareLf && body[position] === 0x0a ? position + 1 : -1
}

/** The header lines of a part (RFC 2046 §5.1: an empty line ends them; there may be none). */
function readHead(
  settings: Settings,
  start: number,
  end: number,
  isDigest: boolean,
): { head: Head; bodyStart: number } {
  const { body, leniency } = settings
  const headers: PartHeader[] = []
  let at = start
  for (;;) {
    // A part may end with its headers, without an empty line and a body.
    if (at === end) break
    const feed = body.indexOf(0x0a, at)
    if (feed < 0 || feed >= end) throw new Malformed('MULTIPART_HEADER_INVALID', at)
    const hasReturn = feed > at && body[feed - 1] === 0x0d
    if (!hasReturn && !leniency.bareLf) throw new Malformed('MULTIPART_HEADER_INVALID', at)
    const line = body.toString('latin1', at, hasReturn ? feed - 1 : feed)
    if (line === '') {
      at = feed + 1
      break
    }
    if (headers.length >= partHeadersMax || feed - start > partHeaderBytesMax)
      throw new Malformed('MULTIPART_HEADERS_TOO_LARGE', at)
    pushHeader(headers, line, at)
    at = feed + 1
  }
  return { head: typed(headers, start, isDigest, leniency), bodyStart: at }
}

function pushHeader(headers: PartHeader[], line: string, at: number): void {
  if (/[\0\r]/.test(line)) throw new Malformed('MULTIPART_HEADER_INVALID', at)
  if (line.startsWith(' ') || line.startsWith('\t')) {
    const folded = headers.pop()
    if (folded === undefined) throw new Malformed('MULTIPART_HEADER_INVALID', at)
    headers.push({ name: folded.name, value: `${folded.value} ${decodeText(line.trim())}`.trim() })
    return
  }
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0)).trimEnd()
  if (!/^[!#-'*+\-.0-9A-Z^-~]+$/.test(name)) throw new Malformed('MULTIPART_HEADER_INVALID', at)
  headers.push({ name, value: decodeText(line.slice(colon + 1).trim()) })
}

/** RFC 2046 §5.1, §5.1.5: a part without Content-Type is text, in a digest a message. */
function typed(headers: readonly PartHeader[], at: number, isDigest: boolean, leniency: Leniency): Head {
  const typeText = headers.find(({ name }) => name.toLowerCase() === 'content-type')?.value
  const dispositionText = headers.find(({ name }) => name.toLowerCase() === 'content-disposition')?.value
  const fallback = isDigest ? MediaType.of('message', 'rfc822') : MediaType.of('text', 'plain')
  const contentType = typeText === undefined ? undefined : MediaType.parse(typeText, leniency)
  if (contentType !== undefined && !contentType.ok) throw new Malformed('MULTIPART_CONTENT_TYPE_INVALID', at)
  const disposition = dispositionText === undefined ? undefined : ContentDisposition.parse(dispositionText, leniency)
  if (disposition !== undefined && !disposition.ok) throw new Malformed('MULTIPART_DISPOSITION_INVALID', at)
  const type = contentType?.value ?? fallback
  return {
    contentType: type,
    disposition: disposition?.value ?? ContentDisposition.defaultFor(type.essence),
    isDispositionSaid: disposition !== undefined,
    headers,
  }
}
