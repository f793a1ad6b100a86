/**
 * Verdicts on whole messages (RFC 3261 §8.1.1, §8.2, §16.3; RFC 4475): the mandatory headers for servers, everything for
 * tools and tests.
 */
import { type Problem, type ProblemCode, problem, SipHeaderError } from '../errors'
import { CALL_ID, CONTACT, CONTENT_LENGTH, CSEQ, FROM, TO, VIA } from '../headers/ids'
import { headerDefinition } from '../headers/index'
import { OpaqueUri } from '../uri/opaque-uri'
import { lineProblem } from './decode'
import { findId, type HeaderIndex, idAt, nameStartAt, stride, valueStartAt } from './header-list'
import type { SipMessage, SipMessageBase } from './message'
import { isKnownMethod } from './methods'
import { layerRank, type ParseOptions, readMessage } from './parse'

/** The verdict of {@link inspectMessage}. */
export interface Inspection {
  /** True when nothing in the message breaks the grammar or contradicts itself. */
  readonly ok: boolean
  readonly message?: SipMessage
  /** Everything wrong, in the order of the bytes. */
  readonly problems: readonly Problem[]
  /** What a server will refuse although the message is well formed: missing headers, an unknown URI scheme. */
  readonly warnings: readonly Problem[]
}

const mandatoryIds = [VIA, TO, FROM, CALL_ID, CSEQ]

/**
 * Checks what every message needs before it is processed: Via, From, To, Call-ID and CSeq are there once (Via at least
 * once) and well formed, so is Max-Forwards if it is there, and the method of CSeq is that of the request line.
 * After undefined the typed getters of these headers do not throw.
 */
export function checkMandatory(message: SipMessage): Problem | undefined {
  try {
    void message.via
    void message.to
    void message.from
    void message.callId
    void message.maxForwards
    const repeated = findRepeated(message.index)
    if (repeated !== undefined) return headerProblem(message, 'HEADER_REPEATED', repeated)
    const { method } = message.cseq
    if (message.kind === 'response' || method === message.method) return undefined
    return cseqMismatch(message.method, message.index)
  } catch (thrown) {
    if (!(thrown instanceof SipHeaderError)) throw thrown
    return thrown.problem
  }
}

/** A problem with status 416 when the request URI is neither sip, sips nor tel (RFC 3261 §8.2.2.1, §16.3). */
export function checkRequestUriScheme(message: SipMessage): Problem | undefined {
  if (message.kind === 'response') return undefined
  const uri = tryUri(message)
  return uri instanceof OpaqueUri ? problem('SCHEME_UNSUPPORTED', message.method.length + 1) : undefined
}

/** Decodes and checks everything: framing, start line and each value of each known header. Never throws. */
export function inspectMessage(bytes: Uint8Array, options?: ParseOptions): Inspection {
  const { message, problems: found, toInput } = readMessage(bytes, options)
  if (message === undefined) return { ok: false, problems: settled(found), warnings: [] }
  const inside: Problem[] = []
  const warnings: Problem[] = []
  for (let entry = 0; entry < message.index.length; entry += stride) inspectLine(message, entry, inside)
  inspectRepeats(message, inside)
  inspectMethod(message, inside)
  // Of a head that was cut, nobody can say what it lacks.
  if (!found.some(({ code }) => cutCodes.has(code))) inspectPresence(message, warnings)
  const scheme = checkRequestUriScheme(message)
  if (scheme !== undefined) warnings.push(scheme)
  const placed = (entry: Problem): Problem => ({ ...entry, offset: toInput(entry.offset) })
  const problems = settled([...found, ...inside.map(placed)])
  return { ok: problems.length === 0, message, problems, warnings: warnings.map(placed).sort(byOffset) }
}

/** What is said of a message of which the end of the head was not read. */
const cutCodes: ReadonlySet<string> = new Set(['HEAD_INCOMPLETE', 'HEAD_TOO_LARGE', 'TOO_MANY_HEADERS'])

function byOffset(one: Problem, other: Problem): number {
  return one.offset - other.offset || layerRank[one.layer] - layerRank[other.layer]
}

/** In the order of the bytes; what an outer layer has said of a place is not said again by an inner one. */
function settled(problems: readonly Problem[]): readonly Problem[] {
  const isUnread = problems.some(({ code }) => code === 'TOO_MANY_HEADERS')
  return problems
    .filter(({ code }) => !(isUnread && code === 'HEAD_INCOMPLETE'))
    .sort(byOffset)
    .filter((entry, at, sorted) => {
      const before = sorted[at - 1]
      return before === undefined || before.offset !== entry.offset || before.layer === entry.layer
    })
}

function inspectLine(message: SipMessageBase, entry: number, problems: Problem[]): void {
  const headerId = idAt(message.index, entry)
  if (headerId === 0) return
  if (headerId === CONTACT && message.contactStar) return
  // Content-Length has been judged with the framing.
  if (headerId === CONTENT_LENGTH) return
  const definition = headerDefinition(headerId)
  const found = lineProblem(message, headerId, entry, definition.decode, definition.rule !== 'list')
  if (found !== undefined) problems.push(found)
}

function inspectRepeats(message: SipMessageBase, problems: Problem[]): void {
  const seen = new Set<number>()
  for (let entry = 0; entry < message.index.length; entry += stride) {
    const headerId = idAt(message.index, entry)
    if (headerId === 0 || headerDefinition(headerId).rule !== 'single') continue
    if (seen.has(headerId) && headerDefinition(headerId).name !== 'Content-Length') {
      problems.push(headerProblem(message, 'HEADER_REPEATED', entry))
    }
    seen.add(headerId)
  }
}

function inspectPresence(message: SipMessage, warnings: Problem[]): void {
  for (const headerId of mandatoryIds) {
    if (findId(message.index, headerId) >= 0) continue
    warnings.push(
      problem('HEADER_MISSING', message.startLineEnd, headerDefinition(headerId).name, message.kind === 'response'),
    )
  }
}

function inspectMethod(message: SipMessage, problems: Problem[]): void {
  const cseq = message.decode('cseq')
  if (message.kind === 'request' && cseq.ok && cseq.value.method !== message.method) {
    problems.push(cseqMismatch(message.method, message.index))
  }
}

function headerProblem(message: SipMessageBase, code: ProblemCode, entry: number): Problem {
  const name = headerDefinition(idAt(message.index, entry)).name
  return problem(code, nameStartAt(message.text, message.index, entry), name, message.kind === 'response')
}

/** RFC 4475 §3.1.2.17, §3.1.2.18: a method that nobody knows is better answered with 501. */
function cseqMismatch(method: string, index: HeaderIndex): Problem {
  const found = problem('CSEQ_METHOD_MISMATCH', valueStartAt(index, findId(index, CSEQ)), 'CSeq')
  return isKnownMethod(method) ? found : { ...found, suggestedStatus: 501 }
}

/** The entry of the first mandatory header that appears a second time though it may not. */
function findRepeated(index: HeaderIndex): number | undefined {
  let seen = 0
  for (let entry = 0; entry < index.length; entry += stride) {
    const headerId = idAt(index, entry)
    if (headerId < FROM || headerId > 6) continue
    const bit = 1 << headerId
    if ((seen & bit) !== 0) return entry
    seen |= bit
  }
  return undefined
}

function tryUri(message: Extract<SipMessage, { kind: 'request' }>): unknown {
  try {
    return message.uri
  } catch {
    return undefined
  }
}
