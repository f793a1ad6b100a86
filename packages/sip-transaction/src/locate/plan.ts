/**
 * Where a request or a response goes, as far as a URI or a Via alone decides it: RFC 3263 §4.1 (transport), §4.2 (port
 * and address), §5 (responses), RFC 7118 (WebSocket). What is left is a goal for a {@link Resolution}. Pure.
 */
import { SipUri, type Uri, type Via } from '@carillon/sip-parser'
import type { AddressDestination, FlowAddress } from '../ports'

/** One place to try, ready to be sent to. */
export interface Candidate extends AddressDestination {
  /** True when the URI itself names the transport, so that nothing may change it. */
  readonly isTransportNamed: boolean
}

/** Why a target has no candidates. */
export type LocateFailure =
  /** It is no SIP URI, or needs a transport that the stack has not. */
  | 'unsupported'
  /** The DNS says that there is nothing. */
  | 'not-found'
  /** The DNS said nothing. */
  | 'lookup-failed'

/** What locating needs to know of the stack. */
export interface LocateAbilities {
  /** Upper-case names of the transports at hand. */
  readonly transports: readonly string[]
  /** Address families that the stack has sockets of. */
  readonly families: readonly (4 | 6)[]
}

/** A host whose addresses are wanted, or an address. */
export interface ServerGoal {
  readonly host: string
  readonly port: number
  readonly transport: string
}

/** A name that has SRV records for one transport. */
export interface ServiceGoal {
  readonly name: string
  readonly transport: string
}

/** What the DNS has to be asked, in the order of RFC 3263 §4. */
export type LocateGoal =
  /** An address is all there is to it. */
  | { readonly kind: 'address'; readonly candidate: Candidate }
  /** Port and transport are known: addresses of a name. */
  | (GoalBase & { readonly kind: 'server'; readonly server: ServerGoal })
  /** The transport is known: SRV, else addresses of the name. */
  | (GoalBase & { readonly kind: 'service'; readonly services: readonly ServiceGoal[]; readonly fallback: ServerGoal })
  /** Nothing is known: NAPTR, else SRV of each transport, else addresses of the name. */
  | (GoalBase & {
      readonly kind: 'domain'
      readonly domain: string
      readonly isSecure: boolean
      readonly services: readonly ServiceGoal[]
      readonly fallback: ServerGoal
    })

interface GoalBase {
  /** The name that a certificate has to carry (RFC 5922 §7.3). */
  readonly serverName: string
  readonly isTransportNamed: boolean
}

/** True for transports whose peers prove who they are. */
export function isSecureTransport(transport: string): boolean {
  return transport === 'TLS' || transport === 'WSS'
}

/** The port of a transport when nothing names one (RFC 3261 §19.1.2, RFC 7118 §5.5). */
export function defaultPort(transport: string): number {
  return transport === 'TLS' ? 5061 : transport === 'WS' ? 80 : transport === 'WSS' ? 443 : 5060
}

/**
 * What is to be found out for a URI; `unsupported` when it is no SIP URI or needs a transport that the stack has not.
 * @param isSecure true when only secure transports will do, whatever the URI's scheme: a request for a SIPS URI whose
 *   route begins with a SIP URI (RFC 3261 §8.1.2)
 */
export function locateGoal(uri: Uri, transports: readonly string[], isSecure = false): LocateGoal | 'unsupported' {
  if (!(uri instanceof SipUri)) return 'unsupported'
  const isSips = isSecure || uri.scheme === 'sips'
  const named = uri.transport === undefined ? undefined : namedTransport(uri.transport.toUpperCase(), isSips)
  if (named !== undefined && !transports.includes(named)) return 'unsupported'
  const host = bareHost(maddrOf(uri) ?? uri.host)
  const port = uri.port === undefined || uri.port === 0 ? undefined : uri.port
  const isTransportNamed = named !== undefined
  const isAddress = isIpAddress(host)
  if (isAddress || port !== undefined) {
    const transport = named ?? defaultTransport(transports, isSips)
    if (transport === undefined) return 'unsupported'
    const server = { host, port: port ?? defaultPort(transport), transport }
    if (isAddress) return { kind: 'address', candidate: candidateOf(server, host, uri.host, isTransportNamed) }
    return { kind: 'server', server, serverName: uri.host, isTransportNamed }
  }
  const defaulted = named ?? defaultTransport(transports, isSips)
  if (named !== undefined) return serviceGoal(host, named, uri.host)
  if (defaulted === undefined && !transports.some((name) => isSips && isSecureTransport(name))) return 'unsupported'
  return {
    kind: 'domain',
    domain: host,
    isSecure: isSips,
    services: undirectedTransports(transports, isSips).map((transport) => serviceOf(host, transport)),
    fallback: serverAt(host, defaulted ?? 'WSS'),
    serverName: uri.host,
    isTransportNamed: false,
  }
}

