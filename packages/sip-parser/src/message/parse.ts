/**
 * From bytes to a message in one pass (RFC 3261 §7, §18.3): start line and framing are decided at once, header values on
 * first use. Offsets in problems count from the first byte of the input. Never throws for bad input.
 */
import { type Problem, type ProblemCode, type ProblemLayer, problem } from '../errors'
import { DecodeFailure } from '../grammar/failure'
import { latin1Text } from '../grammar/text'
import { loadHead, nameHead, type Wire } from '../grammar/wire'
import { CONTENT_LENGTH } from '../headers/ids'
import { methodText } from '../headers/scalars'
import { defaultParserLimits, type ParserLimits } from '../limits'
import { decodeUri, type Uri } from '../uri/parse-uri'
import { SipUri } from '../uri/sip-uri'
import { findId, nameStartAt, valueEndAt } from './header-list'
import { type Leniency, strict } from './leniency'
import { type SipMessage, SipRequest, SipResponse } from './message'
import { type Origin, type Repaired, repairLineEnds, repairStartLine, replacedOrigin } from './repair'
import { type HeadScan, scanHead } from './scan'

/** How to parse. */
export interface ParseOptions {
  /**
   * True (the default) for a datagram, and for a message of a WebSocket (RFC 7118 §5): the body ends at Content-Length or,
   * without it, with the input; bytes after it are ignored, a shorter body is a problem. False for a message framed on a
   * stream: Content-Length must be there and exact.
   */
  readonly datagram?: boolean
  readonly limits?: Partial<ParserLimits>
  /** Switches over `strict`. */
  readonly leniency?: Partial<Leniency>
}

/** A message, or the outermost problem with as much of the message as could be read, so that it can still be answered. */
export type ParseResult =
  | { readonly ok: true; readonly message: SipMessage }
  | { readonly ok: false; readonly error: Problem; readonly message?: SipMessage }

/** Everything that framing and start line have to say; {@link parseMessage} reports the outermost of it. */
export interface ReadResult {
  readonly message: SipMessage | undefined
  readonly problems: readonly Problem[]
  /** Turns an offset in the message's text into one in the input, which may have begun with line ends, or was repaired. */
  readonly toInput: Origin
}

/** Layers in order, the outermost first. */
export const layerRank: Readonly<Record<ProblemLayer, number>> = {
  framing: 0,
  'start-line': 1,
  'header-syntax': 2,
  'header-value': 3,
  semantic: 4,
}
const noProblems: readonly Problem[] = []

/** Parses one whole message. The bytes are copied: the caller may reuse their buffer. */
export function parseMessage(bytes: Uint8Array, options?: ParseOptions): ParseResult {
  const message = read(bytes, settingsOf(options), 0)
  const problems = found
  if (problems === undefined) return { ok: true, message: message! }
  const error = outermost(inInput(problems))
  return message === undefined ? { ok: false, error } : { ok: false, error, message }
}

/** The problem of the outermost layer; of several in one layer the first. */
export function outermost(problems: readonly Problem[]): Problem {
  let chosen = problems[0]!
  for (const candidate of problems) {
    const rank = layerRank[candidate.layer] - layerRank[chosen.layer]
    if (rank < 0 || (rank === 0 && candidate.offset < chosen.offset)) chosen = candidate
  }
  return chosen
}

/** The reader behind {@link parseMessage} and `inspectMessage`. */
export function readMessage(bytes: Uint8Array, options: ParseOptions | undefined): ReadResult {
  const message = read(bytes, settingsOf(options), 0)
  const problems = found === undefined ? noProblems : inInput(found)
  const [before, first] = [origin, base]
  return { message, problems, toInput: (offset) => (before === undefined ? offset + first : before(offset + first)) }
}

/** The problems with the offsets that their places had before the message was repaired. */
function inInput(problems: readonly Problem[]): readonly Problem[] {
  const before = origin
  return before === undefined ? problems : problems.map((entry) => ({ ...entry, offset: before(entry.offset) }))
}

interface ReadSettings {
  readonly isDatagram: boolean
  readonly limits: ParserLimits
  readonly leniency: Leniency
}

const usualSettings: ReadSettings = { isDatagram: true, limits: defaultParserLimits, leniency: strict }

function settingsOf(options: ParseOptions | undefined): ReadSettings {
  if (options === undefined) return usualSettings
  const limits = options.limits === undefined ? defaultParserLimits : { ...defaultParserLimits, ...options.limits }
  const leniency = options.leniency === undefined ? strict : { ...strict, ...options.leniency }
  return { isDatagram: options.datagram ?? true, limits, leniency }
}

/** What {@link read} found wrong; kept beside its result so that a good message costs no object for it. */
let found: readonly Problem[] | undefined
/** Where the offsets of a repaired message come from; undefined when nothing was repaired. */
let origin: Origin | undefined
/** Line ends before the start line of what was read last. */
let base = 0

