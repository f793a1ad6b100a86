/**
 * Where to send a call for a registered phone. Pure.
 */
import type { Binding, BridgeTarget } from '@carillon/sip-transaction'

/**
 * Chooses how to reach a phone. What its Contact says is believed only where it agrees with where the registration
 * came from; otherwise there is a NAT between, and the only way in is the way the registration came out:
 * - through the proxies that put themselves into its Path (RFC 3327 §5.4);
 * - over a connection: that connection while it is open;
 * - from another address than the Contact names: the address and port that it came from (RFC 3581);
 * - else: the Contact itself (RFC 3261 §16.6).
 */
export function bindingTarget(binding: Binding, isFlowOpen: (flowId: number) => boolean): BridgeTarget {
  const { contact, receivedFrom, flowId, path } = binding
  if (path.length > 0) return { uri: contact, routes: path }
  const isStream = receivedFrom.transport !== 'UDP'
  if (isStream && isFlowOpen(flowId)) return { uri: contact, destination: { ...receivedFrom, flowId } }
  // Where a Contact leads is its maddr if it has one (RFC 3261 §19.1.1): nobody may have calls sent to a third party.
  if (sameAddress(contact.params.get('maddr') ?? contact.host, receivedFrom.address)) return { uri: contact }
  return { uri: contact, destination: { ...receivedFrom, flowId } }
}

function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
