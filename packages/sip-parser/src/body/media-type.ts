/** Media types: Content-Type (RFC 3261 §20.15; RFC 2045 §5.1 for the meaning of case). */

import type { Result } from '../errors'
import { SipUsageError } from '../errors'
import { charFlags, isToken, skipSpace, TOKEN } from '../grammar/chars'
import { attempt, fail } from '../grammar/failure'
import { encodeParamValue, type Params, type ParamsInit, toParams } from '../grammar/params'
import { decodeText, encodeText } from '../grammar/text'
import { paramsToEnd } from '../headers/scalars'
import { type Leniency, strict } from '../message/leniency'

/** `type/subtype` with parameters. Immutable. */
export class MediaType {
  private constructor(
    /** Lower-case. */
    readonly type: string,
    /** Lower-case. */
    readonly subtype: string,
    /** Names in lower case, values as they came, unquoted. */
    readonly params: Params,
  ) {}

  /** Makes a media type. Throws SipUsageError VALUE_INVALID when a part is no token. */
  static of(type: string, subtype: string, params?: ParamsInit): MediaType {
    if (!isToken(type) || !isToken(subtype)) throw new SipUsageError('VALUE_INVALID', 'media type')
    return new MediaType(type.toLowerCase(), subtype.toLowerCase(), toParams(params))
  }

  /** Reads a media type; never throws. */
  static parse(text: string, leniency: Leniency = strict): Result<MediaType> {
    const wire = encodeText(text)
    return attempt(() => decodeMediaType(wire, 0, wire.length, leniency), 'Content-Type')
  }

  /** `type/subtype` in lower case, without parameters. */
  get essence(): string {
    return `${this.type}/${this.subtype}`
  }

  /** True when this is `essence`, for instance `application/sdp`; parameters do not count. */
  is(essence: string): boolean {
    return this.essence === essence.toLowerCase()
  }

  toString(): string {
    let text = this.essence
    for (const [name, value] of this.params) text += value === null ? `;${name}` : `;${name}=${encodeParamValue(value)}`
    return text
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Reads a media type that fills the range. */
export function decodeMediaType(text: string, start: number, end: number, leniency: Leniency): MediaType {
  const typeEnd = tokenEnd(text, start, end)
  const slash = skipSpace(text, typeEnd, end)
  if (slash >= end || text.charCodeAt(slash) !== 0x2f) fail('MEDIA_TYPE_INVALID', slash)
  const subtypeStart = skipSpace(text, slash + 1, end)
  const subtypeEnd = tokenEnd(text, subtypeStart, end)
  const params = paramsToEnd(text, skipSpace(text, subtypeEnd, end), end, leniency)
  return MediaType.of(decodeText(text.slice(start, typeEnd)), text.slice(subtypeStart, subtypeEnd), params)
}

function tokenEnd(text: string, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[text.charCodeAt(position)]! & TOKEN) !== 0) position += 1
  if (position === start) fail('MEDIA_TYPE_INVALID', start)
  return position
}
