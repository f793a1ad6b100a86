/** One body, or one part of a multipart body, and how parts are found in it (RFC 5621 §3, §5, §8). */
import type { ContentDisposition } from './content-disposition'
import type { MediaType } from './media-type'

/** One header line of a part. */
export interface PartHeader {
  /** As written. */
  readonly name: string
  /** Unfolded, trimmed, UTF-8 decoded. */
  readonly value: string
}

/** A body or a part. Plain data. */
export interface BodyPart {
  readonly contentType: MediaType
  readonly disposition: ContentDisposition
  /** True when the disposition was said and is not the default. */
  readonly isDispositionSaid: boolean
  /** Header lines of a part in order; of a message's own body those that begin with Content-. */
  readonly headers: readonly PartHeader[]
  /** A view of the body that was parsed, encodings left alone: it shares memory with it. */
  readonly bytes: Uint8Array
  /** Where `bytes` begins, counted from the start of the whole body. */
  readonly offset: number
  /** For a multipart body its parts, else empty. */
  readonly parts: readonly BodyPart[]
}

/** The first value of a header of a part, its name in any case. */
export function partHeader(part: BodyPart, name: string): string | undefined {
  const lower = name.toLowerCase()
  return part.headers.find((header) => header.name.toLowerCase() === lower)?.value
}

/** The parts that are no multipart themselves, in order; the body itself when it is none. */
export function leafParts(part: BodyPart): readonly BodyPart[] {
  return part.contentType.type === 'multipart' ? part.parts.flatMap(leafParts) : [part]
}

/** The first part of a type, such as `application/sdp`, at any depth. */
export function findPart(part: BodyPart, essence: string): BodyPart | undefined {
  return leafParts(part).find(({ contentType }) => contentType.is(essence))
}

/** The part with a Content-ID, which a `cid:` URL names (RFC 2392 §2); angle brackets are not part of it. */
export function findPartById(part: BodyPart, contentId: string): BodyPart | undefined {
  return leafParts(part).find((leaf) => partHeader(leaf, 'Content-ID')?.replace(/^<|>$/g, '') === contentId)
}

/**
 * The first part that must be understood and is not: the request that carries it is refused with 415 (RFC 5621 §8.3;
 * RFC 3261 §8.2.3). Of multipart/alternative one understood part is enough (RFC 5621 §3.1).
 */
export function unsupportedPart(part: BodyPart, isSupported: (part: BodyPart) => boolean): BodyPart | undefined {
  if (part.disposition.isOptional) return undefined
  if (part.contentType.type !== 'multipart') return isSupported(part) ? undefined : part
  const missing = part.parts.map((child) => unsupportedPart(child, isSupported))
  if (part.contentType.subtype !== 'alternative') return missing.find((child) => child !== undefined)
  return missing.some((child) => child === undefined) ? undefined : missing[0]
}
