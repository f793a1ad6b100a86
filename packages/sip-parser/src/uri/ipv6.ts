/** IPv6 addresses in one spelling, so that equal addresses are equal texts (RFC 5952; RFC 5954 §3.2, RFC 5118 §4.7). */

/**
 * The address as RFC 5952 has it: lower case, no leading zeros, the longest run of zeros shortened, IPv4-mapped addresses
 * with their IPv4 part. `host` is a valid address without brackets; a name or an IPv4 address comes back as it is.
 */
export function canonicalHost(host: string): string {
  return host.includes(':') ? writeGroups(readGroups(host)) : host
}

function readGroups(address: string): readonly number[] {
  const gap = address.indexOf('::')
  const head = groupsOf(gap < 0 ? address : address.slice(0, gap))
  const tail = gap < 0 ? [] : groupsOf(address.slice(gap + 2))
  return [...head, ...new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail]
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function writeGroups(groups: readonly number[]): string {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) {
    const [high = 0, low = 0] = groups.slice(6)
    return `::ffff:${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
  }
  const { start, length } = longestZeros(groups)
  const written = groups.map((group) => group.toString(16))
  if (length < 2) return written.join(':')
  return `${written.slice(0, start).join(':')}::${written.slice(start + length).join(':')}`
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, at) => {
    if (group !== 0) start = at + 1
    else if (at + 1 - start > best.length) best = { start, length: at + 1 - start }
  })
  return best
}
