/** Telephone URIs (RFC 3966): global numbers with "+", local numbers with a phone-context. Immutable. */
import { SipUsageError } from '../errors'
import { URI_PARAM } from '../grammar/chars'
import type { Params, ParamsInit } from '../grammar/params'
import { encodeEscapes, foldCase } from './escape'
import { canonicalTelText, compareTelParams, isTelNumber, isTelParamName, isTelParamValue } from './tel-grammar'
import { decodeUriParams } from './uri-params'

/** The parts of a telephone URI, decoded. */
export interface TelUriInit {
  /** With "+" for a global number; visual separators are kept. */
  readonly number: string
  readonly params?: ParamsInit | undefined
}

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

  /**
   * Makes a URI from a number and parameters, which are written in the order of RFC 3966 §3. Throws SipUsageError
   * VALUE_INVALID when it is no telephone number, when a local number has no phone-context, and for a bad parameter.
   */
  static of(init: TelUriInit): TelUri {
    if (!isTelNumber(init.number)) throw new SipUsageError('VALUE_INVALID', 'number of a tel URI')
    const params = checkedParams(init.params)
    if (!init.number.startsWith('+') && !params.has('phone-context')) {
      throw new SipUsageError('VALUE_INVALID', 'local number of a tel URI without phone-context')
    }
    return new TelUri(init.number, writeParams(params), undefined)
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
    return canonicalTelText(undefined, this.number)
  }

  /** The extension as written (RFC 3966 §5.3). */
  get extension(): string | undefined {
    return this.params.get('ext') ?? undefined
  }

  /** The ISDN subaddress, escapes decoded (RFC 3966 §5.2). */
  get isdnSubaddress(): string | undefined {
    return this.params.get('isub') ?? undefined
  }

  /** Where a local number is valid: a domain, or the first digits of global numbers (RFC 3966 §5.1.5). */
  get phoneContext(): string | undefined {
    return this.params.get('phone-context') ?? undefined
  }

  /**
   * What a location service looks the number up by: the number in one spelling, with its context if it is local, and
   * with extension and subaddress; other parameters say how it is reached.
   */
  get addressOfRecord(): string {
    return `tel:${this.subscriber((name) => name === 'isub' || name === 'ext' || name === 'phone-context')}`
  }

  /** RFC 3966 §4: separators and case do not count; the parameters are the same, in any order. */
  equals(other: unknown): boolean {
    if (this === other) return true
    if (!(other instanceof TelUri) || this.digits !== other.digits || this.params.size !== other.params.size)
      return false
    for (const [name, value] of this.params) {
      const theirs = other.params.get(name)
      if (theirs === undefined || (theirs === null) !== (value === null)) return false
      if (canonicalTelText(name, theirs ?? '') !== canonicalTelText(name, value ?? '')) return false
    }
    return true
  }

  /** The same URI in one spelling: equal URIs become one text. */
  normalised(): TelUri {
    const subscriber = this.canonicalSubscriber()
    return new TelUri(this.digits, subscriber.slice(this.digits.length), undefined)
  }

  /** A copy with another number or other parameters; `params` given as undefined removes them. Throws as {@link TelUri.of}. */
  with(changes: Partial<TelUriInit>): TelUri {
    return TelUri.of({
      number: changes.number ?? this.number,
      params: 'params' in changes ? changes.params : this.params,
    })
  }

  /** A copy with one parameter set (null: without a value) or, for undefined, removed. Throws as {@link TelUri.of}. */
  withParam(name: string, value: string | null | undefined): TelUri {
    const params = new Map(this.params)
    if (value === undefined) params.delete(foldCase(name))
    else params.set(foldCase(name), value)
    return this.with({ params })
  }

  /** The URI as text; as it came when it was received. */
  toString(): string {
    this.cachedText ??= `tel:${this.number}${this.rawParams}`
    return this.cachedText
  }

  toJSON(): string {
    return this.toString()
  }

  /**
   * telephone-subscriber in one spelling, wire text, as a user part needs it (RFC 3261 §19.1.6).
   * @internal
   */
  canonicalSubscriber(): string {
    return this.subscriber(() => true)
  }

  private subscriber(isKept: (name: string) => boolean): string {
    const params = new Map<string, string | null>()
    for (const [name, value] of this.params) {
      if (isKept(name)) params.set(name, value === null ? null : canonicalTelText(name, value))
    }
    return this.digits + writeParams(params)
  }
}

function checkedParams(init: ParamsInit | undefined): Params {
  const params = new Map<string, string | null>()
  if (init === undefined) return params
  const pairs = Symbol.iterator in init ? init : Object.entries(init)
  for (const [given, value] of pairs as Iterable<readonly [string, string | null]>) {
    const name = foldCase(given)
    if (!isTelParamName(name) || !isTelParamValue(name, value)) {
      throw new SipUsageError('VALUE_INVALID', 'parameter of a tel URI')
    }
    params.set(name, value)
  }
  return params
}

function writeParams(params: Params): string {
  let text = ''
  for (const [name, value] of [...params].sort(([one], [other]) => compareTelParams(one, other))) {
    text += value === null ? `;${name}` : `;${name}=${encodeEscapes(value, URI_PARAM)}`
  }
  return text
}
