/** Observers of a stack. What they throw is logged and goes no further. */
import type { StackEvents } from './options'

/** Listeners by event. */
export class Observers {
  private readonly listeners: { [K in keyof StackEvents]: Set<(data: StackEvents[K]) => void> } = {
    messageIn: new Set(),
    messageOut: new Set(),
    flowClosed: new Set(),
    dropped: new Set(),
  }

  constructor(private readonly failed: (error: unknown) => void) {}

  on<K extends keyof StackEvents>(event: K, listener: (data: StackEvents[K]) => void): () => void {
    this.listeners[event].add(listener)
    return () => {
      this.listeners[event].delete(listener)
    }
  }

  /** Whether making the event's data is worth the while. */
  has(event: keyof StackEvents): boolean {
    return this.listeners[event].size > 0
  }

  emit<K extends keyof StackEvents>(event: K, data: StackEvents[K]): void {
    for (const listener of this.listeners[event]) {
      try {
        listener(data)
      } catch (error) {
        this.failed(error)
      }
    }
  }

  clear(): void {
    for (const set of Object.values(this.listeners)) set.clear()
  }
}
