/**
 * SDP rewriting as a pure function: a party's description in, the same with the relay's addresses and ports out
 * (RFC 3264, RFC 3605, RFC 5761, RFC 8866). Everything that would lead media past the relay is removed; everything
 * that the relay does not understand stays where it was.
 */
import {
  type AddressFamily,
  type Attribute,
  type Connection,
  type CryptoAttribute,
  isUnspecified,
  type MediaDescription,
  makeAttribute,
  type OtherLine,
  type SessionDescription,
} from '@carillon/sip-parser/sdp'

/** What becomes of one medium. */
export interface MediaRewrite {
  /** The relay's RTP port; 0 refuses the medium. */
  readonly port: number
  /** The relay's RTCP port. */
  readonly rtcpPort: number
  /** Say that RTP and RTCP share the RTP port. */
  readonly rtcpMux: boolean
  /** Say that there is no other way (RFC 8858); only with `rtcpMux`. */
  readonly rtcpMuxOnly?: boolean
  /** The protocol of the m= line, in place of what stands there. */
  readonly protocol?: string
  /** In place of all crypto attributes (RFC 4568); those that came stay when absent. Secret. */
  readonly cryptos?: readonly CryptoAttribute[]
  /** The relay's address for this medium; that of the session when absent. */
  readonly address?: string
  readonly family?: AddressFamily
}

/** What becomes of one description. */
export interface SdpRewrite {
  /** The relay's address towards the receiver of the result. */
  readonly address: string
  readonly family: AddressFamily
  /** One entry for each medium, in order; a medium without an entry is refused. */
  readonly media: readonly MediaRewrite[]
  /** Put the relay's address into the o= line too, so that the parties do not learn each other's; true by default. */
  readonly replaceOrigin?: boolean
}

/**
 * Attributes that name transport addresses or candidates, or that promise what the relay takes apart: ICE (RFC 8839),
 * RFC 6947, RFC 7006, source filters (RFC 4570), bundling (RFC 9143), exclusive multiplexing (RFC 8858).
 */
const REMOVED = new Set([
  'candidate',
  'remote-candidates',
  'end-of-candidates',
  'alt',
  'altc',
  'ccap',
  'source-filter',
  'bundle-only',
  'rtcp-mux-only',
])

/** Ways to put keys and protocols elsewhere than where the relay writes its own (RFC 5939). */
const CAPABILITIES = new Set(['csup', 'creq', 'acap', 'tcap', 'pcfg', 'acfg'])

/** Rewrites a description. Pure: the same input gives the same output; the input is left as it is. */
export function rewriteSdp(sdp: SessionDescription, rewrite: SdpRewrite): SessionDescription {
  const { origin, connection } = sdp
  const { address, family } = rewrite
  const hasOwnKeys = rewrite.media.some(({ cryptos }) => cryptos !== undefined)
  return {
    ...sdp,
    origin: rewrite.replaceOrigin === false ? origin : { ...origin, netType: 'IN', family, address },
    ...(connection === undefined ? {} : { connection: replaced(connection, address, family) }),
    attributes: sdp.attributes.filter((attribute) => !isRemovedFromSession(attribute, hasOwnKeys)),
    otherLines: hasOwnKeys ? sdp.otherLines.filter(isNoKey) : sdp.otherLines,
    media: sdp.media.map((media, index) => rewriteMedia(media, rewrite.media[index], sdp, rewrite)),
  }
}

function rewriteMedia(
  media: MediaDescription,
  plan: MediaRewrite | undefined,
  sdp: SessionDescription,
  rewrite: SdpRewrite,
): MediaDescription {
  const address = plan?.address ?? rewrite.address
  const family = plan?.family ?? rewrite.family
  const port = plan?.port ?? 0
  const { portCount: _portCount, furtherConnections: _further, connection, ...rest } = media
  const isElsewhere = address !== rewrite.address && port !== 0
  const inherited = isElsewhere ? sdp.connection : undefined
  const original = connection ?? inherited
  return {
    ...rest,
    port,
    protocol: plan?.protocol ?? media.protocol,
    ...(original === undefined ? {} : { connection: replaced(original, address, family) }),
    attributes: rewriteAttributes(media, port === 0 ? undefined : plan),
    otherLines: plan?.cryptos === undefined ? media.otherLines : media.otherLines.filter(isNoKey),
  }
}

/** The unspecified address is a way to hold (RFC 3264 §8.4), so it stays, in the family of the receiver. */
function replaced(connection: Connection, address: string, family: AddressFamily): Connection {
  if (isUnspecified(connection)) return { netType: 'IN', family, address: family === 'IP4' ? '0.0.0.0' : '::' }
  return { netType: 'IN', family, address }
}

function rewriteAttributes(media: MediaDescription, plan: MediaRewrite | undefined): Attribute[] {
  const result: Attribute[] = []
  const cryptos = plan?.cryptos
  // Feedback is for profiles that have it (RFC 4585 §4): a plain one is not offered any.
  const hasFeedback = plan?.protocol === undefined || plan.protocol.endsWith('F') || !media.protocol.endsWith('F')
  let isMuxSaid = false
  for (const attribute of media.attributes) {
    // A refused medium needs no keys, and hands none on.
    const isKey = attribute.name === 'crypto' && (plan === undefined || cryptos !== undefined)
    if (isKey || isRemoved(attribute) || (cryptos !== undefined && CAPABILITIES.has(attribute.name))) continue
    if (attribute.name === 'rtcp-fb' && !hasFeedback) continue
    if (attribute.name === 'rtcp') {
      if (plan !== undefined) result.push({ name: 'rtcp', value: `${plan.rtcpMux ? plan.port : plan.rtcpPort}` })
    } else if (attribute.name === 'rtcp-mux') {
      if (plan?.rtcpMux && !isMuxSaid) result.push(attribute)
      isMuxSaid = true
    } else {
      result.push(attribute)
    }
  }
  if (plan?.rtcpMux && !isMuxSaid) result.push({ name: 'rtcp-mux' })
  if (plan?.rtcpMux && plan.rtcpMuxOnly) result.push({ name: 'rtcp-mux-only' })
  for (const crypto of cryptos ?? []) result.push(makeAttribute('crypto', crypto))
  return result
}

function isRemoved({ name }: Attribute): boolean {
  return REMOVED.has(name) || name.startsWith('ice-')
}

/** `rtcp` and `crypto` are attributes of a medium: where they stand for all of them they mean nothing, but tell a lot. */
function isRemovedFromSession(attribute: Attribute, hasOwnKeys: boolean): boolean {
  if (isRemoved(attribute) || isBundle(attribute) || attribute.name === 'rtcp') return true
  return hasOwnKeys && (attribute.name === 'crypto' || CAPABILITIES.has(attribute.name))
}

/** `k=` is obsolete (RFC 8866 §5.12), and a key that is not the relay's is nobody's business behind it. */
function isNoKey({ type }: OtherLine): boolean {
  return type !== 'k'
}

function isBundle({ name, value }: Attribute): boolean {
  return name === 'group' && value !== undefined && /^ *BUNDLE\b/i.test(value)
}
