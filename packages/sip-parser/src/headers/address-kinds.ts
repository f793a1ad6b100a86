/**
 * Addresses with parameters of their own: Refer-To (RFC 3515 §2.1, RFC 3891 §4), Referred-By (RFC 3892 §2.1), Diversion
 * (RFC 5806 §4), P-Served-User (RFC 5502 §6).
 */

import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { param } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import type { Uri } from '../uri/parse-uri'
import { SipUri } from '../uri/sip-uri'
import { decodeReplaces, type Replaces } from './dialogs'
import { type AddressSource, address, lastSource, NameAddr, type NameAddrInit, readAddress } from './name-addr'
import { checkNumberParam, checkTokenParam, type ParamCheck, readBack, readElements, readParams } from './param-value'

type MakeAddress<T> = (source: AddressSource, uri: Uri) => T

/** Refer-To: where the other side is to send a request. Immutable. */
export class ReferTo extends NameAddr {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static override of(init: NameAddrInit): ReferTo {
    return readBack(decodeReferTo, NameAddr.of(init).toString(), 'Refer-To')
  }

  /** The method to use: that of the URI's method parameter, INVITE without one. */
  get method(): string {
    return (this.uri instanceof SipUri ? this.uri.params.get('method') : undefined) ?? 'INVITE'
  }

  /** The dialog to be replaced, from the URI's Replaces header: an attended transfer. Undefined when absent or malformed. */
  get replaces(): Replaces | undefined {
    const text = uriHeader(this.uri, 'replaces')
    return text === undefined ? undefined : readElements(decodeReplaces, text)[0]
  }

  override withParam(name: string, value: string | null | undefined): ReferTo {
    return readBack(decodeReferTo, super.withParam(name, value).toString(), 'Refer-To')
  }
}

/** Referred-By: who asked for the request. Immutable. */
export class ReferredBy extends NameAddr {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static override of(init: NameAddrInit): ReferredBy {
    return readBack(decodeReferredBy, NameAddr.of(init).toString(), 'Referred-By')
  }

  /** The Content-ID of the body part that proves it, without angle brackets; undefined when absent. */
  get cid(): string | undefined {
    const value = this.params.get('cid') ?? undefined
    return value?.startsWith('<') && value.endsWith('>') ? value.slice(1, -1) : value
  }

  override withParam(name: string, value: string | null | undefined): ReferredBy {
    return readBack(decodeReferredBy, super.withParam(name, value).toString(), 'Referred-By')
  }
}

/** One Diversion value: who sent the call on. Immutable. */
export class Diversion extends NameAddr {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static override of(init: NameAddrInit): Diversion {
    return readBack(decodeDiversion, NameAddr.of(init).toString(), 'Diversion')
  }

  /** `unconditional`, `user-busy`, `no-answer`, … in lower case; undefined when absent. */
  get reason(): string | undefined {
    return this.params.get('reason')?.toLowerCase()
  }

  /** How often the call was diverted; undefined when absent. */
  get counter(): number | undefined {
    return numberOf(this.params.get('counter'))
  }

  /** How many more diversions are allowed; undefined when absent. */
  get limit(): number | undefined {
    return numberOf(this.params.get('limit'))
  }

  /** `full`, `name`, `uri`, `off`, … in lower case; undefined when absent. */
  get privacy(): string | undefined {
    return this.params.get('privacy')?.toLowerCase()
  }

  /** True when the number was checked, false when it was not; undefined when nothing is said. */
  get screen(): boolean | undefined {
    const value = this.params.get('screen')?.toLowerCase()
    return value === undefined ? undefined : value === 'yes'
  }

  override withParam(name: string, value: string | null | undefined): Diversion {
    return readBack(decodeDiversion, super.withParam(name, value).toString(), 'Diversion')
  }
}

/** P-Served-User: the user for whom a server acts. Immutable. */
export class ServedUser extends NameAddr {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static override of(init: NameAddrInit): ServedUser {
    return readBack(decodeServedUser, NameAddr.of(init).toString(), 'P-Served-User')
  }

  /** `orig` or `term`, in lower case; undefined when absent. */
  get sessionCase(): string | undefined {
    return this.params.get('sescase')?.toLowerCase()
  }

  /** `reg` or `unreg`, in lower case; undefined when absent. */
  get registrationState(): string | undefined {
    return this.params.get('regstate')?.toLowerCase()
  }

  override withParam(name: string, value: string | null | undefined): ServedUser {
    return readBack(decodeServedUser, super.withParam(name, value).toString(), 'P-Served-User')
  }
}

const checkDiversion: ParamCheck = (name, wire) => {
  if (name === 'counter' || name === 'limit') checkNumberParam(wire)
}

const checkServedUser: ParamCheck = (name, wire) => {
  if (name === 'sescase' || name === 'regstate') checkTokenParam(wire)
}

const checkCid: ParamCheck = (name) => {
  if (name === 'cid' && param.valueStart < 0) fail('PARAMETER_INVALID', param.nameStart)
}

/** Refer-To. */
export const decodeReferTo = whole((source, uri) => new ReferTo(source, uri, undefined))

/** Referred-By. */
export const decodeReferredBy = whole((source, uri) => new ReferredBy(source, uri, undefined), checkCid)

/** P-Served-User. */
export const decodeServedUser = whole((source, uri) => new ServedUser(source, uri, undefined), checkServedUser)

/** One Diversion value; `cursor.next` is then at a comma or `end`. */
export function decodeDiversion(wire: Wire, start: number, end: number, leniency: Leniency): Diversion {
  return readKind(wire, start, end, leniency, (source, uri) => new Diversion(source, uri, undefined), checkDiversion)
}

/** Reads an address with its parameters; `cursor.next` is then at a comma or `end`. */
export function readKind<T>(
  wire: Wire,
  start: number,
  end: number,
  leniency: Leniency,
  make: MakeAddress<T>,
  check?: ParamCheck,
): T {
  const uri = readAddress(wire, start, end, leniency)
  const { nameStart, nameEnd, next: paramsStart } = address
  readParams(wire, paramsStart, end, leniency, check)
  return make(lastSource(wire.text, nameStart, nameEnd, paramsStart, cursor.next), uri)
}

/** A header of a SIP URI by its name in lower case, escapes decoded; undefined when absent. */
export function uriHeader(uri: Uri, lowerName: string): string | undefined {
  if (!(uri instanceof SipUri) || !uri.hasHeaders) return undefined
  for (const [name, value] of uri.headers) if (name.toLowerCase() === lowerName) return value
  return undefined
}

function whole<T>(make: MakeAddress<T>, check?: ParamCheck) {
  return (wire: Wire, start: number, end: number, leniency: Leniency): T => {
    const value = readKind(wire, start, end, leniency, make, check)
    if (cursor.next < end) fail('UNEXPECTED_CHARACTER', cursor.next)
    return value
  }
}

function numberOf(value: string | null | undefined): number | undefined {
  return value !== undefined && value !== null && /^[0-9]{1,10}$/.test(value) ? Number(value) : undefined
}
