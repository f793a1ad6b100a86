/**
 * What a request is worth under overload: new calls go first, what keeps living calls in order never (RFC 7339 §5.10.1,
 * RFC 7200 §5; RFC 4412 and RFC 5031 for emergencies). Pure.
 */
import type { SipRequest } from '@carillon/sip-parser'

/** From the first to be refused to what is never refused. */
export type RequestClass = 'invite' | 'other' | 'register' | 'kept'

/** Parts of a transaction or a call that are there already. */
const keptMethods: ReadonlySet<string> = new Set(['ACK', 'CANCEL', 'BYE', 'PRACK', 'UPDATE'])

/** The class of a request whose mandatory headers can be read. What says that it is inside a dialog is kept. */
export function requestClass(request: SipRequest): RequestClass {
  const { method } = request
  if (keptMethods.has(method)) return 'kept'
  // A phone may repeat the To tag of its last answer in a REGISTER, which has no dialog.
  if (method !== 'REGISTER' && request.to.tag !== undefined) return 'kept'
  if (isEmergency(request)) return 'kept'
  return method === 'INVITE' ? 'invite' : method === 'REGISTER' ? 'register' : 'other'
}

/** An emergency call by its target (RFC 5031), or one of a namespace for emergencies (RFC 7135, RFC 4412 §12). */
function isEmergency(request: SipRequest): boolean {
  if (/^[A-Z]+ urn:service:sos[. ]/i.test(request.head.slice(0, 64))) return true
  const priority = request.get('Resource-Priority')
  return priority !== undefined && /(^|[,\s])(esnet|ets|wps)\.[0-9]/i.test(priority)
}
