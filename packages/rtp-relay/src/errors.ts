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
  TOO_MANY_PENDING: 'Too many offers and answers of one session wait for their turn.',
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
