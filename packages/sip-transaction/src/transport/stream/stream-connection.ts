/**
 * One connection that carries SIP (RFC 3261 §18.3), as a flow: it hands what comes in to its framing, queues what goes
 * out, and tells its owner what happened to it; timers are its owner's.
 */
import type { Socket } from 'node:net'
import { pongBytes } from '@carillon/sip-parser'
import type { Flow, FlowAddress, Turns } from '../../ports'
import { flowReasons, reasonOfError } from '../reasons'
import { OwedAnswers } from './owed-answers'
import type { FramingEvent, StreamFraming } from './stream-framing'

/** After so many messages of one read, others get a turn before more is read. */
const messagesPerTurnMax = 16

/** What a connection needs of its transport. */
export interface ConnectionOwner {
  readonly name: string
  readonly isSecure: boolean
  readonly local: FlowAddress
  readonly sendQueueBytesMax: number
  /** How long a last answer may take to go out. */
  readonly closeGraceMs: number
  /** Absent when a turn of the event loop may take as long as it takes. */
  readonly turns: Turns | undefined
  /** The connection is up, and its handshakes are done. */
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

/** Where a connection comes from and leads to. */
export interface ConnectionEnds {
  readonly id: number
  readonly remote: FlowAddress
  /** True when the peer opened it. */
  readonly isIncoming: boolean
  /** The name that the peer had to prove, lower-case, when we opened it by a secure transport. */
  readonly serverName: string | undefined
}

/** Messages sent on a connection that we opened whose fate is remembered until its peer says anything. */
const unheardMessagesMax = 256

/** What one read brought, and how much of it has been worked off. */
interface Read {
  readonly events: readonly FramingEvent[]
  next: number
  messages: number
}

/** A message that waits for the handshake. */
interface Waiting {
  readonly bytes: Uint8Array
  readonly failed: (reason: string) => void
}

/** A connection as a flow. */
export class StreamConnection implements Flow {
  readonly id: number
  readonly remote: FlowAddress
  readonly isIncoming: boolean
  readonly serverName: string | undefined
  peerIdentities: readonly string[] = []
  /** When the last whole message came; -Infinity before the first. */
  lastMessageMs = Number.NEGATIVE_INFINITY
  /** True once the sink has been told that it closed. */
  isToldClosed = false
  private isConnected = false
  private isClosed = false
  /** Closed without waiting for what was queued. */
  private isAborted = false
  private isCorked = false
  /** True once the peer has ended its side. */
  private isHalfClosed = false
  /** Something that was read waits for a later turn; the end of the stream, which may come all the same, waits for it. */
  private isReadWaiting = false
  private isEndWaiting = false
  private readonly answers = new OwedAnswers()
  private reason: string = flowReasons.PEER_CLOSED
  private waiting: Waiting[] = []
  private waitingBytes = 0
  /**
   * What was sent before the peer said anything; undefined once it has. A connection that closes before that took
   * nothing: with TLS 1.3 a server refuses our certificate only after we have begun to send.
   */
  private unheard: Set<(reason: string) => void> | undefined

