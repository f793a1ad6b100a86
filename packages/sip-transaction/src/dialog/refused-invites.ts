/**
 * INVITEs of ours that ended without a call, remembered for as long as a late 2xx may come: RFC 3261 §13.2.2.4 owes each
 * 2xx an ACK, and a BYE to those that nobody wants. Only what we asked for is answered, so that a forged 2xx cannot make
 * us send anything to anyone. Pure.
 */

import { AgedMap } from '../timers/aged-map'

interface Remembered {
  readonly untilMs: number
  /** To tags of 2xx that have been dealt with. */
  readonly tags: Set<string>
}

/** The memory of one stack. */
export class RefusedInvites {
  private readonly known = new AgedMap<string, Remembered>()

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
    return this.known.oldestValue?.untilMs ?? Number.POSITIVE_INFINITY
  }

  /** An INVITE has ended without a call. */
  add(callId: string, fromTag: string, cseq: number, untilMs: number): void {
    this.known.set(inviteKey(callId, fromTag, cseq), { untilMs, tags: new Set() })
    if (this.known.size > this.sizeMax) this.known.deleteOldest()
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
    while (this.nextDueMs() <= nowMs) this.known.deleteOldest()
  }
}

function inviteKey(callId: string, fromTag: string, cseq: number): string {
  return `${callId}\n${fromTag}\n${cseq}`
}
