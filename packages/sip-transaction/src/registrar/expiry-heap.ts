/** A binary heap of things that expire, soonest first; each knows its place, so that moving one costs log n. Pure. */

/** What the heap keeps. `heapIndex` belongs to the heap; -1 means it is not in one. */
export interface Expiring {
  expiresAtMs: number
  heapIndex: number
}

/** Soonest first. */
export class ExpiryHeap<T extends Expiring> {
  private readonly items: T[] = []

  /** Number of items. */
  get size(): number {
    return this.items.length
  }

  /** The item that expires soonest. */
  peek(): T | undefined {
    return this.items[0]
  }

  /** Adds an item. */
  add(item: T): void {
    this.items.push(item)
    this.siftUp(item, this.items.length - 1)
  }

  /** Puts an item where it belongs after its time has changed. */
  update(item: T): void {
    this.siftUp(item, item.heapIndex)
    this.siftDown(item, item.heapIndex)
  }

  /** Takes an item out. */
  remove(item: T): void {
    const index = item.heapIndex
    const last = this.items.pop()
    item.heapIndex = -1
    if (last === undefined || last === item) return
    this.place(last, index)
    this.update(last)
  }

  private siftUp(item: T, from: number): void {
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = this.items[above]
      if (parent === undefined || parent.expiresAtMs <= item.expiresAtMs) break
      this.place(parent, index)
      index = above
    }
    this.place(item, index)
  }

  private siftDown(item: T, from: number): void {
    let index = from
    for (;;) {
      let below = 2 * index + 1
      let child = this.items[below]
      const right = this.items[below + 1]
      if (child !== undefined && right !== undefined && right.expiresAtMs < child.expiresAtMs) {
        child = right
        below++
      }
      if (child === undefined || child.expiresAtMs >= item.expiresAtMs) break
      this.place(child, index)
      index = below
    }
    this.place(item, index)
  }

  private place(item: T, index: number): void {
    this.items[index] = item
    item.heapIndex = index
  }
}
