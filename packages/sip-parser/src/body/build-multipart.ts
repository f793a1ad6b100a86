/** Writing bodies in parts (RFC 2046 §5.1; RFC 5621 §3). */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { multipartPartsMax } from '../limits'
import type { ContentDisposition } from './content-disposition'
import { MediaType } from './media-type'
import { isBoundary } from './multipart'

/** One part to write. */
export interface PartInit {
  readonly contentType: MediaType | string
  readonly disposition?: ContentDisposition | string
  /** Further header lines, such as Content-ID. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Text is written as UTF-8. */
  readonly body: Uint8Array | string
}

/** How to write a multipart body. */
export interface MultipartInit {
  /** `mixed` when left out. */
  readonly subtype?: string
  readonly parts: readonly PartInit[]
  /** Chosen so that no part holds it when left out; the same parts give the same boundary. */
  readonly boundary?: string
}

/** A body with the Content-Type to send it with. */
export interface BuiltBody {
  readonly contentType: MediaType
  /** The caller owns it. */
  readonly body: Buffer
}

/**
 * Writes a multipart body. A part may be a {@link BuiltBody} of its own. Throws SipUsageError: HEADER_INJECTION for CR,
 * LF or NUL in a header, HEADER_NAME_INVALID, VALUE_INVALID for no parts, too many, or a boundary that a part holds.
 */
export function buildMultipart(init: MultipartInit): BuiltBody {
  const { parts, subtype = 'mixed' } = init
  if (parts.length === 0 || parts.length > multipartPartsMax)
    throw new SipUsageError('VALUE_INVALID', 'number of parts')
  const blocks = parts.map(writePart)
  const boundary = init.boundary ?? freeBoundary(blocks)
  if (!isBoundary(boundary) || blocks.some((block) => block.includes(`--${boundary}`)))
    throw new SipUsageError('VALUE_INVALID', 'boundary')
  const pieces: Buffer[] = []
  for (const block of blocks) pieces.push(Buffer.from(`--${boundary}\r\n`), block, Buffer.from('\r\n'))
  pieces.push(Buffer.from(`--${boundary}--\r\n`))
  return { contentType: MediaType.of('multipart', subtype, { boundary }), body: Buffer.concat(pieces) }
}

function writePart({ contentType, disposition, headers = [], body }: PartInit): Buffer {
  let head = headerLine('Content-Type', contentType.toString())
  if (disposition !== undefined) head += headerLine('Content-Disposition', disposition.toString())
  for (const [name, value] of headers) head += headerLine(name, value)
  const content = typeof body === 'string' ? Buffer.from(body) : body
  return Buffer.concat([Buffer.from(`${head}\r\n`), content])
}

function headerLine(name: string, value: string): string {
  if (!isToken(name)) throw new SipUsageError('HEADER_NAME_INVALID')
  if (/[\r\n\0]/.test(value)) throw new SipUsageError('HEADER_INJECTION', name)
  return `${name}: ${value}\r\n`
}

/** The hash of the parts cannot stand in them but by design; then the next one is tried. */
function freeBoundary(blocks: readonly Buffer[]): string {
  const hash = createHash('sha256')
  for (const block of blocks) hash.update(block)
  const seed = hash.digest('hex').slice(0, 32)
  for (let attempt = 0; ; attempt++) {
    const boundary = `${seed}${attempt === 0 ? '' : attempt}`
    if (blocks.every((block) => !block.includes(`--${boundary}`))) return boundary
  }
}
