/**
 * What is left of an INVITE of ours once a 2xx has made the call: RFC 3261 §13.2.2.4. As long as its transaction is there
 * (64*T1) 2xx may come again, and of other forks; they need the ACK that was sent, and nothing else of what made the call.
 */
import type { HeaderInit, SipResponse } from '@carillon/sip-parser'
import type { DigestClient } from '../../auth/client'
import type { Flow } from '../../ports'
import type { Core } from '../core'
import type { ClientUser } from '../driver'
import { type KeptAck, sendAck } from './ack-sender'
import type { DialogSession } from './dialog-session'
import { endUnwanted } from './late-answers'

/** How that INVITE was sent. */
export interface SentInvite {
  readonly cseq: number
  readonly credentials: readonly HeaderInit[]
  readonly auth: DigestClient | undefined
  /** Its user named the way. */
  readonly isWayNamed: boolean
}

/** Answers the 2xx that come after the first one. */
export class AnsweredInvite implements ClientUser {
  /** The dialog of the call, until it is over. */
  private session: DialogSession | undefined
  private readonly remoteTag: string
  /** The ACK, once the call is over. */
  private ack: KeptAck | undefined

  constructor(
    private readonly core: Core,
    session: DialogSession,
    private readonly sent: SentInvite,
  ) {
    this.remoteTag = session.dialog.remoteTag
    if (session.isClosed) {
      this.ack = session.keptAck(sent.cseq)
      return
    }
    this.session = session
    session.onClosed = () => {
      this.session = undefined
      this.ack = session.keptAck(sent.cseq)
    }
  }

  response(response: SipResponse, flow: Flow): void {
    const { status } = response
    if (status < 200 || status > 299) return
    const { core, session, sent, ack } = this
    if ((response.to.tag ?? '') === this.remoteTag) {
      if (ack !== undefined) {
        sendAck(core, ack)
        return
      }
      // One that comes before the user has acknowledged: the ACK is on its way.
      if (session?.repeatAck(sent.cseq) === true || session?.isAlive === true) return
    }
    endUnwanted(core, response, flow, sent.credentials, sent.auth, sent.isWayNamed)
  }

  failed(): void {}

  terminated(): void {
    this.session?.inviteGone(this.sent.cseq)
  }
}
