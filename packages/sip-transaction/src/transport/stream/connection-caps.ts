/** How many connections there are, in all and by address, whatever stage they are in. Pure. */
import { addressGroup } from '../address'

/** Counts against caps. What is counted must be given back. */
export class ConnectionCaps {
  private readonly byGroup = new Map<string, number>()
  private total = 0

  constructor(
    private readonly limits: { readonly connectionsMax: number; readonly connectionsPerAddressMax: number },
  ) {}

  /** Connections counted now. */
  get count(): number {
    return this.total
  }

  /** Counts one more connection with that address, or says that there is no room. */
  take(address: string): boolean {
    const group = addressGroup(address)
    const held = this.byGroup.get(group) ?? 0
    if (this.total >= this.limits.connectionsMax || held >= this.limits.connectionsPerAddressMax) return false
    this.total++
    this.byGroup.set(group, held + 1)
    return true
  }

  /** Gives the room of one connection back. */
  release(address: string): void {
    const group = addressGroup(address)
    const left = (this.byGroup.get(group) ?? 1) - 1
    this.total--
    if (left <= 0) this.byGroup.delete(group)
    else this.byGroup.set(group, left)
  }
}
