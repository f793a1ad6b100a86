/** IP addresses as the bytes of a packet, and back (RFC 4291 §2.2, RFC 5952). Pure. */
import { addressFamily, canonicalAddress, withoutZone } from '../../transport/address'

/** 4 or 16 bytes; undefined when the text is no IP address. A zone is left out. */
export function ipBytes(address: string): Uint8Array | undefined {
  const bare = withoutZone(address)
  const family = addressFamily(bare)
  if (family === 4) return Uint8Array.from(bare.split('.').map(Number))
  return family === 6 ? ipv6Bytes(bare) : undefined
}

/** The canonical text of 4 or 16 bytes. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups: string[] = []
  for (let at = 0; at < bytes.length; at += 2) groups.push(((bytes[at]! << 8) | bytes[at + 1]!).toString(16))
  return canonicalAddress(groups.join(':'))
}

/** The text is known to be an IPv6 address. */
function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail] = address.split('::')
  const before = groupBytes(head)
  const after = tail === undefined ? [] : groupBytes(tail)
  const gap = Array.from({ length: 16 - before.length - after.length }, () => 0)
  return Uint8Array.from([...before, ...gap, ...after])
}

function groupBytes(groups: string): number[] {
  if (groups === '') return []
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}
