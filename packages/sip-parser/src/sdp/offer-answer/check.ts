/** Whether an answer answers an offer, and whether a new offer follows the session (RFC 3264 §6, §8). */
import type { Problem } from '../../errors'
import { directionOf } from '../attributes/direction'
import type { Setup } from '../attributes/fingerprint'
import { readAttributeOf, readAttributesOf } from '../attributes/registry'
import { isRtcpMux } from '../attributes/rtcp'
import { codecsOf } from '../attributes/rtpmap'
import { type SdpProblemCode, sdpProblem } from '../errors'
import { mediaOffsets, serializeSdp } from '../serialize'
import type { MediaDescription, SessionDescription } from '../session'
import { effectiveDirection, isDirectionAnswer } from './direction'
import { isRtpProtocol } from './media-lines'

/** A problem of an exchange. Its offset is that of the medium's `m=` line in the answer, or in the new offer. */
export interface ExchangeProblem extends Problem {
  /** The medium by its place; absent for a problem of the whole description. */
  readonly mediaIndex?: number
}

/** What is wrong with an answer to an offer; nothing when it may be acted upon. */
export function checkAnswer(offer: SessionDescription, answer: SessionDescription): readonly ExchangeProblem[] {
  const problems = new ExchangeProblems(answer)
  if (answer.media.length !== offer.media.length) problems.add('SDP_ANSWER_MEDIA_COUNT')
  if (timing(offer) !== timing(answer)) problems.add('SDP_ANSWER_TIMING')
  checkGroups(offer, answer, problems)
  for (const [index, offered] of offer.media.entries()) {
    const answered = answer.media[index]
    if (answered === undefined) break
    if (answered.media !== offered.media) problems.add('SDP_ANSWER_MEDIA_TYPE', index)
    else if (answered.protocol.toUpperCase() !== offered.protocol.toUpperCase()) {
      problems.add('SDP_ANSWER_PROTOCOL', index)
    } else if (offered.port === 0 && answered.port !== 0 && !isBundleOnly(offered)) {
      problems.add('SDP_ANSWER_NOT_REJECTED', index)
    } else if (answered.port !== 0) {
      checkMedia(offer, offered, answer, answered, (code) => problems.add(code, index))
    }
  }
  return problems.found
}

/**
 * What is wrong with a new offer of the side whose last description was `previous`: streams gone, an `o=` line that is
 * not the next, a payload type that means another codec.
 */
export function checkReoffer(previous: SessionDescription, next: SessionDescription): readonly ExchangeProblem[] {
  const problems = new ExchangeProblems(next)
  if (next.media.length < previous.media.length) problems.add('SDP_REOFFER_MEDIA_COUNT')
  const { sessionVersion: before, ...oldOrigin } = previous.origin
  const { sessionVersion: after, ...newOrigin } = next.origin
  if (JSON.stringify(oldOrigin) !== JSON.stringify(newOrigin)) problems.add('SDP_REOFFER_ORIGIN')
  const isSame =
    serializeSdp({ ...next, origin: previous.origin }, { lineEnds: 'crlf' }) ===
    serializeSdp(previous, { lineEnds: 'crlf' })
  if (!isVersionAfter(before, after, isSame)) problems.add('SDP_REOFFER_VERSION')
  for (const [index, media] of next.media.entries()) {
    const old = previous.media[index]
    if (old === undefined || old.port === 0 || media.port === 0 || old.media !== media.media) continue
    if (hasRemapped(old, media)) problems.add('SDP_PAYLOAD_TYPE_CHANGED', index)
  }
  return problems.found
}

class ExchangeProblems {
  readonly found: ExchangeProblem[] = []
  private offsets: readonly number[] | undefined

  constructor(private readonly sdp: SessionDescription) {}

  add(code: SdpProblemCode, mediaIndex?: number): void {
    this.offsets ??= mediaOffsets(this.sdp)
    const offset = mediaIndex === undefined ? 0 : (this.offsets[mediaIndex] ?? 0)
    this.found.push({ ...sdpProblem(code, offset), ...(mediaIndex === undefined ? {} : { mediaIndex }) })
  }
}

