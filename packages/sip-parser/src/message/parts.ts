/** What a message is made of, and the names of what it can be asked for (RFC 3261 §7, §20). */
import type { CoreHeaders } from './core-headers'
import type { EditedText } from './edited-text'
import type { HeaderIndex } from './header-list'
import type { HeaderReader } from './header-reader'
import type { Leniency } from './leniency'

/** The names that a message's `decode` takes: the typed getters. */
export type DecodableHeader =
  | 'via'
  | 'vias'
  | 'from'
  | 'to'
  | 'callId'
  | 'cseq'
  | 'maxForwards'
  | 'contacts'
  | 'routes'
  | 'recordRoutes'
  | 'contentType'
  | 'contentLength'
  | Exclude<keyof CoreHeaders, keyof HeaderReader>

/** The parts a parsed or built message is made of. */
export interface MessageParts {
  /** Head and body, one character a byte. */
  readonly text: string
  readonly index: HeaderIndex
  /** What text and index are made of later; they are empty until then. */
  readonly edited: EditedText | undefined
  /** Where the start line ends, its line end not included. */
  readonly startLineEnd: number
  /** Where the body begins. */
  readonly bodyStart: number
  readonly leniency: Leniency
}
