/** The timeouts of all connections of one transport, under one wake-up of the clock. */
import type { ScheduledWake, TransportContext } from '../../ports'
import { flowReasons } from '../reasons'
import { TimeoutQueue } from '../timeout-queue'
import type { StreamConnection } from './stream-connection'

/** Closes connections that are slow to connect, silent, slow within a message, idle or half-closed. */
export class ConnectionTimers {
  private readonly connect: TimeoutQueue<StreamConnection>
  private readonly firstMessage: TimeoutQueue<StreamConnection>
  private readonly message: TimeoutQueue<StreamConnection>
  private readonly idle: TimeoutQueue<StreamConnection>
  private readonly half: TimeoutQueue<StreamConnection>
  private readonly queues: readonly (readonly [TimeoutQueue<StreamConnection>, string])[]
  private wake: ScheduledWake | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY

  constructor(private readonly context: TransportContext) {
    const limits = context.limits
    this.connect = new TimeoutQueue(limits.connectTimeoutMs)
    this.firstMessage = new TimeoutQueue(limits.firstMessageTimeoutMs)
    this.message = new TimeoutQueue(limits.messageTimeoutMs)
    this.idle = new TimeoutQueue(limits.idleTimeoutMs)
    this.half = new TimeoutQueue(limits.halfClosedTimeoutMs)
    this.queues = [
      [this.connect, flowReasons.CONNECT_TIMEOUT],
      [this.firstMessage, flowReasons.SILENT],
      [this.message, flowReasons.MESSAGE_TIMEOUT],
      [this.idle, flowReasons.IDLE],
      [this.half, flowReasons.PEER_CLOSED],
    ]
  }

  /** An outgoing connection has been begun. */
  connecting(connection: StreamConnection): void {
    this.connect.start(connection, this.nowMs())
    this.arm(this.connect.deadline())
  }

  /** An outgoing connection is up. */
  connected(connection: StreamConnection): void {
    this.connect.stop(connection)
    this.idle.start(connection, this.nowMs())
    this.arm(this.idle.deadline())
  }

  /** A connection has been accepted. */
  accepted(connection: StreamConnection): void {
    this.firstMessage.start(connection, this.nowMs())
    this.arm(this.firstMessage.deadline())
  }

  /** Something whole came from the peer. */
  heard(connection: StreamConnection): void {
    this.firstMessage.stop(connection)
    this.idle.start(connection, this.nowMs())
    this.arm(this.idle.deadline())
  }

  /** A read ended within a message or between two. */
  partial(connection: StreamConnection, isPartial: boolean, progressed: boolean): void {
    if (!isPartial || progressed) this.message.stop(connection)
    if (!isPartial) return
    this.message.startOnce(connection, this.nowMs())
    this.arm(this.message.deadline())
  }

  /** The peer has ended its side. */
  halfClosed(connection: StreamConnection): void {
    this.half.start(connection, this.nowMs())
    this.arm(this.half.deadline())
  }

  /** The connection is gone. */
  forget(connection: StreamConnection): void {
    for (const [queue] of this.queues) queue.stop(connection)
  }

  /** No timeout fires any more. */
  stop(): void {
    this.wake?.cancel()
    this.wake = undefined
    this.wakeAtMs = Number.POSITIVE_INFINITY
  }

  private nowMs(): number {
    return this.context.clock.monotonicMs()
  }

  /** A wake-up that is early is left alone: it finds nothing due and asks for the next one. */
  private arm(atMs: number): void {
    if (atMs >= this.wakeAtMs) return
    this.wake?.cancel()
    this.wakeAtMs = atMs
    this.wake = this.context.clock.schedule(atMs, () => this.expire())
  }

  private expire(): void {
    this.wake = undefined
    this.wakeAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.nowMs()
    for (const [queue, reason] of this.queues) queue.expire(nowMs, (connection) => connection.close(reason))
    this.arm(Math.min(...this.queues.map(([queue]) => queue.deadline())))
  }
}
