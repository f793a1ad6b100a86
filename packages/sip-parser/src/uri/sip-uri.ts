/** SIP and SIPS URIs (RFC 3261 §19.1): immutable; what came from the network is written back as it came. */
import { SipUsageError } from '../errors'
import { PASSWORD, USER } from '../grammar/chars'
import { bracketHost, isHost, isIpv4 } from '../grammar/host'
import { type Params, type ParamsInit, toParams } from '../grammar/params'
import { isSipUriEqual } from './compare'
import { decodeEscapes, encodeEscapes } from './escape'
import { decodeUriHeaders, decodeUriParams, encodeUriHeaders, encodeUriParams } from './uri-params'

/** The parts of a SIP URI, decoded; a part that is absent or undefined is left out. */
export interface SipUriInit {
  readonly scheme?: 'sip' | 'sips' | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** Name, IPv4 or IPv6 without brackets. */
  readonly host: string
  readonly port?: number | undefined
  readonly params?: ParamsInit | undefined
  readonly headers?: ReadonlyMap<string, string> | Readonly<Record<string, string>> | undefined
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
    readonly scheme: 'sip' | 'sips',
    /** Lower-case; IPv6 without brackets. */
    readonly host: string,
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

  /** Makes a URI from decoded parts. Throws SipUsageError VALUE_INVALID for a bad host or port. */
  static of(init: SipUriInit): SipUri {
    const host = init.host.startsWith('[') && init.host.endsWith(']') ? init.host.slice(1, -1) : init.host
    if (!isHost(host)) throw new SipUsageError('VALUE_INVALID', 'host of a URI')
    const port = init.port
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
      throw new SipUsageError('VALUE_INVALID', 'port of a URI')
    }
    if (init.user === '') throw new SipUsageError('VALUE_INVALID', 'user of a URI')
    const user = init.user === undefined ? undefined : encodeEscapes(init.user, USER)
    const password = init.password === undefined ? undefined : encodeEscapes(init.password, PASSWORD)
    const params = encodeUriParams(toParams(init.params))
    const headers = encodeUriHeaders(toHeaders(init.headers))
    const scheme = init.scheme ?? 'sip'
    const userInfo = user === undefined ? '' : `${user}${password === undefined ? '' : `:${password}`}@`
    const hostStart = scheme.length + 1 + userInfo.length
    const lowerHost = host.toLowerCase()
    const hostPort = `${bracketHost(lowerHost)}${port === undefined ? '' : `:${port}`}`
    const paramsStart = hostStart + hostPort.length
    const paramsEnd = paramsStart + params.length
    const text = `${scheme}:${userInfo}${hostPort}${params}${headers === '' ? '' : `?${headers}`}`
    return new SipUri(text, scheme, lowerHost, port, { start: 0, hostStart, paramsStart, paramsEnd, end: text.length })
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

  /** Headers: names as they came, escapes decoded once. */
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

  /** True when the host is an IPv4 or IPv6 address rather than a name. */
  hostIsIp(): boolean {
    return this.host.includes(':') || isIpv4(this.host)
  }

  /** The URI as text, without angle brackets; as it came when it was received. */
  toString(): string {
    return this.source.slice(this.start, this.end)
  }

  toJSON(): string {
    if (!this.hasPassword) return this.toString()
    return this.with({ password: '***' }).toString()
  }

  /** RFC 3261 §19.1.4. A URI of another kind is never equal. */
  equals(other: unknown): boolean {
    return other instanceof SipUri && isSipUriEqual(this, other)
  }

  /** A copy with some parts changed; a part given as undefined is removed. */
  with(changes: Partial<SipUriInit>): SipUri {
    return SipUri.of({
      scheme: this.scheme,
      user: this.user,
      password: this.password,
      host: this.host,
      port: this.port,
      params: this.params,
      headers: this.headers,
      ...changes,
    })
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

function toHeaders(init: SipUriInit['headers']): ReadonlyMap<string, string> {
  if (init === undefined) return new Map()
  return init instanceof Map ? init : new Map(Object.entries(init as Readonly<Record<string, string>>))
}
