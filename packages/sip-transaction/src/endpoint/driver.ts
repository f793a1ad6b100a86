/**
 * The drain loop between pure protocol logic and the world: one input at a time, all of its effects carried out before
 * the next one, one wake-up for everything that waits. Inputs that arise meanwhile are queued, so nothing re-enters.
 */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import type { Effect, TransactionFailure, TransactionId } from '../effects'
import { channels } from '../observe/channels'
import type { Clock, Destination, Flow, Logger, ScheduledWake, Turns } from '../ports'
import { Timer, TimerWheel } from '../timers/timer-wheel'
import type { TransactionLayer } from '../transaction/layer'
import { PassingMap } from '../transaction/passing-map'

/** Who hears of a client transaction. */
export interface ClientUser {
  response(response: SipResponse, flow: Flow): void
  failed(reason: TransactionFailure): void
  terminated(): void
}

/** Who hears of a server transaction after its request. */
export interface ServerUser {
  /** `cancel` is the CANCEL; its Reason may say why (RFC 3326). */
  cancelled(cancel: SipRequest): void
  failed(reason: TransactionFailure): void
  terminated(): void
}

/** What the driver hands to its stack. */
export interface DriverHooks {
  request(transactionId: TransactionId, request: SipRequest, flow: Flow): void
  ack(request: SipRequest, flow: Flow): void
  /** `transactionId`: that of the failed INVITE whose late 2xx it is. */
  strayResponse(response: SipResponse, flow: Flow, transactionId: TransactionId | undefined): void
  send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void
  /** Every effect, for observers; called when somebody has subscribed to the transaction channel. */
  effect?(effect: Effect): void
}

/** A pending call of the agenda. */
export interface Appointment {
  cancel(): void
}

/** Timers of one kind that fire in one input; then those of a turn that has time left go on. */
const expiriesPerInput = 32

/** Runs inputs one after another and keeps the single wake-up of its endpoint. */
export class Driver {
  /** Users by client transaction. */
  readonly clients = new PassingMap<TransactionId, ClientUser>()
  /** Users by server transaction. */
  readonly servers = new PassingMap<TransactionId, ServerUser>()
  /** Effects of the input that is running; the layer appends to it. */
  readonly out: Effect[] = []
  private readonly queue: (() => void)[] = []
  private readonly agenda = new TimerWheel<() => void, undefined>()
  private readonly expireInput = () => this.expire()
  private isDraining = false
  private hasStopped = false
  private wake: ScheduledWake | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY

  constructor(
    readonly layer: TransactionLayer,
    readonly clock: Clock,
    private readonly logger: Logger,
    private readonly hooks: DriverHooks,
    private readonly turns?: Turns,
  ) {}

  /** Monotonic time, for inputs. */
  get nowMs(): number {
    return this.clock.monotonicMs()
  }

  /** How many appointments are open. */
  get appointments(): number {
    return this.agenda.size
  }

  /** True once {@link stop} was called: inputs are ignored. */
  get isStopped(): boolean {
    return this.hasStopped
  }

  /** Runs an input now, or after those before it when one is running. */
  submit(input: () => void): void {
    if (this.hasStopped) return
    this.queue.push(input)
    if (!this.isDraining) this.drain()
  }

  /** Calls `fire` as an input of its own, once, at that monotonic time or soon after. */
  at(atMs: number, fire: () => void): Appointment {
    const timer = new Timer<() => void, undefined>(fire, undefined)
    this.agenda.schedule(timer, atMs)
    if (!this.isDraining) this.rearm()
    return { cancel: () => this.agenda.cancel(timer) }
  }

  /** Stops for good: no input runs any more, no wake-up is left. */
  stop(): void {
    this.hasStopped = true
    this.wake?.cancel()
    this.wake = undefined
    this.queue.length = 0
    this.clients.clear()
    this.servers.clear()
  }

  private drain(): void {
    this.isDraining = true
    let next = 0
    while (next < this.queue.length) {
      const input = this.queue[next]!
      next += 1
      // A long burst must not keep every finished input alive.
      if (next === 1024) {
        this.queue.splice(0, next)
        next = 0
      }
      this.guard(input)
      this.carryOut()
    }
    this.queue.length = 0
    this.isDraining = false
    this.rearm()
  }

  private carryOut(): void {
    for (let index = 0; index < this.out.length; index += 1) {
      try {
        this.carry(this.out[index]!)
      } catch (error) {
        this.logger.error({ error: describeError(error) }, 'An effect failed inside the stack')
      }
    }
    this.out.length = 0
  }

  private carry(effect: Effect): void {
    if (channels.transaction.hasSubscribers) this.hooks.effect?.(effect)
    switch (effect.kind) {
      case 'send':
        this.send(effect)
        break
      case 'request':
        this.hooks.request(effect.transactionId, effect.request, effect.flow)
        break
      case 'ack':
        this.hooks.ack(effect.request, effect.flow)
        break
      case 'response':
        this.clients.get(effect.transactionId)?.response(effect.response, effect.flow)
        break
      case 'stray-response':
        this.hooks.strayResponse(effect.response, effect.flow, effect.transactionId)
        break
      case 'cancelled':
        this.servers.get(effect.transactionId)?.cancelled(effect.cancel)
        break
      case 'failed':
        this.clients.get(effect.transactionId)?.failed(effect.reason)
        this.servers.get(effect.transactionId)?.failed(effect.reason)
        break
      case 'terminated':
        this.terminated(effect.transactionId)
        break
    }
  }

  private send({ bytes, destination, transactionId, failed }: Extract<Effect, { kind: 'send' }>): void {
    this.hooks.send(bytes, destination, () => {
      if (failed !== undefined) this.submit(failed)
      if (transactionId === undefined) return
      this.submit(() => this.layer.transportError(transactionId, this.nowMs, this.out))
    })
  }

  private terminated(id: TransactionId): void {
    const client = this.clients.get(id)
    const server = this.servers.get(id)
    this.clients.delete(id)
    this.servers.delete(id)
    client?.terminated()
    server?.terminated()
  }

  /** An error of ours ends the input that met it, never the process. */
  private guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.logger.error({ error: describeError(error) }, 'An input failed inside the stack')
    }
  }

  private rearm(): void {
    if (this.hasStopped) return
    const dueMs = Math.min(this.layer.deadline(), this.agenda.deadline())
    // A wake-up that is too early costs one empty expiry; moving it each time would cost more.
    if (this.wake !== undefined && this.wakeAtMs <= dueMs) return
    this.wake?.cancel()
    this.wake = undefined
    this.wakeAtMs = dueMs
    if (dueMs === Number.POSITIVE_INFINITY) return
    this.wake = this.clock.schedule(dueMs, () => {
      this.wake = undefined
      this.submit(this.expireInput)
    })
  }

  private expire(): void {
    const nowMs = this.nowMs
    const isLeft = this.layer.expire(nowMs, this.out, expiriesPerInput)
    const isAgendaLeft = this.agenda.expire(nowMs, (timer) => this.submit(timer.owner), expiriesPerInput)
    // Thousands may fall due at once. Without time the next turn goes on, for the wake-up is in the past.
    if ((isLeft || isAgendaLeft) && this.turns?.hasTime() !== false) this.submit(this.expireInput)
  }
}

/** An error as log fields: name, code and message; no stack of another program's data. */
export function describeError(error: unknown): { name: string; code?: string; message: string; stack?: string } {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const stack = error.stack === undefined ? {} : { stack: error.stack }
  return { name: error.name, ...code, message: error.message, ...stack }
}
