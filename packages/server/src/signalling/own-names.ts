/**
 * Which hosts in a URI mean this server (RFC 3261 §10.3 step 1, §16.3, §19.1.1).
 */
import { SipUri, TelUri, type Uri } from '@carillon/sip-parser'
import { isWildcard } from '../config/listen-address'

/** The names that this server answers for. */
export class OwnNames {
  readonly #hosts: ReadonlySet<string>

  /**
   * @param domain - the host part of the users' addresses
   * @param isExplicit - false when nobody chose the domain: then phones may have been told any name that leads here,
   *   and every host counts as ours, because nothing is ever sent elsewhere
   * @param addresses - other names and addresses of this server
   */
  constructor(
    readonly domain: string,
    private readonly isExplicit: boolean,
    addresses: Iterable<string>,
  ) {
    this.#hosts = new Set([domain, ...addresses].filter((host) => !isWildcard(host)).map((host) => host.toLowerCase()))
  }

  /** True when the URI is addressed to this server. A tel URI names no host and is ours to route. */
  includes(uri: Uri): boolean {
    if (uri instanceof TelUri) return true
    return uri instanceof SipUri && (!this.isExplicit || this.#hosts.has(uri.host))
  }
}

/** What was dialled: the user part of a SIP URI, or the number of a tel URI. */
export function dialledName(uri: Uri): string | undefined {
  if (uri instanceof SipUri) return uri.user
  return uri instanceof TelUri ? uri.digits : undefined
}
