/** Notifications that wait for whoever iterates over a subscription. */

/** A queue with one reader at a time or several, and a cap: over it the oldest entry is left out. */
export class NotificationQueue<Item> {
  /** How many entries have been left out. */
  missed = 0
  private readonly items: Item[] = []
  private readonly readers: ((result: IteratorResult<Item, undefined>) => void)[] = []
  private isClosed = false

  constructor(private readonly itemsMax: number) {}

  push(item: Item): void {
    const reader = this.readers.shift()
    if (reader !== undefined) {
      reader({ done: false, value: item })
      return
    }
    if (this.items.length >= this.itemsMax) {
      this.items.shift()
      this.missed += 1
    }
    this.items.push(item)
  }

  /** No more comes; what waits may still be read. */
  close(): void {
    this.isClosed = true
    for (const reader of this.readers.splice(0)) reader({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.items.shift()
    if (item !== undefined) return Promise.resolve({ done: false, value: item })
    if (this.isClosed) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.readers.push(resolve))
  }
}
