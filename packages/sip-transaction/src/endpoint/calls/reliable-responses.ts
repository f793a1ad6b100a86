/** The reliable provisional responses to one INVITE (RFC 3262 §3): {@link ReliableServer} with a wake and a way. */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import { ReliableServer, type ReliableServerEffect } from '../../dialog/reliable-provisional'
import { hasTag } from '../../dialog/session-interval'
import type { Core } from '../core'
import type { Appointment } from '../driver'
import type { ReplyOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'

/** The INVITE that is answered. */
export interface ReliableUser {
  /** Builds the response with that RSeq and sends it. */
  transmit(status: number, options: ReplyOptions, rseq: number): SipResponse
  /** Sends it again. */
  repeat(response: SipResponse): void
  /** A PRACK has been matched; answer it. */
  acknowledged(prack: IncomingRequest): void
  /** No PRACK came within 64*T1: answer the INVITE with a failure. */
  gaveUp(): void
}

interface Reply {
  readonly status: number
  readonly options: ReplyOptions
}

/** Every method runs inside an input. */
export class ReliableResponses {
  private readonly server: ReliableServer<Reply>
  private readonly effects: ReliableServerEffect<Reply>[] = []
  private sent: SipResponse | undefined
  private final: (() => void) | undefined
  private prack: IncomingRequest | undefined
  private wake: Appointment | undefined

  constructor(
    private readonly core: Core,
    /** CSeq number of the INVITE. */
    private readonly cseq: number,
    private readonly user: ReliableUser,
  ) {
    this.server = new ReliableServer(1 + Math.floor(core.random.fraction() * (2 ** 31 - 1)), core.timers.T1)
  }

  /** True while a 2xx waits for descriptions to be acknowledged. */
  get isHolding(): boolean {
    return this.server.state === 'holding' || this.server.state === 'draining'
  }

  /** Whether a PRACK may still come that would be taken. */
  get isAwaiting(): boolean {
    return this.server.isAwaiting
  }

  /** Sends a response now, or when those before it have been acknowledged. */
  send(status: number, options: ReplyOptions): void {
    this.server.send({ status, options }, options.body !== undefined, this.core.driver.nowMs, this.effects)
    this.carryOut()
  }

  /** The final response: `deliver` sends it, now or when the PRACK has come. */
  sendFinal(isSuccess: boolean, deliver: () => void): void {
    if (this.server.state === 'terminated') {
      deliver()
      return
    }
    this.final = deliver
    this.server.final(isSuccess, this.effects)
    this.carryOut()
  }

  /** A PRACK came in the dialog; it is answered here. */
  receive(prack: IncomingRequest): void {
    const rack = prack.message.decode('rack')
    if (!rack.ok || rack.value === undefined) {
      prack.answer(400)
      return
    }
    const { rseq, seq, method } = rack.value
    this.prack = prack
    this.server.prack(seq === this.cseq && method === 'INVITE' ? rseq : undefined, this.core.driver.nowMs, this.effects)
    this.carryOut()
    this.prack = undefined
  }

  /** The dialog is over, or the PRACKs of another INVITE are awaited now. */
  close(): void {
    this.server.close()
    this.final = undefined
    this.sent = undefined
    this.rearm()
  }

  /** The INVITE is over; a PRACK for it may be late (RFC 3262 §3), but not for ever. */
  release(done: () => void): void {
    const { driver, timers } = this.core
    const end = () => {
      this.close()
      done()
    }
    if (this.isAwaiting) driver.at(driver.nowMs + 64 * timers.T1, end)
    else end()
  }

  private carryOut(): void {
    for (const effect of this.effects.splice(0)) this.carry(effect)
    this.rearm()
  }

  private carry(effect: ReliableServerEffect<Reply>): void {
    switch (effect.kind) {
      case 'transmit':
        this.sent = this.user.transmit(effect.payload.status, effect.payload.options, effect.rseq)
        break
      case 'repeat':
        if (this.sent !== undefined) this.user.repeat(this.sent)
        break
      case 'accept-prack':
        this.sent = undefined
        if (this.prack !== undefined) this.user.acknowledged(this.prack)
        break
      case 'refuse-prack':
        this.prack?.answer(481)
        break
      case 'send-final': {
        const deliver = this.final
        this.final = undefined
        this.sent = undefined
        deliver?.()
        break
      }
      case 'give-up':
        this.final = undefined
        this.sent = undefined
        this.user.gaveUp()
        break
      case 'overflow':
        this.core.logger.warn(
          { cseq: this.cseq },
          'Too many provisional responses wait for their PRACK; one is dropped',
        )
        break
    }
  }

  private rearm(): void {
    this.wake?.cancel()
    this.wake = undefined
    const atMs = this.server.deadline()
    if (atMs === Number.POSITIVE_INFINITY) return
    this.wake = this.core.driver.at(atMs, () => {
      this.wake = undefined
      this.server.expire(this.core.driver.nowMs, this.effects)
      this.carryOut()
    })
  }
}

/** Whether a provisional response to that INVITE is to be reliable (RFC 3262 §3). */
export function isReliableReply(core: Core, invite: SipRequest, options: ReplyOptions): boolean {
  const { reliable } = core.capabilities
  if (reliable === 'never' || !hasTag(invite, '100rel')) return false
  if (reliable === 'always' || options.reliable === true) return true
  const required = invite.decode('require')
  return required.ok && required.value.some((tag) => tag.toLowerCase() === '100rel')
}
