/** URIs of every scheme that SIP only carries: http, urn, im, pres, and schemes nobody knows (RFC 3261 §25.1: absoluteURI). */

/** A URI that is kept as text. */
export class OpaqueUri {
  constructor(
    /** In lower case. */
    readonly scheme: string,
    /** The whole URI as it came, scheme included. */
    readonly text: string,
  ) {}

  /** Equal when scheme (any case) and the rest (exactly) are. */
  equals(other: unknown): boolean {
    if (!(other instanceof OpaqueUri) || other.scheme !== this.scheme) return false
    return other.text.slice(this.scheme.length) === this.text.slice(this.scheme.length)
  }

  toString(): string {
    return this.text
  }

  toJSON(): string {
    return this.text
  }
}
