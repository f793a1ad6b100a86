/** URIs of every scheme that SIP only carries: http, urn, im, pres, and schemes nobody knows (RFC 3261 §25.1: absoluteURI). */
import { SipUsageError } from '../errors'
import { charFlags, URI_ANY } from '../grammar/chars'
import { canonicalUrn, readUrn, type Urn } from './urn'

/** A URI that is kept as text. */
export class OpaqueUri {
  /**
   * Takes text that has been checked; use {@link OpaqueUri.of} or `parseUri` instead.
   * @internal
   */
  constructor(
    /** In lower case. */
    readonly scheme: string,
    /** The whole URI as it came, scheme included. */
    readonly text: string,
  ) {}

  /** Makes a URI from text. Throws SipUsageError VALUE_INVALID when it has no scheme or holds what no URI may. */
  static of(text: string): OpaqueUri {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):./.exec(text)?.[1]?.toLowerCase()
    if (scheme === undefined || !isUriText(text) || scheme === 'sip' || scheme === 'sips' || scheme === 'tel') {
      throw new SipUsageError('VALUE_INVALID', 'URI that is only carried')
    }
    return new OpaqueUri(scheme, text)
  }

  /** Namespace and name of a urn: URI (RFC 8141); undefined for every other, and for a malformed one. */
  get urn(): Urn | undefined {
    return this.scheme === 'urn' ? readUrn(this.text) : undefined
  }

  /** A key to look the URI up by: equal URIs have the same. */
  get addressOfRecord(): string {
    return this.canonicalText()
  }

  /**
   * RFC 8141 §3 for URNs. Of others the case of scheme, escapes and host does not count (RFC 3986 §6.2.2); the rest must be
   * the same.
   */
  equals(other: unknown): boolean {
    return this === other || (other instanceof OpaqueUri && other.canonicalText() === this.canonicalText())
  }

  /** The same URI in one spelling: equal URIs become one text. */
  normalised(): OpaqueUri {
    return new OpaqueUri(this.scheme, this.canonicalText())
  }

  toString(): string {
    return this.text
  }

  /** For logs: the text with a password in it masked. */
  toJSON(): string {
    return this.text.replace(/^([^:]*:\/\/[^/?#:@]*):[^/?#@]*@/, '$1:***@')
  }

  private canonicalText(): string {
    const { urn } = this
    if (urn !== undefined) return canonicalUrn(urn)
    const rest = this.text.slice(this.scheme.length).replace(/%[0-9a-f]{2}/gi, (digits) => digits.toUpperCase())
    const [, authority = '', path = ''] = /^:\/\/([^/?#]*)(.*)$/s.exec(rest) ?? []
    if (authority === '') return this.scheme + rest
    const hostStart = authority.lastIndexOf('@') + 1
    return `${this.scheme}://${authority.slice(0, hostStart)}${authority.slice(hostStart).toLowerCase()}${path}`
  }
}

function isUriText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (((charFlags[text.charCodeAt(at)] ?? 0) & URI_ANY) === 0) return false
  }
  return true
}
