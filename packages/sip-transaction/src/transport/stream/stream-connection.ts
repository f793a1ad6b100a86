/**
 * One connection that carries SIP over a byte stream (RFC 3261 §18.3; keep-alives RFC 5626 §3.5.1), as a flow.
 * It frames what comes in, queues what goes out, and tells its owner what happened to it; timers are its owner's.
 */
import type { Socket } from 'node:net'
import { type FramerEvent, pongBytes, StreamFramer } from '@carillon/sip-parser'
import type { Flow, FlowAddress } from '../../ports'
import { flowReasons, reasonOfError } from '../reasons'

/** After so many messages of one read, others get a turn before more is read. */
const messagesPerTurnMax = 16

/** What a connection needs of its transport. */
export interface ConnectionOwner {
  readonly name: string
  readonly isSecure: boolean
  readonly local: FlowAddress
  readonly sendQueueBytesMax: number
  readonly messageBytesMax: number
  /** How long a last answer may take to go out. */
  readonly closeGraceMs: number
  /** An outgoing connection is up. */
  connected(connection: StreamConnection): void
  /** A whole message came. */
  message(bytes: Uint8Array, connection: StreamConnection): void
  /** Whole messages or keep-alives came in one read, the messages having been handed over. */
  heard(connection: StreamConnection): void
  /** After each read: whether a message has begun and is not yet whole; `progressed` when one ended in this read. */
  partial(connection: StreamConnection, isPartial: boolean, progressed: boolean): void
  /** The stream cannot be framed any more. The connection has been closed, or with `head` takes one answer before. */
  garbage(code: string, connection: StreamConnection, head?: Uint8Array): void
  /** The peer has ended its side between two messages. */
  ended(connection: StreamConnection): void
  /** Nothing is left of the connection; called once. */
  closed(connection: StreamConnection, reason: string): void
}

/** A connection as a flow. */
export class StreamConnection implements Flow {
  /** When the last whole message came; -Infinity before the first. */
  lastMessageMs = Number.NEGATIVE_INFINITY
  /** True once the sink has been told that it closed. */
  isToldClosed = false
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
    if (messages >= messagesPerTurnMax) this.giveWay()
  }

  /** Lets everybody else have a turn before more is read: the runtime would go on for megabytes. */
  private giveWay(): void {
    this.socket.pause()
    setImmediate(() => {
      if (!this.isClosed) this.socket.resume()
    })
  }

  private handleOther(event: FramerEvent): boolean {
    if (event.kind === 'ping') this.send(pongBytes, () => {})
    else if (event.kind === 'error') {
      this.fail(event.error.code, event.head)
      return false
    }
    return true
  }

  /** Nothing more can be read. Who reads its answers is told why (RFC 3261 §18.3), and has not for ever to take it. */
  private fail(code: string, head: Uint8Array | undefined): void {
    if (head === undefined || this.queuedBytes > 0) {
      this.close(flowReasons.FRAMING)
      this.owner.garbage(code, this)
      return
    }
    this.owner.garbage(code, this, head)
    this.socket.setTimeout(this.owner.closeGraceMs, () => this.destroy())
    this.closeSoon(flowReasons.FRAMING)
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
