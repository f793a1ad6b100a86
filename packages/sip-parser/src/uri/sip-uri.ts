/** SIP and SIPS URIs (RFC 3261 §19.1): immutable; what came from the network is written back as it came. */
import { SipUsageError } from '../errors'
import { PASSWORD, USER } from '../grammar/chars'
import { bracketHost, isHost, isIpv4 } from '../grammar/host'
import type { Params, ParamsInit } from '../grammar/params'
import { decodeText } from '../grammar/text'
import { isSipUriEqual } from './compare'
import { decodeEscapes, encodeEscapes, escapeWire } from './escape'
import { addressOfRecordOf, maskedParts, normalisedParts } from './normalise'
import { readTel } from './parse-tel'
import { isTelNumber } from './tel-grammar'
import type { TelUri } from './tel-uri'
import {
  decodeUriHeaders,
  decodeUriParams,
  encodeUriHeaders,
  encodeUriParams,
  replaceUriHeader,
  replaceUriParam,
  tidyUriParams,
  type UriHeadersInit,
} from './uri-params'

/** The parts of a SIP URI, decoded; a part that is absent or undefined is left out. */
export interface SipUriInit {
  readonly scheme?: 'sip' | 'sips' | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** Name, IPv4 or IPv6 without brackets. */
  readonly host: string
  readonly port?: number | undefined
  readonly params?: ParamsInit | undefined
  readonly headers?: UriHeadersInit | undefined
}

/** Where the parts of a SIP URI stand in wire text. */
export interface SipUriPlaces {
  readonly start: number
  /** After the "@"; after the colon of the scheme when there is no user. */
  readonly hostStart: number
  /** At the first ";", or where it would be. */
  readonly paramsStart: number
  /** At the "?", or where it would be. */
  readonly paramsEnd: number
  readonly end: number
}

/** The parts of a SIP URI as wire text, escapes and all. */
export interface SipUriParts {
  readonly scheme: 'sip' | 'sips'
  readonly user: string | undefined
  readonly password: string | undefined
  /** Lower-case; IPv6 without brackets. */
  readonly host: string
  readonly port: number | undefined
  /** With the semicolon before each. */
  readonly params: string
  /** Without the question mark. */
  readonly headers: string
}

/** A sip: or sips: URI. It keeps places in the text it was read from; its parts are cut out when asked for. */
export class SipUri {
  private readonly start: number
  private readonly hostStart: number
  private readonly paramsStart: number
  private readonly paramsEnd: number
  private readonly end: number
  private cachedParams: Params | undefined

  /**
   * Takes wire text and the places in it; use {@link SipUri.of} or `parseUri` instead.
   * @internal
   */
  constructor(
    private readonly source: string,
    /** Undefined when it stands in the text as it is to be read. */
    private readonly ownHost: string | undefined,
    readonly port: number | undefined,
    places: SipUriPlaces,
  ) {
    this.start = places.start
    this.hostStart = places.hostStart
    this.paramsStart = places.paramsStart
    this.paramsEnd = places.paramsEnd
    this.end = places.end
    this.cachedParams = undefined
  }

  /** In lower case, however it was written. */
  get scheme(): 'sip' | 'sips' {
    return this.source.charCodeAt(this.start + 3) === 0x3a ? 'sip' : 'sips'
  }

  /**
   * Makes a URI from decoded parts; what must be escaped is. Throws SipUsageError VALUE_INVALID for what no escape makes
   * fit: a bad scheme, host or port, an empty user, name or parameter value, a password without a user.
   */
  static of(init: SipUriInit): SipUri {
    return compose({
      scheme: checkedScheme(init.scheme ?? 'sip'),
      ...encodedUserInfo(init.user, init.password),
      host: checkedHost(init.host),
      port: checkedPort(init.port),
      params: encodeUriParams(init.params),
      headers: encodeUriHeaders(init.headers),
    })
  }

  /**
   * The SIP URI of a telephone number at a gateway (RFC 3261 §19.1.6): the number with its parameters, in the one order
   * and case that makes equal numbers equal users, and `user=phone`. Throws as {@link SipUri.of} does.
   */
  static ofTel(tel: TelUri, at: Omit<SipUriInit, 'user' | 'password'>): SipUri {
    const parts = SipUri.of(at).withParam('user', 'phone').parts()
    return compose({ ...parts, user: escapeWire(tel.canonicalSubscriber(), USER) })
  }