/**
 * Where a response goes when the connection that its request came on is gone, and its address takes no new one: RFC 3263
 * §5. The transport is the Via's; a sent-by with a port is a host, one without may have SRV records.
 */
export function responseGoal(via: Via, transports: readonly string[]): LocateGoal | 'unsupported' {
  const transport = via.transport
  if (!transports.includes(transport)) return 'unsupported'
  const host = bareHost(via.host)
  const server = { host, port: via.port ?? defaultPort(transport), transport }
  if (isIpAddress(host)) return { kind: 'address', candidate: candidateOf(server, host, host, true) }
  if (via.port !== undefined) return { kind: 'server', server, serverName: host, isTransportNamed: true }
  return serviceGoal(host, transport, host)
}

/** A candidate at an address of a server. */
export function candidateOf(
  server: ServerGoal,
  address: string,
  serverName: string,
  isTransportNamed: boolean,
): Candidate {
  const { transport, port } = server
  const place: FlowAddress = { transport, address, port }
  return {
    kind: 'address',
    address: place,
    serverName: isSecureTransport(transport) ? serverName : undefined,
    isTransportNamed,
  }
}

/** True for an IPv4 or IPv6 address, false for a name. */
export function isIpAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}

/** The SRV name of a host for one transport (RFC 3263 §4.1, §4.2). */
function serviceOf(host: string, transport: string): ServiceGoal {
  const isSecure = isSecureTransport(transport)
  const protocol = transport === 'TLS' ? 'tcp' : transport === 'WSS' ? 'ws' : transport.toLowerCase()
  return { name: `${isSecure ? '_sips' : '_sip'}._${protocol}.${host}`, transport }
}

function serviceGoal(host: string, transport: string, serverName: string): LocateGoal {
  const services = [serviceOf(host, transport)]
  return { kind: 'service', services, fallback: serverAt(host, transport), serverName, isTransportNamed: true }
}

function serverAt(host: string, transport: string): ServerGoal {
  return { host, port: defaultPort(transport), transport }
}

/** What a transport parameter means; in a SIPS URI it names what TLS runs over (RFC 5630 §3.1.4). */
function namedTransport(named: string, isSips: boolean): string {
  if (!isSips) return named
  if (named === 'TCP' || named === 'TLS') return 'TLS'
  // UDP and SCTP cannot be made secure by anything that a stack has; no stack has this transport either.
  return named === 'WS' || named === 'WSS' ? 'WSS' : `SECURE-${named}`
}

/** RFC 3263 §4.1: UDP for sip, TLS for sips; where there is no UDP what there is. */
function defaultTransport(transports: readonly string[], isSips: boolean): string | undefined {
  if (isSips) return transports.includes('TLS') ? 'TLS' : undefined
  if (transports.includes('UDP')) return 'UDP'
  return transports.includes('TCP') ? 'TCP' : transports[0]
}

/** The transports whose SRV records are asked for when there is no NAPTR record, the preferred first. */
function undirectedTransports(transports: readonly string[], isSips: boolean): readonly string[] {
  if (isSips) return transports.includes('TLS') ? ['TLS'] : []
  const plain = ['UDP', 'TCP'].filter((name) => transports.includes(name))
  return plain.length > 0 ? plain : transports.slice(0, 1)
}

function maddrOf(uri: SipUri): string | undefined {
  const maddr = uri.params.get('maddr')
  return maddr === undefined || maddr === null || maddr === '' ? undefined : maddr.toLowerCase()
}

/** Without the brackets of an IPv6 address or the dot at the end of a name. */
function bareHost(host: string): string {
  if (host.startsWith('[')) return host.slice(1, -1)
  return host.endsWith('.') && host.length > 1 ? host.slice(0, -1) : host
}