/** Reads once; a tolerated deviation in the lines of the head is repaired and the result read again, strictly. */
function read(bytes: Uint8Array, settings: ReadSettings, repairs: number): SipMessage | undefined {
  const { limits, leniency } = settings
  found = undefined
  if (repairs === 0) origin = undefined
  if (bytes.length > limits.messageBytesMax) return failed('MESSAGE_TOO_LARGE', limits.messageBytesMax)
  base = skipLineEnds(bytes)
  if (base === bytes.length) return failed('EMPTY_MESSAGE', 0)
  const input = base === 0 ? bytes : bytes.subarray(base)
  const text = latin1Text(input)
  const end = Math.min(input.length, limits.headBytesMax)
  const head = loadHead(input, end)
  const scan = scanHead(text, head, end, base, limits, leniency)
  if (repairs < repairsMax) {
    if (scan.bareLfAt >= 0 && leniency.bareLf) return readRepaired(repairLineEnds(input), settings, repairs)
    if (scan.rewritten !== undefined) return readRepaired(repairStartLine(input, scan.rewritten), settings, repairs)
  }
  if (scan.rewritten !== undefined) return failed('START_LINE_INVALID', base)
  const bodyEnd = frameBody(input.length, scan, settings)
  const kept = bodyEnd === text.length ? text : latin1Text(input, 0, bodyEnd)
  // An incomplete head is given the empty line it lacks, so that what was read can be answered.
  const whole = scan.isComplete ? kept : `${kept}\r\n`
  return assemble(whole, input, nameHead(head, whole), scan, settings, repairs)
}

function readRepaired(repaired: Repaired, settings: ReadSettings, repairs: number): SipMessage | undefined {
  noteOrigin(repaired.origin)
  return read(repaired.bytes, settings, repairs + 1)
}

/** Puts one more rewriting behind those before it. */
function noteOrigin(latest: Origin): void {
  const [before, first] = [origin, base]
  origin = (offset) => (before === undefined ? latest(offset) + first : before(latest(offset) + first))
}

/** Line ends and start line, each once; the request URI's headers may go in a third pass. */
const repairsMax = 3

function failed(code: ProblemCode, offset: number): undefined {
  found = [problem(code, offset)]
  return undefined
}

/** RFC 3261 §7.5: line ends before the start line are ignored. */
function skipLineEnds(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a)) at += 1
  return at
}

/** Decides where the body ends (RFC 3261 §18.3) and reports what is wrong with its length. */
function frameBody(size: number, scan: HeadScan, settings: ReadSettings): number {
  const { isDatagram, limits, leniency } = settings
  const available = size - scan.bodyStart
  const length = scan.contentLength
  if (!scan.isComplete) return scan.bodyStart
  if (!scan.hasContentLength && !isDatagram) scan.report('CONTENT_LENGTH_MISSING', scan.bodyStart)
  if ((length < 0 ? available : length) > limits.bodyBytesMax) {
    scan.report('BODY_TOO_LARGE', scan.bodyStart)
    return scan.bodyStart
  }
  if (length < 0) return size
  if (length > available) {
    if (!(isDatagram && leniency.shortBody)) scan.report('BODY_TOO_SHORT', size)
    return size
  }
  if (length < available && !isDatagram) scan.report('TRAILING_BYTES', scan.bodyStart + length)
  return scan.bodyStart + length
}

function assemble(
  text: string,
  bytes: Uint8Array,
  wire: Wire,
  scan: HeadScan,
  settings: ReadSettings,
  repairs: number,
): SipMessage | undefined {
  const { leniency } = settings
  const bodyStart = scan.isComplete ? scan.bodyStart : scan.bodyStart + 2
  const parts = {
    text,
    index: scan.index,
    edited: undefined,
    startLineEnd: scan.startLineEnd,
    bodyStart,
    leniency,
  }
  if (scan.isResponse) {
    if (scan.status < 0) return finish(undefined, scan, settings)
    return finish(new SipResponse(parts, scan.status), scan, settings)
  }
  if (scan.methodEnd < 0) return finish(undefined, scan, settings)
  const method = methodText(wire, 0, scan.methodEnd)
  const uri = scan.uriEnd < 0 ? undefined : readUri(wire, scan, leniency)
  if (uri instanceof SipUri && uri.hasHeaders) {
    if (leniency.requestUriHeaders && repairs < repairsMax) {
      const line = `${method} ${uri.with({ headers: undefined }).toString()} SIP/2.0`
      return readRepaired(repairStartLine(bytes, line), settings, repairs)
    }
    scan.report('REQUEST_URI_HEADERS', uri.toString().indexOf('?') + scan.methodEnd + 1)
  }
  const reason = uri === undefined ? uriProblem(scan) : undefined
  return finish(new SipRequest(parts, method, uri, reason), scan, settings)
}

function finish(message: SipMessage | undefined, scan: HeadScan, settings: ReadSettings): SipMessage | undefined {
  found = scan.problems
  if (found !== undefined) return message
  const isShort = settings.leniency.shortBody && message !== undefined && scan.contentLength > message.bodyLength
  return isShort ? withTrueLength(message) : message
}

function withTrueLength(message: SipMessage): SipMessage {
  const { text, index, bodyLength } = message
  const entry = findId(index, CONTENT_LENGTH)
  const line = nameStartAt(text, index, entry)
  const first = base
  const before = replacedOrigin(line, valueEndAt(index, entry), line + `Content-Length: ${bodyLength}`.length)
  noteOrigin((offset) => before(offset - first))
  return message.edit().set('Content-Length', bodyLength).build()
}

/** The request URI, or undefined with its problem reported. */
function readUri(wire: Wire, scan: HeadScan, leniency: Leniency): Uri | undefined {
  try {
    return decodeUri(wire, scan.methodEnd + 1, scan.uriEnd, leniency)
  } catch (thrown) {
    if (!(thrown instanceof DecodeFailure)) throw thrown
    scan.report('REQUEST_URI_INVALID', thrown.at)
    return undefined
  }
}

/** The start line's problem: why a request has no URI. */
function uriProblem(scan: HeadScan): Problem {
  const found = scan.problems?.find(
    (candidate) => candidate.layer === 'start-line' || candidate.code === 'VERSION_UNSUPPORTED',
  )
  return found ?? problem('REQUEST_URI_INVALID', scan.base)
}
