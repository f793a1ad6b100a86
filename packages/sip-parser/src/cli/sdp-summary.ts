/** A session description in a few lines: what is sent where, with which codecs and keys. Secrets are not shown. */
import { connectionOf, directionOf } from '../sdp/attributes/direction'
import { readAttributeOf, readAttributesOf } from '../sdp/attributes/registry'
import { type Codec, codecsOf } from '../sdp/attributes/rtpmap'
import type { MediaDescription, SessionDescription } from '../sdp/session'

/** One medium, summed up. */
export interface MediaSummary {
  readonly media: string
  readonly protocol: string
  /** `192.0.2.1:5004`, or `refused`. */
  readonly address: string
  readonly direction: string
  readonly codecs: readonly string[]
  /** Further lines: keys, ICE, groups, by name. */
  readonly details: readonly string[]
}

/** Sums up each medium. */
export function summarizeSdp(sdp: SessionDescription): readonly MediaSummary[] {
  return sdp.media.map((media) => ({
    media: media.media,
    protocol: media.protocol,
    address: media.port === 0 ? 'refused' : addressOf(media, sdp),
    direction: directionOf(media, sdp),
    codecs: isRtp(media) ? codecsOf(media).map(codecText) : media.formats,
    details: detailsOf(media, sdp),
  }))
}

function isRtp(media: MediaDescription): boolean {
  return /RTP\/S?AVPF?$/i.test(media.protocol)
}

function addressOf(media: MediaDescription, sdp: SessionDescription): string {
  const address = connectionOf(media, sdp)?.address ?? '(no connection)'
  return `${address.includes(':') ? `[${address}]` : address}:${media.port}`
}

function codecText({ payloadType, name, clockRate, channels, fmtp }: Codec): string {
  if (name === 'unknown') return `${payloadType} unknown`
  const more = channels === 1 ? '' : `/${channels}`
  return `${payloadType} ${name}/${clockRate}${more}${fmtp === undefined ? '' : ` (${fmtp})`}`
}

function detailsOf(media: MediaDescription, sdp: SessionDescription): string[] {
  const details: string[] = []
  const mid = readAttributeOf(media, 'mid')
  if (mid?.ok) details.push(`mid ${mid.value}`)
  for (const { tag, suite } of readAttributesOf(media, 'crypto')) details.push(`crypto ${tag} ${suite}, key not shown`)
  const fingerprint = readAttributeOf(media, 'fingerprint') ?? readAttributeOf(sdp, 'fingerprint')
  const setup = readAttributeOf(media, 'setup') ?? readAttributeOf(sdp, 'setup')
  if (fingerprint?.ok)
    details.push(`DTLS, certificate by ${fingerprint.value.hash}${setup?.ok ? `, ${setup.value}` : ''}`)
  const candidates = readAttributesOf(media, 'candidate')
  const ufrag = readAttributeOf(media, 'ice-ufrag') ?? readAttributeOf(sdp, 'ice-ufrag')
  if (ufrag?.ok || candidates.length > 0) details.push(`ICE, candidates: ${candidates.length}`)
  if (readAttributeOf(media, 'rtcp-mux')?.ok) details.push('RTCP on the same port')
  return details
}