  /** Takes the socket over. Call {@link established}, or {@link begin}, once it can be used. */
  constructor(
    ends: ConnectionEnds,
    private readonly socket: Socket,
    private readonly framing: StreamFraming,
    private readonly owner: ConnectionOwner,
  ) {
    this.id = ends.id
    this.remote = ends.remote
    this.isIncoming = ends.isIncoming
    this.serverName = ends.serverName
    this.unheard = ends.isIncoming ? undefined : new Set()
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

  get keepsMessagesApart(): boolean {
    return this.framing.keepsMessagesApart
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
    return this.socket.writableLength + this.waitingBytes
  }

  /** The socket can be used: the framing begins its handshake, if it has one. */
  begin(): void {
    if (this.isClosed) return
    const { greeting } = this.framing
    if (greeting !== undefined) this.socket.write(greeting)
    if (this.framing.isReady) this.established()
  }

  /** Queues one message. Calls nobody back before it has returned. */
  send(bytes: Uint8Array, failed: (reason: string) => void): void {
    if (this.isClosed) {
      process.nextTick(failed, flowReasons.FLOW_CLOSED)
      return
    }
    if (this.queuedBytes + bytes.length > this.owner.sendQueueBytesMax) {
      // A peer that reads slower than it is written to would otherwise be served from an ever longer queue.
      this.close(flowReasons.SEND_QUEUE_FULL)
      process.nextTick(failed, flowReasons.SEND_QUEUE_FULL)
      return
    }
    if (this.isConnected) {
      this.write(this.framing.wrap(bytes), this.remembered(failed))
      this.answers.sent(bytes)
      if (this.isHalfClosed && !this.answers.isAny) this.closeInTime(flowReasons.PEER_CLOSED)
    } else {
      // Nothing is said to a peer that has not yet shown who it is.
      this.waiting.push({ bytes, failed })
      this.waitingBytes += bytes.length
    }
  }

  /** Sends what a living peer answers. */
  ping(): void {
    if (!this.isClosed && this.isConnected) this.write(this.framing.ping(), ignore)
  }

  /** Closes at once, giving up what is queued. The first reason given is the one reported. */
  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reason = reason
    this.destroy()
  }

  /**
   * Closes as soon as what is queued has gone. Nothing more is read or sent.
   * @param last the last bytes to send; those of the framing when absent
   */
  closeSoon(reason: string, last = this.isConnected ? this.framing.goodbye() : undefined): void {
    if (this.isClosed) return
    if (!this.isConnected && last === undefined) {
      this.close(reason)
      return
    }
    this.isClosed = true
    this.reason = reason
    // What has been sent goes out, and whether it was heard is not waited for.
    this.unheard = undefined
    this.socket.removeAllListeners('data')
    if (last !== undefined) this.socket.write(last)
    this.socket.destroySoon()
  }

  /** As {@link closeSoon}, but a peer that does not take what is queued is not waited for. */
  private closeInTime(reason: string, last?: Uint8Array): void {
    this.socket.setTimeout(this.owner.closeGraceMs, () => this.destroy())
    this.closeSoon(reason, last)
  }

  /** Gives up what {@link closeSoon} still waits for. */
  destroy(): void {
    this.isAborted = true
    this.socket.destroy()
  }

  private established(): void {
    if (this.isClosed || this.isConnected) return
    this.isConnected = true
    this.owner.connected(this)
    const { waiting } = this
    this.waiting = []
    this.waitingBytes = 0
    for (const { bytes, failed } of waiting) this.send(bytes, failed)
  }

  /** The callback to use: it fails later, too, when the connection turns out to have led nowhere. */
  private remembered(failed: (reason: string) => void): (reason: string) => void {
    const { unheard } = this
    if (unheard === undefined || unheard.size >= unheardMessagesMax) return failed
    const once = (reason: string) => {
      if (unheard.delete(once) || this.unheard === undefined) failed(reason)
    }
    unheard.add(once)
    return once
  }

