/** Listen URIs: `udp://127.0.0.1:5060`, `tcp://[::1]:0`. Pure. Not SIP URIs: they name a socket of this machine. */
import { SipUsageError } from '../errors'
import { addressFamily } from './address'

/** The port of a scheme when the URI names none (RFC 3261 §19.1.2, RFC 7118 §5.5). */
const defaultPorts: Readonly<Record<string, number>> = { tls: 5061, ws: 80, wss: 443 }

/** Where to listen, taken from a listen URI. */
export interface ListenUri {
  /** Lower-case: udp, tcp, tls, ws, wss. */
  readonly scheme: string
  /** IPv4, or IPv6 without brackets. */
  readonly address: string
  /** 0 asks the operating system for a free port. */
  readonly port: number
}

const form = /^([a-z][a-z0-9+.-]*):\/\/(?:\[([^\]]+)\]|([^[\]:/?#@]+))(?::(\d{1,5}))?\/?$/i

/**
 * Reads a listen URI. The host must be an IP address, for a name may stand for several.
 * @throws SipUsageError LISTEN_INVALID
 */
export function parseListenUri(text: string): ListenUri {
  const [, scheme, bracketed, plain, digits] = form.exec(text.trim()) ?? []
  const address = bracketed ?? plain
  const port = digits === undefined ? (defaultPorts[scheme?.toLowerCase() ?? ''] ?? 5060) : Number(digits)
  const isWellFormed = scheme !== undefined && address !== undefined && port <= 65_535
  if (!isWellFormed || addressFamily(address) !== (bracketed === undefined ? 4 : 6)) {
    throw new SipUsageError('LISTEN_INVALID', `'${text.slice(0, 100)}'; write udp://127.0.0.1:5060 or tcp://[::1]:5060`)
  }
  return { scheme: scheme.toLowerCase(), address, port }
}

/** Writes a listen URI; the inverse of {@link parseListenUri}. */
export function formatListenUri(uri: ListenUri): string {
  const host = uri.address.includes(':') ? `[${uri.address}]` : uri.address
  return `${uri.scheme}://${host}:${uri.port}`
}
