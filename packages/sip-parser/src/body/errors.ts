/** What can be wrong with a multipart body, as data (RFC 2046 §5.1; RFC 5621 §3, §8; RFC 3261 §21.4.13). */
import type { Problem } from '../errors'

/** Every problem code of bodies: the SIP status it suggests for the request that carried the body, and its sentence. */
export const bodyProblemCodes = {
  MULTIPART_BOUNDARY_MISSING: { status: 400, sentence: 'The Content-Type of a multipart body has no boundary.' },
  MULTIPART_BOUNDARY_INVALID: {
    status: 400,
    sentence: 'A boundary is longer than 70 characters, ends with a space or has a character that it may not have.',
  },
  MULTIPART_NO_PART: { status: 400, sentence: 'A multipart body does not hold its boundary.' },
  MULTIPART_NOT_CLOSED: { status: 400, sentence: 'A multipart body does not end with its closing boundary.' },
  MULTIPART_HEADER_INVALID: {
    status: 400,
    sentence: 'A part has a malformed header line, or no empty line after them.',
  },
  MULTIPART_CONTENT_TYPE_INVALID: { status: 400, sentence: 'A part has a malformed Content-Type.' },
  MULTIPART_DISPOSITION_INVALID: { status: 400, sentence: 'A part has a malformed Content-Disposition.' },
  MULTIPART_HEADERS_TOO_LARGE: { status: 413, sentence: 'The headers of a part are larger than the limit.' },
  MULTIPART_TOO_MANY_PARTS: { status: 413, sentence: 'A multipart body has more parts than the limit.' },
  MULTIPART_TOO_DEEP: { status: 413, sentence: 'Multipart bodies stand inside one another deeper than the limit.' },
} as const satisfies Record<string, { status: number; sentence: string }>

/** A code of {@link bodyProblemCodes}. */
export type BodyProblemCode = keyof typeof bodyProblemCodes

/** Makes the problem for a code; `offset` counts bytes from the start of the body. */
export function bodyProblem(code: BodyProblemCode, offset: number): Problem {
  const { status, sentence } = bodyProblemCodes[code]
  return { layer: 'semantic', code, offset, suggestedStatus: status, sentence }
}
