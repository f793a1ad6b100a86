/**
 * How a transfer goes on, told to whoever sent the REFER: NOTIFYs of the subscription that it has made in its dialog.
 * RFC 3515 §2.4.4 and §2.4.5 (sipfrag), §2.4.6 (several REFERs), RFC 4488 §4 (without a subscription). Runs inside an input.
 */
import { type HeaderInit, reasonPhrase } from '@carillon/sip-parser'
import type { IncomingRequest } from '../requests/incoming-request'
import type { DialogSession } from './dialog-session'

/** Lifetime of the subscription as NOTIFY says it; longer than anybody lets a phone ring. */
const expiresSeconds = 300

/** Answers a REFER with 202 and reports. */
export class ReferReporter {
  private isOver: boolean
  private lastStatus = 0
  /** The 202 has gone out: before it a NOTIFY may confuse its reader, though it is allowed (RFC 6665 §4.1.2.4). */
  private isTaken = false
  private readonly event: string

  constructor(
    private readonly session: DialogSession | undefined,
    refer: IncomingRequest,
  ) {
    const { message } = refer
    const wanted = message.decode('referSub')
    const isSilent = wanted.ok && wanted.value?.value === false
    this.isOver = isSilent
    this.event = `refer;id=${message.cseq.seq}`
    refer.answer(202, isSilent ? [['Refer-Sub', 'false']] : [])
    this.progress(100)
    session?.core.submit(() => {
      this.isTaken = true
    })
  }

  /** A provisional response of the target. */
  progress(status: number): void {
    if (this.isOver || status === this.lastStatus) return
    this.lastStatus = status
    this.notify(status, `active;expires=${expiresSeconds}`)
  }

  /** The end; says nothing when it has been said. */
  done(status: number): void {
    if (this.isOver) return
    this.isOver = true
    this.notify(status, 'terminated;reason=noresource')
  }

  private notify(status: number, state: string): void {
    const { session } = this
    if (session === undefined) return
    const headers: HeaderInit[] = [
      ['Event', this.event],
      ['Subscription-State', state],
    ]
    const body = `SIP/2.0 ${status} ${reasonPhrase(status)}\r\n`
    const options = { headers, body, contentType: 'message/sipfrag;version=2.0' }
    // Whoever does not want to hear of it any more is not told any more (RFC 6665 §4.2.2).
    const stop = () => {
      this.isOver = true
    }
    const user = {
      final: ({ status: answer }: { readonly status: number }) => {
        if (answer >= 300) stop()
      },
      error: stop,
    }
    if (this.isTaken) session.request('NOTIFY', options, user)
    else session.core.submit(() => session.request('NOTIFY', options, user))
  }
}
