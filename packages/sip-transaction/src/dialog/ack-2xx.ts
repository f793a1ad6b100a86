/**
 * The end-to-end handshake of a 2xx to INVITE, which no transaction owns: RFC 3261 §13.3.1.4 (the answering side
 * repeats its 2xx on every transport until the ACK) and §13.2.2.4 (the asking side repeats its ACK for every 2xx).
 * Pure: the caller brings the time.
 */

/** What the answering side asks for. */
export type Ack2xxEffect =
  /** Send this 2xx once more. */
  | { readonly kind: 'retransmit'; readonly cseq: number; readonly bytes: Uint8Array }
  /** No ACK came within 64*T1: the dialog is to be ended with BYE. */
  | { readonly kind: 'ack-lost'; readonly cseq: number }

/** The timers of RFC 3261 §17 that this handshake borrows, in milliseconds. */
export interface Ack2xxTimers {
  readonly t1Ms: number
  readonly t2Ms: number
}

interface Unacknowledged {
  readonly cseq: number
  readonly bytes: Uint8Array
  readonly giveUpAtMs: number
  intervalMs: number
  nextAtMs: number
}

/** The answering side: every 2xx of ours that has not been acknowledged yet. */
export class Server2xx {
  private readonly pending: Unacknowledged[] = []

  constructor(private readonly timers: Ack2xxTimers) {}

  /** A 2xx has just been sent for the first time. `bytes` are kept until its ACK comes. */
  sent(cseq: number, bytes: Uint8Array, nowMs: number): void {
    const { t1Ms } = this.timers
    this.pending.push({ cseq, bytes, giveUpAtMs: nowMs + 64 * t1Ms, intervalMs: t1Ms, nextAtMs: nowMs + t1Ms })
  }

  /** An ACK came. True when it acknowledges a 2xx that was still waiting. */
  acknowledged(cseq: number): boolean {
    const index = this.pending.findIndex((entry) => entry.cseq === cseq)
    if (index < 0) return false
    this.pending.splice(index, 1)
    return true
  }

  /** Whether a 2xx waits for its ACK. */
  get isWaiting(): boolean {
    return this.pending.length > 0
  }

  /** Forgets everything: the dialog is over. */
  clear(): void {
    this.pending.length = 0
  }

  /** When {@link expire} is next due. */
  deadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const entry of this.pending) earliest = Math.min(earliest, entry.nextAtMs, entry.giveUpAtMs)
    return earliest
  }

  /** Repeats each 2xx that is due, its interval doubled from T1 up to T2, or gives it up after 64*T1. */
  expire(nowMs: number, out: Ack2xxEffect[]): void {
    for (let index = 0; index < this.pending.length; index += 1) {
      const entry = this.pending[index]!
      if (nowMs >= entry.giveUpAtMs) {
        this.pending.splice(index, 1)
        index -= 1
        out.push({ kind: 'ack-lost', cseq: entry.cseq })
      } else if (nowMs >= entry.nextAtMs) {
        entry.intervalMs = Math.min(entry.intervalMs * 2, this.timers.t2Ms)
        entry.nextAtMs = nowMs + entry.intervalMs
        out.push({ kind: 'retransmit', cseq: entry.cseq, bytes: entry.bytes })
      }
    }
  }
}

/** How many INVITEs of one dialog may have retransmitted 2xx under way; older ones are forgotten. */
const acksKept = 4

/** The asking side: the ACKs that we have sent, so that each repeated 2xx gets the same one again. */
export class ClientAcks<Ack> {
  private readonly sentAcks = new Map<number, Ack>()

  /** This ACK has been sent for the INVITE of that number. */
  sent(cseq: number, ack: Ack): void {
    this.sentAcks.set(cseq, ack)
    if (this.sentAcks.size <= acksKept) return
    const oldest = this.sentAcks.keys().next().value
    if (oldest !== undefined) this.sentAcks.delete(oldest)
  }

  /** The ACK to repeat when a 2xx of that number comes again; undefined when it has not been acknowledged yet. */
  forRetransmission(cseq: number): Ack | undefined {
    return this.sentAcks.get(cseq)
  }

  /** True when there is nothing to repeat. */
  get isEmpty(): boolean {
    return this.sentAcks.size === 0
  }

  /** The INVITE's transaction is gone: its 2xx can come no more. */
  forget(cseq: number): void {
    this.sentAcks.delete(cseq)
  }
}
