/**
 * The owner's side of the conversation with one engine, in this thread or in a worker: requests with their answers and
 * timeouts, and what the engine tells of its sessions.
 */
import type { EngineStats } from '../control/engine'
import type { CloseReason } from '../control/events'
import type { SessionSnapshot } from '../control/snapshot'
import { RelayError } from '../errors'
import { errorOf } from './error-message'
import type { EngineEvent, FromWorker, SessionReplies, SessionRequest, TappedPacket, ToWorker } from './protocol'

/** A session as the client sees it. */
export interface SessionSink {
  readonly id: string
  /** Something has happened to the session; `session-closed` is the last event. */
  happened(event: EngineEvent): void
  /** Packets of a tap, and how many of it have been dropped so far. */
  tapped(packets: readonly TappedPacket[], dropped: number): void
  /** How the session stands. */
  known(snapshot: SessionSnapshot): void
  /** The engine is gone. */
  lost(reason: CloseReason): void
}

/** What a client needs of the connection to its engine. */
export interface EngineConnection {
  send(message: ToWorker): void
  /** How long a request may take; 0 where the engine is in this thread. */
  readonly requestTimeoutMs: number
  /** There is something to wait for, or nothing any more. */
  busy(isBusy: boolean): void
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout | undefined
}

/** Talks with one engine until it is lost or closed. */
export class EngineClient {
  private readonly pending = new Map<number, Pending>()
  private readonly sinks = new Map<number, SessionSink>()
  private lastRequest = 0
  private isBusy = false
  private isGone = false

  constructor(private readonly connection: EngineConnection) {}

  /** Sessions that the engine has. */
  get sessions(): number {
    return this.sinks.size
  }

  /** Begins a session under a key that has never been used. */
  open(key: number, sink: SessionSink): void {
    this.sinks.set(key, sink)
    this.look()
    this.connection.send({ kind: 'open', key, id: sink.id })
  }

  /** Asks for something of a session. Rejects with the engine's RelayError, WORKER_CRASHED or WORKER_TIMEOUT. */
  async request<T extends SessionRequest>(key: number, body: T): Promise<SessionReplies[T['operation']]> {
    const reply = await this.ask((request) => ({ kind: 'request', request, key, body }))
    return reply as SessionReplies[T['operation']]
  }

  /** How a session stands. Rejects as `request`. */
  async snapshot(key: number): Promise<SessionSnapshot> {
    const snapshot = await this.request(key, { operation: 'snapshot' })
    this.sinks.get(key)?.known(snapshot)
    return snapshot
  }

  /** How the engine stands. Rejects as `request`. */
  async stats(): Promise<EngineStats> {
    return (await this.ask((request) => ({ kind: 'stats', request }))) as EngineStats
  }

  /** Ends a session; its `session-closed` follows, or `lost`. */
  end(key: number, reason: CloseReason): void {
    if (this.sinks.has(key)) this.connection.send({ kind: 'end', key, reason })
  }

  /** Begins or ends the tap of a session. */
  tap(key: number, isOn: boolean): void {
    if (this.sinks.has(key)) this.connection.send({ kind: 'tap', key, isOn })
  }

  /** Takes a message of the engine. */
  receive(message: FromWorker): void {
    switch (message.kind) {
      case 'reply':
        this.settle(message.request, (pending) => pending.resolve(message.value))
        break
      case 'failure':
        this.settle(message.request, (pending) => pending.reject(errorOf(message.error)))
        break
      case 'event':
        this.happened(message.key, message.event)
        break
      case 'report':
        for (const { key, snapshot } of message.snapshots) this.sinks.get(key)?.known(snapshot)
        break
      case 'tap':
        this.sinks.get(message.key)?.tapped(message.packets, message.dropped)
        this.connection.send({ kind: 'tapped', key: message.key, count: message.packets.length })
        break
      default:
    }
  }

  /** The engine is gone: what is pending rejects with `error`, and every session ends for `reason`. */
  lose(error: RelayError, reason: CloseReason): void {
    this.isGone = true
    for (const pending of this.pending.values()) {
      clearTimeout(pending.timer)
      pending.reject(error)
    }
    this.pending.clear()
    const sinks = [...this.sinks.values()]
    this.sinks.clear()
    for (const sink of sinks) sink.lost(reason)
    this.look()
  }

  private ask(message: (request: number) => ToWorker): Promise<unknown> {
    if (this.isGone) return Promise.reject(new RelayError('WORKER_CRASHED'))
    const request = ++this.lastRequest
    const { requestTimeoutMs } = this.connection
    return new Promise((resolve, reject) => {
      const late = (): void => this.settle(request, () => reject(new RelayError('WORKER_TIMEOUT')))
      const timer = requestTimeoutMs > 0 ? setTimeout(late, requestTimeoutMs) : undefined
      this.pending.set(request, { resolve, reject, timer })
      this.look()
      try {
        this.connection.send(message(request))
      } catch (error) {
        // What cannot be cloned (a function among the options, say) is the caller's fault, and the caller is told.
        this.settle(request, () => reject(error))
      }
    })
  }

  private settle(request: number, how: (pending: Pending) => void): void {
    const pending = this.pending.get(request)
    if (pending === undefined) return
    this.pending.delete(request)
    clearTimeout(pending.timer)
    how(pending)
    this.look()
  }

  private happened(key: number, event: EngineEvent): void {
    const sink = this.sinks.get(key)
    if (event.name === 'session-closed') this.sinks.delete(key)
    sink?.happened(event)
    this.look()
  }

  private look(): void {
    const isBusy = this.pending.size > 0 || this.sinks.size > 0
    if (isBusy === this.isBusy) return
    this.isBusy = isBusy
    this.connection.busy(isBusy)
  }
}
