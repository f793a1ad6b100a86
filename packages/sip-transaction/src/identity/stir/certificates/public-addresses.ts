/** Which IP addresses belong to the public Internet (RFC 6890 and its registries). What a stranger names must not lead inside. Pure. */
import { BlockList, isIP } from 'node:net'

const inside = new BlockList()
for (const [network, prefix] of [
  ...([
    ['0.0.0.0', 8] as const,
    ['10.0.0.0', 8] as const,
    ['100.64.0.0', 10] as const,
    ['127.0.0.0', 8] as const,
  ] as const),
  ...([['169.254.0.0', 16] as const, ['172.16.0.0', 12] as const, ['192.0.0.0', 24] as const] as const),
  ...([['192.0.2.0', 24] as const, ['192.88.99.0', 24] as const, ['192.168.0.0', 16] as const] as const),
  ...([['198.18.0.0', 15] as const, ['198.51.100.0', 24] as const, ['203.0.113.0', 24] as const] as const),
  ...([['224.0.0.0', 4] as const, ['240.0.0.0', 4] as const] as const),
])
  inside.addSubnet(network, prefix, 'ipv4')
const outside6 = new BlockList()
outside6.addSubnet('2000::', 3, 'ipv6')
/** Of 2000::/3: documentation, and what holds IPv4 addresses that would have to be looked at (6to4, Teredo). */
for (const [network, prefix] of [
  ['2001:db8::', 32] as const,
  ['2002::', 16] as const,
  ['2001::', 32] as const,
  ['3fff::', 20] as const,
])
  inside.addSubnet(network, prefix, 'ipv6')

/** Whether an address is public; false for what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !inside.check(address, 'ipv4')
  return family === 6 && outside6.check(address, 'ipv6') && !inside.check(address, 'ipv6')
}
