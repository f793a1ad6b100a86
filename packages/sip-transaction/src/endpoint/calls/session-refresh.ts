/** The refresh that a session timer asks for: RFC 4028 §7.4. */
import type { DialogSession } from './dialog-session'
import { sessionBody } from './session-body'

/**
 * Sends UPDATE where the peer allows it, else a re-INVITE with the description that we sent last; what the 2xx says of
 * the session timer is heard where all of them are. Runs inside an input.
 */
export function refreshSession(session: DialogSession): void {
  if (!session.isAlive) return
  if (!session.mayUpdate) {
    refreshByInvite(session)
    return
  }
  session.request(
    'UPDATE',
    {},
    {
      final: (response) => {
        if (response.status === 405 || response.status === 501) {
          session.mayUpdate = false
          refreshByInvite(session)
        } else if (response.status >= 300) session.timers.failed()
      },
      error: () => session.timers.failed(),
    },
  )
}

function refreshByInvite(session: DialogSession): void {
  const { local } = session.negotiation
  const body = sessionBody(local)
  const sent = session.reinvite(body, {
    final: (response, request) => {
      if (response.status < 300) session.ack(request)
      else session.timers.failed()
    },
    error: () => session.timers.failed(),
  })
  // An INVITE that is under way refreshes the session as well; if it fails, the next try is not far.
  if (sent === undefined) session.timers.failed()
}
