/** Where RTCP goes: the rtcp attribute (RFC 3605 §2.1), multiplexing (RFC 5761 §5.1.1), else the port above RTP's. */
import type { AddressFamily, MediaDescription } from '../session'
import { getAttribute, hasAttribute } from './attribute'
import { type AttributeCodec, flagCodec, valueCodec } from './codec'

/** The value of an rtcp attribute; the address is absent when it is that of the medium. */
export interface RtcpAttribute {
  readonly port: number
  readonly family?: AddressFamily
  readonly address?: string
}

/** Codec of `a=rtcp`. */
export const rtcpCodec: AttributeCodec<RtcpAttribute> = valueCodec(
  'rtcp',
  'SDP_RTCP_INVALID',
  (reader) => {
    reader.optional(/ +/y)
    const port = reader.number(0, 65_535)
    const family = reader
      .optional(/ +IN +IP[46] +/y)
      ?.trim()
      .slice(-3) as AddressFamily | undefined
    return family === undefined ? { port } : { port, family, address: reader.word() }
  },
  ({ port, family, address }) => {
    return family === undefined || address === undefined ? `${port}` : `${port} IN ${family} ${address}`
  },
)

/** Codec of `a=rtcp-mux`. */
export const rtcpMuxCodec: AttributeCodec<true> = flagCodec('rtcp-mux')

/** Codec of `a=rtcp-mux-only` (RFC 8858 §3). */
export const rtcpMuxOnlyCodec: AttributeCodec<true> = flagCodec('rtcp-mux-only')

/** Codec of `a=rtcp-rsize` (RFC 5506 §5). */
export const rtcpRsizeCodec: AttributeCodec<true> = flagCodec('rtcp-rsize')

/** Reads the rtcp attribute; undefined when absent or malformed. */
export function rtcpOf(media: MediaDescription): RtcpAttribute | undefined {
  const attribute = getAttribute(media, 'rtcp')
  const decoded = attribute && rtcpCodec.decode(attribute.value)
  return decoded?.ok ? decoded.value : undefined
}

/** The port on which the writer expects RTCP when it is not multiplexed; 0 for a rejected medium. */
export function rtcpPortOf(media: MediaDescription): number {
  if (media.port === 0) return 0
  return rtcpOf(media)?.port ?? (media.port + 1) % 65_536
}

/** True when the writer offers, or has accepted, RTP and RTCP on one port. */
export function isRtcpMux(media: MediaDescription): boolean {
  return hasAttribute(media, 'rtcp-mux')
}
