/** The two requests that a client transaction makes out of its INVITE: ACK (RFC 3261 §17.1.1.3) and CANCEL (§9.1). */
import { Buffer } from 'node:buffer'
import { createRequest, type HeaderInit, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import { requestUriText } from './key'

const MAX_FORWARDS = 70

/** The ACK to a failure response: everything from the INVITE, but To from the response. */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  return derive(invite, 'ACK', response.get('To') ?? '', [])
}

/** The CANCEL of an INVITE, with further headers such as Reason. It has the branch of the INVITE. */
export function cancelFor(invite: SipRequest, headers: readonly HeaderInit[] = []): SipRequest {
  return derive(invite, 'CANCEL', invite.get('To') ?? '', headers)
}

function derive(invite: SipRequest, method: string, to: string, headers: readonly HeaderInit[]): SipRequest {
  return createRequest({
    method,
    // Wire text has a character a byte; a request is made from text.
    uri: Buffer.from(requestUriText(invite), 'latin1').toString('utf8'),
    headers: [
      ['Via', invite.via.toString()],
      ['Max-Forwards', MAX_FORWARDS],
      ...invite.getAll('Route').map((route): HeaderInit => ['Route', route]),
      ['From', invite.get('From') ?? ''],
      ['To', to],
      ['Call-ID', invite.callId],
      ['CSeq', `${invite.cseq.seq} ${method}`],
      ...headers,
    ],
  })
}
