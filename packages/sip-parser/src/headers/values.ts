/**
 * Values of which many headers are made: a token, a number, a yes or no or a URI, with parameters (RFC 3261 §20, §25.1).
 */
import { equalsIgnoreCase, lowerWord, skipSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { type Params, type ParamsInit, param, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { decodeUri, type Uri } from '../uri/parse-uri'
import { readQ } from './contact'
import {
  type ParamCheck,
  ParamValue,
  readBack,
  readParams,
  readTokenOrQuoted,
  requireToken,
  single,
  writeParams,
  writeTokenOrQuoted,
} from './param-value'

/** A value with parameters: Accept, Info-Package, P-Access-Network-Info and their kind. Immutable. */
export class ValueWithParams extends ParamValue {
  /**
   * Takes what was read; use {@link ValueWithParams.of} instead.
   * @internal
   */
  constructor(
    /** As it came; text that stood in quotes without them. */
    readonly value: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a parameter name that is no token. */
  static of(value: string, params?: ParamsInit): ValueWithParams {
    return new ValueWithParams(value, toParams(params))
  }

  /** The preference in the q parameter, 0 to 1 (RFC 3261 §20.1); undefined when absent. */
  get q(): number | undefined {
    const value = this.textOf('q')
    return value !== undefined && /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : undefined
  }

  protected override get head(): string {
    // A media range has a slash.
    return /^[^/]+\/[^/]+$/.test(this.value) ? this.value : writeTokenOrQuoted(this.value)
  }
}

/** Seconds with parameters: Min-SE (RFC 4028 §5). Immutable. */
export class SecondsWithParams extends ParamValue {
  /**
   * Takes what was read; use {@link SecondsWithParams.of} instead.
   * @internal
   */
  constructor(
    readonly seconds: number,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for what is no number of seconds. */
  static of(seconds: number, params?: ParamsInit): SecondsWithParams {
    return readBack(
      decodeSecondsElement,
      `${seconds}${writeParams(toParams(params), () => false)}`,
      'number of seconds',
    )
  }

  protected override get head(): string {
    return String(this.seconds)
  }
}

/** True or false with parameters: Refer-Sub (RFC 4488 §4). Immutable. */
export class FlagWithParams extends ParamValue {
  /**
   * Takes what was read; use {@link FlagWithParams.of} instead.
   * @internal
   */
  constructor(
    readonly value: boolean,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a parameter name that is no token. */
  static of(value: boolean, params?: ParamsInit): FlagWithParams {
    return new FlagWithParams(value, toParams(params))
  }

  protected override get head(): string {
    return String(this.value)
  }
}

/** A URI in angle brackets with parameters: Alert-Info, Call-Info, Geolocation and their kind. Immutable. */
export class UriWithParams extends ParamValue {
  /**
   * Takes what was read; use {@link UriWithParams.of} instead.
   * @internal
   */
  constructor(
    readonly uri: Uri,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a parameter name that is no token. */
  static of(uri: Uri, params?: ParamsInit): UriWithParams {
    return new UriWithParams(uri, toParams(params))
  }

  protected override get head(): string {
    return `<${this.uri.toString()}>`
  }
}

const [trueWord, falseWord] = [lowerWord('true'), lowerWord('false')]

const checkQ: ParamCheck = (name, wire) => {
  if (name === 'q') readQ(wire, param.nameStart, param.valueStart, param.valueEnd)
}

/** A token, or a media range with a slash, with parameters and a preference: Accept and its kind. */
export function decodePreference(wire: Wire, start: number, end: number, leniency: Leniency): ValueWithParams {
  const from = skipSpace(wire, start, end)
  let stop = requireToken(wire, from, end)
  let value = wire.text.slice(from, stop)
  const slash = skipSpace(wire, stop, end)
  if (slash < end && wire.bytes[slash] === 0x2f) {
    const subtypeStart = skipSpace(wire, slash + 1, end)
    stop = requireToken(wire, subtypeStart, end)
    value = `${value}/${wire.text.slice(subtypeStart, stop)}`
  }
  return new ValueWithParams(value, readParams(wire, stop, end, leniency, checkQ))
}

/** A token with parameters: Recv-Info, P-Access-Network-Info and their kind. */
export function decodeValueElement(wire: Wire, start: number, end: number, leniency: Leniency): ValueWithParams {
  const from = skipSpace(wire, start, end)
  const stop = requireToken(wire, from, end)
  return new ValueWithParams(wire.text.slice(from, stop), readParams(wire, stop, end, leniency))
}

/** The same as the only value of a header. */
export const decodeOneValue = single(decodeValueElement)

/** A token or a quoted string with parameters: P-Visited-Network-ID (RFC 7315 §5.3). */
export function decodeTextElement(wire: Wire, start: number, end: number, leniency: Leniency): ValueWithParams {
  const value = readTokenOrQuoted(wire, skipSpace(wire, start, end), end)
  return new ValueWithParams(value, readParams(wire, cursor.next, end, leniency))
}

/** `<URI>` with parameters. */
export function decodeUriElement(wire: Wire, start: number, end: number, leniency: Leniency): UriWithParams {
  const open = skipSpace(wire, start, end)
  const uri = readBracketedUri(wire, open, end, leniency)
  return new UriWithParams(uri, readParams(wire, cursor.next, end, leniency))
}

/** The same as the only value of a header. */
export const decodeOneUri = single(decodeUriElement)

/** Refer-Sub: `true` or `false` with parameters. */
export const decodeFlag = single((wire, start, end, leniency) => {
  const stop = requireToken(wire, start, end)
  const isTrue = equalsIgnoreCase(wire, start, stop, trueWord)
  if (!isTrue && !equalsIgnoreCase(wire, start, stop, falseWord)) fail('BOOLEAN_INVALID', start)
  return new FlagWithParams(isTrue, readParams(wire, stop, end, leniency))
})

/** Min-SE: seconds with parameters. */
export const decodeSecondsWithParams = single(decodeSecondsElement)

function decodeSecondsElement(wire: Wire, start: number, end: number, leniency: Leniency): SecondsWithParams {
  const seconds = readSeconds(wire, start, end)
  return new SecondsWithParams(seconds, readParams(wire, cursor.next, end, leniency))
}

/** The seconds at `start`, 0 to 2**32 - 1; `cursor.next` is then after them. */
export function readSeconds(wire: Wire, start: number, end: number): number {
  let position = start
  let value = 0
  while (position < end) {
    const digit = wire.bytes[position]! - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
    if (value > 4294967295) fail('NUMBER_TOO_LARGE', start)
    position += 1
  }
  if (position === start) fail('NUMBER_INVALID', start)
  cursor.next = position
  return value
}

/** The URI in the angle brackets at `open`; `cursor.next` is then after them. */
export function readBracketedUri(wire: Wire, open: number, end: number, leniency: Leniency): Uri {
  if (open >= end || wire.bytes[open]! !== 0x3c) fail('ADDRESS_BRACKET_MISSING', open)
  let close = open + 1
  while (close < end && wire.bytes[close]! !== 0x3e) close += 1
  if (close >= end) fail('ADDRESS_BRACKET_MISSING', open)
  const uri = decodeUri(wire, open + 1, close, leniency)
  cursor.next = close + 1
  return uri
}
