/** The medium that a capability becomes, in an offer or in an answer (RFC 3264 §5.1, §6.1). */
import type { Direction } from '../attributes/direction'
import { makeAttribute } from '../attributes/registry'
import type { Attribute, MediaDescription } from '../session'
import type { MediaCapability } from './capability'

/** One format of RTP to write. */
export interface FormatLine {
  readonly payloadType: number
  readonly name: string
  readonly clockRate: number
  readonly channels: number
  readonly fmtp?: string
  readonly feedback?: readonly string[]
}

/** What an exchange has settled for a medium. */
export interface MediaPlan {
  readonly protocol: string
  readonly formats: readonly string[]
  readonly lines: readonly FormatLine[]
  readonly direction: Direction
  /** True to write the direction even when it is sendrecv. */
  readonly isDirectionSaid: boolean
  readonly isMux: boolean
  /** Attributes of the exchange: mid, crypto, setup. */
  readonly attributes: readonly Attribute[]
}

/** Writes a medium. */
export function buildMedia(capability: MediaCapability, plan: MediaPlan): MediaDescription {
  const { connection, ptime, rtcpPort } = capability
  const attributes: Attribute[] = [...plan.attributes]
  for (const line of plan.lines) pushFormat(attributes, line)
  if (ptime !== undefined) attributes.push(makeAttribute('ptime', ptime))
  if (plan.direction !== 'sendrecv' || plan.isDirectionSaid) attributes.push({ name: plan.direction })
  if (plan.isMux) attributes.push({ name: 'rtcp-mux' })
  else if (rtcpPort !== undefined) attributes.push(makeAttribute('rtcp', { port: rtcpPort }))
  attributes.push(...(capability.attributes ?? []))
  return {
    media: capability.media,
    port: capability.port,
    protocol: plan.protocol,
    formats: plan.formats,
    ...(connection === undefined ? {} : { connection }),
    bandwidth: capability.bandwidth ?? [],
    attributes,
    otherLines: [],
  }
}

/** A medium that refuses, or closes, another: port zero, its formats as they were (RFC 3264 §6, §8.2). */
export function closedMedia(media: MediaDescription): MediaDescription {
  const mid = media.attributes.find(({ name }) => name === 'mid')
  return {
    media: media.media,
    port: 0,
    protocol: media.protocol,
    // RFC 8866 §9 wants one format at least, whatever it is.
    formats: media.formats.length === 0 ? ['0'] : media.formats,
    bandwidth: [],
    attributes: mid === undefined ? [] : [mid],
    otherLines: [],
  }
}

/** True for protocols whose formats are RTP payload types. */
export function isRtpProtocol(protocol: string): boolean {
  return /(?:^|\/)RTP\/S?AVPF?$/i.test(protocol)
}

function pushFormat(attributes: Attribute[], line: FormatLine): void {
  const { payloadType, name, clockRate, channels, fmtp } = line
  attributes.push(makeAttribute('rtpmap', { payloadType, name, clockRate, channels }))
  if (fmtp !== undefined) attributes.push(makeAttribute('fmtp', { format: `${payloadType}`, parameters: fmtp }))
  for (const feedback of line.feedback ?? []) attributes.push({ name: 'rtcp-fb', value: `${payloadType} ${feedback}` })
}
