/** The timeouts of all connections of one transport, under one wake-up of the clock. RFC 5626 §4.4.1 for keep-alives. */
import type { ScheduledWake, TransportContext } from '../../ports'
import { flowReasons } from '../reasons'
import { TimeoutQueue } from '../timeout-queue'
import type { StreamConnection } from './stream-connection'

/** What a timeout ends. */
export interface Closable {
  close(reason: string): void
}

/** Keep-alives go out after 80 to 100 % of their interval, so that what connected at once does not stay in step. */
const keepAliveShares = [0.8, 0.85, 0.9, 0.95, 1]

/** Closes connections that are slow to connect, silent, slow within a message, idle, dead or half-closed. */
export class ConnectionTimers {
  private readonly handshake: TimeoutQueue<Closable>
  private readonly connect: TimeoutQueue<Closable>
  private readonly firstMessage: TimeoutQueue<Closable>
  private readonly message: TimeoutQueue<Closable>
  private readonly idle: TimeoutQueue<Closable>
  private readonly half: TimeoutQueue<Closable>
  private readonly answer: TimeoutQueue<Closable>
  private readonly queues: readonly (readonly [TimeoutQueue<Closable>, string])[]
  private readonly keepAlives: readonly TimeoutQueue<StreamConnection>[]
  /** Pings asked for one connection, by connection. */
  private readonly paced = new Map<StreamConnection, ScheduledWake>()
  private wake: ScheduledWake | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY

  constructor(private readonly context: TransportContext) {
    const { limits } = context
    this.handshake = new TimeoutQueue(limits.handshakeTimeoutMs)
    this.connect = new TimeoutQueue(limits.connectTimeoutMs)
    this.firstMessage = new TimeoutQueue(limits.firstMessageTimeoutMs)
    this.message = new TimeoutQueue(limits.messageTimeoutMs)
    this.idle = new TimeoutQueue(limits.idleTimeoutMs)
    this.half = new TimeoutQueue(limits.halfClosedTimeoutMs)
    this.answer = new TimeoutQueue(limits.keepAliveAnswerMs)
    this.queues = [
      [this.handshake, flowReasons.HANDSHAKE_TIMEOUT],
      [this.connect, flowReasons.CONNECT_TIMEOUT],
      [this.firstMessage, flowReasons.SILENT],
      [this.message, flowReasons.MESSAGE_TIMEOUT],
      [this.idle, flowReasons.IDLE],
      [this.half, flowReasons.PEER_CLOSED],
      [this.answer, flowReasons.KEEP_ALIVE_UNANSWERED],
    ]
    this.keepAlives =
      limits.keepAliveMs > 0 ? keepAliveShares.map((share) => new TimeoutQueue(share * limits.keepAliveMs)) : []
  }

  /** An accepted connection has begun a handshake. */
  shakingHands(connection: Closable): void {
    this.handshake.start(connection, this.nowMs())
    this.arm(this.handshake.deadline())
  }

  /** That handshake is over. */
  handshakeDone(connection: Closable): void {
    this.handshake.stop(connection)
  }

  /** An outgoing connection has been begun. */
  connecting(connection: StreamConnection): void {
    this.connect.start(connection, this.nowMs())
    this.arm(this.connect.deadline())
  }

  /** A connection is up. */
  connected(connection: StreamConnection): void {
    this.connect.stop(connection)
    this.handshake.stop(connection)
    const queue = connection.isIncoming ? this.firstMessage : this.idle
    queue.start(connection, this.nowMs())
    this.arm(queue.deadline())
    if (!connection.isIncoming || connection.keepsMessagesApart) this.keepAliveLater(connection)
  }

  /** Something whole came from the peer. */
  heard(connection: StreamConnection): void {
    this.firstMessage.stop(connection)
    this.answer.stop(connection)
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
    // Who has ended its side answers no keep-alive.
    this.answer.stop(connection)
    this.keepAliveOf(connection)?.stop(connection)
    this.stopPacing(connection)
  }

  /** The connection is gone. */
  forget(connection: StreamConnection): void {
    for (const [queue] of this.queues) queue.stop(connection)
    this.keepAliveOf(connection)?.stop(connection)
    this.stopPacing(connection)
  }

  /** Pings a connection at its own pace, besides the common one; a later call takes the place of an earlier. */
  keepAliveEvery(connection: StreamConnection, everyMs: number): () => void {
    let round = connection.id
    const later = () => {
      round += 1
      const atMs = this.nowMs() + everyMs * keepAliveShares[round % keepAliveShares.length]!
      wake = this.context.clock.schedule(atMs, ping)
      this.paced.set(connection, wake)
    }
    const ping = () => {
      this.paced.delete(connection)
      connection.ping()
      if (!connection.isOpen) return
      this.answer.startOnce(connection, this.nowMs())
      this.arm(this.answer.deadline())
      later()
    }
    let wake: ScheduledWake | undefined
    this.stopPacing(connection)
    later()
    return () => {
      if (this.paced.get(connection) === wake) this.stopPacing(connection)
    }
  }

  /** No timeout fires any more. */
  stop(): void {
    for (const connection of [...this.paced.keys()]) this.stopPacing(connection)
    this.wake?.cancel()
    this.wake = undefined
    this.wakeAtMs = Number.POSITIVE_INFINITY
  }

  private stopPacing(connection: StreamConnection): void {
    this.paced.get(connection)?.cancel()
    this.paced.delete(connection)
  }

  private keepAliveOf(connection: StreamConnection): TimeoutQueue<StreamConnection> | undefined {
    return this.keepAlives[connection.id % keepAliveShares.length]
  }

  private keepAliveLater(connection: StreamConnection): void {
    const queue = this.keepAliveOf(connection)
    if (queue === undefined) return
    queue.start(connection, this.nowMs())
    this.arm(queue.deadline())
  }

  private keepAlive(connection: StreamConnection): void {
    connection.ping()
    if (!connection.isOpen) return
    this.answer.startOnce(connection, this.nowMs())
    this.keepAliveLater(connection)
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
    for (const queue of this.keepAlives) queue.expire(nowMs, (connection) => this.keepAlive(connection))
    this.arm(Math.min(...[...this.queues.map(([queue]) => queue), ...this.keepAlives].map((queue) => queue.deadline())))
  }
}
