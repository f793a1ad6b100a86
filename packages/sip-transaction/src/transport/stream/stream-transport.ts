/**
 * SIP over connections (RFC 3261 §18): one listener, the connections it accepted and those opened from it.
 * Connections are reused by remote address (RFC 3261 §18.1.1) and proved identity (RFC 5923), capped before any
 * handshake, and closed when they are silent, slow or idle. What kind of socket it is, is handed in.
 */
import type { Server, Socket } from 'node:net'
import type {
  AddressDestination,
  Destination,
  Flow,
  FlowAddress,
  ScheduledWake,
  Transport,
  TransportContext,
  TransportSink,
  Turns,
} from '../../ports'
import { canonicalAddress, isReachable } from '../address'
import { flowReasons, reasonOfError } from '../reasons'
import { ConnectionCaps } from './connection-caps'
import { ConnectionIndex } from './connection-index'
import { ConnectionTimers } from './connection-timers'
import { type ConnectionEnds, type ConnectionOwner, StreamConnection } from './stream-connection'
import type { StreamFraming } from './stream-framing'

/** What makes one stream transport different from another. */
export interface StreamKind {
  /** Upper-case, as in Via. */
  readonly name: string
  readonly isSecure: boolean
  /** True when our certificate is shown to the servers we connect to (RFC 5923 §5). */
  readonly offersAlias?: boolean
  /**
   * Opens a socket; must set allowHalfOpen.
   * @param serverName the name that the peer must prove; undefined when the address counts
   */
  connect(remote: FlowAddress, local: FlowAddress, serverName: string | undefined): Socket
  /** The event of the socket after which it can be used: connect, secureConnect. */
  readonly connectEvent: string
  /** How messages stand in the stream of one connection. */
  framing(ends: ConnectionEnds): StreamFraming
  /** Makes an accepted socket fit for use: calls `settle` once, with the socket to use or why there is none. */
  secure?(raw: Socket, settle: (result: Socket | string) => void): void
  /** What the peer of a socket in use has proved to be (RFC 5922 §7.1). */
  identitiesOf?(socket: Socket): readonly string[]
  /** The transport is closing: lets go of what belongs to no connection. */
  close?(): void
}

/** The kernel probes connections that have been silent this long, so that dead ones are found (RFC 9293 §3.8.4). */
const probeAfterMs = 60_000

/** A listener that is already listening, and its connections. */
export class StreamTransport implements Transport, ConnectionOwner {
  readonly isReliable = true
  readonly sendQueueBytesMax: number
  readonly closeGraceMs: number
  readonly turns: Turns | undefined
  private readonly connections = new Set<StreamConnection>()
  /** Accepted sockets whose handshake below the framing is under way. */
  private readonly handshaking = new Set<Socket>()
  private readonly index: ConnectionIndex<StreamConnection>
  private readonly caps: ConnectionCaps
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
    this.closeGraceMs = context.limits.connectionCloseGraceMs
    this.turns = context.turns
    this.index = new ConnectionIndex(kind.isSecure)
    this.caps = new ConnectionCaps(context.limits)
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

  get offersAlias(): boolean {
    return this.kind.offersAlias === true
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
    const { address, serverName } = destination
    const connection = this.index.find(address.address, address.port, serverName) ?? this.connect(destination)
    if (typeof connection === 'string') process.nextTick(failed, connection)
    else connection.send(bytes, failed)
  }

  alias(flow: Flow, port: number): void {
    if (!(flow instanceof StreamConnection) || !this.connections.has(flow) || flow.isToldClosed) return
    if (flow.isIncoming && flow.peerIdentities.length > 0) this.index.alias(flow, port)
  }

