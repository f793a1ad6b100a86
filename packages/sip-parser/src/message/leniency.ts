/**
 * Named switches for what the grammar forbids and the field sends (RFC 4475 §3.1.2). All are off by default. A message
 * accepted through a switch of its lines is rewritten to the strict form at once, so it can be forwarded.
 */

/** Deviations from RFC 3261 that may be tolerated, one switch each. */
export interface Leniency {
  /** Lines that end with LF alone; old gateways and hand-written tools send them. */
  readonly bareLf: boolean
  /**
   * Several spaces between the parts of the start line or at its end, and a status line without the space before its empty
   * reason phrase (RFC 4475 §3.1.2.9, §3.1.2.10).
   */
  readonly startLineSpaces: boolean
  /** A request URI in angle brackets; the brackets are removed (RFC 4475 §3.1.2.7). */
  readonly requestUriBrackets: boolean
  /** Headers in the request URI; they are dropped and never become headers (RFC 4475 §3.1.2.11). */
  readonly requestUriHeaders: boolean
  /** A datagram whose body is shorter than its Content-Length; what came is the body. */
  readonly shortBody: boolean
  /** A display name with characters that need quotes; it is quoted when written (RFC 4475 §3.1.2.15). */
  readonly unquotedDisplayName: boolean
  /** Spaces between angle brackets and the URI in them (RFC 4475 §3.1.2.14). */
  readonly spacesInAddress: boolean
  /** A question mark in a URI without angle brackets, as if they were there (RFC 4475 §3.1.2.13). */
  readonly addressWithoutBrackets: boolean
  /** `;;` and parameters with "=" but no value (RFC 4475 §3.1.2.1). */
  readonly emptyParameters: boolean
  /** `,,` and commas at the end of a list. */
  readonly emptyElements: boolean
  /** Parameter values with characters that need quotes, such as `/` or `@`. */
  readonly parameterCharacters: boolean
  /** Characters in the user part of a URI that should be escaped, such as `#` of a feature code, or UTF-8. */
  readonly userCharacters: boolean
  /** Underscores in host names, as container platforms make them. */
  readonly hostUnderscore: boolean
}

/** Tolerates nothing: the default. */
export const strict: Leniency = {
  bareLf: false,
  startLineSpaces: false,
  requestUriBrackets: false,
  requestUriHeaders: false,
  shortBody: false,
  unquotedDisplayName: false,
  spacesInAddress: false,
  addressWithoutBrackets: false,
  emptyParameters: false,
  emptyElements: false,
  parameterCharacters: false,
  userCharacters: false,
  hostUnderscore: false,
}

/** Tolerates what real-world phones and gateways are known to send. */
export const tolerant: Leniency = {
  bareLf: true,
  startLineSpaces: true,
  requestUriBrackets: true,
  requestUriHeaders: true,
  shortBody: true,
  unquotedDisplayName: true,
  spacesInAddress: true,
  addressWithoutBrackets: true,
  emptyParameters: true,
  emptyElements: true,
  parameterCharacters: true,
  userCharacters: true,
  hostUnderscore: true,
}
