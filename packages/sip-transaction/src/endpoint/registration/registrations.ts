/** The registrations of one stack, and the flows that they hang on (RFC 5626 §4.2). Internal. */

/** A registration, as the end of its stack sees it. */
export interface OpenRegistration {
  /** Removes its contacts. */
  hangUp(): void
  /** Ends it without a word. */
  close(): void
}

/** Knows who wants to hear of the end of a flow. */
export class Registrations {
  readonly all = new Set<OpenRegistration>()
  private readonly watchers = new Map<number, Set<() => void>>()

  /** Calls `gone` when that flow closes. @returns ends it */
  watch(flowId: number, gone: () => void): () => void {
    const set = this.watchers.get(flowId) ?? new Set()
    this.watchers.set(flowId, set)
    set.add(gone)
    return () => {
      set.delete(gone)
      if (set.size === 0 && this.watchers.get(flowId) === set) this.watchers.delete(flowId)
    }
  }

  /** A flow has closed. */
  flowClosed(flowId: number): void {
    const set = this.watchers.get(flowId)
    if (set === undefined) return
    this.watchers.delete(flowId)
    for (const gone of [...set]) gone()
  }

  /** The stack closes: contacts that nobody answers at any more are to be removed. */
  hangUp(): void {
    for (const registration of [...this.all]) registration.hangUp()
  }

  /** The stack is closed. */
  close(): void {
    for (const registration of [...this.all]) registration.close()
  }
}
