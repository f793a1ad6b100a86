/**
 * Offer and answer in one dialog: whose offer is open, and which session descriptions may be sent or taken now.
 * RFC 3264 §4, RFC 3261 §13.2.1 and §14, RFC 3262 §5, RFC 3311 §5.1 and §5.2. Only messages that cannot be lost count
 * (INVITE, reliable 1xx, 2xx, PRACK, UPDATE, ACK), so the copy of an answer in an unreliable 1xx does not.
 */
import { ignore, type MachineDefinition, step } from '../fsm/definition'

/** Whose offer waits for its answer. */
export type NegotiationState = 'stable' | 'local-offer' | 'remote-offer' | 'terminated'

/** What happens. */
export type NegotiationInput = 'send' | 'receive' | 'copy' | 'abandon' | 'close'

/** What a description that has just passed is, or why it may not pass. */
export type NegotiationVerdict = 'offer' | 'answer' | 'glare' | 'pending' | 'none'

/** The whole machine. */
export const negotiationDefinition: MachineDefinition<NegotiationState, NegotiationInput, NegotiationVerdict> = {
  name: 'negotiation',
  title: 'Offer and answer in a dialog',
  source: 'RFC 3264 §4; RFC 3261 §13.2.1, §14.1, §14.2; RFC 3262 §5; RFC 3311 §5.1, §5.2.',
  states: {
    stable: 'No offer is open',
    'local-offer': 'Our offer waits for its answer',
    'remote-offer': 'The offer of the peer waits for our answer',
    terminated: 'The dialog is over',
  },
  inputs: {
    send: 'A session description goes out in a message that cannot be lost',
    receive: 'A session description comes in such a message',
    copy: 'A description in a response to an INVITE whose response has carried one before (RFC 3261 §13.2.1)',
    abandon: 'The request that carried the offer failed, or its answer will not come',
    close: 'The dialog is over',
  },
  actions: {
    offer: 'It is an offer',
    answer: 'It is the answer to the open offer',
    glare: 'Two offers cross: answer 491, or do not send (RFC 3261 §14.2, RFC 3311 §5.2)',
    pending: 'An offer of the peer is still unanswered: answer 500 with Retry-After (RFC 3311 §5.2)',
    none: 'It means nothing',
  },
  start: step('stable'),
  final: 'terminated',
  table: {
    stable: {
      send: step('local-offer', 'offer'),
      receive: step('remote-offer', 'offer'),
      copy: ignore,
      abandon: step('stable', 'none'),
      close: step('terminated', 'none'),
    },
    'local-offer': {
      send: step('local-offer', 'glare'),
      receive: step('stable', 'answer'),
      copy: ignore,
      abandon: step('stable', 'none'),
      close: step('terminated', 'none'),
    },
    'remote-offer': {
      send: step('stable', 'answer'),
      receive: step('remote-offer', 'pending'),
      copy: ignore,
      abandon: step('stable', 'none'),
      close: step('terminated', 'none'),
    },
  },
}

/** The offer/answer state of one dialog. */
export class Negotiation {
  private current: NegotiationState = 'stable'
  /** A response to the INVITE under way has carried its description; further ones are copies of it. */
  private hasResponse = false

  get state(): NegotiationState {
    return this.current
  }

  /** Moves the state and says what the description is. */
  handle(input: NegotiationInput): NegotiationVerdict {
    if (this.current === 'terminated') return 'none'
    const decision = negotiationDefinition.table[this.current][input]
    if (typeof decision === 'string') return 'none'
    this.current = decision.next
    return decision.run[0] ?? 'none'
  }

  /** An INVITE goes out or comes in; `isDescribed` when it carries an offer. */
  invite(direction: 'send' | 'receive', isDescribed: boolean): NegotiationVerdict {
    this.hasResponse = false
    return isDescribed ? this.handle(direction) : 'none'
  }

  /** A description in a response to that INVITE, reliable or 2xx: only the first one counts (RFC 3261 §13.2.1). */
  response(direction: 'send' | 'receive'): NegotiationVerdict {
    if (this.hasResponse) return this.handle('copy')
    this.hasResponse = true
    return this.handle(direction)
  }
}
