/**
 * A re-INVITE that is tried again after the random wait of RFC 3261 §14.1 when it meets another one, for whoever cannot
 * ask its user: bridges and transfers. Runs inside an input.
 */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import { glareWaitMs } from '../../dialog/glare'
import type { TransactionErrorCode } from '../../errors'
import type { Appointment } from '../driver'
import type { DialogSession } from './dialog-session'
import type { SentRequest } from './in-dialog-requests'
import { sessionBody } from './session-body'

/** Who hears of it. After a 2xx it calls `session.ack` with the request. */
export interface PatientUser {
  /** False when nobody waits for it any more, so that it is not tried again. */
  isWanted?(): boolean
  final(response: SipResponse, request: SipRequest): void
  error(code: TransactionErrorCode): void
}

/** Sends it; `giveUp` of the result cancels it, or stops the wait. */
export function reinvitePatiently(session: DialogSession, sdp: Uint8Array | undefined, user: PatientUser): SentRequest {
  const { core } = session
  let tries = 0
  let sent: SentRequest | undefined
  let waiting: Appointment | undefined
  const again = (): boolean => {
    if (tries >= core.limits.glareRetriesMax || !session.isAlive || user.isWanted?.() === false) return false
    tries += 1
    const waitMs = glareWaitMs(session.isCallIdOwner, core.random.fraction())
    waiting = core.driver.at(core.driver.nowMs + waitMs, attempt)
    return true
  }
  const attempt = () => {
    waiting = undefined
    if (user.isWanted?.() === false) {
      user.error('ABORTED')
      return
    }
    sent = session.reinvite(sessionBody(sdp), {
      final: (response, request) => {
        if (response.status !== 491 || !again()) user.final(response, request)
      },
      error: (code) => user.error(code),
    })
    if (sent === undefined && !again()) user.error(session.isAlive ? 'GLARE' : 'CALL_ENDED')
  }
  attempt()
  return {
    giveUp: (code) => {
      if (waiting === undefined) sent?.giveUp(code)
      else {
        waiting.cancel()
        user.error(code)
      }
    },
  }
}
