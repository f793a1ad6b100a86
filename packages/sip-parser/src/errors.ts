/**
 * What can be wrong with a message, as data: one registry of problem codes with the layer that decides them
 * (RFC 3261 §7, §8.2, §16.3, §18.3; RFC 4475), and the two errors that this package throws.
 */

/** The layer of the verdict, from the outermost to the innermost. */
export type ProblemLayer = 'framing' | 'start-line' | 'header-syntax' | 'header-value' | 'semantic'

/** What to do with a message that has a problem: the status to answer, or `'drop'` when no answer may be sent. */
export type SuggestedStatus = number | 'drop'

/** One thing that is wrong with a message. Plain data: safe to log, never holds a header value. */
export interface Problem {
  readonly layer: ProblemLayer
  /** A key of {@link problemCodes}. */
  readonly code: string
  /** Byte offset in the input where the problem was seen. */
  readonly offset: number
  /** Canonical name of the header, when the problem is in one. */
  readonly header?: string
  readonly suggestedStatus: SuggestedStatus
  /** One English sentence. */
  readonly sentence: string
}

/** A value, or the problem that prevents it. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Problem }

interface ProblemKind {
  readonly layer: ProblemLayer
  readonly status: SuggestedStatus
  readonly sentence: string
  /** The header that the problem is always in. */
  readonly header?: string
}

