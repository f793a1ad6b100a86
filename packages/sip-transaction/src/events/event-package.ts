/**
 * What an event package is, as data: RFC 6665 §5.4 asks each package for its name, bodies, lifetime and what forks mean.
 * The packages of this folder are values of this type; others are written the same way.
 */

/** What came of reading a body. */
export type EventBody<State> =
  | { readonly ok: true; readonly state: State }
  /** `reason`: a few words for a log. */
  | { readonly ok: false; readonly reason: string }

/** An event package (RFC 6665 §5). Immutable, without any state of a subscription. */
export interface EventPackage<State> {
  /** What the Event header says: `presence`. */
  readonly name: string
  /** The type of the bodies that `write` makes. */
  readonly contentType: string
  /** Types that `read` takes besides. */
  readonly alsoReads?: readonly string[]
  /** The lifetime to ask for, and to give to whoever asks for none. */
  readonly expiresSeconds: number
  /** What a forked SUBSCRIBE makes: `many` subscriptions, or `one`, where further ones are refused (RFC 6665 §5.4.9). */
  readonly forks: 'one' | 'many'
  /** Reads a body; never throws, whatever the bytes. */
  read(body: Uint8Array, contentType: string): EventBody<State>
  /** Writes a body. `version`: how many NOTIFYs of the subscription came before, for bodies that number themselves. */
  write(state: State, version: number): string | Uint8Array
  /**
   * Where bodies may tell changes only: the whole after `news`, or undefined when something in between is missing, and
   * the whole has to be asked for anew.
   */
  merge?(known: State | undefined, news: State): State | undefined
}