  keepFlowAlive(flow: Flow, everyMs: number): () => void {
    if (!(flow instanceof StreamConnection) || !this.connections.has(flow)) return () => {}
    return this.timers.keepAliveEvery(flow, everyMs)
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

  /** @internal The peer may have closed or only ended its side; an answer that is still due gets a chance. */
  ended(connection: StreamConnection): void {
    this.index.delete(connection)
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
    this.index.delete(connection)
    this.connections.delete(connection)
    if (connection.wasConnected) this.tellClosed(connection, reason)
    else if (connection.isIncoming) this.refused(connection.remote, reason)
    this.drained()
  }

  /** Once for each connection that was up. */
  private tellClosed(connection: StreamConnection, reason: string): void {
    if (connection.isToldClosed || !connection.wasConnected) return
    connection.isToldClosed = true
    this.guard(() => this.sink.flowClosed(connection, reason))
  }

  private refused(remote: FlowAddress, reason: string): void {
    if (this.closing === undefined) this.guard(() => this.sink.refused?.(remote, reason))
  }

  // ---- accepting ----

  private onConnection(socket: Socket): void {
    const address = socket.remoteAddress
    const port = socket.remotePort
    // An error may arrive at any stage of a handshake or a refusal, and an error that nobody listens for is fatal.
    socket.on('error', () => {})
    if (address === undefined || port === undefined || this.closing !== undefined) {
      socket.destroy()
      return
    }
    const remote = { transport: this.name, address, port }
    if (!this.caps.take(address)) {
      socket.destroy()
      this.refused(remote, flowReasons.CONNECTION_LIMIT)
      return
    }
    this.hold(socket, address)
    if (this.kind.secure === undefined) this.begin(socket, remote)
    else this.shakeHands(socket, remote)
  }

  /** Gives the room that a socket takes back when it is closed. */
  private hold(socket: Socket, address: string): void {
    socket.once('close', () => {
      this.caps.release(address)
      this.drained()
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, probeAfterMs)
  }

  private shakeHands(raw: Socket, remote: FlowAddress): void {
    let failure: string | undefined
    const attempt = {
      close: (reason: string) => {
        failure ??= reason
        raw.destroy()
      },
    }
    this.handshaking.add(raw)
    this.timers.shakingHands(attempt)
    this.kind.secure?.(raw, (result) => {
      this.handshaking.delete(raw)
      this.timers.handshakeDone(attempt)
      if (typeof result !== 'string' && this.closing === undefined && failure === undefined) {
        this.begin(result, remote)
        return
      }
      raw.destroy()
      this.refused(remote, failure ?? (typeof result === 'string' ? result : flowReasons.HANDSHAKE_FAILED))
    })
  }

  private begin(socket: Socket, remote: FlowAddress): void {
    const id = this.context.nextFlowId()
    const connection = this.adopt(socket, { id, remote, isIncoming: true, serverName: undefined })
    connection.peerIdentities = this.kind.identitiesOf?.(socket) ?? []
    this.timers.shakingHands(connection)
    connection.begin()
  }

  // ---- opening ----

  /** Opens a connection, or says why not. */
  private connect({ address: to, serverName }: AddressDestination): StreamConnection | string {
    if (this.closing !== undefined) return flowReasons.TRANSPORT_CLOSED
    if (!this.canReach(to)) return flowReasons.UNREACHABLE
    const remote = { transport: this.name, address: canonicalAddress(to.address), port: to.port }
    if (!this.caps.take(remote.address)) return flowReasons.CONNECTION_LIMIT
    const socket = this.kind.connect(remote, this.local, serverName)
    this.hold(socket, remote.address)
    const id = this.context.nextFlowId()
    const connection = this.adopt(socket, { id, remote, isIncoming: false, serverName: serverName?.toLowerCase() })
    this.timers.connecting(connection)
    socket.once(this.kind.connectEvent, () => {
      connection.peerIdentities = this.kind.identitiesOf?.(socket) ?? []
      connection.begin()
    })
    return connection
  }

  private adopt(socket: Socket, ends: ConnectionEnds): StreamConnection {
    const connection = new StreamConnection(ends, socket, this.kind.framing(ends), this)
    this.connections.add(connection)
    this.index.add(connection)
    return connection
  }

  // ---- closing ----

  private async shutDown(): Promise<void> {
    const listenerClosed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    const drained = new Promise<void>((resolve) => {
      this.whenDrained = resolve
    })
    for (const raw of this.handshaking) raw.destroy()
    for (const connection of this.connections) connection.closeSoon(flowReasons.TRANSPORT_CLOSED)
    this.kind.close?.()
    const giveUp = this.giveUpLater()
    this.drained()
    await Promise.all([listenerClosed, drained])
    giveUp.cancel()
    this.timers.stop()
  }

  private drained(): void {
    if (this.connections.size === 0 && this.caps.count === 0) this.whenDrained?.()
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
