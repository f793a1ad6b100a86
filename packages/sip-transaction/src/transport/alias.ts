/**
 * Connections that their peers offer for requests in the other direction: RFC 5923 §8.2. Only a connection whose peer has
 * proved a domain by its certificate is taken, and only for requests to that domain; see `Transport.alias`.
 */
import type { SipRequest } from '@carillon/sip-parser'
import { defaultPort } from '../locate/plan'
import type { Flow, Transport } from '../ports'

/** Takes note of the offer in the top Via of a request, if there is one that may be trusted. */
export function noteAlias(request: SipRequest, flow: Flow, transport: Transport | undefined): void {
  if (transport?.alias === undefined || flow.peerIdentities === undefined || flow.peerIdentities.length === 0) return
  // With more than one Via the sender is a proxy that speaks for itself in its own, which is the top one.
  const { via } = request
  if (via.params.has('alias')) transport.alias(flow, via.port ?? defaultPort(flow.transport))
}
