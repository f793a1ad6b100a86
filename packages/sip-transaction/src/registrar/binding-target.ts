/** Where requests for a registered contact go: RFC 3261 §16.6, RFC 3327 §5.4, RFC 3581, RFC 5626 §5.3 and §7. Pure. */
import type { SipUri } from '@carillon/sip-parser'
import type { FlowAddress } from '../ports'
import type { Binding } from './binding'

/** A contact as a place to send to: a target of `request.proxy`, `request.bridge`, and, by its `uri`, of `stack.invite`. */
export interface BindingTarget {
  readonly uri: SipUri
  /** 0 to 1. */
  readonly q: number
  /** The way that the registration came out, where that is the only way in. */
  readonly destination?: FlowAddress & { readonly flowId: number }
  /** The Path (RFC 3327). */
  readonly routes?: readonly string[]
  /** The device, where it has flows of its own (RFC 5626 §7). */
  readonly instance?: string
}

/**
 * Chooses how to reach a contact. What it says of itself is believed only where it agrees with where the registration
 * came from; otherwise there is an address translator between, and the only way in is the way out:
 * - through the proxies that put themselves into its Path (RFC 3327 §5.4);
 * - an outbound contact: its flow and nothing else, so that a flow that is gone fails at once (RFC 5626 §5.3);
 * - over a connection: that connection while it is open;
 * - from another address than the contact names: the address and port that it came from (RFC 3581);
 * - else: the contact itself (RFC 3261 §16.6).
 * @param isFlowOpen tells whether a connection is; without it every one counts as open
 */
export function bindingTarget(binding: Binding, isFlowOpen: (flowId: number) => boolean = () => true): BindingTarget {
  const { contact, q, receivedFrom, flowId, path, regId, instance } = binding
  const device = regId === undefined || instance === undefined ? undefined : { instance }
  if (path.length > 0) return { uri: contact, q, routes: path, ...device }
  const byFlow = { uri: contact, q, destination: { ...receivedFrom, flowId }, ...device }
  if (regId !== undefined) return byFlow
  if (receivedFrom.transport !== 'UDP' && isFlowOpen(flowId)) return byFlow
  // Where a contact leads is its maddr if it has one (RFC 3261 §19.1.1): nobody may have calls sent to a third party.
  const named = contact.params.get('maddr') ?? contact.host
  return named.toLowerCase() === receivedFrom.address.toLowerCase() ? { uri: contact, q } : byFlow
}

/**
 * One binding for each device: of several flows of one instance the first of the list, which is the one registered last;
 * a device must not get a request twice (RFC 5626 §7). For bridges and calls; `request.proxy` takes all of them, and tries
 * the others when that one fails.
 */
export function oneFlowPerDevice(bindings: readonly Binding[]): readonly Binding[] {
  const seen = new Set<string>()
  return bindings.filter(({ instance, regId }) => {
    if (instance === undefined || regId === undefined) return true
    if (seen.has(instance)) return false
    seen.add(instance)
    return true
  })
}
