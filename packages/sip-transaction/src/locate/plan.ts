/**
 * Where a request goes, as far as a URI alone decides it: RFC 3263 §4.1 (transport), §4.2 (port and address) for
 * literal addresses and plain host names. Pure. A plan is a list of steps to be tried in order, so that SRV and NAPTR
 * records become further steps and nothing else changes.
 */
import { SipUri, type Uri } from '@carillon/sip-parser'
import type { FlowAddress } from '../ports'

/** One step: an address to be tried, or a name to be looked up first. */
export type LocateStep =
  | { readonly kind: 'address'; readonly address: FlowAddress }
  | { readonly kind: 'name'; readonly host: string; readonly port: number; readonly transport: string }

/** What a plan needs to know of the stack. */
export interface LocateOptions {
  /** Transports at hand, upper-case, the preferred first. */
  readonly transports: readonly string[]
}

/** Default ports (RFC 3261 §19.1.2). */
function defaultPort(transport: string): number {
  return transport === 'TLS' ? 5061 : transport === 'WS' ? 80 : transport === 'WSS' ? 443 : 5060
}

/**
 * The steps for a URI; an empty list when it is no SIP URI or needs a transport that the stack has not.
 */
export function locatePlan(uri: Uri, options: LocateOptions): readonly LocateStep[] {
  if (!(uri instanceof SipUri)) return []
  const transport = chooseTransport(uri, options.transports)
  if (transport === undefined) return []
  const host = uri.params.get('maddr') ?? uri.host
  const port = uri.port === undefined || uri.port === 0 ? defaultPort(transport) : uri.port
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  if (isLiteral(bare)) return [{ kind: 'address', address: { transport, address: bare, port } }]
  return [{ kind: 'name', host: bare, port, transport }]
}

/** RFC 3263 §4.1: what the URI names, else UDP for sip and TLS for sips; TCP where there is no UDP. */
function chooseTransport(uri: SipUri, available: readonly string[]): string | undefined {
  const named = uri.transport?.toUpperCase()
  if (uri.scheme === 'sips') {
    const secure = named === 'WS' || named === 'WSS' ? 'WSS' : 'TLS'
    return available.includes(secure) ? secure : undefined
  }
  if (named !== undefined) return available.includes(named) ? named : undefined
  return ['UDP', 'TCP'].find((name) => available.includes(name)) ?? available[0]
}

/** An IPv4 or IPv6 address, not a name. */
function isLiteral(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}
