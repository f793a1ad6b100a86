/**
 * Offer and answer in one dialog: whose offer is open, and which session descriptions may be sent or taken now.
 * RFC 3264 §4, RFC 3261 §13.2.1 and §14, RFC 3311 §5.1 and §5.2. Only messages that cannot be lost count
 * (INVITE, 2xx, ACK, UPDATE), so the copy of an answer in an unreliable provisional response does not.
 */

/** Whose offer waits for its answer. */
export type NegotiationState = 'stable' | 'local-offer' | 'remote-offer'

/** What happens: a session description goes out or comes in, or the request that carried the offer failed. */
export type NegotiationInput = 'send' | 'receive' | 'abandon'

/** What a description that has just passed is, or why it may not pass. */
export type NegotiationVerdict = 'offer' | 'answer' | 'glare' | 'pending' | 'none'

interface Step {
  readonly next: NegotiationState
  readonly verdict: NegotiationVerdict
}

/** The whole machine. `glare` is answered 491, `pending` 500 with Retry-After (RFC 3311 §5.2). */
export const negotiationTable: Readonly<Record<NegotiationState, Readonly<Record<NegotiationInput, Step>>>> = {
  stable: {
    send: { next: 'local-offer', verdict: 'offer' },
    receive: { next: 'remote-offer', verdict: 'offer' },
    abandon: { next: 'stable', verdict: 'none' },
  },
  'local-offer': {
    send: { next: 'local-offer', verdict: 'glare' },
    receive: { next: 'stable', verdict: 'answer' },
    abandon: { next: 'stable', verdict: 'none' },
  },
  'remote-offer': {
    send: { next: 'stable', verdict: 'answer' },
    receive: { next: 'remote-offer', verdict: 'pending' },
    abandon: { next: 'stable', verdict: 'none' },
  },
}

/** The offer/answer state of one dialog. */
export class Negotiation {
  private current: NegotiationState = 'stable'

  get state(): NegotiationState {
    return this.current
  }

  /** Moves the state and says what the description is. */
  handle(input: NegotiationInput): NegotiationVerdict {
    const step = negotiationTable[this.current][input]
    this.current = step.next
    return step.verdict
  }
}