  private write(bytes: Uint8Array, failed: (reason: string) => void): void {
    this.cork()
    this.socket.write(bytes, (error) => {
      // Of a write that is under way when the socket is destroyed the runtime says that it went well.
      if (error || this.isAborted) failed(this.isClosed ? this.reason : reasonOfError(error))
    })
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

  /** Finding the ends of messages is work as well: without time it waits, and nothing more is read meanwhile. */
  private onData(chunk: Uint8Array): void {
    const { turns } = this.owner
    if (turns?.hasTime() !== false) this.read(chunk, false)
    else this.wait(turns, () => this.read(chunk, true))
  }

  /** Goes on in a later turn; until then nothing more is read. */
  private wait(turns: Turns, goOn: () => void): void {
    this.socket.pause()
    this.isReadWaiting = true
    turns.later(() => {
      this.isReadWaiting = false
      goOn()
    })
  }

  private read(chunk: Uint8Array, isOurTurn: boolean): void {
    if (this.isClosed) return
    const events = this.framing.push(chunk)
    if (events.length > 0 && this.isConnected) this.unheard = undefined
    this.workOff({ events, next: 0, messages: 0 }, isOurTurn)
  }

  /**
   * Works through what one read brought, as far as this turn of the event loop has time; the rest follows in later turns,
   * and until then nothing more is read.
   * @param isOurTurn true when the connection has waited: then at least one message is taken
   */
  private workOff(read: Read, isOurTurn: boolean): void {
    const { turns } = this.owner
    let mayTake = isOurTurn
    while (read.next < read.events.length) {
      if (this.isClosed) return
      const event = read.events[read.next]!
      if (event.kind === 'message') {
        if (!mayTake && turns?.hasTime() === false) {
          this.wait(turns, () => this.workOff(read, true))
          return
        }
        mayTake = false
        read.messages += 1
      }
      read.next += 1
      if (event.kind === 'message') {
        this.answers.received(event.bytes)
        this.owner.message(event.bytes, this)
      } else this.handleOther(event)
    }
    if (this.isClosed) return
    if (this.isConnected) this.finishRead(read, isOurTurn)
    else if (isOurTurn) this.socket.resume()
    if (!this.isEndWaiting) return
    this.isEndWaiting = false
    this.onEnd()
  }

  private finishRead(read: Read, isOurTurn: boolean): void {
    if (read.events.length > 0) this.owner.heard(this)
    this.owner.partial(this, !this.framing.isIdle, read.messages > 0)
    if (read.messages >= messagesPerTurnMax) this.giveWay()
    else if (isOurTurn) this.socket.resume()
  }

  /** Lets everybody else have a turn before more is read: the runtime would go on for megabytes. */
  private giveWay(): void {
    this.socket.pause()
    setImmediate(() => {
      if (!this.isClosed) this.socket.resume()
    })
  }

  private handleOther(event: Exclude<FramingEvent, { kind: 'message' }>): void {
    if (event.kind === 'ping') this.send(pongBytes, ignore)
    else if (event.kind === 'error') this.fail(event.error.code, event.head)
    else if (event.kind === 'ready') this.established()
    else if (event.kind === 'write') this.reply(event.bytes)
    else if (event.kind === 'end') this.finish(event)
  }

  /** An answer of the layer below SIP. A peer that asks and never reads is cut off. */
  private reply(bytes: Uint8Array): void {
    if (this.queuedBytes + bytes.length > this.owner.sendQueueBytesMax) this.close(flowReasons.SEND_QUEUE_FULL)
    else this.write(bytes, ignore)
  }

  /** Nothing more can be read. Who reads its answers is told why (RFC 3261 §18.3), and has not for ever to take it. */
  private fail(code: string, head: Uint8Array | undefined): void {
    if (head === undefined || this.queuedBytes > 0) {
      this.close(flowReasons.FRAMING)
      this.owner.garbage(code, this)
      return
    }
    this.owner.garbage(code, this, head)
    this.closeInTime(flowReasons.FRAMING)
  }

  /** The peer ended the connection, or broke its protocol. */
  private finish({ reason, last, violation }: Extract<FramingEvent, { kind: 'end' }>): void {
    if (this.queuedBytes > 0 && last !== undefined && violation !== undefined) this.close(reason)
    else this.closeInTime(reason, last)
    if (violation !== undefined && this.isConnected) this.owner.garbage(violation, this)
  }

  private onEnd(): void {
    if (this.isClosed) return
    if (this.isReadWaiting) this.isEndWaiting = true
    else if (!this.isConnected) this.close(flowReasons.PEER_CLOSED)
    else if (!this.framing.isIdle) this.close(flowReasons.PEER_CLOSED_EARLY)
    else {
      this.isHalfClosed = true
      this.owner.ended(this)
      if (!this.answers.isAny) this.closeInTime(flowReasons.PEER_CLOSED)
    }
  }

  private onClose(): void {
    this.isClosed = true
    const { waiting, reason, unheard } = this
    this.waiting = []
    this.waitingBytes = 0
    this.owner.closed(this, reason)
    for (const { failed } of waiting) failed(reason)
    for (const failed of [...(unheard ?? [])]) failed(reason)
  }
}

function ignore(): void {}
