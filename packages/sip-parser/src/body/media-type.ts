/** Media types: Content-Type (RFC 3261 §20.15; RFC 2045 §5.1 for the meaning of case). */

import type { Result } from '../errors'
import { SipUsageError } from '../errors'
import { charFlags, isToken, skipSpace, TOKEN } from '../grammar/chars'
import { attempt, fail } from '../grammar/failure'
import { encodeParamValue, type Params, type ParamsInit, toParams } from '../grammar/params'
import { encodeText } from '../grammar/text'
import { type Wire, wireOf } from '../grammar/wire'
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

  /** @internal What has been read: a quoted value may hold what a setter refuses (RFC 3261 §25.1, quoted-pair). */
  static decoded(type: string, subtype: string, params: Params): MediaType {
    return new MediaType(type.toLowerCase(), subtype.toLowerCase(), params)
  }

  /** Reads a media type; never throws. */
  static parse(text: string, leniency: Leniency = strict): Result<MediaType> {
    const wire = wireOf(encodeText(text))
    return attempt(() => decodeMediaType(wire, 0, wire.text.length, leniency), 'Content-Type')
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
export function decodeMediaType(wire: Wire, start: number, end: number, leniency: Leniency): MediaType {
  const typeEnd = tokenEnd(wire, start, end)
  const slash = skipSpace(wire, typeEnd, end)
  if (slash >= end || wire.bytes[slash]! !== 0x2f) fail('MEDIA_TYPE_INVALID', slash)
  const subtypeStart = skipSpace(wire, slash + 1, end)
  const subtypeEnd = tokenEnd(wire, subtypeStart, end)
  const params = paramsToEnd(wire, skipSpace(wire, subtypeEnd, end), end, leniency)
  return MediaType.decoded(wire.text.slice(start, typeEnd), wire.text.slice(subtypeStart, subtypeEnd), params)
}

function tokenEnd(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === start) fail('MEDIA_TYPE_INVALID', start)
  return position
}
