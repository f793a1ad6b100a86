/** The transport in memory that behaves as TCP does: connections that lose nothing, keep the order, and can break. */

import type { Destination, FlowAddress, TransportContext, TransportSink } from '../ports'
import { isReachable } from '../transport/address'
import { endpointKey, type MemoryEndpoint, type MemoryEndpointKind } from './memory-endpoint'
import { MemoryFlow } from './memory-flow'
import type { MemoryNetwork } from './memory-network'

/** One listening address and its connections, both those it accepted and those it opened. */
export class MemoryStreamTransport implements MemoryEndpoint {
  readonly name: string
  readonly isReliable = true
  readonly isSecure: boolean
  readonly local: FlowAddress
  private readonly flows = new Map<number, MemoryFlow>()
  /** Connections opened from here, by where they lead. */
  private readonly opened = new Map<string, MemoryFlow>()
  private isClosed = false

  constructor(
    private readonly network: MemoryNetwork,
    kind: MemoryEndpointKind,
    private readonly sink: TransportSink,
    private readonly context: TransportContext,
  ) {
    this.name = kind.name
    this.isSecure = kind.isSecure
    this.local = kind.local
  }

  canReach(address: FlowAddress): boolean {
    return isReachable(this.local, address)
  }

  send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void {
    if (destination.kind === 'flow') {
      const flow = this.flows.get(destination.flow.id)
      if (flow?.isOpen) this.write(flow, bytes, failed)
      else this.network.later(0, () => failed('The connection is closed.'))
      return
    }
    const to = destination.address
    const flow = this.opened.get(endpointKey(to)) ?? this.connect(to, failed)
    if (flow === undefined) this.network.drop(this.local, to, bytes)
    else this.write(flow, bytes, failed)
  }

  arrive(): void {}

  resetStreamsTo(host: string): void {
    for (const flow of [...this.flows.values()]) {
      if (flow.remote.address === host) this.drop(flow, 'The connection was reset.')
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.network.release(this.local)
    for (const flow of [...this.flows.values()]) this.drop(flow, 'The transport was closed.')
  }

  private connect(to: FlowAddress, failed: (reason: string) => void): MemoryFlow | undefined {
    const target = this.network.endpointAt(to)
    if (this.isClosed || !this.canReach(to) || !(target instanceof MemoryStreamTransport)) {
      this.network.later(0, () => failed('The connection was refused.'))
      return undefined
    }
    if (this.network.isCut(this.local, to)) {
      this.network.later(this.context.limits.connectTimeoutMs, () => failed('The connection could not be opened.'))
      return undefined
    }
    const near: FlowAddress = { ...this.local, port: this.network.ephemeralPort() }
    const flow = this.open(near, to)
    const peer = target.open(to, near)
    flow.peer = peer
    peer.peer = flow
    this.opened.set(endpointKey(to), flow)
    this.network.carryEvent(near, to, flow, () => {
      if (peer.isOpen) target.sink.flowOpened(peer)
    })
    this.network.later(0, () => {
      if (flow.isOpen) this.sink.flowOpened(flow)
    })
    return flow
  }

  private open(local: FlowAddress, remote: FlowAddress): MemoryFlow {
    const flow = new MemoryFlow(this.context.nextFlowId(), true, this.isSecure, local, remote)
    flow.onDrop = (reason) => this.drop(flow, reason)
    flow.onMessage = (bytes) => this.sink.message(bytes, flow)
    this.flows.set(flow.id, flow)
    return flow
  }

  private write(flow: MemoryFlow, bytes: Uint8Array, failed: (reason: string) => void): void {
    const copy = bytes.slice()
    this.network.carrySegment(flow.local, flow.remote, bytes, flow, () => {
      const { peer } = flow
      // A connection that breaks takes what is on it along.
      if (peer?.isOpen) peer.onMessage(copy)
      else failed('The connection broke.')
    })
  }

  private drop(flow: MemoryFlow, reason: string): void {
    if (!flow.isOpen) return
    flow.isOpen = false
    this.flows.delete(flow.id)
    const key = endpointKey(flow.remote)
    if (this.opened.get(key) === flow) this.opened.delete(key)
    this.network.later(0, () => this.sink.flowClosed(flow, reason))
    const { peer } = flow
    if (peer?.isOpen) this.network.carryEvent(flow.local, flow.remote, flow, () => peer.onDrop('The peer closed.'))
  }
}
