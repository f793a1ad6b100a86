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
  BRANCH_INVALID: 'The name of a branch is empty, or longer than names of branches may be.',
  BRANCH_AMBIGUOUS: 'The session has several branches and none has won yet; viaBranch has to say which one is meant.',
  BRANCH_CLOSED: 'The branch has ended: it was closed, its offer was never answered, or another branch has won.',
  TOO_MANY_BRANCHES: 'The session has as many branches as it may have at once.',
  TOO_MANY_PENDING: 'Too many offers and answers of one session wait for their turn.',
  WORKER_FAILED: 'A worker could not be started.',
  WORKER_CRASHED: 'The worker that carried the session has crashed; the session is closed.',
  WORKER_UNAVAILABLE: 'No worker is running at this moment; one is being started.',
  WORKER_TIMEOUT: 'A worker has not answered in time; what was asked of it may still take effect.',
} as const

/** A code of {@link relayErrorCodes}. */
export type RelayErrorCode = keyof typeof relayErrorCodes

/** Why bytes are no RTP packet, as readRtp says it, or a payload no telephone event, as readTelephoneEvents says it. */
export const rtpErrorCodes = {
  RTP_TOO_SHORT: 'Fewer bytes than an RTP header has (RFC 3550 §5.1).',
  RTP_VERSION_UNKNOWN: 'Another version of RTP than 2, or no RTP at all (RFC 3550 §5.1).',
  RTP_SOURCES_CUT: 'The packet ends within its list of contributing sources (RFC 3550 §5.1).',
  RTP_EXTENSION_CUT: 'The packet ends within its header extension (RFC 3550 §5.3.1).',
  RTP_PADDING_INVALID:
    'The padding is said to be of no length, or longer than what follows the header (RFC 3550 §5.1).',
  TELEPHONE_EVENT_CUT: 'The payload is no whole number of telephone events of 4 bytes each (RFC 4733 §2.3).',
  TELEPHONE_EVENT_TOO_MANY: 'The payload has more telephone events than a packet may have here (RFC 4733 §2.5.1.5).',
} as const

/** A code of {@link rtpErrorCodes}. */
export type RtpErrorCode = keyof typeof rtpErrorCodes

/** Why bytes are no compound RTCP packet, as readRtcp says it. */
export const rtcpErrorCodes = {
  RTCP_EMPTY: 'There are no bytes.',
  RTCP_VERSION: 'A packet is not of version 2 (RFC 3550 appendix A.2).',
  RTCP_TYPE: 'A packet type is not one of RTCP, 192 to 223 (RFC 5761 §4).',
  RTCP_LENGTH: 'A packet is longer than the bytes that are there.',
  RTCP_PADDING: 'Padding is not on the last packet, is none, or is more than the packet holds (RFC 3550 §6.4.1).',
  RTCP_FIRST: 'The first packet is no report, and reduced size was not agreed (RFC 3550 §6.1, RFC 5506).',
  RTCP_CONTENT: 'A count or a length inside a packet does not fit what the packet holds.',
} as const

/** A code of {@link rtcpErrorCodes}. */
export type RtcpErrorCode = keyof typeof rtcpErrorCodes

/** What this package throws and rejects with. The message never holds keys or SDP text. */
export class RelayError extends Error {
  override readonly name = 'RelayError'
  readonly code: RelayErrorCode

  constructor(code: RelayErrorCode, detail?: string) {
    super(detail === undefined ? relayErrorCodes[code] : `${relayErrorCodes[code]} (${detail})`)
    this.code = code
  }
}
