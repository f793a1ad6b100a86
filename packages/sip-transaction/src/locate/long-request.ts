/**
 * The order of candidates for a request too long for a datagram (RFC 3261 §18.1.1): over a congestion-controlled
 * transport where the peer has one, over UDP when that fails. Pure.
 */
import type { Candidate } from './plan'

/**
 * Candidates for a long request. When the DNS has named places with TCP or TLS, these come first. Otherwise each place
 * that UDP was only assumed for is tried over TCP at the same address and port, then over UDP; where the URI itself says
 * UDP, it stays so: its owner may have nothing else.
 * @param hasStream true when the stack can reach such an address over TCP
 */
export function orderForLongRequest(
  candidates: readonly Candidate[],
  hasStream: (candidate: Candidate) => boolean,
): readonly Candidate[] {
  const streams = candidates.filter(({ address }) => address.transport !== 'UDP')
  if (streams.length > 0) return [...streams, ...candidates.filter(({ address }) => address.transport === 'UDP')]
  const ordered: Candidate[] = []
  for (const candidate of candidates) {
    const overTcp: Candidate = { ...candidate, address: { ...candidate.address, transport: 'TCP' } }
    if (!candidate.isTransportNamed && hasStream(overTcp)) ordered.push(overTcp)
    ordered.push(candidate)
  }
  return ordered
}
