/**
 * The INVITE to one target of a bridge: what goes on from the caller, and what is the bridge's own. Credentials, routes
 * and option tags of the caller concern its own leg and stay there (RFC 3261 §22.3, §20.37).
 */
import { NameAddr } from '@carillon/sip-parser'
import { initialMaxForwards } from '../dialog/dialog'
import { bridgeAllow } from './bridge-relay'
import type { Core } from './core'
import type { IncomingRequest } from './incoming-request'
import { inviteHeaders } from './invite-headers'
import type { BridgeOptions, BridgeTarget } from './options'
import { type OutgoingSpec, readAddress, readUri } from './outgoing'
import { sdpOf } from './session-body'

/**
 * Reads one target.
 * @throws SipUsageError TARGET_INVALID
 */
export function branchSpec(
  core: Core,
  incoming: IncomingRequest,
  target: BridgeTarget,
  options: BridgeOptions,
): Omit<OutgoingSpec, 'body' | 'contentType'> {
  const uri = readUri(target.uri, 'target')
  const from = options.from === undefined ? incoming.from : readAddress(options.from, 'From')
  // Without an offer of the caller an offer in a reliable response could not be answered in time (RFC 3262 §5).
  const reliable = sdpOf(incoming.message) === undefined ? 'never' : undefined
  return {
    method: 'INVITE',
    uri,
    from: from.withParam('tag', core.newTag()),
    to: options.to === undefined ? NameAddr.of({ uri }) : readAddress(options.to, 'To').withParam('tag', undefined),
    callId: core.newCallId(),
    firstCseq: 1,
    // A back-to-back agent is one more hop: loops through it must come to an end.
    maxForwards: Math.max(0, Math.min(incoming.message.maxForwards ?? initialMaxForwards, 255) - 1),
    headers: [...inviteHeaders(core, reliable, bridgeAllow), ...(options.headers ?? []), ...(target.headers ?? [])],
    contact: true,
    routes: target.routes ?? [],
    destination: target.destination,
    credentials: target.credentials,
  }
}
