/**
 * SIP over connections (RFC 3261 §18): one listener, the connections it accepted and those opened from it.
 * Connections are reused by remote address (RFC 3261 §18.1.1), capped, and closed when they are silent, slow or idle.
 * What kind of socket it is, is handed in.
 */
import type { Server, Socket } from 'node:net'
import type { Destination, FlowAddress, ScheduledWake, Transport, TransportContext, TransportSink } from '../../ports'
import { addressGroup, canonicalAddress, isReachable } from '../address'
import { flowReasons, reasonOfError } from '../reasons'
import { RemoteIndex } from '../remote-index'
import { ConnectionTimers } from './connection-timers'
import { type ConnectionOwner, StreamConnection } from './stream-connection'

/** What makes one stream transport different from another. */
export interface StreamKind {
  /** Upper-case, as in Via. */
  readonly name: string
  readonly isSecure: boolean
  /** Opens a socket; must set allowHalfOpen. */
  connect(remote: FlowAddress, local: FlowAddress): Socket
  /** The event of the socket after which it can be used: connect, secureConnect. */
  readonly connectEvent: string
}

/** The kernel probes connections that have been silent this long, so that dead ones are found (RFC 9293 §3.8.4). */
const probeAfterMs = 60_000

/** A listener that is already listening, and its connections. */
export class StreamTransport implements Transport, ConnectionOwner {
  readonly isReliable = true
  readonly sendQueueBytesMax: number
  readonly messageBytesMax: number
  readonly closeGraceMs: number
  private readonly connections = new Set<StreamConnection>()
  private readonly byRemote = new RemoteIndex<StreamConnection>()
  private readonly countByGroup = new Map<string, number>()
  private readonly timers: ConnectionTimers
  private closing: Promise<void> | undefined
  private whenDrained: (() => void) | undefined

  constructor(
    private readonly kind: StreamKind,
    private readonly server: Server,
    readonly local: FlowAddress,
    private readonly sink: TransportSink,
    private readonly context: TransportContext,
  ) {
    this.sendQueueBytesMax = context.limits.sendQueueBytesMax
    this.messageBytesMax = context.limits.messageBytesMax
    this.closeGraceMs = context.limits.connectionCloseGraceMs
    this.timers = new ConnectionTimers(context)
    server.on('connection', (socket: Socket) => this.onConnection(socket))
    server.on('error', (error) => context.logger.warn({ reason: reasonOfError(error) }, 'listener error'))
  }

  get name(): string {
    return this.kind.name
  }

  get isSecure(): boolean {
    return this.kind.isSecure
  }

  canReach(address: FlowAddress): boolean {
    return isReachable(this.local, address)
  }

