/**
 * What most header values are: something with parameters behind it (RFC 3261 §7.3.1, §25.1). The classes of the other
 * files build on these; a value that a program makes is written and read back, so that reading alone says what is right.
 */
import { SipUsageError } from '../errors'
import { charFlags, isToken, skipSpace, TOKEN } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { attempt, fail } from '../grammar/failure'
import { encodeParamValue, noParams, type Params, param, paramValue, readParam } from '../grammar/params'
import { quote, scanQuoted, unquote } from '../grammar/quoted'
import { decodeText, encodeText } from '../grammar/text'
import { type Wire, wireOf } from '../grammar/wire'
import { parametersMax } from '../limits'
import { type Leniency, strict } from '../message/leniency'
import type { Codec } from './definition'

/** A value with parameters. Immutable; `toString` gives the text for a header line. */
export abstract class ParamValue {
  constructor(
    /** Names in lower case, values unquoted. */
    readonly params: Params,
  ) {}

  toString(): string {
    return this.head + writeParams(this.params, (name) => this.isQuoted(name))
  }

  toJSON(): string {
    return this.toString()
  }

  /** What stands before the parameters. */
  protected abstract get head(): string

  /** True for a parameter whose grammar asks for quotes even around a token. */
  protected isQuoted(_name: string): boolean {
    return false
  }

  /** The value of a parameter; undefined when it is absent or has none. */
  protected textOf(name: string): string | undefined {
    return this.params.get(name) ?? undefined
  }

  /** The number that a parameter holds; undefined when it is absent or none. */
  protected numberOf(name: string): number | undefined {
    const value = this.params.get(name)
    return value !== undefined && value !== null && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined
  }
}

/** Parameters as text, each with its semicolon; quoted where they must be. */
export function writeParams(params: Params, isQuoted: (name: string) => boolean): string {
  let text = ''
  for (const [name, value] of params) {
    if (value === null) text += `;${name}`
    else text += `;${name}=${isQuoted(name) ? quote(value) : encodeParamValue(value)}`
  }
  return text
}

/** Looks at the parameter that stands in `param`, and fails when the header does not allow it. */
export type ParamCheck = (name: string, wire: Wire) => void

/**
 * Reads parameters from `at` up to a comma or `end`, where it leaves `cursor.next`. No name may appear twice (RFC 3261
 * §7.3.1); `check` sees each of them.
 */
export function readParams(wire: Wire, at: number, end: number, leniency: Leniency, check?: ParamCheck): Params {
  let position = skipSpace(wire, at, end)
  let params: Map<string, string | null> | undefined
  let count = 0
  while (position < end && wire.bytes[position] === 0x3b) {
    count += 1
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    readParam(wire, position + 1, end, leniency)
    position = param.next
    if (param.nameEnd === param.nameStart) continue
    params ??= new Map()
    addParam(params, wire, check)
  }
  if (position < end && wire.bytes[position] !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
  return params ?? noParams
}

/** Adds the parameter read last. */
export function addParam(params: Map<string, string | null>, wire: Wire, check?: ParamCheck): void {
  const name = wire.text.slice(param.nameStart, param.nameEnd).toLowerCase()
  if (params.has(name)) fail('PARAMETER_REPEATED', param.nameStart)
  check?.(name, wire)
  params.set(name, paramValue(wire))
}

/** Fails unless the parameter read last is a number up to `max`. */
export function checkNumberParam(wire: Wire, max = 4294967295): void {
  if (param.valueStart < 0 || param.valueEnd === param.valueStart) fail('NUMBER_INVALID', param.nameStart)
  let value = 0
  for (let at = param.valueStart; at < param.valueEnd; at += 1) {
    const digit = wire.bytes[at]! - 0x30
    if (digit < 0 || digit > 9) fail('NUMBER_INVALID', at)
    value = value * 10 + digit
    if (value > max) fail('NUMBER_TOO_LARGE', param.valueStart)
  }
}

/** Fails unless the parameter read last has a value that is a token, without quotes. */
export function checkTokenParam(wire: Wire): void {
  if (param.valueStart < 0 || wire.bytes[param.valueStart] === 0x22) fail('PARAMETER_INVALID', param.nameStart)
}

/** The position after the token at `start`. Fails with EMPTY_ELEMENT or TOKEN_EXPECTED when there is none. */
export function requireToken(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end && (charFlags[wire.bytes[position]!]! & TOKEN) !== 0) position += 1
  if (position === start) fail(start < end && wire.bytes[start]! === 0x2c ? 'EMPTY_ELEMENT' : 'TOKEN_EXPECTED', start)
  return position
}

/** The text of the token or quoted string at `start`; `cursor.next` is then after it. */
export function readTokenOrQuoted(wire: Wire, start: number, end: number): string {
  if (start < end && wire.bytes[start] === 0x22) {
    const stop = scanQuoted(wire, start, end)
    cursor.next = stop
    return unquote(wire.text, start, stop)
  }
  const stop = requireToken(wire, start, end)
  cursor.next = stop
  return decodeText(wire.text.slice(start, stop))
}

/** A token as it is, anything else in quotes. */
export function writeTokenOrQuoted(text: string): string {
  return isToken(text) ? text : quote(text)
}

/** A codec for a header with one value from the codec of an element: it must fill the range. */
export function single<T>(codec: Codec<T>): Codec<T> {
  return (wire, start, end, leniency) => {
    if (start === end) fail('HEADER_EMPTY', start)
    const value = codec(wire, start, end, leniency)
    if (cursor.next < end) fail('UNEXPECTED_CHARACTER', cursor.next)
    return value
  }
}

/**
 * Writes a value that a program has made and reads it back, or reads what it was written as. Throws SipUsageError
 * VALUE_INVALID when it cannot be read, or when a part of it was taken for a parameter.
 */
export function readBack<T>(codec: Codec<T>, made: string | ParamValue, what: string): T {
  const wire = wireOf(encodeText(made.toString()))
  const result = attempt(() => single(codec)(wire, 0, wire.text.length, strict))
  if (!result.ok) throw new SipUsageError('VALUE_INVALID', what)
  const { value } = result
  const isSame = typeof made === 'string' || (value instanceof ParamValue && value.params.size === made.params.size)
  if (!isSame) throw new SipUsageError('VALUE_INVALID', what)
  return value
}

/** Every element of a list that stands somewhere else than in a header line; none when it is malformed. */
export function readElements<T>(codec: Codec<T>, text: string): readonly T[] {
  const wire = wireOf(encodeText(text))
  const end = wire.text.length
  const result = attempt(() => {
    const values: T[] = []
    for (let at = 0; at < end; at = cursor.next + 1) values.push(codec(wire, at, end, strict))
    return values
  })
  return result.ok ? result.value : []
}
