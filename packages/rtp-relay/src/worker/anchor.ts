/** A session as the media anchor of a B2BUA. */
import type { LearningOptions } from '../control/learning'
import type { AnswerOptions, OfferOptions } from '../control/offer-options'
import type { Side } from '../relay/leg'
import type { RelaySession } from './session'

/** What `Relay.anchor` may be told of the parties. */
export interface AnchorOptions {
  /** Address family towards each side; by default that of the other side's offer. */
  readonly families?: Partial<Record<Side, NonNullable<OfferOptions['addressFamily']>>>
  /** Interface name towards each side; give both or none. */
  readonly interfaces?: Readonly<Record<Side, string>>
  /** The IP address that each side's signalling comes from. May be changed while the anchor lives. */
  readonly receivedFrom?: Partial<Record<Side, string>>
  /** Further options of each offer that is made to a side. May be changed while the anchor lives. */
  readonly towards?: Partial<
    Record<Side, Omit<OfferOptions, 'from' | 'receivedFrom' | 'addressFamily' | 'direction' | keyof LearningOptions>>
  >
  /** How each side's endpoints are learned. May be changed while the anchor lives. */
  readonly learning?: Partial<Record<Side, LearningOptions>>
}

/** What a B2BUA needs of a session: its offers and answers, and its end. */
export interface MediaAnchor {
  /** Side `side` offers; resolves with the offer for the other side. */
  offer(side: Side, sdp: Uint8Array): Promise<Uint8Array>
  /** Side `side` answers; resolves with the answer for the other side. */
  answer(side: Side, sdp: Uint8Array): Promise<Uint8Array>
  /** Closes the session. */
  release(): void
}

/** Makes the anchor of a session. */
export function anchorOf(session: RelaySession, options: AnchorOptions): MediaAnchor {
  const party = (from: Side): AnswerOptions => {
    const receivedFrom = options.receivedFrom?.[from]
    return { ...options.learning?.[from], from, ...(receivedFrom === undefined ? {} : { receivedFrom }) }
  }
  return {
    offer: (side, sdp) => {
      const to: Side = side === 'a' ? 'b' : 'a'
      const addressFamily = options.families?.[to]
      const names = options.interfaces
      return session.offer(sdp, {
        ...options.towards?.[to],
        ...party(side),
        ...(addressFamily === undefined ? {} : { addressFamily }),
        ...(names === undefined ? {} : { direction: [names[side], names[to]] as const }),
      })
    },
    answer: (side, sdp) => session.answer(sdp, party(side)),
    release: () => {
      void session.close()
    },
  }
}