  /** Lower-case; IPv6 without brackets. */
  get host(): string {
    if (this.ownHost !== undefined) return this.ownHost
    const hostEnd = this.port === undefined ? this.paramsStart : this.source.lastIndexOf(':', this.paramsStart - 1)
    return this.source.slice(this.hostStart, hostEnd)
  }

  /** The user part, escapes decoded once; undefined when there is none. */
  get user(): string | undefined {
    const from = this.userStart
    return this.hostStart === from ? undefined : decodeEscapes(this.source.slice(from, this.userEnd))
  }

  /** The password, escapes decoded once. Never log it. */
  get password(): string | undefined {
    return this.hasPassword ? decodeEscapes(this.source.slice(this.userEnd + 1, this.hostStart - 1)) : undefined
  }

  /** Parameters: names in lower case, escapes decoded once. */
  get params(): Params {
    this.cachedParams ??= decodeUriParams(this.source.slice(this.paramsStart, this.paramsEnd))
    return this.cachedParams
  }

  /** Headers: names as they came, escapes decoded once; values of a repeated name joined with commas. */
  get headers(): ReadonlyMap<string, string> {
    return decodeUriHeaders(this.source.slice(this.paramsEnd + 1, this.end))
  }

  /** True when the URI carries headers. */
  get hasHeaders(): boolean {
    return this.end > this.paramsEnd
  }

  /** The transport parameter in lower case. */
  get transport(): string | undefined {
    if (this.paramsEnd === this.paramsStart) return undefined
    return this.params.get('transport')?.toLowerCase()
  }

  /** True when the lr parameter is there (RFC 3261 §19.1.1). */
  get isLooseRouter(): boolean {
    return this.paramsEnd > this.paramsStart && this.params.has('lr')
  }

  /**
   * What a registrar and a location service look users up by (RFC 3261 §10.3 step 5, §19.1.1): scheme, user and host, the
   * user's escapes decoded; port, password, parameters and headers are left out. The scheme is always "sip": a sips URI is
   * another way to the same resource (RFC 5630 §4). A key for maps, not a URI: it may hold any character.
   */
  get addressOfRecord(): string {
    return addressOfRecordOf(this)
  }

  /** True when the host is an IPv4 or IPv6 address rather than a name. */
  hostIsIp(): boolean {
    return this.host.includes(':') || isIpv4(this.host)
  }

  /** The URI as text, without angle brackets, password included; as it came when it was received. */
  toString(): string {
    return decodeText(this.source.slice(this.start, this.end))
  }

  /** For logs: the text with the password, and credentials among the headers, masked. */
  toJSON(): string {
    if (!this.hasPassword && !this.hasHeaders) return this.toString()
    return compose(maskedParts(this.parts())).toString()
  }

  /** RFC 3261 §19.1.4. A URI of another kind is never equal. */
  equals(other: unknown): boolean {
    return other instanceof SipUri && isSipUriEqual(this, other)
  }

  /**
   * The same URI in one spelling, for storing and comparing: it equals this one, and URIs that differ in spelling only
   * become one text. Parameters are in order of their names and, but for the method, in lower case.
   */
  normalised(): SipUri {
    return compose(normalisedParts(this.parts()))
  }

  /**
   * A copy with some parts changed; a part given as undefined is removed, with the user its password. What is not changed
   * keeps its spelling. Throws as {@link SipUri.of} does.
   */
  with(changes: Partial<SipUriInit>): SipUri {
    const parts = writable(this.parts())
    return compose({
      scheme: checkedScheme(changes.scheme ?? parts.scheme),
      ...changedUserInfo(parts, changes),
      host: 'host' in changes ? checkedHost(changes.host) : parts.host,
      port: 'port' in changes ? checkedPort(changes.port) : parts.port,
      params: 'params' in changes ? encodeUriParams(changes.params) : parts.params,
      headers: 'headers' in changes ? encodeUriHeaders(changes.headers) : parts.headers,
    })
  }

  /** A copy with one parameter set (null: without a value) or, for undefined, removed. Throws as {@link SipUri.of} does. */
  withParam(name: string, value: string | null | undefined): SipUri {
    const parts = writable(this.parts())
    return compose({ ...parts, params: replaceUriParam(parts.params, name, value) })
  }

  /** A copy with one header set or, for undefined, removed. Throws as {@link SipUri.of} does. */
  withHeader(name: string, value: string | undefined): SipUri {
    const parts = writable(this.parts())
    return compose({ ...parts, headers: replaceUriHeader(parts.headers, name, value) })
  }

