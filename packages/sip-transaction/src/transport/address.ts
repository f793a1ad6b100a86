/** IP addresses as text: family, canonical form, reachability from a bound address, and the group a cap counts by. */
import { isIP, SocketAddress } from 'node:net'
import type { FlowAddress } from '../ports'

/** 4, 6, or 0 when the text is no IP address. A zone (`fe80::1%eth0`) is allowed. */
export function addressFamily(address: string): 0 | 4 | 6 {
  return isIP(address) as 0 | 4 | 6
}

/** One spelling for each IPv6 address (RFC 5952), its zone kept; anything else as it is. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address
  const zoneAt = address.indexOf('%')
  const bare = zoneAt < 0 ? address : address.slice(0, zoneAt)
  if (isIP(bare) !== 6) return address
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address
  return zoneAt < 0 ? canonical : canonical + address.slice(zoneAt)
}

/** The address without its zone, which has a meaning on this machine only and must not go into a message. */
export function withoutZone(address: string): string {
  const zoneAt = address.indexOf('%')
  return zoneAt < 0 ? address : address.slice(0, zoneAt)
}

/** True for 0.0.0.0 and ::. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || (address.includes(':') && canonicalAddress(address) === '::')
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  if (address.includes(':')) return canonicalAddress(address) === '::1'
  return address.startsWith('127.') && isIP(address) === 4
}

/**
 * True when a socket bound to `local` can send to `remote`: same transport, same family, a real port, and loopback
 * only from loopback (the kernel refuses the other crossings).
 */
export function isReachable(local: FlowAddress, remote: FlowAddress): boolean {
  if (local.transport !== remote.transport || !(remote.port > 0 && remote.port <= 65_535)) return false
  const family = addressFamily(remote.address)
  if (family === 0 || family !== addressFamily(local.address) || isUnspecified(remote.address)) return false
  return isUnspecified(local.address) || isLoopback(local.address) === isLoopback(remote.address)
}

/**
 * What a cap per address counts as one: an IPv4 address, or the /64 of an IPv6 address, of which one host can have
 * any number.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = canonicalAddress(withoutZone(address)).split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const after = tail === '' ? 0 : tail.split(':').length
  while (groups.length < 8 - after) groups.push('0')
  return [...groups, ...tail.split(':')].slice(0, 4).join(':')
}

/** `127.0.0.1:5060` or `[::1]:5060`, with the transport before it; for messages to people. */
export function formatFlowAddress(address: FlowAddress): string {
  const host = address.address.includes(':') ? `[${address.address}]` : address.address
  return `${address.transport} ${host}:${address.port}`
}
