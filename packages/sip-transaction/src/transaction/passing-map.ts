/**
 * A map for entries of which most are deleted before the next one is set, as requests are that are answered at once. The
 * newest entry is kept aside: a `Map` that gains and loses one entry with every message makes garbage each time that it
 * tidies itself up. And its old table points to the new one then: once one has grown old, the garbage collector keeps every
 * later one, until it next looks at everything. So they hold no values, only cells, which are emptied. Pure.
 */

interface Cell<V> {
  value: V | undefined
}

/** Entries by key; no order. */
export class PassingMap<K, V extends object> {
  private readonly settled = new Map<K, Cell<V>>()
  private newestKey: K | undefined = undefined
  private newest: V | undefined = undefined

  get size(): number {
    return this.settled.size + (this.newest === undefined ? 0 : 1)
  }

  get(key: K): V | undefined {
    if (this.newest !== undefined && this.newestKey === key) return this.newest
    return this.settled.size === 0 ? undefined : this.settled.get(key)?.value
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  set(key: K, value: V): void {
    const { newest, newestKey } = this
    if (newest !== undefined && newestKey !== key) {
      this.settled.set(newestKey as K, { value: newest })
      this.newestKey = undefined
      this.newest = undefined
    }
    const known = this.settled.size > 0 ? this.settled.get(key) : undefined
    if (known !== undefined) {
      known.value = value
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
    const cell = this.settled.size > 0 ? this.settled.get(key) : undefined
    if (cell === undefined) return false
    cell.value = undefined
    return this.settled.delete(key)
  }

  /** The values that are there now. */
  values(): V[] {
    const values: V[] = []
    for (const { value } of this.settled.values()) if (value !== undefined) values.push(value)
    if (this.newest !== undefined) values.push(this.newest)
    return values
  }

  clear(): void {
    this.settled.clear()
    this.newestKey = undefined
    this.newest = undefined
  }
}
