/** What a body is for: Content-Disposition (RFC 3261 §20.11; RFC 2183 §2; RFC 5621 §8). */
import type { Result } from '../errors'
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { attempt } from '../grammar/failure'
import { encodeParamValue, type Params, type ParamsInit, toParams } from '../grammar/params'
import { encodeText } from '../grammar/text'
import { wireOf } from '../grammar/wire'
import { decodeTokenWithParams } from '../headers/scalars'
import { type Leniency, strict } from '../message/leniency'

/** A disposition with its parameters. Immutable. */
export class ContentDisposition {
  private constructor(
    /** In lower case: `session`, `render`, `by-reference`, `attachment`, … */
    readonly type: string,
    /** Names in lower case, values as they came, unquoted. */
    readonly params: Params,
  ) {}

  /** Makes a disposition. Throws SipUsageError VALUE_INVALID when the type is no token. */
  static of(type: string, params?: ParamsInit): ContentDisposition {
    if (!isToken(type)) throw new SipUsageError('VALUE_INVALID', 'disposition')
    return new ContentDisposition(type.toLowerCase(), toParams(params))
  }

  /** Reads a disposition; never throws. */
  static parse(text: string, leniency: Leniency = strict): Result<ContentDisposition> {
    const wire = wireOf(encodeText(text.trim()))
    return attempt(() => {
      const { value, params } = decodeTokenWithParams(wire, 0, wire.text.length, leniency)
      return new ContentDisposition(value.toLowerCase(), params)
    }, 'Content-Disposition')
  }

  /** What holds for a body without the header: `session` for a session description, else `render` (RFC 3261 §20.11). */
  static defaultFor(essence: string): ContentDisposition {
    return new ContentDisposition(essence === 'application/sdp' ? 'session' : 'render', new Map())
  }

  /** `required` unless the parameter says otherwise: a body that must be understood, or the request be refused. */
  get handling(): string {
    return this.params.get('handling')?.toLowerCase() ?? 'required'
  }

  /** True when the body may be left aside by who does not understand it. */
  get isOptional(): boolean {
    return this.handling === 'optional'
  }

  toString(): string {
    let text = this.type
    for (const [name, value] of this.params) text += value === null ? `;${name}` : `;${name}=${encodeParamValue(value)}`
    return text
  }

  toJSON(): string {
    return this.toString()
  }
}
