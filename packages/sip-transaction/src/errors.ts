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
  THROTTLED: 'The next hop has asked for fewer requests, and this one was kept back (RFC 7339).',
  UNREACHABLE: 'No listener of this stack can reach the destination.',
  NAME_NOT_FOUND: 'The host name of the destination has no address.',
  NAME_LOOKUP_FAILED: 'The name servers did not say where the destination is.',
  REQUEST_INVALID: 'The request cannot be written: something given for its headers or its body does not fit.',
  ACK_MISSING: 'The call was answered, but no ACK came; it has been ended with BYE.',
  PRACK_MISSING: 'A provisional response was not acknowledged with PRACK; the INVITE has been answered 504.',
  CANCELLED: 'The caller cancelled the INVITE before it was answered.',
  CALL_ENDED: 'The call is over.',
  DTMF_REFUSED: 'The peer takes no digits by INFO.',
  GLARE: 'Another offer or INVITE of this dialog is under way (RFC 3261 §14.1, RFC 3311 §5.1).',
  REGISTRATION_REFUSED: 'The registrar refused the registration.',
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

/** Codes of {@link SubscriptionFailedError}. */
export const subscriptionCodes = {
  SUBSCRIPTION_FAILED: 'The SUBSCRIBE or PUBLISH was answered with a failure status.',
} as const

/** A subscription or a publication was refused. */
export class SubscriptionFailedError extends Error {
  override readonly name = 'SubscriptionFailedError'
  readonly code = 'SUBSCRIPTION_FAILED'
  /** The final status, 300 to 699. */
  readonly status: number
  /** The response that carried it. */
  readonly response: SipResponse | undefined

  constructor(status: number, response?: SipResponse) {
    super(`${subscriptionCodes.SUBSCRIPTION_FAILED} (${status}${response === undefined ? '' : ` ${response.reason}`})`)
    this.status = status
    this.response = response
  }
}

/** Codes of {@link SipUsageError}: mistakes of the calling program. */
export const stackUsageCodes = {
  ALREADY_ANSWERED: 'The request has already got its final response.',
  NOT_A_SUBSCRIBE: 'Only a SUBSCRIBE, or a REFER, makes a subscription.',
  NOT_AN_INVITE: 'Only an INVITE can be accepted or bridged.',
  STATUS_INVALID: 'A status is a whole number from 100 to 699, and this one does not fit the request.',
  TARGET_INVALID: 'A target, From or To is no SIP address.',
  SAME_CALL: 'The two sides of a bridge or a transfer are one and the same call.',
  ALREADY_BRIDGED: 'The call is a side of a bridge already.',
  SDP_MISSING: 'There is no session description of ours that could be changed.',
  DTMF_INVALID: 'A digit is one of 0 to 9, *, #, A to D, and ! for the hook flash.',
  TARGETS_MISSING: 'A bridge needs at least one target, and no more than the limit.',
  LISTEN_INVALID: 'A listen address is not of the form scheme://address:port.',
  HEADERS_INVALID: 'A header of every request is none that the stack writes itself, and can be written in one line.',
  ADVERTISE_INVALID: 'The advertised address is not of the form host or host:port.',
  SESSION_TIMERS_INVALID: 'Session intervals are whole seconds, 90 at least, and the minimum is the smaller one.',
  TRANSPORT_UNKNOWN: 'No transport factory serves this scheme.',
  DNS_SERVER_INVALID: 'A name server is given by its IP address, with a port where it is not 53.',
  BRANCH_INVALID: 'A request to be sent needs a Via branch that no other transaction has.',
  RATE_LIMIT_INVALID: 'A rate limit has a positive rate, a burst of one at least, and exempts addresses or networks.',
  REGISTRATION_INVALID:
    'A registration names its device by a URN, is for a time within the limits, and has few proxies.',
  TLS_MISSING: 'A tls:// or wss:// listener needs the option tls.',
  TLS_INVALID: 'The TLS options are not usable: a certificate, key or authority cannot be read, or do not fit.',
  HEP_INVALID: 'A HEP exporter needs host and port; a packet needs two IP addresses, ports, and a payload that fits.',
  IDENTITY_INVALID: 'An identity has one SIP or SIPS URI, one tel URI, or one of each.',
  TRUST_INVALID: 'A trust domain names addresses, networks and SIP domains.',
  STIR_INVALID:
    'Signing needs a private key on P-256 and an https URL; verifying needs trust anchors that are certificates.',
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

// ---- observing ---------------------------------------------------------------------------------------------------

/** Problems of bytes that should be a HEP version 3 packet; `decodeHep` returns them. */
export const hepCodes = {
  HEP_NO_PACKET: 'The bytes do not begin as a HEP version 3 packet.',
  HEP_LENGTH: 'The length of the packet, or of one of its chunks, is not that of the bytes.',
  HEP_CHUNK: 'A chunk has not the length that its type asks for.',
  HEP_CHUNKS_TOO_MANY: 'The packet has more chunks than anybody needs.',
  HEP_INCOMPLETE: 'Addresses, ports, time or payload are missing.',
} as const

/** A code of {@link hepCodes}. */
export type HepProblemCode = keyof typeof hepCodes
