/** The transport in memory that behaves as UDP does. */

import type { Destination, FlowAddress, TransportContext, TransportSink } from '../ports'
import { isReachable } from '../transport/address'
import { endpointKey, type MemoryEndpoint, type MemoryEndpointKind } from './memory-endpoint'
import { MemoryFlow } from './memory-flow'
import type { MemoryNetwork } from './memory-network'

const DATAGRAM_BYTES_MAX = 65_507

/** One bound address; a flow for each remote address that it has exchanged messages with. */
export class MemoryDatagramTransport implements MemoryEndpoint {
  readonly name: string
  readonly isReliable = false
  readonly isSecure: boolean
  readonly local: FlowAddress
  private readonly flows = new Map<string, MemoryFlow>()
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
    const to = destination.kind === 'flow' ? destination.flow.remote : destination.address
    const isFlowGone = destination.kind === 'flow' && !destination.flow.isOpen
    if (this.isClosed || isFlowGone || !this.canReach(to) || bytes.length > DATAGRAM_BYTES_MAX) {
      this.network.later(0, () => failed('The datagram cannot be sent.'))
      return
    }
    const from = this.local
    this.network.carryDatagram(from, to, bytes, (copy) => this.network.endpointAt(to)?.arrive(copy, from))
  }

  arrive(bytes: Uint8Array, from: FlowAddress): void {
    if (!this.isClosed) this.sink.message(bytes, this.flowTo(from))
  }

  resetStreamsTo(): void {}

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.network.release(this.local)
    for (const flow of this.flows.values()) this.drop(flow, 'The transport was closed.')
    this.flows.clear()
  }

  private flowTo(remote: FlowAddress): MemoryFlow {
    const key = endpointKey(remote)
    const known = this.flows.get(key)
    if (known !== undefined) return known
    const flow = new MemoryFlow(this.context.nextFlowId(), false, this.isSecure, this.local, remote)
    this.flows.set(key, flow)
    this.sink.flowOpened(flow)
    if (this.flows.size > this.context.limits.datagramFlowsMax) this.forgetOldest()
    return flow
  }

  private forgetOldest(): void {
    for (const [key, flow] of this.flows) {
      this.flows.delete(key)
      this.drop(flow, 'There are too many flows.')
      return
    }
  }

  private drop(flow: MemoryFlow, reason: string): void {
    flow.isOpen = false
    this.sink.flowClosed(flow, reason)
  }
}
