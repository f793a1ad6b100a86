/**
 * What the wire must show, whatever happens on it: one final response to a transaction, an ACK for every final response
 * to an INVITE that arrived, ACK and BYE for a 2xx that crosses a CANCEL (RFC 3261 §9.1, §13.2.2.4, §17.1.1.3).
 */
import type { ObservedMessage } from '@carillon/sip-transaction/testing'

/** How long both sides certainly remember an INVITE after its first final response. */
const attentiveMs = 20_000

/** How long a server remembers what it has answered: timer L, and no shorter one (RFC 6026 §7.1). */
const memoryMs = 32_000

/** How long a client certainly waits for a final response: less than 64·T1. */
const patienceMs = 30_000

/** One INVITE as one client sent it, by branch. */
interface InviteExchange {
  readonly from: string
  /** The final responses that arrived, and the ACKs that followed, by To tag. */
  readonly finals: Map<string, { status: number; arrived: number; acknowledged: number; firstMs: number }>
  cancelledMs: number
  readonly startedMs: number
  /** True when its ACK carries the answer: a back-to-back user agent has to wait for the other side's ACK then. */
  readonly isLateOffer: boolean
}

/** Reads every message of a network and keeps the books. */
export class WireBook {
  readonly violations: string[] = []
  private readonly invites = new Map<string, InviteExchange>()
  /** INVITE transactions by what an ACK of a 2xx shares with them: Call-ID, From tag, CSeq number. */
  private readonly byDialog = new Map<string, InviteExchange>()
  private readonly callIds = new Map<string, string>()
  /** First final status by transaction and To tag. */
  private readonly finals = new Map<string, { readonly status: number; readonly atMs: number }>()
  /** Dialogs in which a BYE has been sent by either side, by Call-ID. */
  private readonly ended = new Set<string>()

  /** @param isArrivalSure false where connections may break: what was queued on one of them never arrives */
  constructor(private readonly isArrivalSure: boolean) {}

  /** Books one message. */
  note({ atMs, from, bytes, fate }: ObservedMessage): void {
    const text = Buffer.from(bytes).toString('latin1')
    const line = text.slice(0, text.indexOf('\r\n'))
    const [, number = '', method = ''] = /^CSeq: (\d+) (\w+)/im.exec(text) ?? []
    const branch = /;branch=([^;\r\n]+)/.exec(text)?.[1] ?? ''
    const callId = /^Call-ID: (.*)$/im.exec(text)?.[1]?.trim() ?? ''
    const fromTag = tagOf(text, 'From')
    const toTag = tagOf(text, 'To')
    const dialog = `${callId} ${fromTag} ${number}`
    const status = /^SIP\/2\.0 (\d{3})/.exec(line)?.[1]
    const isDelivered = fate === 'sent'
    if (status !== undefined) {
      this.noteFinal(Number(status), `${number} ${method} ${branch}`, toTag, atMs)
      if (method === 'INVITE') this.noteInviteFinal(branch, Number(status), toTag, isDelivered, atMs)
    } else if (line.startsWith('INVITE '))
      this.noteInvite(branch, dialog, from.address, atMs, !text.includes('\r\nv=0'))
    else if (line.startsWith('ACK ')) this.noteAck(branch, dialog, toTag)
    else if (line.startsWith('CANCEL ')) this.noteCancel(branch, atMs)
    else if (line.startsWith('BYE ')) this.ended.add(callId)
  }

  /** Checks what can be said only in the end. */
  close(): void {
    if (!this.isArrivalSure) return
    for (const [branch, { finals, from, cancelledMs, isLateOffer }] of this.invites) {
      for (const [tag, { status, arrived, acknowledged, firstMs }] of finals) {
        const wanted = isLateOffer && status < 300 ? Math.min(1, arrived) : arrived
        if (acknowledged < wanted)
          this.violate(`${from} ${branch} to-tag ${tag}: ${arrived} times ${status} came and ${acknowledged} ACKs went`)
        const callId = this.callIds.get(branch) ?? ''
        if (status < 300 && cancelledMs < firstMs && !this.ended.has(callId))
          this.violate(`${from} ${branch}: a 2xx that crossed CANCEL was never ended with BYE`)
      }
    }
  }

  private noteInvite(branch: string, dialog: string, from: string, startedMs: number, isLateOffer: boolean): void {
    if (this.invites.has(branch)) return
    const exchange = { from, finals: new Map(), cancelledMs: Number.POSITIVE_INFINITY, startedMs, isLateOffer }
    this.invites.set(branch, exchange)
    this.byDialog.set(dialog, exchange)
    this.callIds.set(branch, dialog.slice(0, dialog.indexOf(' ')))
  }

  private noteFinal(status: number, transaction: string, toTag: string, atMs: number): void {
    if (status < 200) return
    const key = `${transaction} ${toTag}`
    const before = this.finals.get(key)
    if (before === undefined) this.finals.set(key, { status, atMs })
    // A repeated request that was under way for so long finds a server that has forgotten all of it.
    else if (before.status !== status && atMs - before.atMs < memoryMs) {
      this.violate(`${key}: ${before.status}, then ${status}`)
    }
  }

  private noteInviteFinal(branch: string, status: number, toTag: string, isDelivered: boolean, atMs: number): void {
    const exchange = this.invites.get(branch)
    if (exchange === undefined || status < 200) return
    // A client that has waited for 64·T1 may have given up, and then there is nobody to acknowledge.
    if (atMs - exchange.startedMs > patienceMs) return
    const known = exchange.finals.get(toTag)
    if (known === undefined) {
      exchange.finals.set(toTag, { status, arrived: isDelivered ? 1 : 0, acknowledged: 0, firstMs: atMs })
      return
    }
    // Whoever has hung up need not acknowledge again: a BYE ends the repetition as well (RFC 3261 §15).
    const isOver = status < 300 && this.ended.has(this.callIds.get(branch) ?? '')
    if (isDelivered && !isOver && atMs - known.firstMs < attentiveMs) known.arrived += 1
  }

  private noteAck(branch: string, dialog: string, toTag: string): void {
    const exchange = this.invites.get(branch) ?? this.byDialog.get(dialog)
    const final = exchange?.finals.get(toTag)
    if (final === undefined && exchange === undefined)
      this.violate(`an ACK for nothing: ${branch} ${dialog} to-tag ${toTag}`)
    else if (final !== undefined) final.acknowledged += 1
  }

  private noteCancel(branch: string, atMs: number): void {
    const exchange = this.invites.get(branch)
    if (exchange === undefined) this.violate(`CANCEL of no INVITE: ${branch}`)
    else exchange.cancelledMs = Math.min(exchange.cancelledMs, atMs)
  }

  private violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(what)
  }
}

function tagOf(text: string, header: 'From' | 'To'): string {
  return new RegExp(`^${header}: .*;tag=([^;\\s]+)`, 'im').exec(text)?.[1] ?? ''
}
