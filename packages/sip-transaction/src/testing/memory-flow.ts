/** A flow of the network in memory. */
import type { Flow, FlowAddress } from '../ports'
import type { StreamOrder } from './memory-endpoint'

/** {@link Flow}, with what its transport needs to know of it. */
export class MemoryFlow implements Flow, StreamOrder {
  isOpen = true
  /** The other end; streams only. */
  peer: MemoryFlow | undefined
  /** Tells its transport that the other end is gone; streams only. */
  onDrop: (reason: string) => void = () => {}
  /** Hands a message to its transport; streams only. */
  onMessage: (bytes: Uint8Array) => void = () => {}
  /** When the last thing sent on it arrives; streams only. */
  lastMs = 0

  constructor(
    readonly id: number,
    readonly isReliable: boolean,
    readonly isSecure: boolean,
    readonly local: FlowAddress,
    readonly remote: FlowAddress,
  ) {}

  get transport(): string {
    return this.local.transport
  }
}
