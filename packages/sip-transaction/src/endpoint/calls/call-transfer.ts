/**
 * Transfers that this end asks for: REFER in the call, and the NOTIFYs that tell how it goes on. RFC 3515 §2.4, RFC 4488
 * (no NOTIFYs wanted), RFC 3892 §2 (Referred-By), RFC 5589 §6 and §7.
 */
import { type HeaderInit, type NameAddr, Replaces, SipUri, type Uri } from '@carillon/sip-parser'
import { SipTransactionError, type TransactionErrorCode } from '../../errors'
import type { Appointment } from '../driver'
import type { IncomingRequest } from '../requests/incoming-request'
import type { DialogSession } from './dialog-session'

/** Options of `Call.transfer` and `Call.transferTo`. */
export interface TransferOptions {
  /** False to ask for no reports (RFC 4488): the transfer is then over when the peer has taken it. Default true. */
  readonly reports?: boolean
  /** Referred-By: an address, or false for none; our own side of the call when absent. */
  readonly referredBy?: string | NameAddr | false
  /** Told of each report that is not the last: 100, 180, … of the target. */
  readonly onProgress?: (status: number) => void
  readonly headers?: readonly HeaderInit[]
  /** Aborting stops the wait; the transfer itself cannot be taken back. */
  readonly signal?: AbortSignal
  /** How long to wait for the last report once the peer has taken the REFER; 180 000 when absent. */
  readonly timeoutMs?: number
}

/** What came of a transfer. */
export interface TransferOutcome {
  /** `accepted`: the target has answered, or no reports were asked for; `refused`: the peer would not do it; `failed`: the target would not. */
  readonly result: 'accepted' | 'refused' | 'failed'
  /** The status of the REFER when it was refused or is not reported on, else the last one reported of the target. */
  readonly status: number
}

const waitMs = 180_000

/** A Refer-To value: the target, and for an attended transfer the call that it is to replace. */
export function referToOf(target: Uri, replaced: DialogSession | undefined): string {
  if (replaced === undefined || !(target instanceof SipUri)) return `<${target.toString()}>`
  const { callId, localTag, remoteTag } = replaced.dialog
  // The tags as the target has them: ours is the far one there (RFC 3891 §3).
  const replaces = Replaces.of({ callId, toTag: remoteTag, fromTag: localTag })
  const uri = target.with({ headers: new Map([['Replaces', replaces.toString()]]) })
  return `<${uri.toString()}>`
}

interface Pending {
  /** CSeq number of the REFER, the id of its NOTIFYs; undefined until it has been sent. */
  readonly cseq: () => number | undefined
  readonly notified: (status: number | undefined, isLast: boolean) => void
}

/** The transfers that one call has asked for. */
export class CallTransfers {
  private pending: Pending[] = []

  constructor(private readonly session: () => DialogSession | undefined) {}

  /** Sends a REFER. `referTo`: the value, asked for when it is sent. */
  refer(referTo: () => string | undefined, options: TransferOptions): Promise<TransferOutcome> {
    const session = this.session()
    const isGone = session === undefined || !session.isAlive || session.core.driver.isStopped
    if (isGone) return Promise.reject(new SipTransactionError('CALL_ENDED'))
    if (options.signal?.aborted) return Promise.reject(new SipTransactionError('ABORTED'))
    return new Promise((resolve, reject) => {
      session.core.submit(() => {
        const value = referTo()
        if (value === undefined || !session.isAlive) reject(new SipTransactionError('CALL_ENDED'))
        else this.send(session, value, options, resolve, (code) => reject(new SipTransactionError(code)))
      })
    })
  }

  /** A NOTIFY in the call; false when it is of no transfer. */
  receive(incoming: IncomingRequest): boolean {
    const event = incoming.message.decode('event')
    if (!event.ok || event.value?.package !== 'refer') return false
    const { id } = event.value
    const found = this.pending.find(({ cseq }) => id === undefined || String(cseq()) === id)
    if (found === undefined) {
      incoming.answer(481)
      return true
    }
    const state = incoming.message.decode('subscriptionState')
    const isLast = state.ok && state.value?.state.toLowerCase() === 'terminated'
    incoming.answer(200)
    found.notified(statusIn(incoming), isLast)
    return true
  }

  /** The call is over: those who wait hear no more. */
  end(): void {
    for (const { notified } of [...this.pending]) notified(undefined, true)
  }

  private send(
    session: DialogSession,
    referTo: string,
    options: TransferOptions,
    resolve: (outcome: TransferOutcome) => void,
    reject: (code: TransactionErrorCode) => void,
  ): void {
    const { core, dialog } = session
    const { reports = true, signal, onProgress } = options
    let taken: number | undefined
    let lastStatus = 0
    let late: Appointment | undefined
    const settle = (act: () => void) => {
      this.pending = this.pending.filter((each) => each !== pending)
      late?.cancel()
      signal?.removeEventListener('abort', abort)
      act()
    }
    const abort = () => settle(() => reject('ABORTED'))
    const finish = (status: number) => settle(() => resolve({ result: status < 300 ? 'accepted' : 'failed', status }))
    const pending: Pending = {
      cseq: () => client.request?.cseq.seq,
      notified: (status, isLast) => {
        if (status !== undefined) lastStatus = status
        if (lastStatus >= 200) finish(lastStatus)
        // A subscription that ends without a last word leaves the outcome open: the peer has given up on it.
        else if (isLast)
          settle(() => (session.isAlive ? resolve({ result: 'failed', status: 408 }) : reject('CALL_ENDED')))
        else if (status !== undefined) onProgress?.(status)
      },
    }
    const final = ({ status, isSilent }: { readonly status: number; readonly isSilent: boolean }) => {
      if (status >= 300) settle(() => resolve({ result: 'refused', status }))
      else if (!reports || isSilent) settle(() => resolve({ result: 'accepted', status }))
      else if (taken === undefined) {
        taken = status
        if (!this.pending.includes(pending)) return
        late = core.driver.at(core.driver.nowMs + (options.timeoutMs ?? waitMs), () => settle(() => reject('TIMEOUT')))
      }
    }
    this.pending.push(pending)
    signal?.addEventListener('abort', abort, { once: true })
    const headers = referHeaders(referTo, dialog.local, options)
    const client = session.requests.make('REFER', { headers }, [], {
      final: (response) => {
        session.judge('REFER', response.status)
        const silence = response.decode('referSub')
        final({ status: response.status, isSilent: silence.ok && silence.value?.value === false })
      },
      error: (code) => settle(() => reject(code)),
    })
    client.start()
  }
}

function referHeaders(referTo: string, local: NameAddr, options: TransferOptions): HeaderInit[] {
  const headers: HeaderInit[] = [['Refer-To', referTo]]
  const { referredBy = local.withParam('tag', undefined), reports = true } = options
  if (referredBy !== false) headers.push(['Referred-By', String(referredBy)])
  if (!reports) headers.push(['Refer-Sub', 'false'], ['Supported', 'norefersub'])
  return [...headers, ...(options.headers ?? [])]
}

/** The status in a message/sipfrag body; undefined when it is none. */
function statusIn(notify: IncomingRequest): number | undefined {
  const { body, message } = notify
  const type = message.get('Content-Type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'message/sipfrag' || body.length > 8_192) return undefined
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 64)).toString('latin1')
  const status = Number(/^SIP\/2\.0 (\d{3})[ \r\n]/.exec(`${text}\n`)?.[1])
  return status >= 100 && status <= 699 ? status : undefined
}
