/** Who stands behind a dialog. */
import type { SipRequest } from '@carillon/sip-parser'
import type { CallEnd } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'

/** Who uses the dialog: an early dialog, a call or a bridge. */
export interface SessionOwner {
  /** It is a side of a bridge, which sees to it itself when somebody takes its place. */
  readonly isBridged?: boolean
  /** A request in the dialog that the stack does not answer itself; it waits for an answer. */
  received(incoming: IncomingRequest): void
  /** The first ACK for a 2xx of ours. */
  acknowledged(ack: SipRequest): void
  /** A PRACK has brought the answer to an offer of ours (RFC 3262 §5). */
  answered?(sdp: Uint8Array): void
  /** The dialog is over; called once. */
  endedBy(end: CallEnd): void
}