  send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void {
    if (destination.kind === 'flow') {
      const flow = destination.flow
      if (flow instanceof StreamConnection) flow.send(bytes, failed)
      else process.nextTick(failed, flowReasons.FLOW_CLOSED)
      return
    }
    const connection = this.find(destination.address) ?? this.connect(destination.address)
    if (typeof connection === 'string') process.nextTick(failed, connection)
    else connection.send(bytes, failed)
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  // ---- what connections report ----

  /** @internal */
  connected(connection: StreamConnection): void {
    this.timers.connected(connection)
    this.guard(() => this.sink.flowOpened(connection))
  }

  /** @internal */
  message(bytes: Uint8Array, connection: StreamConnection): void {
    connection.lastMessageMs = this.context.clock.monotonicMs()
    this.guard(() => this.sink.message(bytes, connection))
  }

  /** @internal */
  heard(connection: StreamConnection): void {
    this.timers.heard(connection)
  }

  /** @internal */
  partial(connection: StreamConnection, isPartial: boolean, progressed: boolean): void {
    this.timers.partial(connection, isPartial, progressed)
  }

  /** @internal */
  garbage(code: string, connection: StreamConnection, head?: Uint8Array): void {
    this.guard(() => this.sink.garbage(code, connection, head))
  }

  /** @internal The peer may have closed or only ended its side; answers that are still due get a chance. */
  ended(connection: StreamConnection): void {
    this.byRemote.delete(connection)
    const sinceMs = this.context.clock.monotonicMs() - connection.lastMessageMs
    if (sinceMs > this.context.limits.halfClosedTimeoutMs) connection.close(flowReasons.PEER_CLOSED)
    else {
      this.timers.halfClosed(connection)
      // Whoever would begin something on it, such as a call to the phone behind it, would write to a peer that is gone.
      this.tellClosed(connection, flowReasons.PEER_CLOSED)
    }
  }

  /** @internal */
  closed(connection: StreamConnection, reason: string): void {
    this.timers.forget(connection)
    this.byRemote.delete(connection)
    this.connections.delete(connection)
    const group = addressGroup(connection.remote.address)
    const left = (this.countByGroup.get(group) ?? 1) - 1
    if (left === 0) this.countByGroup.delete(group)
    else this.countByGroup.set(group, left)
    this.tellClosed(connection, reason)
    if (this.connections.size === 0) this.whenDrained?.()
  }

  /** Once for each connection that was up. */
  private tellClosed(connection: StreamConnection, reason: string): void {
    if (connection.isToldClosed || !connection.wasConnected) return
    connection.isToldClosed = true
    this.guard(() => this.sink.flowClosed(connection, reason))
  }

  // ---- opening ----

  private onConnection(socket: Socket): void {
    const address = socket.remoteAddress
    const port = socket.remotePort
    if (address === undefined || port === undefined || this.closing !== undefined || !this.hasRoom(address)) {
      // An error may still arrive for a socket that is being refused, and nobody else listens for it.
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    const connection = this.adopt(socket, { transport: this.name, address, port }, true)
    this.timers.accepted(connection)
    this.guard(() => this.sink.flowOpened(connection))
  }

  private find(address: FlowAddress): StreamConnection | undefined {
    const connection = this.byRemote.get(canonicalAddress(address.address), address.port)
    return connection?.isOpen ? connection : undefined
  }

  /** Opens a connection, or says why not. */
  private connect(to: FlowAddress): StreamConnection | string {
    if (this.closing !== undefined) return flowReasons.TRANSPORT_CLOSED
    if (!this.canReach(to)) return flowReasons.UNREACHABLE
    if (!this.hasRoom(to.address)) return flowReasons.CONNECTION_LIMIT
    const remote = { transport: this.name, address: canonicalAddress(to.address), port: to.port }
    const socket = this.kind.connect(remote, this.local)
    const connection = this.adopt(socket, remote, false)
    this.timers.connecting(connection)
    socket.once(this.kind.connectEvent, () => connection.established())
    return connection
  }

  private adopt(socket: Socket, remote: FlowAddress, isConnected: boolean): StreamConnection {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, probeAfterMs)
    const connection = new StreamConnection(this.context.nextFlowId(), remote, socket, this, isConnected)
    const group = addressGroup(remote.address)
    this.countByGroup.set(group, (this.countByGroup.get(group) ?? 0) + 1)
    this.connections.add(connection)
    this.byRemote.set(connection)
    return connection
  }

  private hasRoom(address: string): boolean {
    const { connectionsMax, connectionsPerAddressMax } = this.context.limits
    if (this.connections.size >= connectionsMax) return false
    return (this.countByGroup.get(addressGroup(address)) ?? 0) < connectionsPerAddressMax
  }

  // ---- closing ----

  private async shutDown(): Promise<void> {
    const listenerClosed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    const drained = new Promise<void>((resolve) => {
      this.whenDrained = resolve
      if (this.connections.size === 0) resolve()
    })
    for (const connection of this.connections) connection.closeSoon(flowReasons.TRANSPORT_CLOSED)
    const giveUp = this.giveUpLater()
    await Promise.all([listenerClosed, drained])
    giveUp.cancel()
    this.timers.stop()
  }

  private giveUpLater(): ScheduledWake {
    const atMs = this.context.clock.monotonicMs() + this.context.limits.connectionCloseGraceMs
    return this.context.clock.schedule(atMs, () => {
      for (const connection of this.connections) connection.destroy()
    })
  }

  private guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.context.logger.error({ error }, 'the owner of a transport threw')
    }
  }
}
