/**
 * One connection that carries SIP over a byte stream (RFC 3261 §18.3; keep-alives RFC 5626 §3.5.1), as a flow.
 * It frames what comes in, queues what goes out, and tells its owner what happened to it; timers are its owner's.
 */
import type { Socket } from 'node:net'
import { type FramerEvent, pongBytes, StreamFramer } from '@carillon/sip-parser'
import type { Flow, FlowAddress } from '../../ports'
import { flowReasons, reasonOfError } from '../reasons'

/** What a connection needs of its transport. */
export interface ConnectionOwner {
  readonly name: string
  readonly isSecure: boolean
  readonly local: FlowAddress
  readonly sendQueueBytesMax: number
  readonly messageBytesMax: number
  /** An outgoing connection is up. */
  connected(connection: StreamConnection): void
  /** A whole message came. */
  message(bytes: Uint8Array, connection: StreamConnection): void
  /** Whole messages or keep-alives came in one read, the messages having been handed over. */
  heard(connection: StreamConnection): void
  /** After each read: whether a message has begun and is not yet whole; `progressed` when one ended in this read. */
  partial(connection: StreamConnection, isPartial: boolean, progressed: boolean): void
  /** The stream cannot be framed any more; the connection has been closed. */
  garbage(code: string, connection: StreamConnection): void
  /** The peer has ended its side between two messages. */
  ended(connection: StreamConnection): void
  /** Nothing is left of the connection; called once. */
  closed(connection: StreamConnection, reason: string): void
}

/** A connection as a flow. */
export class StreamConnection implements Flow {
  /** When the last whole message came; -Infinity before the first. */
  lastMessageMs = Number.NEGATIVE_INFINITY
  private isConnected: boolean
  private isClosed = false
  /** Closed without waiting for what was queued. */
  private isAborted = false
  private isCorked = false
  private reason: string = flowReasons.PEER_CLOSED
  private readonly framer: StreamFramer

  /**
   * Takes the socket over.
   * @param isConnected false for an outgoing connection that is not up yet
   */
  constructor(
    readonly id: number,
    readonly remote: FlowAddress,
    private readonly socket: Socket,
    private readonly owner: ConnectionOwner,
    isConnected: boolean,
  ) {
    this.isConnected = isConnected
    this.framer = new StreamFramer({ limits: { messageBytesMax: owner.messageBytesMax } })
    socket.on('data', (chunk: Uint8Array) => this.onData(chunk))
    socket.on('end', () => this.onEnd())
    socket.on('error', (error) => this.close(reasonOfError(error)))
    socket.on('close', () => this.onClose())
  }

  get transport(): string {
    return this.owner.name
  }

  get isReliable(): boolean {
    return true
  }

  get isSecure(): boolean {
    return this.owner.isSecure
  }

  get local(): FlowAddress {
    return this.owner.local
  }

  get isOpen(): boolean {
    return !this.isClosed
  }

  /** True once the connection has been established. */
  get wasConnected(): boolean {
    return this.isConnected
  }

  /** Bytes handed to {@link send} that the kernel has not taken. */
  get queuedBytes(): number {
    return this.socket.writableLength
  }

  /** Marks an outgoing connection as up. */
  established(): void {
    if (this.isClosed || this.isConnected) return
    this.isConnected = true
    this.owner.connected(this)
  }

  /** Queues one message. Calls nobody back before it has returned. */
  send(bytes: Uint8Array, failed: (reason: string) => void): void {
    if (this.isClosed) {
      process.nextTick(failed, flowReasons.FLOW_CLOSED)
      return
    }
    if (this.socket.writableLength + bytes.length > this.owner.sendQueueBytesMax) {
      // A peer that reads slower than it is written to would otherwise be served from an ever longer queue.
      this.close(flowReasons.SEND_QUEUE_FULL)
      process.nextTick(failed, flowReasons.SEND_QUEUE_FULL)
      return
    }
    this.cork()
    this.socket.write(bytes, (error) => {
      // Of a write that is under way when the socket is destroyed the runtime says that it went well.
      if (error || this.isAborted) failed(this.isClosed ? this.reason : reasonOfError(error))
    })
  }

  /** Closes at once, giving up what is queued. The first reason given is the one reported. */
  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reason = reason
    this.destroy()
  }

  /** Closes as soon as what is queued has gone. Nothing more is read or sent. */
  closeSoon(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reason = reason
    this.socket.removeAllListeners('data')
    this.socket.destroySoon()
  }

  /** Gives up what {@link closeSoon} still waits for. */
  destroy(): void {
    this.isAborted = true
    this.socket.destroy()
  }

  /** All answers of one turn of the event loop go out with one system call. */
  private cork(): void {
    if (this.isCorked) return
    this.isCorked = true
    this.socket.cork()
    process.nextTick(() => {
      this.isCorked = false
      this.socket.uncork()
    })
  }

  private onData(chunk: Uint8Array): void {
    const events = this.framer.push(chunk)
    let messages = 0
    for (const event of events) {
      if (this.isClosed) return
      if (event.kind === 'message') {
        messages++
        this.owner.message(event.bytes, this)
      } else if (!this.handleOther(event)) return
    }
    if (this.isClosed) return
    if (events.length > 0) this.owner.heard(this)
    this.owner.partial(this, !this.framer.isIdle, messages > 0)
  }

  private handleOther(event: FramerEvent): boolean {
    if (event.kind === 'ping') this.send(pongBytes, () => {})
    else if (event.kind === 'error') {
      this.close(flowReasons.FRAMING)
      this.owner.garbage(event.error.code, this)
      return false
    }
    return true
  }

  private onEnd(): void {
    if (this.isClosed) return
    if (!this.framer.isIdle) this.close(flowReasons.PEER_CLOSED_EARLY)
    else this.owner.ended(this)
  }

  private onClose(): void {
    this.isClosed = true
    this.owner.closed(this, this.reason)
  }
}
