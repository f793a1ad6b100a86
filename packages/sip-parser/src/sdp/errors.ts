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
  SDP_RTPMAP_INVALID: { status: 400, sentence: 'An rtpmap does not hold payload type, name and clock rate.' },
  SDP_FMTP_INVALID: { status: 400, sentence: 'An fmtp does not hold a format and its parameters.' },
  SDP_PACKET_TIME_INVALID: { status: 400, sentence: 'A ptime or maxptime is not a number above zero.' },
  SDP_FLAG_INVALID: { status: 400, sentence: 'An attribute that says all by being there has a value.' },
  SDP_CRYPTO_INVALID: { status: 488, sentence: 'A crypto attribute does not hold tag, suite and a key of its length.' },
  SDP_RTCP_INVALID: { status: 400, sentence: 'An rtcp attribute does not hold a port, and an address if any.' },
  SDP_CANDIDATE_INVALID: { status: 400, sentence: 'A candidate does not have the fields of RFC 8839.' },
  SDP_ICE_INVALID: { status: 400, sentence: 'An ICE credential or option is too short or has a wrong character.' },
  SDP_FINGERPRINT_INVALID: { status: 400, sentence: 'A fingerprint is not a hash name and its digest.' },
  SDP_SETUP_INVALID: { status: 400, sentence: 'A setup, connection or tls-id has a value that it cannot have.' },
  SDP_MID_INVALID: { status: 400, sentence: 'A mid is not one token.' },
  SDP_GROUP_INVALID: { status: 400, sentence: 'A group is not its meaning and names of media.' },
  SDP_SSRC_INVALID: { status: 400, sentence: 'An ssrc or ssrc-group does not begin as RFC 5576 wants.' },
  SDP_MSID_INVALID: { status: 400, sentence: 'An msid is not one or two tokens of at most 64 characters.' },
  SDP_EXTMAP_INVALID: { status: 400, sentence: 'An extmap does not hold a number and a URI.' },
  SDP_RTCP_FB_INVALID: { status: 400, sentence: 'An rtcp-fb does not hold a payload type and a feedback type.' },
  SDP_T38_INVALID: { status: 488, sentence: 'A T.38 attribute has a value that it cannot have.' },

  SDP_OFFER_UNACCEPTABLE: { status: 488, sentence: 'No medium of the offer can be accepted.' },
  SDP_ANSWER_MEDIA_COUNT: { status: 488, sentence: 'The answer has not as many media as the offer.' },
  SDP_ANSWER_MEDIA_TYPE: { status: 488, sentence: 'A medium of the answer is of another type than the offered one.' },
  SDP_ANSWER_PROTOCOL: { status: 488, sentence: 'A medium of the answer has another protocol than the offered one.' },
  SDP_ANSWER_NOT_REJECTED: { status: 488, sentence: 'The answer accepts a medium that the offer had closed.' },
  SDP_ANSWER_FORMATS: { status: 488, sentence: 'A medium of the answer has no format of the offer.' },
  SDP_ANSWER_DIRECTION: { status: 488, sentence: 'A direction of the answer does not fit the offered one.' },
  SDP_ANSWER_TIMING: { status: 488, sentence: 'The t= line of the answer is not that of the offer.' },
  SDP_ANSWER_RTCP_MUX: { status: 488, sentence: 'The answer multiplexes RTCP where the offer did not.' },
  SDP_ANSWER_CRYPTO: { status: 488, sentence: 'The answer does not choose one of the offered crypto attributes.' },
  SDP_ANSWER_SETUP: { status: 488, sentence: 'A setup of the answer does not fit the offered one.' },
  SDP_ANSWER_MID: { status: 488, sentence: 'A mid of the answer is not the offered one.' },
  SDP_ANSWER_GROUP: {
    status: 488,
    sentence: 'A group of the answer holds a medium that was not offered in it, or is refused.',
  },
  SDP_PAYLOAD_TYPE_CHANGED: { status: 488, sentence: 'A payload type stands for another codec than before.' },
  SDP_REOFFER_MEDIA_COUNT: { status: 488, sentence: 'A new offer has fewer media than the session.' },
  SDP_REOFFER_ORIGIN: { status: 488, sentence: 'A new offer changes more of the o= line than its version.' },
  SDP_REOFFER_VERSION: { status: 488, sentence: 'A new offer has changed and its version is not one higher.' },
} as const satisfies Record<string, { status: number; sentence: string }>

/** A code of {@link sdpProblemCodes}. */
export type SdpProblemCode = keyof typeof sdpProblemCodes

/** Makes the problem for a code; `offset` counts bytes from the start of the session description. */
export function sdpProblem(code: SdpProblemCode, offset: number): Problem {
  const { status, sentence } = sdpProblemCodes[code]
  return { layer: 'semantic', code, offset, suggestedStatus: status, sentence }
}
