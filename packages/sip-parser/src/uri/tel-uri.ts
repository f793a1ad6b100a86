/** Telephone URIs (RFC 3966): global numbers with "+", local numbers with a phone-context. */
import { SipUsageError } from '../errors'
import type { Params, ParamsInit } from '../grammar/params'
import { toParams } from '../grammar/params'
import { decodeUriParams, encodeUriParams } from './uri-params'

/** A tel: URI. */
export class TelUri {
  readonly scheme = 'tel'
  private cachedText: string | undefined
  private cachedParams: Params | undefined

  /**
   * Takes parts as they are on the wire; use {@link TelUri.of} or `parseUri` instead.
   * @internal
   */
  constructor(
    /** The number as written, visual separators included. */
    readonly number: string,
    private readonly rawParams: string,
    text: string | undefined,
  ) {
    this.cachedText = text
    this.cachedParams = undefined
  }

  /** Makes a URI from a number and parameters. Throws SipUsageError VALUE_INVALID when it is no telephone number. */
  static of(init: { readonly number: string; readonly params?: ParamsInit | undefined }): TelUri {
    if (!isTelNumber(init.number)) throw new SipUsageError('VALUE_INVALID', 'number of a tel URI')
    return new TelUri(init.number, encodeUriParams(toParams(init.params)), undefined)
  }

  /** Parameters: names in lower case, escapes decoded once. */
  get params(): Params {
    this.cachedParams ??= decodeUriParams(this.rawParams)
    return this.cachedParams
  }

  /** True for a number with its country code. */
  get isGlobal(): boolean {
    return this.number.startsWith('+')
  }

  /** The number without visual separators, letters in lower case. */
  get digits(): string {
    return this.number.replace(/[-.()]/g, '').toLowerCase()
  }

  /** RFC 3966 §5: separators and case do not count; parameters in any order. */
  equals(other: unknown): boolean {
    if (!(other instanceof TelUri) || this.digits !== other.digits || this.params.size !== other.params.size)
      return false
    for (const [name, value] of this.params) {
      const theirs = other.params.get(name)
      if (theirs === undefined || theirs?.toLowerCase() !== value?.toLowerCase()) return false
    }
    return true
  }

  /** The URI as text; as it came when it was received. */
  toString(): string {
    this.cachedText ??= `tel:${this.number}${this.rawParams}`
    return this.cachedText
  }

  toJSON(): string {
    return this.toString()
  }
}

/** True for global-number-digits or local-number-digits (RFC 3966 §3). */
export function isTelNumber(text: string): boolean {
  return /^(?:\+[-.()]*[0-9][0-9().-]*|[-.()]*[0-9A-Fa-f*#][0-9A-Fa-f*#().-]*)$/.test(text)
}
