/**
 * What a stack counts: messages, drops by reason, answers it gave by itself. Bounded: the keys are ours, never a peer's.
 */

/** Why a message or a part of it was not handed on. */
export type DropReason =
  /** Not SIP, or a stream that lost its framing. */
  | 'garbage'
  /** A request so malformed that it cannot be answered. */
  | 'malformed-request'
  | 'malformed-response'
  | 'malformed-ack'
  /** A response for which there is no transaction. */
  | 'stray-response'
  /** An ACK for which there is no dialog. */
  | 'stray-ack'
  /** A connection over a cap, or whose TLS or WebSocket handshake failed. */
  | 'refused-connection'
  /** A response whose way back is unknown. */
  | 'unroutable-response'
  /** A request of a scanner. */
  | 'scanner'
  /** A request of a source that sends too many. */
  | 'rate-limit'
  /** A datagram for which there was no room to wait, or a repeated one that there was no time for. */
  | 'overload'

/** Counters since the stack was made. They only grow. */
export interface StackCounters {
  readonly requestsIn: number
  readonly responsesIn: number
  readonly messagesOut: number
  readonly sendFailures: number
  /** Requests answered before any handler saw them, because they were malformed. */
  readonly rejectedMalformed: number
  /** Requests answered 503 because a cap was reached or the stack closes. */
  readonly rejectedOverload: number
  /** Requests answered 503 by overload control, before any work was done for them. */
  readonly shed: number
  /** Requests answered 503 because their source sends too many. */
  readonly rejectedRateLimit: number
  /** Requests of ours kept back because their next hop has asked for fewer (RFC 7339). */
  readonly throttled: number
  /** Handlers that threw; each gave a 500. */
  readonly handlerErrors: number
  readonly dropped: Readonly<Record<DropReason, number>>
}

/** The writable form, owned by one stack. */
export class Counters {
  requestsIn = 0
  responsesIn = 0
  messagesOut = 0
  sendFailures = 0
  rejectedMalformed = 0
  rejectedOverload = 0
  shed = 0
  rejectedRateLimit = 0
  throttled = 0
  handlerErrors = 0
  readonly dropped: Record<DropReason, number> = {
    garbage: 0,
    'malformed-request': 0,
    'malformed-response': 0,
    'malformed-ack': 0,
    'stray-response': 0,
    'stray-ack': 0,
    'refused-connection': 0,
    'unroutable-response': 0,
    scanner: 0,
    'rate-limit': 0,
    overload: 0,
  }

  snapshot(): StackCounters {
    return { ...this, dropped: { ...this.dropped } }
  }
}
