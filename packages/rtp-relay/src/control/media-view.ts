/** What the relay needs to know of one party's SDP, read out of the model (RFC 8866, RFC 3264, RFC 3605, RFC 5761). */
import {
  codecsOf,
  connectionOf,
  directionOf,
  isRtcpMux,
  isUnspecified,
  type MediaDescription,
  readAttributesOf,
  rtcpOf,
  rtcpPortOf,
  type SessionDescription,
} from '@carillon/sip-parser/sdp'
import { RelayError } from '../errors'
import { cryptosPerMediaMax } from '../limits'
import type { LearningPolicy } from '../relay/latching'
import type { PeerView } from '../relay/leg'
import type { MediaView } from '../relay/session'
import type { StreamKind } from '../relay/stream'
import { impairmentOf } from '../stats/e-model'
import { canonicalAddress, familyOf } from './address'

/** What reading the SDP depends on besides the SDP. */
export interface ViewContext {
  /** Where the signalling of this party came from, an IP address; the media may come from there too. */
  readonly receivedFrom?: string
  /** How the endpoints of this party are learned. */
  readonly learning?: Partial<LearningPolicy>
  /** True for the session's own ports: media sent there would go round for ever. */
  isOwnEndpoint(address: string, port: number): boolean
}

/**
 * Reads each medium. Throws RelayError SDP_INCOMPLETE when a wanted medium has no connection.
 */
export function mediaViews(sdp: SessionDescription, context: ViewContext): MediaView[] {
  return sdp.media.map((media) => {
    const isRejected = media.port === 0
    if (!isRejected && connectionOf(media, sdp) === undefined) throw new RelayError('SDP_INCOMPLETE')
    const kind = kindOf(media.protocol)
    const formats = codecsOf(media)
    return {
      media: media.media,
      protocol: media.protocol,
      kind,
      isRtcpReadable: kind === 'rtp' && !/SAVPF?$/i.test(media.protocol),
      isRejected,
      isMux: kind !== 'opaque' && isRtcpMux(media),
      cryptos: readAttributesOf(media, 'crypto').slice(0, cryptosPerMediaMax),
      peer: peerOf(media, sdp, context),
      clockRates: formats.map((one) => [one.payloadType, one.clockRate] as const).filter(([, rate]) => rate > 0),
      codecs: formats.flatMap(({ payloadType, name }) => {
        const known = impairmentOf(name)
        return known === undefined ? [] : [[payloadType, known] as const]
      }),
    }
  })
}

/** How packets of a media protocol are treated; undefined when they are not datagrams. */
function kindOf(protocol: string): StreamKind | undefined {
  if (/^RTP\/S?AVPF?$/i.test(protocol)) return 'rtp'
  if (/^UDP\/TLS\/RTP\/SAVPF?$/i.test(protocol)) return 'dtls'
  return /^(udptl|udp|UDP\/.+|RTP\/.+)$/i.test(protocol) ? 'opaque' : undefined
}

function peerOf(media: MediaDescription, sdp: SessionDescription, context: ViewContext): PeerView {
  const connection = connectionOf(media, sdp)
  const address = connection === undefined ? '' : canonicalAddress(connection.address)
  const rtcp = rtcpOf(media)
  const rtcpAddress = rtcp?.address === undefined ? address : canonicalAddress(rtcp.address)
  const rtcpPort = rtcpPortOf(media)
  const received = context.receivedFrom ?? ''
  return {
    address: context.isOwnEndpoint(address, media.port) ? '' : address,
    port: media.port,
    rtcpAddress: rtcpPort === 0 || context.isOwnEndpoint(rtcpAddress, rtcpPort) ? '' : rtcpAddress,
    rtcpPort,
    alternativeAddress: familyOf(received) === undefined ? '' : canonicalAddress(received),
    ...(context.learning === undefined ? {} : { learning: context.learning }),
    isUnspecified: connection !== undefined && isUnspecified(connection),
    isHeld: directionOf(media, sdp) !== 'sendrecv' || (connection !== undefined && isUnspecified(connection)),
  }
}
