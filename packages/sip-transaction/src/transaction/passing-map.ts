/**
 * A map for entries of which most are deleted before the next one is set, as requests are that are answered at once. The
 * newest entry is kept aside: a `Map` that gains and loses one entry with every message makes garbage each time that it
 * tidies itself up. Pure.
 */

/** Entries by key; no order. */
export class PassingMap<K, V extends object> {
  private readonly settled = new Map<K, V>()
  private newestKey: K | undefined = undefined
  private newest: V | undefined = undefined

  get size(): number {
    return this.settled.size + (this.newest === undefined ? 0 : 1)
  }

  get(key: K): V | undefined {
    if (this.newest !== undefined && this.newestKey === key) return this.newest
    return this.settled.size === 0 ? undefined : this.settled.get(key)
  }

  set(key: K, value: V): void {
    if (this.newest !== undefined && this.newestKey !== key) this.settled.set(this.newestKey as K, this.newest)
    if (this.settled.size > 0 && this.settled.has(key)) {
      this.settled.set(key, value)
      this.newestKey = undefined
      this.newest = undefined
      return
    }
    this.newestKey = key
    this.newest = value
  }

  /** @returns whether there was such an entry */
  delete(key: K): boolean {
    if (this.newest !== undefined && this.newestKey === key) {
      this.newestKey = undefined
      this.newest = undefined
      return true
    }
    return this.settled.size > 0 && this.settled.delete(key)
  }

  clear(): void {
    this.settled.clear()
    this.newestKey = undefined
    this.newest = undefined
  }
}
