/** Contact (RFC 3261 §20.10; RFC 5626 for instance and reg-id, RFC 5627 for GRUUs, RFC 3840 for features). */

import { SipUsageError } from '../errors'
import { lowerWord, skipSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { attempt, fail } from '../grammar/failure'
import { encodeParams, type Params, param, paramIs, readParam, toParams, withParam } from '../grammar/params'
import { type Wire, wireOf } from '../grammar/wire'
import { parametersMax } from '../limits'
import type { Leniency } from '../message/leniency'
import type { Uri } from '../uri/parse-uri'
import { type Feature, readFeatures } from './features'
import {
  type AddressSource,
  address,
  addressSource,
  lastSource,
  NameAddr,
  type NameAddrInit,
  readAddress,
  writeDisplayName,
} from './name-addr'

/** One Contact value. `*` is no value of this class: see the message's `contactStar`. Immutable. */
export class Contact extends NameAddr {
  /**
   * Takes parts as they are on the wire; use {@link Contact.of} instead.
   * @internal
   */
  constructor(
    source: AddressSource,
    uri: Uri,
    /** Seconds; undefined when absent. */
    readonly expires: number | undefined,
    /** Preference from 0 to 1; undefined when absent. */
    readonly q: number | undefined,
  ) {
    super(source, uri, undefined)
  }

  /** Makes a Contact value; `expires` and `q` are taken from the parameters. */
  static override of(init: NameAddrInit): Contact {
    return make(writeDisplayName(init.displayName), init.uri, toParams(init.params))
  }

  /** The +sip.instance parameter without its angle brackets (RFC 5626 §4.1). */
  get instance(): string | undefined {
    const value = this.params.get('+sip.instance')
    if (value === undefined || value === null) return undefined
    return value.startsWith('<') && value.endsWith('>') ? value.slice(1, -1) : value
  }

  /** The reg-id parameter (RFC 5626 §4.2). */
  get regId(): number | undefined {
    const value = this.params.get('reg-id')
    return value !== undefined && value !== null && /^[0-9]{1,9}$/.test(value) ? Number(value) : undefined
  }

  /** The public GRUU that a registrar gave out (RFC 5627 §6.1), a SIP URI as text. */
  get pubGruu(): string | undefined {
    return this.params.get('pub-gruu') ?? undefined
  }

  /** The temporary GRUU that a registrar gave out (RFC 5627 §6.1), a SIP URI as text. */
  get tempGruu(): string | undefined {
    return this.params.get('temp-gruu') ?? undefined
  }

  /** What the user agent says it can do (RFC 3840 §9), by lower-case name as it stands there: `audio`, `+sip.rendering`. */
  get features(): ReadonlyMap<string, Feature> {
    return readFeatures(this.params)
  }

  override withParam(name: string, value: string | null | undefined): Contact {
    return make(this.rawDisplayName, this.uri, withParam(this.params, name, value))
  }
}

const [expiresName, qName] = [lowerWord('expires'), lowerWord('q')]

/** Reads one Contact value at `start`; `cursor.next` is then at a comma or `end`. */
export function decodeContact(wire: Wire, start: number, end: number, leniency: Leniency): Contact {
  if (wire.bytes[start]! === 0x2a && isStar(wire, start, end)) fail('CONTACT_STAR_INVALID', start)
  const uri = readAddress(wire, start, end, leniency)
  const { nameStart, nameEnd, next: paramsStart } = address
  let position = paramsStart
  let expires: number | undefined
  let q: number | undefined
  let count = 0
  while (position < end && wire.bytes[position]! === 0x3b) {
    count += 1
    if (count > parametersMax) fail('TOO_MANY_PARAMETERS', position)
    readParam(wire, position + 1, end, leniency)
    position = param.next
    if (paramIs(wire, expiresName)) {
      if (expires !== undefined) fail('PARAMETER_REPEATED', param.nameStart)
      expires = readSeconds(wire, param.nameStart, param.valueStart, param.valueEnd)
    } else if (paramIs(wire, qName)) {
      if (q !== undefined) fail('PARAMETER_REPEATED', param.nameStart)
      q = readQ(wire, param.nameStart, param.valueStart, param.valueEnd)
    }
  }
  if (position < end && wire.bytes[position]! !== 0x2c) fail('UNEXPECTED_CHARACTER', position)
  cursor.next = position
  return new Contact(lastSource(wire.text, nameStart, nameEnd, paramsStart, position), uri, expires, q)
}

/** True when `*` stands alone at `start`: the message decides whether it may. */
function isStar(wire: Wire, start: number, end: number): boolean {
  const next = skipSpace(wire, start + 1, end)
  return next >= end || wire.bytes[next]! === 0x2c
}

/** A qvalue (RFC 3261 §25.1): `0[.ddd]` or `1[.000]`. */
export function readQ(wire: Wire, nameStart: number, start: number, end: number): number {
  const length = end - start
  const whole = start < 0 ? 0 : wire.bytes[start]!
  if (start < 0 || length < 1 || length > 5 || (whole !== 0x30 && whole !== 0x31)) fail('Q_INVALID', nameStart)
  if (length > 1 && wire.bytes[start + 1]! !== 0x2e) fail('Q_INVALID', start)
  for (let at = start + 2; at < end; at += 1) {
    const digit = wire.bytes[at]!
    if (digit < 0x30 || digit > 0x39 || (whole === 0x31 && digit !== 0x30)) fail('Q_INVALID', at)
  }
  return Number(wire.text.slice(start, end))
}

function readSeconds(wire: Wire, nameStart: number, start: number, end: number): number {
  if (start < 0 || start === end) fail('NUMBER_INVALID', nameStart)
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = wire.bytes[at]! - 0x30
    if (digit < 0 || digit > 9) fail('NUMBER_INVALID', at)
    value = value * 10 + digit
    if (value > 4294967295) fail('NUMBER_TOO_LARGE', start)
  }
  return value
}

/** Throws SipUsageError VALUE_INVALID when expires or q cannot be written. */
function make(rawDisplayName: string, uri: Uri, params: Params): Contact {
  const expires = attempt(() => fromText(params.get('expires'), readSeconds))
  const q = attempt(() => fromText(params.get('q'), readQ))
  if (!expires.ok || !q.ok) throw new SipUsageError('VALUE_INVALID', 'expires or q of a Contact')
  return new Contact(addressSource(rawDisplayName, encodeParams(params)), uri, expires.value, q.value)
}

function fromText(
  value: string | null | undefined,
  read: (wire: Wire, nameStart: number, start: number, end: number) => number,
): number | undefined {
  return value === undefined ? undefined : read(wireOf(value ?? ''), 0, 0, value?.length ?? 0)
}
