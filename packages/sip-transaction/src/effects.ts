/**
 * Effects: what protocol logic asks its driver to do. The driver carries out all effects of one input, in order,
 * before it hands over the next input.
 */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import type { Destination, Flow } from './ports'

/** Names a transaction within its layer; never reused. */
export type TransactionId = number

/** Why a client transaction ended without a final response. */
export type TransactionFailure = 'timeout' | 'transport'

/** What the transaction layer asks for or reports, to the network and to the transaction user (TU). */
export type Effect =
  /**
   * Put these bytes on the network. On failure call `transportError(transactionId)`, when there is one, and otherwise
   * `failed`, as an input of its own.
   */
  | {
      readonly kind: 'send'
      readonly bytes: Uint8Array
      readonly destination: Destination
      readonly transactionId: TransactionId | undefined
      readonly failed?: () => void
    }
  /** A new request for the TU, with the server transaction that waits for its answer. */
  | {
      readonly kind: 'request'
      readonly transactionId: TransactionId
      readonly request: SipRequest
      readonly flow: Flow
    }
  /** An ACK that belongs to no transaction: it acknowledges a 2xx, so the dialog takes it (RFC 3261 §13.2.2.4). */
  | { readonly kind: 'ack'; readonly request: SipRequest; readonly flow: Flow }
  /** A response of a client transaction: each provisional, the final, and for INVITE each 2xx (RFC 6026 §7.2). */
  | {
      readonly kind: 'response'
      readonly transactionId: TransactionId
      readonly response: SipResponse
      readonly flow: Flow
    }
  /**
   * A response for which no transaction is known; a late 2xx to an INVITE among them. With `transactionId` it is a 2xx
   * of that INVITE, which has failed before.
   */
  | {
      readonly kind: 'stray-response'
      readonly response: SipResponse
      readonly flow: Flow
      readonly transactionId: TransactionId | undefined
    }
  /**
   * The pending INVITE of this server transaction was cancelled; CANCEL has been answered, 487 is the TU's to send.
   * `request` is the INVITE; `cancel` is the CANCEL, whose Reason header may say why.
   */
  | {
      readonly kind: 'cancelled'
      readonly transactionId: TransactionId
      readonly request: SipRequest
      readonly cancel: SipRequest
    }
  /** A client transaction got no final response, or a server transaction could not send one or saw no ACK. */
  | { readonly kind: 'failed'; readonly transactionId: TransactionId; readonly reason: TransactionFailure }
  /** The transaction is gone; nothing more will be said of it. */
  | { readonly kind: 'terminated'; readonly transactionId: TransactionId }
