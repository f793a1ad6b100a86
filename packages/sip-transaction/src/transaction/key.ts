/**
 * Keys under which transactions are found: branch, sent-by and method, or for peers of RFC 2543 what identified a
 * request then (RFC 3261 §17.1.3, §17.2.3); and the merge key of §8.2.2.2. A key may still hold on to its message: see
 * {@link ownKey}.
 */
import { createHash } from 'node:crypto'
import { detachText, type SipMessage, type SipRequest } from '@carillon/sip-parser'

const MAGIC_COOKIE = 'z9hG4bK'

/** Longer keys are replaced by their hash, so that what a peer sends does not decide what a key costs. */
const KEY_LENGTH_MAX = 256

/**
 * The key of the server transaction that a request belongs to. The address that it came from counts: another sender that
 * uses the same branch gets no answer to somebody else's request, and causes none. ACK has the key of its INVITE; give
 * 'INVITE' as `method` to find what a CANCEL cancels.
 * @param source the address that it came from
 */
export function serverKey(
  request: SipRequest,
  source: string,
  method = request.method === 'ACK' ? 'INVITE' : request.method,
): string {
  const { via } = request
  const { branch } = via
  const sentBy = `${via.host}:${via.port ?? 5060} ${source}`
  if (branch?.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length) {
    return compact(`${method} ${sentBy} ${branch}`)
  }
  // The To tag is left out: the ACK to a failure carries the one of the response, and no two requests differ in it alone.
  const { seq } = request.cseq
  return compact(
    `${method} ${sentBy} ${branch ?? ''} ${seq} ${requestUriText(request)} ${request.from.tag ?? ''} ${request.callId}`,
  )
}

/** The key of the client transaction that a request begins, or that a response belongs to; undefined without a branch. */
export function clientKey(message: SipMessage): string | undefined {
  const { branch } = message.via
  return branch === undefined ? undefined : clientKeyOf(message.cseq.method, branch)
}

/** The same from its parts. */
export function clientKeyOf(method: string, branch: string): string {
  return compact(`${method} ${branch}`)
}

/** What two copies of one request share when they come by different ways; undefined inside a dialog. */
export function mergeKey(request: SipRequest): string | undefined {
  if (request.to.tag !== undefined) return undefined
  const { seq, method } = request.cseq
  return compact(`${seq} ${method} ${request.from.tag ?? ''} ${request.callId}`)
}

/** The Request-URI as it stands in the message. */
export function requestUriText(request: SipRequest): string {
  const { head, method } = request
  const lineEnd = head.indexOf('\r\n')
  const line = lineEnd < 0 ? head : head.slice(0, lineEnd)
  return line.slice(method.length + 1, line.lastIndexOf(' ')).trim()
}

/** A string of its own, for a table that outlives the message: a rope or a window into the message would keep it alive. */
export function ownKey(key: string): string {
  return detachText(key)
}

function compact(key: string): string {
  return key.length > KEY_LENGTH_MAX ? createHash('sha256').update(key, 'latin1').digest('base64url') : key
}
