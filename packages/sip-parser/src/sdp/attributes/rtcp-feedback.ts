/** Feedback messages of RTCP: rtcp-fb (RFC 4585 §4.2; RFC 5104 §7.1). */
import { type AttributeCodec, valueCodec } from './codec'

/** The value of an rtcp-fb attribute. */
export interface RtcpFeedback {
  /** A payload type, or `*` for all of the medium. */
  readonly payloadType: number | '*'
  /** `ack`, `nack`, `trr-int`, `ccm`, `goog-remb`, … */
  readonly type: string
  /** What follows the type: `pli`, `fir`, … as written. */
  readonly parameter?: string
}

/** Codec of `a=rtcp-fb`. */
export const rtcpFbCodec: AttributeCodec<RtcpFeedback> = valueCodec(
  'rtcp-fb',
  'SDP_RTCP_FB_INVALID',
  (reader) => {
    const payloadType = reader.take('*') ? '*' : reader.number(0, 127)
    reader.space()
    const type = reader.token()
    if (reader.optional(/ +(?=[^ ])/y) === undefined) return { payloadType, type }
    return { payloadType, type, parameter: reader.rest().trimEnd() }
  },
  ({ payloadType, type, parameter }) => [payloadType, type, ...(parameter === undefined ? [] : [parameter])].join(' '),
)
