/** A dialog whose INVITE has no final response yet, as its user sees it: RFC 3261 §12.1, RFC 3311 §5. */
import type { Core } from '../core'
import type { CallEnd } from '../options'
import { DialogHandle } from './dialog-handle'
import type { DialogSession } from './dialog-session'
import type { SessionOwner } from './session-owner'

/**
 * An early dialog: UPDATE and other requests may pass in it. It ends with the final response, when a call takes its
 * place, with the handlers given here.
 */
export class EarlyDialog extends DialogHandle {
  private isOver = false

  /** @internal */
  constructor(core: Core, session: DialogSession) {
    super(core)
    this.session = session
  }

  /** `early` until the INVITE has its final response. */
  get state(): 'early' | 'ended' {
    return this.isOver || this.session?.usage.state !== 'early' ? 'ended' : 'early'
  }

  /** @internal */
  acknowledged(): void {}

  /** @internal */
  endedBy(_end: CallEnd): void {
    this.isOver = true
  }
}

/** The early dialog of a session: made once, and only while nobody else uses it. */
export function earlyDialogOf(core: Core, session: DialogSession): EarlyDialog | undefined {
  if (session.owner instanceof EarlyDialog) return session.owner
  if (session.owner !== undefined || session.usage.state !== 'early') return undefined
  const early = new EarlyDialog(core, session)
  session.owner = early
  return early
}

/** Gives a dialog to who uses it from now on, unless someone but its early user has it already. */
export function handOver(session: DialogSession, owner: SessionOwner): void {
  const before = session.owner
  if (before !== undefined && !(before instanceof EarlyDialog)) return
  if (before !== undefined && owner instanceof DialogHandle) owner.onRequest(...before.requestHandlers)
  session.owner = owner
}
