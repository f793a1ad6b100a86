/**
 * Every error that this package throws, with one registry of codes per class. Messages never hold credentials.
 * Peer errors are answered with a SIP status and counted; they are not thrown.
 */
import type { SipResponse } from '@carillon/sip-parser'

// ---- stack, dialogs, calls ---------------------------------------------------------------------------------------

/** Codes of {@link SipTransactionError}: a request, call or bridge did not come to its end. */
export const transactionCodes = {
  TIMEOUT: 'No final response came in time.',
  TRANSPORT_FAILED: 'The message could not be handed to the network.',
  ABORTED: 'The AbortSignal handed in was aborted.',
  UNREACHABLE: 'No listener of this stack can reach the destination.',
  NAME_NOT_FOUND: 'The host name of the destination has no address.',
  ACK_MISSING: 'The call was answered, but no ACK came; it has been ended with BYE.',
  CANCELLED: 'The caller cancelled the INVITE before it was answered.',
  CALL_ENDED: 'The call is over.',
  GLARE: 'Another INVITE of this dialog is under way (RFC 3261 §14.1).',
  STACK_CLOSED: 'The stack is closing or closed.',
} as const

/** A code of {@link transactionCodes}. */
export type TransactionErrorCode = keyof typeof transactionCodes

/** A request, call or bridge that did not come to its end for a reason other than a final response. */
export class SipTransactionError extends Error {
  override readonly name = 'SipTransactionError'
  readonly code: TransactionErrorCode

  constructor(code: TransactionErrorCode, detail?: string) {
    super(detail === undefined ? transactionCodes[code] : `${transactionCodes[code]} (${detail})`)
    this.code = code
  }
}

/** Codes of {@link CallFailedError}. */
export const callCodes = {
  CALL_FAILED: 'The INVITE was answered with a failure status.',
} as const

/** An outgoing INVITE was answered with a final status other than 2xx. */
export class CallFailedError extends Error {
  override readonly name = 'CallFailedError'
  readonly code = 'CALL_FAILED'
  /** The final status, 300 to 699. */
  readonly status: number
  /** The response that carried it. */
  readonly response: SipResponse | undefined

  constructor(status: number, response?: SipResponse) {
    super(`${callCodes.CALL_FAILED} (${status}${response === undefined ? '' : ` ${response.reason}`})`)
    this.status = status
    this.response = response
  }
}

/** Codes of {@link SipUsageError}: mistakes of the calling program. */
export const stackUsageCodes = {
  ALREADY_ANSWERED: 'The request has already got its final response.',
  NOT_AN_INVITE: 'Only an INVITE can be accepted or bridged.',
  STATUS_INVALID: 'A status is a whole number from 100 to 699, and this one does not fit the request.',
  TARGET_INVALID: 'A target, From or To is no SIP address.',
  TARGETS_MISSING: 'A bridge needs at least one target, and no more than the limit.',
  LISTEN_INVALID: 'A listen address is not of the form scheme://address:port.',
  ADVERTISE_INVALID: 'The advertised address is not of the form host or host:port.',
  TRANSPORT_UNKNOWN: 'No transport factory serves this scheme.',
  BRANCH_INVALID: 'A request to be sent needs a Via branch that no other transaction has.',
  METHOD_RESERVED: 'ACK and CANCEL belong to the stack, and BYE to its call; INVITE is sent with invite().',
} as const

/** A code of {@link stackUsageCodes}. */
export type StackUsageCode = keyof typeof stackUsageCodes

/** Thrown at once when the calling program asks for something that makes no sense. */
export class SipUsageError extends Error {
  override readonly name = 'SipUsageError'
  readonly code: StackUsageCode

  constructor(code: StackUsageCode, detail?: string) {
    super(detail === undefined ? stackUsageCodes[code] : `${stackUsageCodes[code]} (${detail})`)
    this.code = code
  }
}

// ---- transports --------------------------------------------------------------------------------------------------

/** Codes of {@link SipTransportError}: a listener could not be bound. */
export const transportCodes = {
  ADDRESS_IN_USE: 'Another program listens on this address and port.',
  ADDRESS_NOT_AVAILABLE: 'This machine does not have this address.',
  ADDRESS_FORBIDDEN: 'The operating system does not allow this program to listen on this address and port.',
} as const

/** A code of {@link transportCodes}. */
export type TransportErrorCode = keyof typeof transportCodes

/** A listener could not be bound. */
export class SipTransportError extends Error {
  override readonly name = 'SipTransportError'
  readonly code: TransportErrorCode

  constructor(code: TransportErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? transportCodes[code] : `${transportCodes[code]} (${detail})`, options)
    this.code = code
  }
}
