/**
 * An INVITE that is to take the place of another call: RFC 3891 §3 (which dialog, and when it may not), §5 (its end). Who
 * may do so is for the handler to say: it answers the INVITE, and only a 2xx ends the other call.
 */
import type { SipRequest } from '@carillon/sip-parser'
import { dialogKey } from '../../dialog/dialog'
import type { Core } from '../core'
import type { IncomingRequest } from '../requests/incoming-request'
import type { DialogSession } from './dialog-session'

/** The dialog that an INVITE names in Replaces, if it is one of ours. */
export function replacedSession(core: Core, invite: SipRequest): DialogSession | undefined {
  if (invite.method !== 'INVITE') return undefined
  const replaces = invite.decode('replaces')
  if (!replaces.ok || replaces.value === undefined) return undefined
  const { callId, toTag, fromTag } = replaces.value
  return core.sessions.get(dialogKey(callId, toTag, fromTag))
}

/** Answers an INVITE whose Replaces cannot be followed; true when that was so. */
export function refuseReplaces(core: Core, incoming: IncomingRequest): boolean {
  const { message } = incoming
  if (incoming.method !== 'INVITE' || !message.has('Replaces')) return false
  const status = problemOf(core, message)
  if (status !== undefined) incoming.answer(status)
  return status !== undefined
}

/** The call that the INVITE replaces ends now that the INVITE has been accepted. Runs inside an input. */
export function endReplaced(core: Core, invite: SipRequest): void {
  if (!invite.has('Replaces')) return
  const session = replacedSession(core, invite)
  if (session === undefined || session.owner?.isBridged === true) return
  if (session.usage.state === 'early') session.invite?.abandon('Replaced')
  else session.bye('SIP ;cause=200 ;text="Replaced"')
}

function problemOf(core: Core, message: SipRequest): number | undefined {
  const replaces = message.decode('replaces')
  const isOne = message.getAll('Replaces').length === 1 && !message.has('Join')
  if (!isOne || !replaces.ok || replaces.value === undefined) return 400
  const session = replacedSession(core, message)
  if (session === undefined) return 481
  if (!session.isAlive) return 603
  if (session.usage.state !== 'early') return replaces.value.earlyOnly ? 486 : undefined
  // Of calls that still ring only those that we make can be replaced; a bridge knows its own targets.
  const isOurs = session.invite !== undefined && session.owner?.isBridged !== true
  return isOurs ? undefined : 481
}
