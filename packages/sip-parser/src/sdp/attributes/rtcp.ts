/** Where RTCP goes: the rtcp attribute (RFC 3605 §2.1), multiplexing (RFC 5761 §5.1.1), else the port above RTP's. */
import type { AddressFamily, MediaDescription } from '../session'
import { getAttribute, hasAttribute } from './attribute'

/** The value of an rtcp attribute; the address is absent when it is that of the medium. */
export interface RtcpAttribute {
  readonly port: number
  readonly family?: AddressFamily
  readonly address?: string
}

/** Reads the rtcp attribute; undefined when absent or malformed. */
export function rtcpOf(media: MediaDescription): RtcpAttribute | undefined {
  const value = getAttribute(media, 'rtcp')?.value
  const [, digits, family, address] = /^ ?(\d{1,5})(?: IN (IP4|IP6) (\S+))? *$/.exec(value ?? '') ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) return undefined
  if (address === undefined || (family !== 'IP4' && family !== 'IP6')) return { port }
  return { port, family, address }
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
