/** The two requests that a client transaction makes out of its INVITE: ACK (RFC 3261 §17.1.1.3) and CANCEL (§9.1). */
import { type HeaderInit, hopRequest, type SipRequest, type SipResponse } from '@carillon/sip-parser'

/** The ACK to a failure response: everything from the INVITE, but To from the response. */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  return hopRequest(invite, 'ACK', response)
}

/** The CANCEL of an INVITE, with further headers such as Reason. It has the branch of the INVITE. */
export function cancelFor(invite: SipRequest, headers: readonly HeaderInit[] = []): SipRequest {
  return hopRequest(invite, 'CANCEL', undefined, headers)
}
