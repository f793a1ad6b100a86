/** The answer to an offer, by capabilities (RFC 3264 §6). Pure: the same offer and capabilities give the same answer. */
import type { Result } from '../../errors'
import { getAttribute, hasAttribute } from '../attributes/attribute'
import { connectionOf, directionOf, isUnspecified } from '../attributes/direction'
import { answerSetup } from '../attributes/fingerprint'
import { groupCodec } from '../attributes/group'
import { makeAttribute, readAttributeOf, readAttributesOf } from '../attributes/registry'
import { isRtcpMux } from '../attributes/rtcp'
import { sdpProblem } from '../errors'
import type { Attribute, MediaDescription, SessionDescription } from '../session'
import type { LocalSession, MediaCapability } from './capability'
import { type CodecMatch, matchCodecs } from './codec-match'
import { answerDirection, effectiveDirection } from './direction'
import { buildMedia, closedMedia, type FormatLine, isRtpProtocol } from './media-lines'
import { nextVersion } from './reoffer'

/** How to answer. */
export interface AnswerOptions {
  /** Whose order of codecs the answer follows: RFC 3264 §6.1 recommends the offer's, which is the default. */
  readonly order?: 'offer' | 'local'
  /** The description that this side sent last in the session: the answer takes up its `o=` line (RFC 3264 §8). */
  readonly previous?: SessionDescription
}

/**
 * Answers each medium of an offer with the first capability that fits and is not used yet, and refuses the others.
 * SDP_OFFER_UNACCEPTABLE (488) when an offer with open media has none that fits.
 */
export function answerOffer(
  offer: SessionDescription,
  local: LocalSession,
  options: AnswerOptions = {},
): Result<SessionDescription> {
  const used = new Set<MediaCapability>()
  const media = offer.media.map((offered) => answerMedia(offered, offer, local, used, options))
  const isWanted = offer.media.some(({ port }) => port !== 0)
  if (isWanted && used.size === 0) return { ok: false, error: sdpProblem('SDP_OFFER_UNACCEPTABLE', 0) }
  const answer: SessionDescription = {
    version: 0,
    origin: local.origin,
    name: local.name ?? '-',
    emails: [],
    phones: [],
    connection: local.connection,
    bandwidth: [],
    // RFC 3264 §6: the t= line must be that of the offer.
    timing: offer.timing.length === 0 ? [{ start: '0', stop: '0', repeats: [] }] : offer.timing,
    attributes: sessionAttributes(local, offer, media),
    otherLines: [],
    media,
  }
  return { ok: true, value: options.previous === undefined ? answer : nextVersion(options.previous, answer) }
}

/**
 * The attributes of this side, its groups with those media alone that the offer had grouped and that are not refused
 * (RFC 5888 §9.2, RFC 9143 §7.3.2).
 */
function sessionAttributes(
  local: LocalSession,
  offer: SessionDescription,
  media: readonly MediaDescription[],
): readonly Attribute[] {
  const offered = readAttributesOf(offer, 'group')
  const open = new Set(media.filter(({ port }) => port !== 0).map((own) => getAttribute(own, 'mid')?.value))
  const attributes: Attribute[] = []
  for (const own of local.attributes ?? []) {
    const group = own.name === 'group' ? groupCodec.decode(own.value) : undefined
    if (group?.ok !== true) {
      attributes.push(own)
      continue
    }
    const { semantics } = group.value
    const wanted = group.value.mids.filter((mid) => open.has(mid))
    const mids = offered
      .filter((theirs) => theirs.semantics === semantics)
      .map((theirs) => wanted.filter((mid) => theirs.mids.includes(mid)))
      .sort((one, other) => other.length - one.length)[0]
    if (mids !== undefined && mids.length > 0) attributes.push(makeAttribute('group', { semantics, mids }))
  }
  return attributes
}

function answerMedia(
  offered: MediaDescription,
  offer: SessionDescription,
  local: LocalSession,
  used: Set<MediaCapability>,
  options: AnswerOptions,
): MediaDescription {
  if (offered.port === 0 || isMulticast(offered, offer)) return closedMedia(offered)
  for (const capability of local.media) {
    if (used.has(capability) || capability.media !== offered.media) continue
    const accepted = accept(offered, offer, capability, local, options)
    if (accepted === undefined) continue
    used.add(capability)
    return accepted
  }
  return closedMedia(offered)
}

