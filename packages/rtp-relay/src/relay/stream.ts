/** One medium of a session: the m= line at one index of both parties' SDP (RFC 3264 §6: matched by position). */
import { type FormatTable, noFormats } from './format-table'
import { type Leg, oppositeOf, type Side } from './leg'

/**
 * What the relay lets through, by the protocol of the m= line: `rtp` RTP and RTCP, plain or SRTP; `dtls` these and
 * DTLS on the same port; `opaque` anything, such as fax over UDPTL.
 */
export type StreamKind = 'rtp' | 'dtls' | 'opaque'

/** Both legs of one medium. */
export class Stream {
  a: Leg | undefined
  b: Leg | undefined
  /** Both parties accept the medium; until then nothing is known to be unwanted, so it starts true. */
  isActive = true
  media = ''
  protocol = ''
  kind: StreamKind = 'rtp'
  /** RTCP of this stream is in clear and can be read. */
  isRtcpReadable = true
  formats: FormatTable = noFormats

  constructor(readonly index: number) {}

  /** The leg of a side, when the stream has ports. */
  leg(side: Side): Leg | undefined {
    return side === 'a' ? this.a : this.b
  }

  /** The leg that packets of `leg` go to. */
  oppositeOf(leg: Leg): Leg | undefined {
    return this.leg(oppositeOf(leg.side))
  }
}