/** Every problem code: the layer that finds it, the status it suggests for a request, and its sentence. */
export const problemCodes = {
  EMPTY_MESSAGE: { layer: 'framing', status: 'drop', sentence: 'There is no message: nothing, or line ends only.' },
  MESSAGE_TOO_LARGE: { layer: 'framing', status: 513, sentence: 'The message is larger than the limit.' },
  HEAD_TOO_LARGE: { layer: 'framing', status: 513, sentence: 'The start line and headers are larger than the limit.' },
  BODY_TOO_LARGE: { layer: 'framing', status: 413, sentence: 'The body is larger than the limit.' },
  TOO_MANY_HEADERS: { layer: 'framing', status: 513, sentence: 'The message has more header lines than the limit.' },
  HEAD_INCOMPLETE: { layer: 'framing', status: 400, sentence: 'The headers do not end with an empty line.' },
  BARE_LF: {
    layer: 'framing',
    status: 400,
    sentence: 'A line ends with a line feed that no carriage return precedes.',
  },
  BARE_CR: { layer: 'framing', status: 400, sentence: 'A carriage return stands without its line feed.' },
  CONTENT_LENGTH_INVALID: {
    layer: 'framing',
    status: 400,
    header: 'Content-Length',
    sentence: 'The length of the body is not a plain decimal number that a length can be.',
  },
  CONTENT_LENGTH_REPEATED: {
    layer: 'framing',
    status: 400,
    header: 'Content-Length',
    sentence: 'The length of the body is said more than once.',
  },
  CONTENT_LENGTH_MISSING: {
    layer: 'framing',
    status: 400,
    header: 'Content-Length',
    sentence: 'A message on a stream must say the length of its body.',
  },
  BODY_TOO_SHORT: { layer: 'framing', status: 400, sentence: 'The body is shorter than Content-Length says.' },
  TRAILING_BYTES: { layer: 'framing', status: 400, sentence: 'Bytes follow the body of a message framed on a stream.' },

  START_LINE_INVALID: {
    layer: 'start-line',
    status: 400,
    sentence: 'The first line is neither a request line nor a status line.',
  },
  START_LINE_SPACES: {
    layer: 'start-line',
    status: 400,
    sentence: 'The parts of the start line must be separated by one space each, with none at its end.',
  },
  METHOD_INVALID: { layer: 'start-line', status: 400, sentence: 'The method is not a token.' },
  STATUS_INVALID: { layer: 'start-line', status: 'drop', sentence: 'The status code is not a number from 100 to 699.' },
  REASON_INVALID: { layer: 'start-line', status: 'drop', sentence: 'The reason phrase holds a control character.' },
  REQUEST_URI_INVALID: { layer: 'start-line', status: 400, sentence: 'The request URI is malformed.' },
  REQUEST_URI_BRACKETS: {
    layer: 'start-line',
    status: 400,
    sentence: 'The request URI must not stand in angle brackets.',
  },
  REQUEST_URI_SPACE: { layer: 'start-line', status: 400, sentence: 'The request URI holds white space.' },
  REQUEST_URI_HEADERS: { layer: 'semantic', status: 400, sentence: 'The request URI must not carry headers.' },
  VERSION_UNSUPPORTED: { layer: 'semantic', status: 505, sentence: 'The version of SIP is not 2.0.' },
  SCHEME_UNSUPPORTED: {
    layer: 'semantic',
    status: 416,
    sentence: 'The scheme of the request URI is not sip, sips or tel.',
  },

  HEADER_COLON_MISSING: { layer: 'header-syntax', status: 400, sentence: 'A header line has no colon.' },
  HEADER_NAME_INVALID: { layer: 'header-syntax', status: 400, sentence: 'A header name is empty or not a token.' },
  HEADER_NAME_TOO_LONG: { layer: 'header-syntax', status: 400, sentence: 'A header name is longer than the limit.' },
  HEADER_FOLD_MISPLACED: {
    layer: 'header-syntax',
    status: 400,
    sentence: 'A continuation line stands where there is no header to continue.',
  },
  EMPTY_PARAMETER: { layer: 'header-syntax', status: 400, sentence: 'A semicolon is followed by no parameter.' },
  EMPTY_ELEMENT: { layer: 'header-syntax', status: 400, sentence: 'A comma is followed, or preceded, by no value.' },

  HEADER_EMPTY: { layer: 'header-value', status: 400, sentence: 'The header has no value.' },
  HEADER_CONTROL_CHARACTER: {
    layer: 'header-value',
    status: 400,
    sentence: 'The header value holds a control character.',
  },
  QUOTE_UNTERMINATED: { layer: 'header-value', status: 400, sentence: 'A quoted string has no closing quote.' },
  QUOTED_STRING_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A quoted string holds a byte that must be escaped.',
  },
  PARAMETER_INVALID: { layer: 'header-value', status: 400, sentence: 'A parameter has a malformed name or value.' },
  PARAMETER_REPEATED: { layer: 'header-value', status: 400, sentence: 'A parameter appears more than once.' },
  TOO_MANY_PARAMETERS: { layer: 'header-value', status: 400, sentence: 'A value has more parameters than the limit.' },
  TOO_MANY_ELEMENTS: { layer: 'header-value', status: 400, sentence: 'The header has more values than the limit.' },
  UNEXPECTED_CHARACTER: { layer: 'header-value', status: 400, sentence: 'A character stands where none may.' },
  TOKEN_EXPECTED: { layer: 'header-value', status: 400, sentence: 'A token is expected.' },
  NUMBER_INVALID: { layer: 'header-value', status: 400, sentence: 'A plain decimal number is expected.' },
  NUMBER_TOO_LARGE: { layer: 'header-value', status: 400, sentence: 'A number is larger than its header allows.' },
  DISPLAY_NAME_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A display name that is not made of tokens must stand in quotes.',
  },
  ADDRESS_BRACKET_MISSING: {
    layer: 'header-value',
    status: 400,
    sentence: 'An angle bracket is missing or not closed.',
  },
  ADDRESS_SPACE: { layer: 'header-value', status: 400, sentence: 'A URI in angle brackets holds white space.' },
  ADDRESS_NEEDS_BRACKETS: {
    layer: 'header-value',
    status: 400,
    sentence: 'A URI with a comma, a semicolon or a question mark must stand in angle brackets.',
  },
  URI_INVALID: { layer: 'header-value', status: 400, sentence: 'A URI is malformed.' },
  URI_ESCAPE_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A percent sign in a URI is not followed by two hexadecimal digits.',
  },
  HOST_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A host is no host name, IPv4 address or bracketed IPv6 address.',
  },
  PORT_INVALID: { layer: 'header-value', status: 400, sentence: 'A port is not a number from 0 to 65535.' },
  VIA_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A Via value does not begin with protocol, version and transport.',
  },
  CALL_ID_INVALID: { layer: 'header-value', status: 400, sentence: 'The Call-ID is not one or two words.' },
  CSEQ_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'CSeq is not a number below 2**31 followed by a method.',
  },
  CONTACT_STAR_INVALID: { layer: 'header-value', status: 400, sentence: 'The Contact value * must stand alone.' },
  Q_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A q value is not a number from 0 to 1 with at most three decimals.',
  },
  CREDENTIALS_INVALID: { layer: 'header-value', status: 400, sentence: 'Credentials or a challenge are malformed.' },
  MEDIA_TYPE_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A media type is not type/subtype with parameters.',
  },
  DATE_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'The date is not of the form "Sat, 13 Nov 2010 23:29:00 GMT".',
  },
  WARNING_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A warning is not a three-digit code, an agent and a quoted text.',
  },
  PARAMETER_MISSING: { layer: 'header-value', status: 400, sentence: 'A parameter that the header needs is missing.' },
  BOOLEAN_INVALID: { layer: 'header-value', status: 400, sentence: 'A value is neither true nor false.' },
  STAR_EXPECTED: { layer: 'header-value', status: 400, sentence: 'Feature parameters must follow a star.' },
  INDEX_INVALID: { layer: 'header-value', status: 400, sentence: 'A history index is not numbers with dots between.' },
  IDENTITY_INVALID: { layer: 'header-value', status: 400, sentence: 'An identity does not begin with its signature.' },
  SESSION_ID_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A session identifier is not 32 lower-case hexadecimal digits.',
  },
  RESOURCE_PRIORITY_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A resource priority is not a namespace, a dot and a priority.',
  },
  CONTENT_ID_INVALID: {
    layer: 'header-value',
    status: 400,
    sentence: 'A Content-ID is not of the form <left@right>.',
  },

  HEADER_MISSING: { layer: 'semantic', status: 400, sentence: 'A header that every message needs is missing.' },
  HEADER_REPEATED: {
    layer: 'semantic',
    status: 400,
    sentence: 'A header that may appear once appears more than once.',
  },
  CSEQ_METHOD_MISMATCH: {
    layer: 'semantic',
    status: 400,
    sentence: 'The method of CSeq is not the method of the request line.',
  },
} as const satisfies Record<string, ProblemKind>

