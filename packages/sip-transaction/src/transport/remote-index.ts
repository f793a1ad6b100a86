/** An index by remote address and port that builds no string per look-up: one map by address, ports below it. */

/** What is filed: anything that says where its peer is. */
export interface HasRemote {
  readonly remote: { readonly address: string; readonly port: number }
}

/** Values by remote address and port. Not bounded by itself; its owner is. */
export class RemoteIndex<T extends HasRemote> {
  /** Most addresses have one port, so a map of ports is made only for the second. */
  private readonly byAddress = new Map<string, T | Map<number, T>>()
  private count = 0

  /** Number of values. */
  get size(): number {
    return this.count
  }

  /** The value filed under that address and port. */
  get(address: string, port: number): T | undefined {
    const entry = this.byAddress.get(address)
    if (entry === undefined) return undefined
    if (entry instanceof Map) return entry.get(port)
    return entry.remote.port === port ? entry : undefined
  }

  /** Files a value under its remote address and port, in place of another that was there. */
  set(value: T): void {
    const { address, port } = value.remote
    const entry = this.byAddress.get(address)
    if (entry instanceof Map) {
      if (!entry.has(port)) this.count++
      entry.set(port, value)
    } else if (entry !== undefined && entry.remote.port !== port) {
      this.byAddress.set(
        address,
        new Map([
          [entry.remote.port, entry],
          [port, value],
        ]),
      )
      this.count++
    } else {
      if (entry === undefined) this.count++
      this.byAddress.set(address, value)
    }
  }

  /** Removes this very value; another one filed in its place since stays. */
  delete(value: T): void {
    const { address, port } = value.remote
    const entry = this.byAddress.get(address)
    if (entry instanceof Map) {
      if (entry.get(port) !== value) return
      entry.delete(port)
      if (entry.size === 0) this.byAddress.delete(address)
    } else {
      if (entry !== value) return
      this.byAddress.delete(address)
    }
    this.count--
  }

  /** Every value, in no particular order. */
  *values(): IterableIterator<T> {
    for (const entry of this.byAddress.values()) {
      if (entry instanceof Map) yield* entry.values()
      else yield entry
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.byAddress.clear()
    this.count = 0
  }
}
