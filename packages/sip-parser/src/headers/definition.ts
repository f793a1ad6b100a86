/** The shape of a registry entry (RFC 3261 §7.3.1, §20): what a header is called, how often it may appear, how it is read. */
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'

/**
 * How several values of a header are written: `single`, one line with one value; `list`, values separated by commas on
 * any number of lines; `lines`, one value a line and never split at commas (challenges and credentials).
 */
export type MultiValueRule = 'single' | 'list' | 'lines'

/**
 * Reads one value from a range of wire text without line ends. Codecs of `list` headers leave `cursor.next` at a comma
 * or the end; the others fill the range. They throw DecodeFailure.
 */
export type Codec<T> = (wire: Wire, start: number, end: number, leniency: Leniency) => T

/** One known header. */
export interface HeaderDefinition {
  /** Canonical spelling. */
  readonly name: string
  /** Compact form (RFC 3261 §7.3.3), lower-case. */
  readonly compact?: string
  readonly rule: MultiValueRule
  /** True when the grammar allows no value at all. */
  readonly mayBeEmpty?: boolean
  readonly decode: Codec<unknown>
}
