/**
 * A map that knows its oldest entry at no cost. A `Map` keeps the order of insertion as well, but has to step over
 * everything that was deleted to find its first entry: a table that is full and changes with every message would pay for
 * that with every message. No RFC asks for it. Pure.
 */

/** One entry; its place in the order of age is the map's business. */
interface Entry<K, V> {
  readonly key: K
  value: V
  older: Entry<K, V> | undefined
  newer: Entry<K, V> | undefined
}

/** Entries in the order in which they were last set. Every operation costs the same at any size. */
export class AgedMap<K, V> {
  private readonly entries = new Map<K, Entry<K, V>>()
  private first: Entry<K, V> | undefined = undefined
  private last: Entry<K, V> | undefined = undefined

  get size(): number {
    return this.entries.size
  }

  /** The key that was set longest ago; undefined when the map is empty. */
  get oldestKey(): K | undefined {
    return this.first?.key
  }

  /** The value that was set longest ago; undefined when the map is empty. */
  get oldestValue(): V | undefined {
    return this.first?.value
  }

  has(key: K): boolean {
    return this.entries.has(key)
  }

  /** Does not change the age of the entry. */
  get(key: K): V | undefined {
    return this.entries.get(key)?.value
  }

  /** Enters a value, or changes it; the entry is the newest then. */
  set(key: K, value: V): void {
    const known = this.entries.get(key)
    if (known !== undefined) {
      known.value = value
      if (known === this.last) return
      this.unlink(known)
      this.append(known)
      return
    }
    const entry: Entry<K, V> = { key, value, older: undefined, newer: undefined }
    this.entries.set(key, entry)
    this.append(entry)
  }

  /** True when there was such an entry. */
  delete(key: K): boolean {
    const entry = this.entries.get(key)
    if (entry === undefined) return false
    this.entries.delete(key)
    this.unlink(entry)
    return true
  }

  /** Forgets the entry that was set longest ago. */
  deleteOldest(): void {
    const { first } = this
    if (first === undefined) return
    this.entries.delete(first.key)
    this.unlink(first)
  }

  /** Every key, the oldest first. The map is not to be changed meanwhile. */
  *keys(): IterableIterator<K> {
    for (let entry = this.first; entry !== undefined; entry = entry.newer) yield entry.key
  }

  /** Every value, the oldest first. The map is not to be changed meanwhile. */
  *values(): IterableIterator<V> {
    for (let entry = this.first; entry !== undefined; entry = entry.newer) yield entry.value
  }

  clear(): void {
    this.entries.clear()
    this.first = undefined
    this.last = undefined
  }

  private append(entry: Entry<K, V>): void {
    entry.older = this.last
    entry.newer = undefined
    if (this.last === undefined) this.first = entry
    else this.last.newer = entry
    this.last = entry
  }

  private unlink(entry: Entry<K, V>): void {
    const { older, newer } = entry
    if (older === undefined) this.first = newer
    else older.newer = newer
    if (newer === undefined) this.last = older
    else newer.older = older
    // What has left points to nothing, or the garbage collector would keep all that came after it for as long.
    entry.older = undefined
    entry.newer = undefined
  }
}
