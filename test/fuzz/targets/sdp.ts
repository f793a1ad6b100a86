/** Session descriptions: parsing, inspecting, writing, offering and answering. */
import { isDeepStrictEqual } from 'node:util'
import { SipUsageError } from '@carillon/sip-parser'
import {
  answerOffer,
  attributeCodecs,
  checkAnswer,
  checkReoffer,
  decodeAttribute,
  holdOffer,
  inspectSdp,
  type KnownAttribute,
  makeAttribute,
  negotiatedMedia,
  parseSdp,
  reoffer,
  resumeOffer,
  type SessionDescription,
  sdpToBytes,
  serializeSdp,
} from '@carillon/sip-parser/sdp'
import { mutateSdp } from '@carillon/sip-parser/testing'
import { must, shown } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { checkProblem } from '../oracles/problem.ts'
import { localSession, sdpSeeds } from './sdp-seeds.ts'

/** The parser under test; the fuzzer's own tests put one with a fault in its place. */
export interface SdpParser {
  readonly parseSdp: typeof parseSdp
  readonly inspectSdp: typeof inspectSdp
}

/** Makes the target. */
export function sdpTarget(parser: SdpParser = { parseSdp, inspectSdp }): Target {
  return { name: 'sdp', seeds: sdpSeeds, mutate: mutateSdp, check: (input, probe) => checkSdp(parser, input, probe) }
}

function checkSdp(parser: SdpParser, input: Uint8Array, probe: Probe): void {
  const before = Buffer.from(input)
  const parsed = probe.time('parseSdp', input.length, () => parser.parseSdp(input))
  const inspection = probe.time('inspectSdp', input.length, () => parser.inspectSdp(input))
  for (const problem of inspection.problems) {
    checkProblem(problem, input.length)
    probe.reach(problem.code)
  }
  must(inspection.ok === (inspection.problems.length === 0), 'ok is the absence of problems', () => '')
  must(parsed.ok === (inspection.sdp !== undefined), 'parseSdp and inspectSdp agree', () => JSON.stringify(parsed))
  must(before.equals(input), 'the input is left alone', () => shown(before))
  if (!parsed.ok) {
    checkProblem(parsed.error, input.length)
    return
  }
  const sdp = parsed.value
  probe.reach(`ok ${inspection.ok} media ${Math.min(sdp.media.length, 5)}`)
  const written = probe.time('sdpToBytes', input.length, () => sdpToBytes(sdp))
  must(written.equals(before), 'an untouched description comes back', () => `${shown(before)} became ${shown(written)}`)
  const text = before.toString('utf8')
  if (Buffer.from(text).equals(before)) checkText(parser, text)
  checkModel(parser, sdp)
  checkAdded(parser, sdp)
  checkAttributes(sdp, probe)
  checkExchange(parser, sdp, input.length, probe)
}

function checkText(parser: SdpParser, text: string): void {
  const parsed = parser.parseSdp(text)
  must(parsed.ok && serializeSdp(parsed.value) === text, 'an untouched text comes back', () => shown(text))
}

/** Without its layout a description is plain data; written from that it says the same. */
function checkModel(parser: SdpParser, sdp: SessionDescription): void {
  const plain = JSON.parse(JSON.stringify(sdp)) as SessionDescription
  const again = parser.parseSdp(serializeSdp(plain))
  // UTF-8 and the lines that were missing may be too much.
  if (!again.ok && again.error.code.startsWith('SDP_TOO_')) return
  must(again.ok, 'a description written anew reads back', () => shown(serializeSdp(plain)))
  const found: unknown = JSON.parse(JSON.stringify(again.value))
  must(
    isDeepStrictEqual(found, plain),
    'a description written anew says the same',
    () => `${JSON.stringify(found)} was ${JSON.stringify(plain)}`,
  )
}

/** A line that is added is the only thing that changes. */
function checkAdded(parser: SdpParser, sdp: SessionDescription): void {
  must(!isWritten(withLastAttribute(sdp, 'a\r\na=injected')), 'a line end in a value is refused', () => shown(''))
  const text = serializeSdp(withLastAttribute(sdp, 'a'))
  const again = parser.parseSdp(text)
  // One line more may be one too many.
  if (!again.ok && again.error.code.startsWith('SDP_TOO_')) return
  must(again.ok, 'a changed description reads back', () => shown(text))
  const attributes = (again.value.media.at(-1) ?? again.value).attributes
  must(
    attributes.some(({ name, value }) => name === 'x-fuzz' && value === 'a'),
    'an added attribute is there',
    () => shown(text),
  )
  const rest = text.replace(/a=x-fuzz:a(\r\n|\n|$)/, '')
  const missing = serializeSdp(sdp)
    .split(/\r?\n|\r$/)
    .filter((line) => !rest.includes(line))
  must(missing.length === 0, 'an added attribute changes no other line', () => missing.join(' and '))
}