/** The answer of one capability to one medium, or undefined when it does not fit. */
function accept(
  offered: MediaDescription,
  offer: SessionDescription,
  capability: MediaCapability,
  local: LocalSession,
  options: AnswerOptions,
): MediaDescription | undefined {
  const protocol = offered.protocol.toUpperCase()
  if (!capability.protocols.some((candidate) => candidate.toUpperCase() === protocol)) return undefined
  const isRtp = isRtpProtocol(protocol)
  const matches = isRtp ? matchCodecs(offered, capability.codecs ?? [], options.order) : []
  const formats = isRtp
    ? matches.map(({ offered: codec }) => `${codec.payloadType}`)
    : offered.formats.filter((format) => capability.formats?.some((own) => own.toLowerCase() === format.toLowerCase()))
  if (formats.length === 0) return undefined
  const isMux = isRtp && capability.rtcpMux === true && isRtcpMux(offered)
  // RFC 8858 §3: who cannot multiplex refuses a medium that can only be had so.
  if (isRtp && !isMux && hasAttribute(offered, 'rtcp-mux-only')) return undefined
  const exchange = exchangeAttributes(offered, offer, capability, local, protocol)
  if (exchange === undefined) return undefined
  const said = directionOf(offered, offer)
  const wanted = capability.direction ?? 'sendrecv'
  return buildMedia(capability, {
    protocol: offered.protocol,
    formats,
    lines: matches.map((match) => formatLine(match, offered)),
    direction: answerDirection(effectiveDirection(offered, offer), wanted),
    isDirectionSaid: offered.attributes.some(({ name, value }) => name === said && value === undefined),
    isMux,
    attributes: exchange,
  })
}

function formatLine({ offered, capability, fmtp }: CodecMatch, media: MediaDescription): FormatLine {
  const { payloadType, name, clockRate, channels } = offered
  const feedback = commonFeedback(media, payloadType, capability.feedback ?? [])
  return {
    payloadType,
    name,
    clockRate,
    channels,
    ...(fmtp === undefined ? {} : { fmtp }),
    ...(feedback.length === 0 ? {} : { feedback }),
  }
}

/** RFC 4585 §4.2: feedback that both sides understand, and only with a profile that has feedback. */
function commonFeedback(media: MediaDescription, payloadType: number, own: readonly string[]): readonly string[] {
  if (own.length === 0 || !/AVPF$/i.test(media.protocol)) return []
  const offered = new Set<string>()
  for (const feedback of readAttributesOf(media, 'rtcp-fb')) {
    if (feedback.payloadType !== '*' && feedback.payloadType !== payloadType) continue
    const { type, parameter } = feedback
    offered.add((parameter === undefined ? type : `${type} ${parameter}`).toLowerCase())
  }
  return own.filter((feedback) => offered.has(feedback.toLowerCase()))
}

/**
 * mid, setup and the chosen key; undefined when the medium needs a key, none of the suites fits (RFC 4568 §5.1.2), and the
 * two sides do not both have a certificate to agree on keys by DTLS (RFC 5763 §5).
 */
function exchangeAttributes(
  offered: MediaDescription,
  offer: SessionDescription,
  capability: MediaCapability,
  local: LocalSession,
  protocol: string,
): Attribute[] | undefined {
  const attributes: Attribute[] = []
  const mid = readAttributeOf(offered, 'mid')
  if (mid?.ok) attributes.push(makeAttribute('mid', mid.value))
  const hasSetup = capability.attributes?.some(({ name }) => name === 'setup') === true
  const setup = readAttributeOf(offered, 'setup') ?? readAttributeOf(offer, 'setup')
  if (setup?.ok && !hasSetup) attributes.push(makeAttribute('setup', answerSetup(setup.value)))
  if (!/^RTP\/SAVPF?$/.test(protocol)) return attributes
  for (const { tag, suite } of readAttributesOf(offered, 'crypto')) {
    const own = capability.crypto?.find((candidate) => candidate.suite === suite)
    if (own === undefined) continue
    attributes.push(makeAttribute('crypto', { ...own, tag }))
    return attributes
  }
  const isOfferedDtls = hasAttribute(offered, 'fingerprint') || hasAttribute(offer, 'fingerprint')
  const own = [...(capability.attributes ?? []), ...(local.attributes ?? [])]
  return isOfferedDtls && own.some(({ name }) => name === 'fingerprint') ? attributes : undefined
}

/** RFC 3264 §6.2 binds an answer to a group's address, port and direction; no capability can promise that. */
function isMulticast(media: MediaDescription, session: SessionDescription): boolean {
  const connection = connectionOf(media, session)
  if (connection === undefined || isUnspecified(connection)) return false
  const { family, address } = connection
  return family === 'IP4' ? /^2(?:2[4-9]|3\d)\./.test(address) : /^ff/i.test(address)
}
