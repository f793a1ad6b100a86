/** The ports that a session holds, over all its branches: packets that come from there would go round for ever. */

/** Counts even ports; each stands for the pair. Two interfaces may have pairs of one number. */
export class OwnPorts {
  private readonly held = new Map<number, number>()

  /** True for both ports of a pair that is held. */
  has(port: number): boolean {
    return this.held.has(port - (port % 2))
  }

  /** A pair is open. */
  add(evenPort: number): void {
    this.held.set(evenPort, (this.held.get(evenPort) ?? 0) + 1)
  }

  /** A pair is closed. */
  remove(evenPort: number): void {
    const left = (this.held.get(evenPort) ?? 0) - 1
    if (left > 0) this.held.set(evenPort, left)
    else this.held.delete(evenPort)
  }
}
