/**
 * Who somebody is, as a network knows it: P-Asserted-Identity and P-Preferred-Identity (RFC 3325 §9.1 and §9.2, with the
 * corrections of RFC 5876 §4.5): one SIP or SIPS URI at most, and one TEL URI at most.
 */
import {
  type HeaderInit,
  NameAddr,
  type SipRequest,
  type SipResponse,
  SipUri,
  TelUri,
  type Uri,
} from '@carillon/sip-parser'
import { SipUsageError } from '../errors'

/** The header of either kind of identity. */
export type IdentityHeader = 'P-Asserted-Identity' | 'P-Preferred-Identity'

/** One identity: a SIP address, a telephone number, or both. Immutable. */
export class AssertedIdentity {
  private constructor(
    /** The SIP or SIPS address. */
    readonly sip: NameAddr | undefined,
    /** The telephone number, a tel URI. */
    readonly tel: NameAddr | undefined,
  ) {}

  /**
   * Makes an identity of one or two addresses or URIs.
   * @throws SipUsageError IDENTITY_INVALID for none, for two of a kind, and for what is neither SIP nor TEL
   */
  static of(...addresses: readonly (NameAddr | Uri)[]): AssertedIdentity {
    const read = addresses.map((address) => (address instanceof NameAddr ? address : NameAddr.of({ uri: address })))
    const sips = read.filter(isSip)
    const tels = read.filter(isTel)
    if (sips.length > 1 || tels.length > 1 || sips.length + tels.length !== read.length || read.length === 0)
      throw new SipUsageError('IDENTITY_INVALID')
    return new AssertedIdentity(sips[0], tels[0])
  }

  /**
   * Reads an identity out of a message: of each kind of URI the first, whatever else stands there (RFC 5876 §4.5).
   * Undefined when there is none, or when a value is malformed: half of it is not to be believed.
   */
  static read(message: SipRequest | SipResponse, header: IdentityHeader): AssertedIdentity | undefined {
    if (!message.has(header)) return undefined
    const read = message.decode(header === 'P-Asserted-Identity' ? 'pAssertedIdentities' : 'pPreferredIdentities')
    if (!read.ok) return undefined
    const sip = read.value.find(isSip)
    const tel = read.value.find(isTel)
    return sip === undefined && tel === undefined ? undefined : new AssertedIdentity(sip, tel)
  }

  /** The SIP address, or the number where there is no other. */
  get address(): NameAddr {
    return (this.sip ?? this.tel)!
  }

  /** The URI of {@link address}. */
  get uri(): Uri {
    return this.address.uri
  }

  /** The name beside either of them; undefined when there is none. */
  get displayName(): string | undefined {
    return this.sip?.displayName ?? this.tel?.displayName
  }

  /** The telephone number: that of the tel URI, or the user of a SIP URI that is one; undefined when there is none. */
  get number(): TelUri | undefined {
    const { tel, sip } = this
    if (tel !== undefined && tel.uri instanceof TelUri) return tel.uri
    return sip !== undefined && sip.uri instanceof SipUri ? sip.uri.toTel() : undefined
  }

  /** Both addresses, as far as they are there. */
  get addresses(): readonly NameAddr[] {
    return [this.sip, this.tel].filter((address) => address !== undefined)
  }

  /** The header lines of it. */
  lines(header: IdentityHeader = 'P-Asserted-Identity'): readonly HeaderInit[] {
    return this.addresses.map((address): HeaderInit => [header, address.toString()])
  }

  toString(): string {
    return this.addresses.join(', ')
  }
}

function isSip(address: NameAddr): boolean {
  return address.uri instanceof SipUri
}

function isTel(address: NameAddr): boolean {
  return address.uri instanceof TelUri
}
