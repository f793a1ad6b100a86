/**
 * The Record-Route of a proxy: RFC 3261 §16.6 step 4, RFC 5658 (double Record-Route where the two sides differ in
 * transport or address family), RFC 5626 §5.3 (flows).
 */
import type { SipRequest } from '@carillon/sip-parser'
import type { Flow } from '../../ports'
import { dialogMarkParam, type MarkedFlow } from '../../proxy/route-mark'
import type { Core } from '../core'
import type { ListenerEntry } from '../wire/egress'
import type { ReadTarget } from './proxy-targets'

/** How the two sides of a dialog are reached, when not by their Contacts. */
export interface DialogFlows {
  readonly callerFlow?: MarkedFlow | undefined
  readonly calleeFlow?: MarkedFlow | undefined
}

/** Record-Route values, the one for the called side first. A registration has no use for any. */
export function recordRoutes(
  core: Core,
  request: SipRequest,
  flow: Flow,
  entry: ListenerEntry,
  remote: string,
  flows: DialogFlows,
): readonly string[] {
  if (request.method === 'REGISTER') return []
  const { own, marks } = core.proxy
  const mark = marks.dialog(request.callId, request.from.tag ?? '', flows.callerFlow, flows.calleeFlow)
  const isSips = request.uri.scheme === 'sips'
  const callee = own.uri(entry, remote, isSips)
  const inEntry = core.egress.entryOf(flow)
  const caller = inEntry === undefined ? callee : own.uri(inEntry, flow.remote.address, isSips)
  const values = [`<${callee};lr;${dialogMarkParam}=${mark}>`]
  if (caller !== callee) values.push(`<${caller};lr;${dialogMarkParam}=${mark}>`)
  return values
}

/**
 * The flow that a caller is reached by: of one that is next to us, and sends by a connection, from behind a NAT, or asks
 * for it (RFC 5626 §4.3). Undefined when its Contact is as good.
 */
export function callerFlowOf(request: SipRequest, flow: Flow): MarkedFlow | undefined {
  if (!hasOneVia(request)) return undefined
  const { via } = request
  const isTranslated =
    (via.received !== undefined && via.received !== via.host) ||
    (via.rport !== undefined && via.rport !== null && via.rport !== (via.port ?? 5060))
  const asks = request.get('Contact')?.includes(';ob') === true
  if (!flow.isReliable && !isTranslated && !asks) return undefined
  return { flowId: flow.id, isOnlyWay: asks || flow.transport.startsWith('WS') }
}

/** The flow of a target that has no other way, for the Record-Route. */
export function calleeFlowOf({ destination, routes }: ReadTarget): MarkedFlow | undefined {
  if (destination === undefined || routes.length > 0 || !('flowId' in destination)) return undefined
  return destination.flowId === undefined ? undefined : { flowId: destination.flowId, isOnlyWay: true }
}

/** True when the sender is where the request began. */
export function hasOneVia(request: SipRequest): boolean {
  const lines = request.getAll('Via')
  return lines.length === 1 && lines[0]?.includes(',') === false
}
