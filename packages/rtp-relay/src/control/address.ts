/** Addresses in one spelling, so that they compare as text: the spelling of the sockets (RFC 5952 for IPv6). */
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import type { AddressFamily } from '@carillon/sip-parser/sdp'

/** Addresses that no single peer can have: this network, multicast, broadcast and reserved. */
const UNREACHABLE_4 = /^(0\.|22[4-9]\.|23\d\.|24\d\.|25[0-5]\.)/

/** The family of an IP address literal, without brackets; undefined when the text is none. */
export function familyOf(address: string): AddressFamily | undefined {
  if (isIPv4(address)) return 'IP4'
  return isIPv6(address) ? 'IP6' : undefined
}

/** The address as sockets spell it, without zone; empty when it is not an address of one host. */
export function canonicalAddress(address: string): string {
  if (isIPv4(address)) return UNREACHABLE_4.test(address) ? '' : address
  const bare = address.split('%')[0] ?? ''
  if (!isIPv6(bare)) return ''
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address
  return canonical === '::' || canonical.startsWith('ff') ? '' : canonical
}
