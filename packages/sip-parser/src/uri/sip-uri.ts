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

/** A sip: or sips: URI. */
export class SipUri {
  private cachedText: string | undefined
  private cachedParams: Params | undefined
  private cachedHeaders: ReadonlyMap<string, string> | undefined

  /**
   * Takes parts as they are on the wire; use {@link SipUri.of} or `parseUri` instead.
   * @internal
   */
  constructor(
    readonly scheme: 'sip' | 'sips',
    private readonly rawUser: string | undefined,
    private readonly rawPassword: string | undefined,
    /** Lower-case; IPv6 without brackets. */
    readonly host: string,
    readonly port: number | undefined,
    private readonly rawParams: string,
    private readonly rawHeaders: string,
    text: string | undefined,
  ) {
    this.cachedText = text
    this.cachedParams = undefined
    this.cachedHeaders = undefined
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
    return new SipUri(init.scheme ?? 'sip', user, password, host.toLowerCase(), port, params, headers, undefined)
  }

  /** The user part, escapes decoded once; undefined when there is none. */
  get user(): string | undefined {
    return this.rawUser === undefined ? undefined : decodeEscapes(this.rawUser)
  }

  /** The password, escapes decoded once. Never log it. */
  get password(): string | undefined {
    return this.rawPassword === undefined ? undefined : decodeEscapes(this.rawPassword)
  }

  /** Parameters: names in lower case, escapes decoded once. */
  get params(): Params {
    this.cachedParams ??= decodeUriParams(this.rawParams)
    return this.cachedParams
  }

  /** Headers: names as they came, escapes decoded once. */
  get headers(): ReadonlyMap<string, string> {
    this.cachedHeaders ??= decodeUriHeaders(this.rawHeaders)
    return this.cachedHeaders
  }

  /** True when the URI carries headers. */
  get hasHeaders(): boolean {
    return this.rawHeaders.length > 0
  }

  /** The transport parameter in lower case. */
  get transport(): string | undefined {
    if (this.rawParams.length === 0) return undefined
    return this.params.get('transport')?.toLowerCase()
  }

  /** True when the lr parameter is there (RFC 3261 §19.1.1). */
  get isLooseRouter(): boolean {
    return this.rawParams.length > 0 && this.params.has('lr')
  }

  /** True when the host is an IPv4 or IPv6 address rather than a name. */
  hostIsIp(): boolean {
    return this.host.includes(':') || isIpv4(this.host)
  }

  /** The URI as text, without angle brackets; as it came when it was received. */
  toString(): string {
    this.cachedText ??= this.write()
    return this.cachedText
  }

  toJSON(): string {
    if (this.rawPassword === undefined) return this.toString()
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

  private write(): string {
    const password = this.rawPassword === undefined ? '' : `:${this.rawPassword}`
    const user = this.rawUser === undefined ? '' : `${this.rawUser}${password}@`
    const port = this.port === undefined ? '' : `:${this.port}`
    const headers = this.rawHeaders === '' ? '' : `?${this.rawHeaders}`
    return `${this.scheme}:${user}${bracketHost(this.host)}${port}${this.rawParams}${headers}`
  }
}

function toHeaders(init: SipUriInit['headers']): ReadonlyMap<string, string> {
  if (init === undefined) return new Map()
  return init instanceof Map ? init : new Map(Object.entries(init as Readonly<Record<string, string>>))
}