function withLastAttribute(sdp: SessionDescription, value: string): SessionDescription {
  const added = { name: 'x-fuzz', value }
  const last = sdp.media.at(-1)
  if (last === undefined) return { ...sdp, attributes: [...sdp.attributes, added] }
  return { ...sdp, media: [...sdp.media.slice(0, -1), { ...last, attributes: [...last.attributes, added] }] }
}

function isWritten(sdp: SessionDescription): boolean {
  try {
    serializeSdp(sdp)
    return true
  } catch (thrown) {
    if (!(thrown instanceof SipUsageError)) throw thrown
    return false
  }
}

/** Typed attributes read back what they write. */
function checkAttributes(sdp: SessionDescription, probe: Probe): void {
  const all = [...sdp.attributes, ...sdp.media.flatMap(({ attributes }) => attributes)]
  for (const attribute of all.slice(0, 200)) {
    const decoded = decodeAttribute(attribute)
    if (decoded === undefined) continue
    probe.reach(`a ${attribute.name} ${decoded.ok}`)
    if (!decoded.ok) {
      checkProblem(decoded.error, Buffer.byteLength(attribute.value ?? ''))
      continue
    }
    if (!Object.hasOwn(attributeCodecs, attribute.name)) continue
    const again = decodeAttribute(encode(attribute.name as KnownAttribute, decoded.value))
    const isSame = again?.ok === true && isDeepStrictEqual(again.value, decoded.value)
    must(
      isSame,
      `${attribute.name} reads back what it writes`,
      () => `${JSON.stringify(attribute)} to ${JSON.stringify(again)}`,
    )
  }
}

function encode(name: KnownAttribute, value: unknown): ReturnType<typeof makeAttribute> {
  return makeAttribute(name, value as never)
}

/** Offer and answer never throw but SipUsageError, and their own results stand up to their own checks. */
function checkExchange(parser: SdpParser, offer: SessionDescription, size: number, probe: Probe): void {
  for (const order of ['offer', 'local'] as const) {
    const answer = probe.time('answerOffer', size, () => answerOffer(offer, localSession, { order }))
    probe.reach(
      answer.ok ? `answer ${answer.value.media.map(({ port }) => port !== 0).slice(0, 4)}` : answer.error.code,
    )
    if (!answer.ok) {
      checkProblem(answer.error, size)
      continue
    }
    const problems = probe.time('checkAnswer', size, () => checkAnswer(offer, answer.value))
    must(answer.value.media.length === offer.media.length, 'an answer has as many media as its offer', () =>
      serializeSdp(answer.value),
    )
    must(
      problems.length === 0,
      'an answer is an answer',
      () => `${JSON.stringify(problems)} ${serializeSdp(answer.value)}`,
    )
    const text = serializeSdp(answer.value)
    const again = parser.parseSdp(text)
    must(again.ok, 'an answer reads back', () => `${JSON.stringify(again)} ${shown(text)}`)
    must(again.value.media.length === offer.media.length, 'an answer that was written has as many media', () =>
      shown(text),
    )
    probe.time('negotiatedMedia', size, () => negotiatedMedia(answer.value, offer))
    for (const problem of checkAnswer(answer.value, offer))
      checkProblem(problem, Buffer.byteLength(serializeSdp(offer)))
  }
  const held = probe.time('holdOffer', size, () => usable(() => holdOffer(offer)))
  if (held === undefined) return
  const problems = probe.time('checkReoffer', size, () => checkReoffer(offer, held))
  const odd = problems.filter(
    ({ code }) => code !== 'SDP_REOFFER_VERSION' || /^\d{1,40}$/.test(offer.origin.sessionVersion),
  )
  must(odd.length === 0, 'a hold follows the session', () => `${JSON.stringify(odd)} ${shown(serializeSdp(held))}`)
  const again = parser.parseSdp(serializeSdp(held))
  must(again.ok || again.error.code.startsWith('SDP_TOO_'), 'a hold reads back', () => shown(serializeSdp(held)))
  usable(() => resumeOffer(held))
  usable(() => reoffer(offer, [undefined, ...offer.media], true))
}

function usable<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (thrown) {
    if (thrown instanceof SipUsageError) return undefined
    throw thrown
  }
}