  /**
   * The telephone number in the user part (RFC 3261 §19.1.6); undefined when the user is none: a local number needs its
   * phone-context. Whether the user is meant as a number is said by the parameter user=phone.
   */
  toTel(): TelUri | undefined {
    const { user } = this.parts()
    if (user === undefined) return undefined
    const semicolon = user.indexOf(';')
    const numberEnd = semicolon < 0 ? user.length : semicolon
    const number = decodeEscapes(user.slice(0, numberEnd))
    return isTelNumber(number) ? readTel(`tel:${number}${user.slice(numberEnd)}`) : undefined
  }

  /**
   * The parts as wire text.
   * @internal
   */
  parts(): SipUriParts {
    const { source, userStart, userEnd, hostStart } = this
    return {
      scheme: this.scheme,
      user: hostStart === userStart ? undefined : source.slice(userStart, userEnd),
      password: this.hasPassword ? source.slice(userEnd + 1, hostStart - 1) : undefined,
      host: this.host,
      port: this.port,
      params: source.slice(this.paramsStart, this.paramsEnd),
      headers: source.slice(this.paramsEnd + 1, this.end),
    }
  }

  private get userStart(): number {
    return this.start + this.scheme.length + 1
  }

  /** Where the user ends: at the first colon, or before the "@". */
  private get userEnd(): number {
    const colon = this.source.indexOf(':', this.userStart)
    return colon >= 0 && colon < this.hostStart - 1 ? colon : this.hostStart - 1
  }

  private get hasPassword(): boolean {
    return this.hostStart > this.userStart && this.userEnd < this.hostStart - 1
  }
}

/** The URI of parts that are fit to be written. */
function compose(parts: SipUriParts): SipUri {
  const { scheme, user, password, host, port, params, headers } = parts
  const userInfo = user === undefined ? '' : `${user}${password === undefined ? '' : `:${password}`}@`
  const hostStart = scheme.length + 1 + userInfo.length
  const hostPort = `${bracketHost(host)}${port === undefined ? '' : `:${port}`}`
  const paramsStart = hostStart + hostPort.length
  const paramsEnd = paramsStart + params.length
  const text = `${scheme}:${userInfo}${hostPort}${params}${headers === '' ? '' : `?${headers}`}`
  return new SipUri(text, host, port, { start: 0, hostStart, paramsStart, paramsEnd, end: text.length })
}

function encodedUserInfo(
  user: string | undefined,
  password: string | undefined,
): Pick<SipUriParts, 'user' | 'password'> {
  if (user === '') throw new SipUsageError('VALUE_INVALID', 'user of a URI')
  if (user === undefined && password !== undefined) {
    throw new SipUsageError('VALUE_INVALID', 'password of a URI without a user')
  }
  return {
    user: user === undefined ? undefined : encodeEscapes(user, USER),
    password: password === undefined ? undefined : encodeEscapes(password, PASSWORD),
  }
}

/** The parts made fit for a strict reader: a tolerant one takes users and parameters that must not be written so. */
function writable(parts: SipUriParts): SipUriParts {
  return {
    ...parts,
    user: parts.user === undefined ? undefined : escapeWire(parts.user, USER),
    password: parts.password === undefined ? undefined : escapeWire(parts.password, PASSWORD),
    params: tidyUriParams(parts.params),
  }
}

function changedUserInfo(parts: SipUriParts, changes: Partial<SipUriInit>): Pick<SipUriParts, 'user' | 'password'> {
  const user = 'user' in changes ? encodedUserInfo(changes.user, undefined).user : parts.user
  if ('password' in changes) return { user, password: encodedUserInfo(user, changes.password).password }
  return { user, password: user === undefined ? undefined : parts.password }
}

function checkedScheme(scheme: string): 'sip' | 'sips' {
  if (scheme !== 'sip' && scheme !== 'sips') throw new SipUsageError('VALUE_INVALID', 'scheme of a SIP URI')
  return scheme
}

function checkedHost(given: string | undefined): string {
  const host = given?.startsWith('[') && given.endsWith(']') ? given.slice(1, -1) : given
  if (host === undefined || !isHost(host)) throw new SipUsageError('VALUE_INVALID', 'host of a URI')
  return host.toLowerCase().replace(':::', '::')
}

function checkedPort(port: number | undefined): number | undefined {
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new SipUsageError('VALUE_INVALID', 'port of a URI')
  }
  return port
}
