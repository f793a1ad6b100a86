/**
 * Listen addresses: `transport://host:port`, with IPv6 hosts in brackets. Which transports exist is for the SIP stack
 * to say; here only those are named that this server hands to it.
 */
import { isIP } from 'node:net'

/** Transports that the server opens listeners for. */
export const LISTEN_TRANSPORTS = ['udp', 'tcp'] as const

/** One listener to open. */
export interface ListenAddress {
  readonly transport: string
  /** An IP literal, IPv6 without brackets. */
  readonly host: string
  /** 0 asks for any free port. */
  readonly port: number
}

/**
 * Reads one listen address; `undefined` when it is none. The port may be left out and is then 5060.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^([a-z]{1,8}):\/\/(\[[0-9a-fA-F:.%]+\]|[0-9.]+)(?::(\d{1,5}))?$/.exec(text.trim())
  if (!match) return undefined
  const [, transport = '', bracketed = '', portText] = match
  if (!(LISTEN_TRANSPORTS as readonly string[]).includes(transport)) return undefined
  const isBracketed = bracketed.startsWith('[')
  const host = isBracketed ? bracketed.slice(1, -1) : bracketed
  if (isIP(host) !== (isBracketed ? 6 : 4)) return undefined
  const port = portText === undefined ? 5060 : Number(portText)
  return port <= 65_535 ? { transport, host, port } : undefined
}

/** Writes a listen address as its URI. */
export function formatListenAddress(address: ListenAddress): string {
  return `${address.transport}://${formatHost(address.host)}:${address.port}`
}

/** An address as it stands in a URI: IPv6 in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** True for 0.0.0.0 and ::, which mean every address of the machine. */
export function isWildcard(host: string): boolean {
  return /^[0.]+$/.test(host) || /^[0:]+$/.test(host)
}
