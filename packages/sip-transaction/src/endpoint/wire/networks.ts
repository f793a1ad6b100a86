/** Addresses and networks as people write them: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1` (RFC 4632 §3.1, RFC 4291 §2.3). */
import { BlockList, isIP } from 'node:net'

/** Reads addresses and networks, undefined when there are none; `invalid` makes the error for what is neither. */
export function networksOf(
  names: readonly string[] | undefined,
  invalid: (name: string) => Error,
): BlockList | undefined {
  if (names === undefined || names.length === 0) return undefined
  const list = new BlockList()
  for (const name of names) {
    const [address = '', prefix, ...rest] = name.split('/')
    const family = isIP(address)
    const bitsMax = family === 4 ? 32 : 128
    const bits = prefix === undefined ? bitsMax : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (rest.length > 0 || family === 0 || bits < 0 || bits > bitsMax) throw invalid(name)
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/** Whether an address is in one of them; false for what is no address. */
export function isIn(networks: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && networks.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
