/** What the network in memory and its transports know of each other. */
import type { FlowAddress, Transport } from '../ports'

/** A transport of the network. */
export interface MemoryEndpoint extends Transport {
  /** A datagram has arrived here. */
  arrive(bytes: Uint8Array, from: FlowAddress): void
  /** Breaks every connection to a host; without connections it does nothing. */
  resetStreamsTo(host: string): void
}

/** The name and place of a transport. */
export interface MemoryEndpointKind {
  readonly name: string
  readonly isSecure: boolean
  readonly local: FlowAddress
}

/** Keeps one direction of a stream in order. */
export interface StreamOrder {
  lastMs: number
}

/** Names an address of the network. */
export function endpointKey(address: FlowAddress): string {
  return `${address.transport} ${address.address}:${address.port}`
}
