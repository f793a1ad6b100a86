/** Why a flow closed or a send failed: a fixed set of words for logs and counters, with no address and no content. */

/** Reasons of `flowClosed`, and of `failed` when the flow went with the message. */
export const flowReasons = {
  PEER_CLOSED: 'closed by peer',
  PEER_CLOSED_EARLY: 'closed by peer within a message',
  IDLE: 'idle',
  SILENT: 'no message after connecting',
  MESSAGE_TIMEOUT: 'message not complete in time',
  CONNECT_TIMEOUT: 'connect timeout',
  SEND_QUEUE_FULL: 'send queue full',
  FRAMING: 'not framed as SIP',
  TRANSPORT_CLOSED: 'transport closed',
  CONNECTION_LIMIT: 'connection limit',
  UNREACHABLE: 'address not reachable from here',
  FLOW_CLOSED: 'flow closed',
  HANDSHAKE_TIMEOUT: 'handshake not complete in time',
  HANDSHAKE_FAILED: 'handshake failed',
  CERTIFICATE_MISSING: 'no certificate to show',
  KEEP_ALIVE_UNANSWERED: 'keep-alive not answered',
  ADDRESS_CHANGED: 'address changed on the way',
} as const

/** The reason for an error of a socket: its errno code, which names nobody. */
export function reasonOfError(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'socket error'
}
