/** What the relay needs to know of one party's SDP, read out of the model (RFC 8866, RFC 3264, RFC 3605, RFC 5761). */
import {
  type CryptoAttribute,
  codecsOf,
  connectionOf,
  detachText,
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
import type { MediaView } from '../relay/branch-media'
import type { LearningPolicy } from '../relay/latching'
import type { PeerView } from '../relay/leg'
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
    // Media that are `bundle-only` too: outside the bundle nobody could send to them (RFC 9143 §6).
    const isRejected = media.port === 0
    if (!isRejected && connectionOf(media, sdp) === undefined) throw new RelayError('SDP_INCOMPLETE')
    const kind = kindOf(media.protocol)
    return {
      media: media.media,
      protocol: media.protocol,
      kind,
      isRtcpReadable: kind === 'rtp' && !/SAVPF?$/i.test(media.protocol),
      isRejected,
      isMux: kind !== 'opaque' && isRtcpMux(media),
      cryptos: readAttributesOf(media, 'crypto').slice(0, cryptosPerMediaMax).map(detached),
      peer: peerOf(media, sdp, context),
      formats: codecsOf(media).map(({ payloadType, clockRate, name }) => {
        return { payloadType, clockRate, codec: impairmentOf(name) }
      }),
    }
  })
}

/** Without the description whose text it was cut from, which is not to live as long as its keys. */
function detached({ tag, suite, keys, sessionParameters }: CryptoAttribute): CryptoAttribute {
  return {
    tag,
    suite: detachText(suite),
    keys: keys.map((key) => ({ ...key, keySalt: detachText(key.keySalt) })),
    sessionParameters: sessionParameters.map(detachText),
  }
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
