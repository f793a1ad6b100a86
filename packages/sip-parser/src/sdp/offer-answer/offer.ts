/** First offers, those in an INVITE and the late ones in a response to an INVITE without one (RFC 3264 §5). */
import { SipUsageError } from '../../errors'
import { makeAttribute } from '../attributes/registry'
import { staticCodec } from '../attributes/rtpmap'
import type { Attribute, MediaDescription, SessionDescription } from '../session'
import type { CodecCapability, LocalSession, MediaCapability } from './capability'
import { buildMedia, type FormatLine, isRtpProtocol } from './media-lines'

/** Where payload types without an assignment begin (RFC 3551 §6). */
const DYNAMIC_FIRST = 96
const DYNAMIC_LAST = 127

/**
 * Offers every capability, each as one medium, in order. A late offer, in the 2xx to an INVITE without one, is the same:
 * its answer comes in the ACK. Throws SipUsageError VALUE_INVALID for a capability that cannot be written.
 */
export function createOffer(local: LocalSession): SessionDescription {
  return {
    version: 0,
    origin: local.origin,
    name: local.name ?? '-',
    emails: [],
    phones: [],
    connection: local.connection,
    bandwidth: [],
    timing: [{ start: '0', stop: '0', repeats: [] }],
    attributes: local.attributes ?? [],
    otherLines: [],
    media: local.media.map(offerMedia),
  }
}

/** One medium of an offer. */
export function offerMedia(capability: MediaCapability): MediaDescription {
  const protocol = capability.protocols[0]
  if (protocol === undefined) throw new SipUsageError('VALUE_INVALID', 'medium without protocol')
  const isRtp = isRtpProtocol(protocol)
  const lines = isRtp ? numbered(capability.codecs ?? []) : []
  const formats = isRtp ? lines.map(({ payloadType }) => `${payloadType}`) : (capability.formats ?? [])
  if (formats.length === 0) throw new SipUsageError('VALUE_INVALID', 'medium without format')
  return buildMedia(capability, {
    protocol,
    formats,
    lines,
    direction: capability.direction ?? 'sendrecv',
    isDirectionSaid: true,
    isMux: isRtp && capability.rtcpMux === true,
    attributes: cryptoAttributes(capability, protocol),
  })
}

function cryptoAttributes(capability: MediaCapability, protocol: string): Attribute[] {
  if (!/^RTP\/SAVPF?$/i.test(protocol)) return []
  return (capability.crypto ?? []).map((own, index) => makeAttribute('crypto', { ...own, tag: index + 1 }))
}

/** Gives each codec its payload type: the one it names, that of RFC 3551, or the next dynamic one that is free. */
function numbered(codecs: readonly CodecCapability[]): FormatLine[] {
  const taken = new Set(codecs.map(({ payloadType }) => payloadType))
  let next = DYNAMIC_FIRST
  return codecs.map((codec) => {
    let payloadType = codec.payloadType ?? staticTypeOf(codec)
    if (payloadType === undefined) {
      while (taken.has(next)) next++
      if (next > DYNAMIC_LAST) throw new SipUsageError('VALUE_INVALID', 'too many codecs')
      payloadType = next
      taken.add(next)
    }
    const { name, clockRate, channels = 1, fmtp, feedback } = codec
    return {
      payloadType,
      name,
      clockRate,
      channels,
      ...(fmtp === undefined ? {} : { fmtp }),
      ...(feedback === undefined ? {} : { feedback }),
    }
  })
}

function staticTypeOf({ name, clockRate, channels = 1 }: CodecCapability): number | undefined {
  for (let payloadType = 0; payloadType < DYNAMIC_FIRST; payloadType++) {
    const known = staticCodec(payloadType)
    if (known?.clockRate !== clockRate || known.channels !== channels) continue
    if (known.name.toLowerCase() === name.toLowerCase()) return payloadType
  }
  return undefined
}
