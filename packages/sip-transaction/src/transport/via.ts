/**
 * What the topmost Via tells about the way back, and what we write into it (RFC 3261 §18.2.1 and §18.2.2; RFC 3581 §4;
 * RFC 7339 §4). Pure.
 */
import type { SipRequest, Via } from '@carillon/sip-parser'
import { defaultPort } from '../locate/plan'
import type { AddressDestination, Destination, Flow, FlowAddress } from '../ports'
import {
  feedbackParameters,
  type OverloadFeedback,
  offersOverload,
  type ViaParameters,
} from '../protection/overload-feedback'
import { withoutZone } from './address'

/**
 * Adds received and rport to the top Via as a server must before anything else sees the request. What the sender
 * claimed in these parameters is overwritten: otherwise it could point the answer at somebody else.
 * @param source where the request really came from
 * @param feedback what a sender that takes part in overload control is told by every answer (RFC 7339 §5.2)
 * @returns the request itself when there was nothing to add
 * @throws SipHeaderError when the top Via is malformed; checkMandatory finds that first
 */
export function stampReceived(request: SipRequest, source: FlowAddress, feedback?: OverloadFeedback): SipRequest {
  const address = withoutZone(source.address)
  const usual = stampedUsual(request.get('Via') ?? '', address, source.port)
  if (usual !== undefined) return request.edit().replaceFirst('Via', usual).build()
  const via = request.via
  const isTold = feedback !== undefined && via.oc !== undefined && offersOverload(via)
  // RFC 3581 §4: with rport, received is added even when it says nothing new.
  const isNeeded = via.rport !== undefined || via.received !== undefined || via.host !== address
  if (!isNeeded && !isTold) return request
  const told = isTold ? feedbackParameters(feedback) : []
  const value = stampedText(via, address, isNeeded ? source.port : undefined, told)
  return value === undefined ? request : request.edit().replaceFirst('Via', value).build()
}

/** What makes a Via more than {@link stampedUsual} looks at. */
const unusual = /[",\s].*[",\s]|received|rport.*rport|;oc/is

/**
 * The stamped value of what nearly every phone sends: one Via without quotes, an rport without a value, no received and
 * nothing about overload. Its text is stamped without taking it apart; undefined for any other. A received without a value
 * counts as there: of two the first is read, and that must be ours.
 */
function stampedUsual(text: string, address: string, port: number): string | undefined {
  const end = text.indexOf(';rport') + 6
  if (end < 6 || (end < text.length && text.charCodeAt(end) !== 0x3b) || unusual.test(text)) return undefined
  return `${text.slice(0, end)}=${port}${text.slice(end)};received=${address}`
}

/** The stamped value; undefined when it says already what it should. No port: only `told` is to be written. */
function stampedText(via: Via, address: string, port: number | undefined, told: ViaParameters): string | undefined {
  const text = via.toString()
  const wanted = new Map(told)
  if (port !== undefined && via.rport !== undefined && via.rport !== port) wanted.set('rport', String(port))
  if (port !== undefined && via.received !== address) wanted.set('received', address)
  return wanted.size === 0 ? undefined : withParameters(text, wanted)
}

/**
 * A Via value with parameters set. The others stay as they were written: `oc-algo` has to be in quotes (RFC 7339 §9), where
 * a generic parameter with the same value needs none.
 */
function withParameters(text: string, wanted: Map<string, string | null>): string {
  const start = text.indexOf(';')
  const written = new Set<string>()
  let stamped = start < 0 ? text : text.slice(0, start)
  const params = start < 0 ? '' : text.slice(start)
  for (const [param, name = ''] of params.matchAll(/;\s*([^\s;="]+)\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^;"]*))?/g)) {
    const key = name.toLowerCase()
    const value = wanted.get(key)
    if (value === undefined) stamped += param.trimEnd()
    // Once only: which of two the next reader takes is not known.
    else if (!written.has(key)) stamped += parameter(name, value)
    if (value !== undefined) written.add(key)
  }
  for (const [name, value] of wanted) if (!written.has(name)) stamped += parameter(name, value)
  return stamped
}

function parameter(name: string, value: string | null): string {
  return value === null ? `;${name}` : `;${name}=${value}`
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
  const sentByPort = via.port ?? defaultPort(flow.transport)
  if (flow.isReliable) {
    if (flow.isOpen) return { kind: 'flow', flow }
    const destination = toAddress(flow, flow.remote.address, sentByPort)
    // Over TLS the answer goes to who was asked by, and to nobody else who has come to that address since.
    return flow.isSecure ? { ...destination, serverName: via.host } : destination
  }
  if (routing?.followMaddr === true && via.maddr !== undefined) return toAddress(flow, via.maddr, sentByPort)
  // Of received, or of sent-by without one, we know what it says: the source. What a sender wrote is not asked.
  const { remote } = flow
  // With rport the source was written into it.
  const port = via.has('rport') ? remote.port : sentByPort
  return flow.isOpen && port === remote.port ? { kind: 'flow', flow } : toAddress(flow, remote.address, port)
}

function toAddress(flow: Flow, address: string, port: number): AddressDestination {
  return { kind: 'address', address: { transport: flow.transport, address, port } }
}