/** A code of {@link problemCodes}. */
export type ProblemCode = keyof typeof problemCodes

/** Every code of {@link SipUsageError}: mistakes of the calling program, never of a peer. */
export const usageCodes = {
  HEADER_INJECTION: 'A value handed to a setter holds a carriage return, a line feed or a NUL.',
  HEADER_NAME_INVALID: 'A header name handed to a setter is not a token.',
  VALUE_INVALID: 'A value handed to a constructor or setter cannot be written in SIP.',
  START_LINE_MISMATCH: 'A request-only setter was called on a response, or the reverse.',
} as const

/** A code of {@link usageCodes}. */
export type UsageCode = keyof typeof usageCodes

/** Makes a problem from its code. `isResponse` turns the suggested status into `'drop'`: responses are never answered. */
export function problem(code: ProblemCode, offset: number, found?: string, isResponse = false): Problem {
  const kind: ProblemKind = problemCodes[code]
  const header = found ?? kind.header
  const suggestedStatus = isResponse ? 'drop' : kind.status
  const base = { layer: kind.layer, code, offset, suggestedStatus, sentence: kind.sentence }
  return header === undefined ? base : { ...base, header }
}

/** Thrown by a message's typed getters when the header is malformed, or mandatory and absent. */
export class SipHeaderError extends Error {
  override readonly name = 'SipHeaderError'
  readonly code: string
  /** What is wrong, as {@link parseMessage} would have said it. */
  readonly problem: Problem

  constructor(cause: Problem) {
    super(cause.header === undefined ? cause.sentence : `${cause.header}: ${cause.sentence}`)
    this.code = cause.code
    this.problem = cause
  }
}

/** Thrown when the calling program hands over what cannot be written into a SIP message. */
export class SipUsageError extends Error {
  override readonly name = 'SipUsageError'
  readonly code: UsageCode

  constructor(code: UsageCode, detail?: string) {
    super(detail === undefined ? usageCodes[code] : `${usageCodes[code]} (${detail})`)
    this.code = code
  }
}
