/**
 * What the topmost Via tells about the way back, and what we write into it (RFC 3261 §18.2.1 and §18.2.2; RFC 3581 §4).
 * Pure.
 */
import type { SipRequest, Via } from '@carillon/sip-parser'
import type { Destination, Flow, FlowAddress } from '../ports'
import { canonicalAddress, withoutZone } from './address'

/**
 * Adds received and rport to the top Via as a server must before anything else sees the request. What the sender
 * claimed in these parameters is overwritten: otherwise it could point the answer at somebody else.
 * @param source where the request really came from
 * @returns the request itself when there was nothing to add
 * @throws SipHeaderError when the top Via is malformed; checkMandatory finds that first
 */
export function stampReceived(request: SipRequest, source: FlowAddress): SipRequest {
  const via = request.via
  const address = withoutZone(source.address)
  // RFC 3581 §4: with rport, received is added even when it says nothing new.
  const isNeeded = via.rport !== undefined || via.received !== undefined || via.host !== address
  if (!isNeeded) return request
  const value = stampedText(via, address, source.port)
  return value === undefined ? request : request.edit().replaceFirst('Via', value).build()
}

/** The stamped value; undefined when it says already what it should. */
function stampedText(via: Via, address: string, port: number): string | undefined {
  if (via.rport === null && via.received === undefined) {
    // What nearly every phone sends; in text it costs a third of what copying the parameters does.
    const text = via.toString()
    const rport = text.includes('"') ? null : /;rport(?=;|$)/i.exec(text)
    if (rport !== null) {
      const end = rport.index + rport[0].length
      return `${text.slice(0, end)}=${port}${text.slice(end)};received=${address}`
    }
  }
  let stamped = via
  if (via.rport !== undefined && via.rport !== port) stamped = stamped.withParam('rport', String(port))
  if (via.received !== address) stamped = stamped.withParam('received', address)
  return stamped === via ? undefined : stamped.toString()
}

/** Choices of {@link responseDestination}. */
export interface ResponseRouting {
  /**
   * Sends answers to the maddr of the Via (RFC 3261 §18.2.2), which lets any sender choose who gets them. For
   * networks that use multicast only. Default false.
   */
  readonly followMaddr?: boolean
}

/**
 * Where the response to a request goes: the connection it came on while that is open; else the address it came from,
 * at the port that rport or sent-by names.
 * @param flow the flow that the request came on
 * @param via the top Via of the request, after {@link stampReceived}
 */
export function responseDestination(flow: Flow, via: Via, routing?: ResponseRouting): Destination {
  const defaultPort = flow.isSecure ? 5061 : 5060
  const sentByPort = via.port ?? defaultPort
  if (flow.isReliable) {
    if (flow.isOpen) return { kind: 'flow', flow }
    return toAddress(flow, flow.remote.address, sentByPort)
  }
  if (routing?.followMaddr === true && via.maddr !== undefined) return toAddress(flow, via.maddr, sentByPort)
  const address = via.received ?? via.host
  const port = via.rport ?? sentByPort
  const remote = flow.remote
  const isSameHost = address === remote.address || canonicalAddress(address) === withoutZone(remote.address)
  if (flow.isOpen && port === remote.port && isSameHost) return { kind: 'flow', flow }
  // The zone of a link-local address is known to the flow only.
  return toAddress(flow, isSameHost ? remote.address : address, port)
}

function toAddress(flow: Flow, address: string, port: number): Destination {
  return { kind: 'address', address: { transport: flow.transport, address, port } }
}
