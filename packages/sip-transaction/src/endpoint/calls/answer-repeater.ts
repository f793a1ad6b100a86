/** Repeats the 2xx of one dialog until their ACKs come (RFC 3261 §13.3.1.4): {@link Server2xx} with a wake and a way. */
import { type Ack2xxEffect, Server2xx } from '../../dialog/ack-2xx'
import type { Destination } from '../../ports'
import type { Core } from '../core'
import type { Appointment } from '../driver'

/** The answers of one dialog that wait for an ACK. */
export class AnswerRepeater {
  private readonly pending: Server2xx
  private readonly effects: Ack2xxEffect[] = []
  private destination: Destination | undefined
  private wake: Appointment | undefined

  constructor(
    private readonly core: Core,
    private readonly ackLost: () => void,
  ) {
    this.pending = new Server2xx({ t1Ms: core.timers.T1, t2Ms: core.timers.T2 })
  }

  /** A 2xx goes out now. */
  sent(cseq: number, bytes: Uint8Array, destination: Destination): void {
    this.destination = destination
    this.pending.sent(cseq, bytes, this.core.driver.nowMs)
    this.rearm()
  }

  /** An ACK came; true when a 2xx waited for it. */
  acknowledged(cseq: number): boolean {
    const isAwaited = this.pending.acknowledged(cseq)
    this.rearm()
    return isAwaited
  }

  /** The dialog is over. */
  stop(): void {
    this.pending.clear()
    this.rearm()
  }

  private rearm(): void {
    this.wake?.cancel()
    this.wake = undefined
    const atMs = this.pending.deadline()
    if (atMs !== Number.POSITIVE_INFINITY) this.wake = this.core.driver.at(atMs, () => this.expire())
  }

  private expire(): void {
    const { driver } = this.core
    this.pending.expire(driver.nowMs, this.effects)
    for (const effect of this.effects.splice(0)) {
      if (effect.kind === 'ack-lost') this.ackLost()
      else if (this.destination !== undefined) {
        driver.out.push({ kind: 'send', bytes: effect.bytes, destination: this.destination, transactionId: undefined })
      }
    }
    this.rearm()
  }
}
