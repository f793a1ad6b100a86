/** What the typed getters of a message stand on, wherever they are written down (RFC 3261 §7.3, §20). */
import type { Codec } from '../headers/definition'
import { decodeFirst } from './decode'
import type { HeaderIndex } from './header-list'
import type { Leniency } from './leniency'

/** A message as its getters see it. */
export abstract class HeaderReader {
  abstract readonly kind: 'request' | 'response'
  /** @internal */
  abstract readonly text: string
  /** @internal */
  abstract readonly index: HeaderIndex
  /** @internal */
  abstract readonly bodyStart: number
  /** @internal */
  abstract readonly leniency: Leniency

  /** Every value of a header, kept once decoded; with `isWhole` each line is one value. */
  protected abstract list<T>(headerId: number, codec: Codec<T>, isWhole?: boolean): readonly T[]

  /** The first value of a header, or undefined when it is absent. */
  protected first<T>(headerId: number, codec: Codec<T>): T | undefined {
    return decodeFirst(this, headerId, codec)
  }
}
