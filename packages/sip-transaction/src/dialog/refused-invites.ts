/**
 * INVITEs of ours that ended without a call, remembered for as long as a late 2xx may come: RFC 3261 §13.2.2.4 owes each
 * 2xx an ACK, and a BYE to those that nobody wants. Only what we asked for is answered, so that a forged 2xx cannot make
 * us send anything to anyone. Pure.
 */

interface Remembered {
  readonly untilMs: number
  /** To tags of 2xx that have been dealt with. */
  readonly tags: Set<string>
}

/** The memory of one stack. */
export class RefusedInvites {
  private readonly known = new Map<string, Remembered>()

  /**
   * @param sizeMax INVITEs remembered; over it the oldest is forgotten
   * @param tagsMax answers of one INVITE that are taken
   */
  constructor(
    private readonly sizeMax: number,
    private readonly tagsMax: number,
  ) {}

  get size(): number {
    return this.known.size
  }

  /** When the oldest is to be forgotten. */
  nextDueMs(): number {
    for (const { untilMs } of this.known.values()) return untilMs
    return Number.POSITIVE_INFINITY
  }

  /** An INVITE has ended without a call. */
  add(callId: string, fromTag: string, cseq: number, untilMs: number): void {
    const key = inviteKey(callId, fromTag, cseq)
    this.known.delete(key)
    this.known.set(key, { untilMs, tags: new Set() })
    if (this.known.size <= this.sizeMax) return
    const oldest = this.known.keys().next().value
    if (oldest !== undefined) this.known.delete(oldest)
  }

  /** A 2xx came for that INVITE: true when it is the first of its dialog and is to be acknowledged and ended. */
  take(callId: string, fromTag: string, cseq: number, toTag: string, nowMs: number): boolean {
    this.forget(nowMs)
    const entry = this.known.get(inviteKey(callId, fromTag, cseq))
    if (entry === undefined || entry.tags.has(toTag) || entry.tags.size >= this.tagsMax) return false
    entry.tags.add(toTag)
    return true
  }

  /** Lets go of what is over, oldest first. */
  forget(nowMs: number): void {
    for (const [key, { untilMs }] of this.known) {
      if (untilMs > nowMs) return
      this.known.delete(key)
    }
  }
}

function inviteKey(callId: string, fromTag: string, cseq: number): string {
  return `${callId}\n${fromTag}\n${cseq}`
}
