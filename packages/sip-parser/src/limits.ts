/**
 * Every cap of the parser. A message over a cap is refused with the code named beside it; nothing is allocated for it
 * first. RFC 3261 §18.1.1 (message sizes), §7.3.1 (header lines).
 */

/** The caps that a caller may change, one dimension each. */
export interface ParserLimits {
  /** Bytes of one message, head and body together; MESSAGE_TOO_LARGE over it. */
  readonly messageBytesMax: number
  /** Bytes of start line and headers with the empty line; HEAD_TOO_LARGE over it. */
  readonly headBytesMax: number
  /** Bytes of a body; BODY_TOO_LARGE over it. */
  readonly bodyBytesMax: number
  /** Header lines of one message; TOO_MANY_HEADERS over it. */
  readonly headersMax: number
}

/** Default for {@link ParserLimits.messageBytesMax}: 128 KiB, twice the largest datagram. */
export const messageBytesMax = 131_072
/** Default for {@link ParserLimits.headBytesMax}: 64 KiB. */
export const headBytesMax = 65_536
/** Default for {@link ParserLimits.bodyBytesMax}: 64 KiB. */
export const bodyBytesMax = 65_536
/** Default for {@link ParserLimits.headersMax}. */
export const headersMax = 256
/** Bytes of one header name; HEADER_NAME_TOO_LONG over it. The header index keeps the length in eight bits. */
export const headerNameBytesMax = 255
/** Values of one header over all its lines; TOO_MANY_ELEMENTS over it. */
export const headerElementsMax = 512
/** Parameters of one value; TOO_MANY_PARAMETERS over it. */
export const parametersMax = 64
/** Problems of framing, start line and header lines that are reported for one message; the rest are left out. */
export const problemsMax = 64

/** The limits that hold when none are given. */
export const defaultParserLimits: ParserLimits = { messageBytesMax, headBytesMax, bodyBytesMax, headersMax }

// Session descriptions (the sdp folder).

/** Bytes of one session description; SDP_TOO_LARGE over it. */
export const sdpBytesMax = 65_536
/** Lines of one session description; SDP_TOO_MANY_LINES over it. */
export const sdpLinesMax = 2_048
/** Media of one session description; SDP_TOO_MANY_MEDIA over it. */
export const sdpMediaMax = 64

// Multipart bodies (the body folder).

/** Parts of one multipart body, over all its levels; MULTIPART_TOO_MANY_PARTS over it. */
export const multipartPartsMax = 128
/** Multipart bodies inside one another, the outermost counted; MULTIPART_TOO_DEEP over it. */
export const multipartDepthMax = 8
/** Header lines of one part of a multipart body; MULTIPART_HEADERS_TOO_LARGE over it. */
export const partHeadersMax = 32
/** Bytes of the headers of one part of a multipart body; MULTIPART_HEADERS_TOO_LARGE over it. */
export const partHeaderBytesMax = 8_192

// The command.

/** Bytes of one file that the `sip-parser` command reads; a larger file is refused with exit code 2. */
export const commandInputBytesMax = 67_108_864
/** Bytes of one message that the `sip-parser` command prints, or places problems in; twice what the parser takes. */
export const commandShownBytesMax = 262_144
