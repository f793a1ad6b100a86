/** The flows of one datagram socket: one per remote address, bounded, found again without building a string. */
import type { Flow, FlowAddress } from '../../ports'
import { RemoteIndex } from '../remote-index'

/** What a datagram flow needs of its socket. */
export interface DatagramOwner {
  readonly local: FlowAddress
  readonly isOpen: boolean
}

/** A socket together with a remote address (RFC 5626 §2). It can carry messages as long as the socket is open. */
export class UdpFlow implements Flow {
  constructor(
    readonly id: number,
    readonly remote: FlowAddress,
    private readonly owner: DatagramOwner,
  ) {}

  get transport(): string {
    return 'UDP'
  }

  get isReliable(): boolean {
    return false
  }

  get isSecure(): boolean {
    return false
  }

  get local(): FlowAddress {
    return this.owner.local
  }

  get isOpen(): boolean {
    return this.owner.isOpen
  }
}

/**
 * Flows by remote address in two generations: those used since the last change of generation, and those before. A full
 * young generation becomes the old one, and what the old one still holds is forgotten. That keeps what is in use at no
 * cost per message, and a flood of forged addresses displaces nothing that costs more than a new object.
 */
export class DatagramFlows {
  private young = new RemoteIndex<UdpFlow>()
  private old = new RemoteIndex<UdpFlow>()
  private readonly generationMax: number

  constructor(flowsMax: number) {
    this.generationMax = Math.max(1, flowsMax >> 1)
  }

  /** Number of flows remembered. */
  get size(): number {
    return this.young.size + this.old.size
  }

  /** The flow of that remote address, which counts as used now. */
  find(address: string, port: number): UdpFlow | undefined {
    const recent = this.young.get(address, port)
    if (recent !== undefined) return recent
    const flow = this.old.get(address, port)
    if (flow !== undefined) {
      this.old.delete(flow)
      this.add(flow)
    }
    return flow
  }

  /** Enters a flow that was not found. */
  add(flow: UdpFlow): void {
    if (this.young.size >= this.generationMax) {
      this.old = this.young
      this.young = new RemoteIndex()
    }
    this.young.set(flow)
  }

  /** Every flow remembered. */
  *values(): IterableIterator<UdpFlow> {
    yield* this.young.values()
    yield* this.old.values()
  }

  /** Forgets everything. */
  clear(): void {
    this.young.clear()
    this.old.clear()
  }
}
