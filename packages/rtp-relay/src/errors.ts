/** The errors of the relay: one code each, stable, listed in the documentation. */

/** Every error code and its sentence. */
export const relayErrorCodes = {
  INVALID_OPTIONS: 'The options given to createRelay cannot work together; the message names the option.',
  INTERFACE_UNAVAILABLE: 'An interface address cannot be bound on this machine.',
  NO_INTERFACE: 'No interface has the name or the address family that the session needs.',
  PORTS_EXHAUSTED: 'Ran out of ports: no free even/odd pair could be opened.',
  SOCKET_FAILED: 'The operating system refused a socket for another reason than a port in use.',
  SESSION_LIMIT: 'Parallel session limit reached.',
  SESSION_EXISTS: 'A session with this id is open already.',
  SESSION_CLOSED: 'The session is closed, or was closed while the call waited.',
  RELAY_CLOSED: 'The relay is closed.',
  SDP_INVALID: 'Failed to parse SDP.',
  SDP_INCOMPLETE: 'Incomplete SDP specification: a medium has no connection address.',
  SDP_TOO_MANY_MEDIA: 'The SDP has more media than a session may have.',
  SDP_MISMATCH: 'The SDP has another number of media than the session it belongs to allows (RFC 3264 §6, §8).',
  NO_OFFER: 'An answer came from the side that made the offer, or with no offer before it.',
  CRYPTO_UNUSABLE: 'SRTP is offered, and none of its keys can be used (RFC 4568).',
  CRYPTO_MISMATCH: 'The answer is not encrypted as was offered (RFC 4568 §5.1.3); nothing goes on in clear.',
  TOO_MANY_PENDING: 'Too many offers and answers of one session wait for their turn.',
  WORKER_FAILED: 'A worker could not be started.',
  WORKER_CRASHED: 'The worker that carried the session has crashed; the session is closed.',
  WORKER_UNAVAILABLE: 'No worker is running at this moment; one is being started.',
  WORKER_TIMEOUT: 'A worker has not answered in time; what was asked of it may still take effect.',
} as const

/** A code of {@link relayErrorCodes}. */
export type RelayErrorCode = keyof typeof relayErrorCodes

/** What this package throws and rejects with. The message never holds keys or SDP text. */
export class RelayError extends Error {
  override readonly name = 'RelayError'
  readonly code: RelayErrorCode

  constructor(code: RelayErrorCode, detail?: string) {
    super(detail === undefined ? relayErrorCodes[code] : `${relayErrorCodes[code]} (${detail})`)
    this.code = code
  }
}
