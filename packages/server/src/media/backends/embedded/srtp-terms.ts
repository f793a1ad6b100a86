/**
 * How the relay is told to encrypt towards each side of a call (RFC 4568, RFC 8643).
 */
import type { AnchorOptions } from '@carillon/rtp-relay'
import type { MediaParties, SrtpPolicy } from '../../port'

type Side = keyof MediaParties

/** Terms of the offers towards one side. */
type Terms = NonNullable<NonNullable<AnchorOptions['towards']>[Side]>

const TERMS: Readonly<Record<SrtpPolicy, Terms | undefined>> = {
  'as-offered': undefined,
  // Keys that come with a plain offer are the relay's to answer, too.
  off: { transportProtocol: 'RTP/AVP', sdes: {} },
  on: { transportProtocol: 'RTP/SAVP' },
  'best-effort': { transportProtocol: 'RTP/AVP', bestEffort: true },
}

/** The terms of one call, side by side. */
export class SrtpTerms {
  readonly #towards: { [S in Side]?: Terms } = {}

  constructor(parties: MediaParties) {
    for (const side of ['a', 'b'] as const) {
      const terms = TERMS[parties[side].srtp ?? 'as-offered']
      if (terms !== undefined) this.#towards[side] = terms
    }
  }

  /** What holds now; the same object for the whole call. */
  get towards(): Readonly<Partial<Record<Side, Terms>>> {
    return this.#towards
  }

  /**
   * A side offers by itself: from now on it is taken at its word, and the relay goes on with what it speaks. A phone
   * that encrypts is never offered anything plain in the middle of its call.
   */
  offeredBy(side: Side): void {
    delete this.#towards[side]
  }
}
