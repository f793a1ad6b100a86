/** Charging between networks: P-Charging-Vector (RFC 7315 §5.6) and P-Charging-Function-Addresses (§5.5). */
import { SipUsageError } from '../errors'
import { isToken, skipSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import {
  encodeParamValue,
  type Params,
  type ParamsInit,
  param,
  paramValue,
  readParam,
  toParams,
} from '../grammar/params'
import type { Wire } from '../grammar/wire'
import { parametersMax } from '../limits'
import type { Leniency } from '../message/leniency'
import { addParam, readBack, single, writeParams } from './param-value'

/** P-Charging-Vector: what ties the records of one session together. Immutable. */
export class ChargingVector {
  /**
   * Takes what was read; use {@link ChargingVector.of} instead.
   * @internal
   */
  constructor(
    /** All parameters, names in lower case, values unquoted. */
    readonly params: Params,
  ) {}

  /** Makes a value; `icid-value` must be among the parameters. Throws SipUsageError VALUE_INVALID without it. */
  static of(params: ParamsInit): ChargingVector {
    return readBack(decodeChargingVector, new ChargingVector(toParams(params)).toString(), 'P-Charging-Vector')
  }

  /** The charging identifier. */
  get icidValue(): string {
    return this.params.get('icid-value') ?? ''
  }

  /** The host that made the identifier. */
  get icidGeneratedAt(): string | undefined {
    return this.params.get('icid-generated-at') ?? undefined
  }

  /** The network that the session comes from. */
  get origIoi(): string | undefined {
    return this.params.get('orig-ioi') ?? undefined
  }

  /** The network that the session goes to. */
  get termIoi(): string | undefined {
    return this.params.get('term-ioi') ?? undefined
  }

  toString(): string {
    return writeParams(this.params, () => false).slice(1)
  }

  toJSON(): string {
    return this.toString()
  }
}

/** P-Charging-Function-Addresses: where charging records go. Immutable. */
export class ChargingAddresses {
  /**
   * Takes pairs of lower-case name and value; use {@link ChargingAddresses.of} instead.
   * @internal
   */
  constructor(
    /** Every address in order, with its name: `ccf`, `ecf`, `ccf-2`, … Names may repeat. */
    readonly entries: readonly (readonly [name: string, value: string])[],
  ) {}

  /** Makes a value from pairs of name and address. Throws SipUsageError VALUE_INVALID for none, or a bad name. */
  static of(entries: readonly (readonly [name: string, value: string])[]): ChargingAddresses {
    if (!entries.every(([name]) => isToken(name))) throw new SipUsageError('VALUE_INVALID', 'charging addresses')
    return readBack(decodeChargingAddresses, new ChargingAddresses(entries).toString(), 'charging addresses')
  }

  /** Charging collection functions, first to last resort. */
  get ccf(): readonly string[] {
    return this.named('ccf')
  }

  /** Event charging functions, first to last resort. */
  get ecf(): readonly string[] {
    return this.named('ecf')
  }

  toString(): string {
    return this.entries.map(([name, value]) => `${name}=${encodeParamValue(value)}`).join(';')
  }

  toJSON(): string {
    return this.toString()
  }

  private named(prefix: string): readonly string[] {
    const isNamed = (name: string): boolean => name === prefix || name === `${prefix}-2`
    return this.entries.filter(([name]) => isNamed(name)).map(([, value]) => value)
  }
}

/** P-Charging-Vector: parameters with semicolons between them. */
export const decodeChargingVector = single((wire: Wire, start: number, end: number, leniency: Leniency) => {
  const params = new Map<string, string | null>()
  readPairs(wire, start, end, leniency, false, () => addParam(params, wire))
  if ((params.get('icid-value') ?? '') === '') fail('PARAMETER_MISSING', start)
  return new ChargingVector(params)
})

/** P-Charging-Function-Addresses: parameters with semicolons or commas between them. */
export const decodeChargingAddresses = single((wire: Wire, start: number, end: number, leniency: Leniency) => {
  const entries: [string, string][] = []
  readPairs(wire, start, end, leniency, true, () => {
    const value = paramValue(wire)
    if (value === null) return fail('PARAMETER_INVALID', param.nameStart)
    entries.push([wire.text.slice(param.nameStart, param.nameEnd).toLowerCase(), value])
  })
  return new ChargingAddresses(entries)
})

function readPairs(
  wire: Wire,
  start: number,
  end: number,
  leniency: Leniency,
  allowCommas: boolean,
  add: () => void,
): void {
  let position = skipSpace(wire, start, end)
  for (let count = 1; ; count += 1) {
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    readParam(wire, position, end, leniency)
    position = param.next
    if (param.nameEnd > param.nameStart) add()
    const code = position < end ? wire.bytes[position] : 0
    if (code !== 0x3b && !(allowCommas && code === 0x2c)) break
    position += 1
  }
  cursor.next = position
}
