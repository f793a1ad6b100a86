/**
 * The INVITE to one target of a bridge: what goes on from the caller, and what is the bridge's own. Credentials, routes
 * and option tags of the caller concern its own leg and stay there (RFC 3261 §22.3, §20.37).
 */
import { type HeaderInit, NameAddr, type SipRequest, SipUri } from '@carillon/sip-parser'
import { passedHeaders } from '../../b2bua/header-policy'
import { initialMaxForwards } from '../../dialog/dialog'
import { hasTag } from '../../dialog/session-interval'
import { inviteHeaders } from '../calls/invite-headers'
import { sdpOf } from '../calls/session-body'
import type { Core } from '../core'
import { readAddress, readUri } from '../requests/outgoing'
import type { CalleeSpec } from './bridge-callee'
import type { BridgeOptions, BridgeTarget } from './bridge-options'
import { allowOf } from './bridge-relay'

/** Who calls, as far as the called side may know. */
export interface CallerFacts {
  readonly from: NameAddr
  /** The INVITE that came in; absent for third party call control. */
  readonly message: SipRequest | undefined
}

/** Whether an offer in a provisional response could be answered by that caller in a PRACK (RFC 3262 §5). */
export function takesEarlyOffers(core: Core, caller: SipRequest | undefined, targets: number): boolean {
  if (caller === undefined || targets !== 1 || core.capabilities.reliable === 'never') return false
  return hasTag(caller, '100rel')
}

/**
 * Reads one target.
 * @throws SipUsageError TARGET_INVALID
 */
export function branchSpec(
  core: Core,
  caller: CallerFacts,
  target: BridgeTarget,
  options: BridgeOptions,
  targets: number,
): CalleeSpec {
  const { message } = caller
  const uri = readUri(target.uri, 'target')
  const shown = options.hideTopology === true ? withOwnHost(core, caller.from) : caller.from
  const from = options.from === undefined ? shown : readAddress(options.from, 'From')
  // Without an offer of the caller an offer in a reliable response has to be answered by it, in time (RFC 3262 §5).
  const isLate = message === undefined || sdpOf(message) === undefined
  const reliable = isLate && !takesEarlyOffers(core, message, targets) ? 'never' : undefined
  const passed = message === undefined ? [] : passedHeaders(message, options.headerPolicy?.toB)
  const headers: HeaderInit[] = [...inviteHeaders(core, reliable, allowOf(options)), ...passed]
  return {
    method: 'INVITE',
    uri,
    from: from.withParam('tag', core.newTag()),
    to: options.to === undefined ? NameAddr.of({ uri }) : readAddress(options.to, 'To').withParam('tag', undefined),
    callId: core.newCallId(),
    firstCseq: 1,
    // A back-to-back agent is one more hop: loops through it must come to an end.
    maxForwards: Math.max(0, Math.min(message?.maxForwards ?? initialMaxForwards, 255) - 1),
    headers: [...headers, ...(options.headers ?? []), ...(target.headers ?? [])],
    contact: true,
    routes: target.routes ?? [],
    destination: target.destination,
    credentials: target.credentials,
  }
}

/** The host by which this stack names itself. */
export function ownHost(core: Core): string {
  const uri = readAddress(core.egress.defaultFrom(), 'From').uri
  return uri instanceof SipUri ? uri.host : 'anonymous.invalid'
}

/** The caller's name and number at our own host. */
function withOwnHost(core: Core, from: NameAddr): NameAddr {
  const { uri, displayName } = from
  if (!(uri instanceof SipUri)) return from
  const { user } = uri
  const own = SipUri.of({ ...(user === undefined ? {} : { user }), host: ownHost(core) })
  return NameAddr.of({ uri: own, ...(displayName === undefined ? {} : { displayName }) })
}