function checkMedia(
  offer: SessionDescription,
  offered: MediaDescription,
  answer: SessionDescription,
  answered: MediaDescription,
  add: (code: SdpProblemCode) => void,
): void {
  const isRtp = isRtpProtocol(offered.protocol)
  if (isRtp ? !hasCommonCodec(offered, answered) : !answered.formats.some((format) => offered.formats.includes(format)))
    add('SDP_ANSWER_FORMATS')
  if (isRtp && hasRemapped(offered, answered)) add('SDP_PAYLOAD_TYPE_CHANGED')
  if (!isDirectionAnswer(effectiveDirection(offered, offer), directionOf(answered, answer))) {
    // With the unspecified address a peer of RFC 2543 answers as if nothing were said.
    if (!isDirectionAnswer(directionOf(offered, offer), directionOf(answered, answer))) add('SDP_ANSWER_DIRECTION')
  }
  if (isRtcpMux(answered) && !isRtcpMux(offered)) add('SDP_ANSWER_RTCP_MUX')
  const mid = readAttributeOf(answered, 'mid')
  const offeredMid = readAttributeOf(offered, 'mid')
  if (mid?.ok && (!offeredMid?.ok || offeredMid.value !== mid.value)) add('SDP_ANSWER_MID')
  checkSecurity(offer, offered, answer, answered, add)
}

function checkSecurity(
  offer: SessionDescription,
  offered: MediaDescription,
  answer: SessionDescription,
  answered: MediaDescription,
  add: (code: SdpProblemCode) => void,
): void {
  const setup = readAttributeOf(answered, 'setup') ?? readAttributeOf(answer, 'setup')
  const offeredSetup = readAttributeOf(offered, 'setup') ?? readAttributeOf(offer, 'setup')
  if (
    setup !== undefined &&
    (!setup.ok || !isSetupAnswer(offeredSetup?.ok ? offeredSetup.value : 'active', setup.value))
  )
    add('SDP_ANSWER_SETUP')
  if (!/^RTP\/SAVPF?$/i.test(offered.protocol)) return
  const offers = readAttributesOf(offered, 'crypto')
  const answers = readAttributesOf(answered, 'crypto')
  const [chosen] = answers
  if (offers.length === 0 && answers.length === 0) return
  const isChosen = offers.some(({ tag, suite }) => tag === chosen?.tag && suite === chosen.suite)
  // RFC 4568 §5.1.2: exactly one, by its tag.
  if (answers.length !== 1 || !isChosen) add('SDP_ANSWER_CRYPTO')
}

/** RFC 4145 §4.1: without a setup the offerer is active. */
function isSetupAnswer(offered: Setup, answered: Setup): boolean {
  if (answered === 'holdconn') return true
  if (offered === 'actpass') return answered === 'active' || answered === 'passive'
  if (offered === 'active') return answered === 'passive'
  return offered === 'passive' ? answered === 'active' : false
}

/** RFC 5888 §9.2, RFC 9143 §7.3: an answered group is one that was offered, or a part of it, without refused media. */
function checkGroups(offer: SessionDescription, answer: SessionDescription, problems: ExchangeProblems): void {
  const offered = readAttributesOf(offer, 'group')
  const refused = new Set<string>()
  for (const media of answer.media) {
    const mid = media.port === 0 ? readAttributeOf(media, 'mid') : undefined
    if (mid?.ok) refused.add(mid.value)
  }
  for (const { semantics, mids } of readAttributesOf(answer, 'group')) {
    const isPart = offered.some(
      (group) => group.semantics === semantics && mids.every((mid) => group.mids.includes(mid)),
    )
    const isOpen = mids.every((mid) => !refused.has(mid))
    if (!isPart || !isOpen) problems.add('SDP_ANSWER_GROUP')
  }
}

function hasCommonCodec(offered: MediaDescription, answered: MediaDescription): boolean {
  const names = new Set(codecsOf(offered).map(codecKey))
  return codecsOf(answered).some((codec) => names.has(codecKey(codec)))
}

/** True when one payload type stands for different codecs in two descriptions. */
function hasRemapped(one: MediaDescription, other: MediaDescription): boolean {
  const known = new Map(codecsOf(one).map((codec) => [codec.payloadType, codecKey(codec)]))
  return codecsOf(other).some((codec) => {
    const before = known.get(codec.payloadType)
    return before !== undefined && before !== codecKey(codec) && codec.name !== 'unknown'
  })
}

function codecKey(codec: { name: string; clockRate: number; channels: number; payloadType: number }): string {
  const name = codec.name.toLowerCase()
  return name === 'unknown' ? `#${codec.payloadType}` : `${name}/${codec.clockRate}/${codec.channels}`
}

function isBundleOnly(media: MediaDescription): boolean {
  return media.attributes.some(({ name }) => name === 'bundle-only')
}

function isVersionAfter(before: string, after: string, isSame: boolean): boolean {
  if (isSame && before === after) return true
  if (!/^\d{1,40}$/.test(before) || !/^\d{1,40}$/.test(after)) return before !== after
  return BigInt(after) === BigInt(before) + 1n
}

function timing(sdp: SessionDescription): string {
  return sdp.timing.length === 0 ? '0 0' : sdp.timing.map(({ start, stop }) => `${start} ${stop}`).join(',')
}
