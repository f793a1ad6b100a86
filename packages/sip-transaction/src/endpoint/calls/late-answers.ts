/**
 * 2xx responses that nobody waits for: after a failure of the same INVITE, from a fork too many, or from another dialog
 * than the one asked. RFC 3261 §13.2.2.4: each is acknowledged and ended with BYE.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { DigestClient } from '../../auth/client'
import { Dialog, dialogKey } from '../../dialog/dialog'
import type { Flow } from '../../ports'
import type { Core } from '../core'
import { DialogSession } from './dialog-session'

/** An INVITE of ours ended without a call; a 2xx may still come for 64*T1. */
export function rememberRefused(core: Core, invite: SipRequest | undefined): void {
  const { driver, refused, timers } = core
  const tag = invite?.from.tag
  if (invite === undefined || tag === undefined) return
  const untilMs = driver.nowMs + 64 * timers.T1
  refused.add(invite.callId, tag, invite.cseq.seq, untilMs)
  if (core.refusedWake === undefined) scheduleForgetting(core, untilMs)
}

/** A 2xx without a transaction: true when it is the answer to an INVITE of ours and has been dealt with. */
export function takeLateAnswer(core: Core, response: SipResponse, flow: Flow): boolean {
  if (response.status < 200 || response.status > 299 || response.cseq.method !== 'INVITE') return false
  const { callId, from, to, cseq } = response
  const known = core.sessions.get(dialogKey(callId, from.tag ?? '', to.tag ?? ''))
  if (known !== undefined) return known.repeatAck(cseq.seq)
  if (to.tag === undefined) return false
  if (!core.refused.take(callId, from.tag ?? '', cseq.seq, to.tag, core.driver.nowMs)) return false
  endUnwanted(core, response, flow, [], undefined)
  return true
}

/** Acknowledges a 2xx of a dialog that nobody wants, and ends that dialog. `credentials`: those of its INVITE; `isWayNamed`: its user named the way. */
export function endUnwanted(
  core: Core,
  response: SipResponse,
  flow: Flow,
  credentials: readonly HeaderInit[],
  auth: DigestClient | undefined,
  isWayNamed = false,
): void {
  const dialog = Dialog.ofUnwanted(response, flow.isSecure)
  const known = core.sessions.get(dialog.key)
  if (known !== undefined) {
    known.repeatAck(response.cseq.seq)
    return
  }
  const session = new DialogSession(core, dialog, true)
  session.auth = auth
  session.hop.heardResponse(flow, isWayNamed)
  session.accepted(response, flow)
  session.acknowledge(response.cseq.seq, credentials)
  session.bye(undefined)
}

function scheduleForgetting(core: Core, atMs: number): void {
  core.refusedWake = core.driver.at(atMs, () => {
    const nowMs = core.driver.nowMs
    core.refused.forget(nowMs)
    core.refusedWake = undefined
    if (core.refused.size > 0) scheduleForgetting(core, Math.max(core.refused.nextDueMs(), nowMs + 1))
  })
}
