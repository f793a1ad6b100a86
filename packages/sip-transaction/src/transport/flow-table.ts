/** The flows of one stack by their id, so that a registration can name the flow it came on (RFC 5626 §2 calls it a flow). */
import type { Flow } from '../ports'
import { AgedMap } from '../timers/aged-map'

/**
 * Flows by id. Connections stay until they close, so the caps of the transports bound them. Datagram flows end with
 * nothing that could be noticed, so over `datagramFlowsMax` the oldest is forgotten; its peer is still reachable by
 * its address, and it is entered anew when it is seen again.
 */
export class FlowTable {
  private readonly connections = new Map<number, Flow>()
  private readonly datagrams = new AgedMap<number, Flow>()
  private readonly datagramFlowsMax: number

  constructor(limits: { readonly datagramFlowsMax: number }) {
    this.datagramFlowsMax = limits.datagramFlowsMax
  }

  /** Number of flows known. */
  get size(): number {
    return this.connections.size + this.datagrams.size
  }

  /** Enters a flow: from `flowOpened`, or when a message came on a flow that was forgotten. Cheap when it is there. */
  add(flow: Flow): void {
    if (flow.isReliable) {
      this.connections.set(flow.id, flow)
      return
    }
    if (this.datagrams.has(flow.id)) return
    this.datagrams.set(flow.id, flow)
    if (this.datagrams.size > this.datagramFlowsMax) this.datagrams.deleteOldest()
  }

  /** Forgets a flow that closed. */
  delete(flow: Flow): void {
    if (flow.isReliable) this.connections.delete(flow.id)
    else this.datagrams.delete(flow.id)
  }

  /** The open flow of that id. */
  get(id: number): Flow | undefined {
    const flow = this.connections.get(id) ?? this.datagrams.get(id)
    return flow?.isOpen ? flow : undefined
  }

  /** Every flow known, oldest first, connections before datagram flows. */
  *values(): IterableIterator<Flow> {
    yield* this.connections.values()
    yield* this.datagrams.values()
  }
}
