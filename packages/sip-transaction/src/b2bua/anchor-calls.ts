/** What the media anchor has been asked for, by token, and why: its answers come later, as inputs of the bridge. Pure. */
import type { BridgeEffect, BridgeSide } from './bridge-types'

/** What is to be done with an anchored description. */
export type AnchorPurpose =
  | { readonly kind: 'initial-offer' }
  | { readonly kind: 'early-answer'; readonly branch: number; readonly status: number }
  /** The offer of a callee in a reliable provisional response, and the caller's answer to it (RFC 3262 §5). */
  | { readonly kind: 'early-offer'; readonly branch: number; readonly status: number }
  | { readonly kind: 'early-late-answer'; readonly branch: number }
  | { readonly kind: 'final-answer' }
  | { readonly kind: 'late-offer' }
  | { readonly kind: 'late-answer' }
  | { readonly kind: 'modification' }

/** The questions that are open. */
export class AnchorCalls {
  private readonly purposes = new Map<number, AnchorPurpose>()
  private nextToken = 1

  /** Asks. */
  ask(purpose: AnchorPurpose, op: 'offer' | 'answer', side: BridgeSide, sdp: Uint8Array, out: BridgeEffect[]): void {
    const token = this.nextToken
    this.nextToken += 1
    this.purposes.set(token, purpose)
    out.push({ kind: 'anchor', token, op, side, sdp })
  }

  /** An answer has come: what it is for, once. */
  take(token: number): AnchorPurpose | undefined {
    const purpose = this.purposes.get(token)
    this.purposes.delete(token)
    return purpose
  }

  /** Whether one is open for that purpose. */
  has(kind: AnchorPurpose['kind']): boolean {
    for (const purpose of this.purposes.values()) if (purpose.kind === kind) return true
    return false
  }

  clear(): void {
    this.purposes.clear()
  }
}
