/** The answer to an offer, by capabilities (RFC 3264 §6). Pure: the same offer and capabilities give the same answer. */
import type { Result } from '../../errors'
import { connectionOf, directionOf, isUnspecified } from '../attributes/direction'
import { answerSetup } from '../attributes/fingerprint'
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
    attributes: local.attributes ?? [],
    otherLines: [],
    media,
  }
  return { ok: true, value: options.previous === undefined ? answer : nextVersion(options.previous, answer) }
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
    const accepted = accept(offered, offer, capability, options)
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
  const exchange = exchangeAttributes(offered, offer, capability, protocol)
  if (exchange === undefined) return undefined
  const said = directionOf(offered, offer)
  const wanted = capability.direction ?? 'sendrecv'
  return buildMedia(capability, {
    protocol: offered.protocol,
    formats,
    lines: matches.map(formatLine),
    direction: answerDirection(effectiveDirection(offered, offer), wanted),
    isDirectionSaid: offered.attributes.some(({ name, value }) => name === said && value === undefined),
    isMux: isRtp && capability.rtcpMux === true && isRtcpMux(offered),
    attributes: exchange,
  })
}

function formatLine({ offered, capability, fmtp }: CodecMatch): FormatLine {
  const { payloadType, name, clockRate, channels } = offered
  return {
    payloadType,
    name,
    clockRate,
    channels,
    ...(fmtp === undefined ? {} : { fmtp }),
    ...(capability.feedback === undefined ? {} : { feedback: capability.feedback }),
  }
}

/** mid, setup and the chosen key; undefined when the medium needs a key and none of the suites fits (RFC 4568 §5.1.2). */
function exchangeAttributes(
  offered: MediaDescription,
  offer: SessionDescription,
  capability: MediaCapability,
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
  return undefined
}

/** RFC 3264 §6.2 binds an answer to a group's address, port and direction; no capability can promise that. */
function isMulticast(media: MediaDescription, session: SessionDescription): boolean {
  const connection = connectionOf(media, session)
  if (connection === undefined || isUnspecified(connection)) return false
  const { family, address } = connection
  return family === 'IP4' ? /^2(?:2[4-9]|3\d)\./.test(address) : /^ff/i.test(address)
}
