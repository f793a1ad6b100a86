/**
 * The opening handshake of WebSocket, both sides (RFC 6455 §4), with the subprotocol of SIP (RFC 7118 §4.1). No extension
 * is offered or taken. Pure.
 */
import { createHash } from 'node:crypto'
import { type HttpHead, hasToken, onlyValue, tokensOf } from './http-head'

/** What a server asks of its clients. */
export interface HandshakeRules {
  /** The path that they must ask for; any when undefined. */
  readonly path: string | undefined
  /** Origins of the pages that may connect, such as `https://example.com`; any when undefined. */
  readonly origins: readonly string[] | undefined
}

/** Whether a server takes a client, and what it says to it. */
export interface HandshakeVerdict {
  readonly isAccepted: boolean
  readonly response: Uint8Array
}

const subprotocol = 'sip'
const keyForm = /^[A-Za-z0-9+/]{22}==$/
const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
  505: 'HTTP Version Not Supported',
}

/** Refuses a client with an HTTP status; the connection ends with it. */
export function refusal(status: number, extra: readonly string[] = []): Uint8Array {
  const lines = [`HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}`, ...extra, 'Connection: close', 'Content-Length: 0']
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** The server's side: RFC 6455 §4.2. */
export function answerHandshake(head: HttpHead, rules: HandshakeRules): HandshakeVerdict {
  const refused = (status: number, extra: readonly string[] = []) => ({
    isAccepted: false,
    response: refusal(status, extra),
  })
  const [, method, target = '', version] = /^(\S+) (\S+) HTTP\/(\d\.\d)$/.exec(head.startLine) ?? []
  if (method === undefined) return refused(400)
  if (version !== '1.1') return refused(505)
  if (method !== 'GET') return refused(405, ['Allow: GET'])
  // A body would be read as frames by us and as a body by a proxy before us.
  if (head.headers.has('transfer-encoding') || (onlyValue(head, 'content-length') ?? '0') !== '0') return refused(400)
  if (head.headers.get('content-length') !== undefined && onlyValue(head, 'content-length') === null)
    return refused(400)
  if (!onlyValue(head, 'host')) return refused(400)
  const path = pathOf(target)
  if (path === undefined) return refused(400)
  if (rules.path !== undefined && path !== rules.path) return refused(404)
  if (!hasToken(head, 'upgrade', 'websocket') || !hasToken(head, 'connection', 'upgrade')) {
    return refused(426, ['Upgrade: websocket'])
  }
  if (onlyValue(head, 'sec-websocket-version') !== '13') {
    return refused(426, ['Upgrade: websocket', 'Sec-WebSocket-Version: 13'])
  }
  const key = onlyValue(head, 'sec-websocket-key')
  if (typeof key !== 'string' || !keyForm.test(key)) return refused(400)
  if (!isOriginAllowed(head, rules.origins)) return refused(403)
  if (!tokensOf(head, 'sec-websocket-protocol').includes(subprotocol)) return refused(400)
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ]
  return { isAccepted: true, response: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1') }
}

/**
 * The client's side: RFC 6455 §4.1.
 * @param host host and port, as they stand in a URI
 * @param key sixteen random bytes in base64
 */
export function handshakeRequest(host: string, path: string, key: string): Uint8Array {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** True when the server has taken us, with the key that we sent and the subprotocol that we asked for. */
export function isAcceptedBy(head: HttpHead, key: string): boolean {
  return (
    /^HTTP\/1\.1 101( |$)/.test(head.startLine) &&
    hasToken(head, 'upgrade', 'websocket') &&
    hasToken(head, 'connection', 'upgrade') &&
    onlyValue(head, 'sec-websocket-accept') === acceptKey(key) &&
    onlyValue(head, 'sec-websocket-protocol') === subprotocol &&
    !head.headers.has('sec-websocket-extensions')
  )
}

function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + acceptSalt, 'latin1')
    .digest('base64')
}

/** Who is no browser sends no Origin, and could send any; the rule protects those who use a browser. */
function isOriginAllowed(head: HttpHead, origins: readonly string[] | undefined): boolean {
  const origin = onlyValue(head, 'origin')
  if (origin === null) return false
  if (origins === undefined || origin === undefined) return true
  return origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase())
}

/** The path of a request target, without its query; undefined when it is of no form that fits GET (RFC 9112 §3.2). */
function pathOf(target: string): string | undefined {
  const path = target.startsWith('/') ? target : /^(?:https?|wss?):\/\/[^/?#]+(\/.*)?$/i.exec(target)?.[1]
  if (path === undefined) return /^(?:https?|wss?):\/\/[^/?#]+$/i.test(target) ? '/' : undefined
  return path.split('?', 1)[0]
}
