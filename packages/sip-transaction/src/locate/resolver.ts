/**
 * Carries a locating plan out: names become addresses through the DnsResolver port (RFC 3263 §4.2, A and AAAA).
 */
import type { DnsResolver, FlowAddress } from '../ports'
import type { LocateStep } from './plan'

/** Addresses tried for one name; the rest of a longer answer is ignored. */
const addressesPerNameMax = 8

/** The addresses of a plan whose steps are all literal; undefined when a name has to be looked up. */
export function addressesNow(steps: readonly LocateStep[]): readonly FlowAddress[] | undefined {
  const addresses: FlowAddress[] = []
  for (const step of steps) {
    if (step.kind !== 'address') return undefined
    addresses.push(step.address)
  }
  return addresses
}

/** The addresses of a plan, in the order to be tried; empty when no name has any. Rejects when the look-up fails. */
export async function resolveAddresses(
  steps: readonly LocateStep[],
  dns: DnsResolver,
  families: readonly (4 | 6)[],
): Promise<readonly FlowAddress[]> {
  const addresses: FlowAddress[] = []
  for (const step of steps) {
    if (step.kind === 'address') {
      addresses.push(step.address)
      continue
    }
    const { transport, port } = step
    const found = await Promise.allSettled(families.map((family) => dns.resolve(step.host, family)))
    for (const answer of found) {
      if (answer.status !== 'fulfilled') continue
      for (const address of answer.value.slice(0, addressesPerNameMax)) addresses.push({ transport, address, port })
    }
    const failure = found.find((answer) => answer.status === 'rejected')
    if (addresses.length === 0 && failure !== undefined) throw failure.reason
  }
  return addresses
}
