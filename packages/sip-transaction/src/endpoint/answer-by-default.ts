/** What a request in a call gets when its user does not care: RFC 3261 §8.2.1, §14.2; RFC 3311 §5.2; RFC 3264 §8. */
import type { DialogSession } from './calls/dialog-session'
import { sdpOf } from './calls/session-body'
import type { IncomingRequest } from './requests/incoming-request'

/** What a call without handlers knows what to do with. */
const inCallAllow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE'

/** Answers a request in a call. */
export function answerByDefault(incoming: IncomingRequest, session: DialogSession | undefined): void {
  const { method } = incoming
  if (method === 'INVITE' && session !== undefined && changesNothing(incoming, session)) {
    incoming.reply(200, { body: session.negotiation.local!, contentType: 'application/sdp' })
  } else if (method === 'INVITE' || method === 'UPDATE' || method === 'PRACK') incoming.answer(488)
  else if (method === 'OPTIONS') incoming.answer(200)
  else incoming.answer(isKnownMethod(method) ? 405 : 501, [['Allow', inCallAllow]])
}

/** Methods that RFC 3261 and its extensions define: 405 when not wanted; others are 501 (RFC 3261 §8.2.1, §21.5.2). */
export function isKnownMethod(method: string): boolean {
  return knownMethods.has(method)
}

const knownMethods: ReadonlySet<string> = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE'.split(' '),
)

/** A re-INVITE with the description of before only refreshes the session (RFC 4028 §7.4, RFC 3264 §8). */
function changesNothing(incoming: IncomingRequest, session: DialogSession): boolean {
  const offer = sdpOf(incoming.message)
  const { remote, local } = session.negotiation
  if (offer === undefined || remote === undefined || local === undefined) return false
  return Buffer.from(offer.buffer, offer.byteOffset, offer.byteLength).equals(remote)
}
