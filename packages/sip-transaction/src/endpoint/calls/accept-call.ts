/** From the acceptance of an INVITE to its call: RFC 3261 §13.3.1.4. */
import { SipTransactionError } from '../../errors'
import type { Core } from '../core'
import type { AcceptOptions, ReplyOptions } from '../options'
import { withResolvers } from '../resolvers'
import type { Call } from './call'
import type { DialogSession } from './dialog-session'
import { sessionBody } from './session-body'

/**
 * Sends the 200 and waits for its ACK.
 * @param send sends it, inside an input; undefined when the dialog is over
 */
export function acceptCall(
  core: Core,
  call: Call,
  cseq: number,
  { sdp, headers, signal }: AcceptOptions,
  send: (options: ReplyOptions) => DialogSession | undefined,
): Promise<Call> {
  const { promise, resolve, reject } = withResolvers<Call>()
  call.whenConfirmed(cseq, resolve, reject)
  const abort = () => {
    reject(new SipTransactionError('ABORTED'))
    call.hangUp('aborted')
  }
  signal?.addEventListener('abort', abort, { once: true })
  const settled = () => signal?.removeEventListener('abort', abort)
  promise.then(settled, settled)
  core.submit(() => {
    const session = send({ ...(headers === undefined ? {} : { headers }), ...sessionBody(sdp) })
    if (session === undefined) reject(new SipTransactionError('CALL_ENDED'))
    else call.attach(session)
  })
  return promise
}
