/** What can be wrong with a session description, as data (RFC 8866 §5, §9; RFC 3261 §21.4.1 and §21.4.26). */
import type { Problem } from '../errors'

/** Every SDP problem code: the SIP status it suggests for the request that carried the body, and its sentence. */
export const sdpProblemCodes = {
  SDP_EMPTY: { status: 400, sentence: 'The session description is empty.' },
  SDP_TOO_LARGE: { status: 413, sentence: 'The session description is larger than the limit.' },
  SDP_TOO_MANY_LINES: { status: 413, sentence: 'The session description has more lines than the limit.' },
  SDP_TOO_MANY_MEDIA: { status: 488, sentence: 'The session description has more media than the limit.' },
  SDP_LINE_INVALID: { status: 400, sentence: 'A line is not one letter, an equals sign and a value.' },
  SDP_CONTROL_CHARACTER: { status: 400, sentence: 'A line holds a NUL or a carriage return inside its value.' },
  SDP_VERSION_INVALID: { status: 400, sentence: 'The session description does not begin with v=0.' },
  SDP_ORIGIN_INVALID: { status: 400, sentence: 'The o= line is missing or does not hold its six fields.' },
  SDP_LINE_REPEATED: { status: 400, sentence: 'A line that may appear once appears more than once.' },
  SDP_CONNECTION_INVALID: { status: 400, sentence: 'A c= line does not hold IN, IP4 or IP6 and an address.' },
  SDP_TIMING_INVALID: { status: 400, sentence: 'A t= line does not hold two plain numbers.' },
  SDP_MEDIA_INVALID: { status: 400, sentence: 'An m= line does not hold media, port, protocol and formats.' },
  SDP_PORT_INVALID: { status: 400, sentence: 'A media port is not a number from 0 to 65535.' },
} as const satisfies Record<string, { status: number; sentence: string }>

/** A code of {@link sdpProblemCodes}. */
export type SdpProblemCode = keyof typeof sdpProblemCodes

/** Makes the problem for a code; `offset` counts bytes from the start of the session description. */
export function sdpProblem(code: SdpProblemCode, offset: number): Problem {
  const { status, sentence } = sdpProblemCodes[code]
  return { layer: 'semantic', code, offset, suggestedStatus: status, sentence }
}
