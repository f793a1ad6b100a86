/** The verdict on one found message: inspection, body and session description together, each problem with its line. */
import { Buffer } from 'node:buffer'
import type { BodyPart } from '../body/body-part'
import { leafParts } from '../body/body-part'
import { bodyOf } from '../body/multipart'
import type { Problem, ProblemLayer } from '../errors'
import { commandShownBytesMax } from '../limits'
import { tolerant } from '../message/leniency'
import type { SipMessage } from '../message/message'
import { inspectMessage } from '../message/validate'
import { inspectSdp } from '../sdp/inspect'
import type { SessionDescription } from '../sdp/session'
import type { FoundMessage } from './extract'
import type { CommandOptions } from './plan'

/** `good`; `refused`: well formed, but a server will refuse it; `bad`: it breaks the grammar or contradicts itself. */
export type Verdict = 'good' | 'refused' | 'bad'

/** A problem and where it is in the message. */
export interface PlacedProblem {
  readonly problem: Problem
  /** `remark`: what readers leave aside; `warning`: why a server will refuse a well-formed message. */
  readonly weight: 'problem' | 'warning' | 'remark'
  /** From 1. */
  readonly line: number
  /** Bytes of the line before the place, from 0. */
  readonly column: number
}

/** All there is to say of one message. */
export interface MessageReport {
  readonly found: FoundMessage
  readonly verdict: Verdict
  readonly message: SipMessage | undefined
  readonly body: BodyPart | undefined
  readonly sessions: readonly SessionDescription[]
  /** In the order of the bytes. */
  readonly problems: readonly PlacedProblem[]
  /** The lines of the message without their ends; of a very large one the first. */
  readonly lines: readonly Buffer[]
  /** Bytes at the end that are in none of the lines. */
  readonly unshownBytes: number
  /** The line, from 1, that is the first of the body. */
  readonly bodyLine: number
}

const LAYERS: readonly ProblemLayer[] = ['framing', 'start-line', 'header-syntax', 'header-value', 'semantic']

/** Judges a message. Never throws. */
export function reportMessage(found: FoundMessage, options: CommandOptions): MessageReport {
  const inspection = inspectMessage(found.bytes, {
    datagram: !options.isStream,
    ...(options.isTolerant ? { leniency: tolerant } : {}),
  })
  const { message } = inspection
  const problems = inspection.problems.map((problem): Judged => ({ problem, weight: 'problem' }))
  const bodyStart = message === undefined ? found.bytes.length : bodyStartOf(found.bytes, message)
  const body = message === undefined ? undefined : inspectBody(message, bodyStart, problems)
  const warnings = inspection.warnings.map((problem): Judged => ({ problem, weight: 'warning' }))
  const shown = found.bytes.subarray(0, commandShownBytesMax)
  const lines = splitLines(shown)
  const placed = [...problems, ...warnings].map((entry) => place(entry, lines, shown.length))
  placed.sort((one, other) => one.problem.offset - other.problem.offset)
  return {
    found,
    verdict: problems.some(({ weight }) => weight === 'problem') ? 'bad' : warnings.length > 0 ? 'refused' : 'good',
    message,
    body: body?.part,
    sessions: body?.sessions ?? [],
    problems: placed,
    lines: lines.map(({ start, end }) => shown.subarray(start, end)),
    unshownBytes: found.bytes.length - shown.length,
    bodyLine: bodyStart >= shown.length ? lines.length + 1 : lineAt(lines, bodyStart) + 1,
  }
}

/** The problem that decides the answer: that of the outermost layer, of several the first. */
export function decisive(report: MessageReport): Problem | undefined {
  let chosen: PlacedProblem | undefined
  const rank = ({ problem, weight }: PlacedProblem) => LAYERS.indexOf(problem.layer) + (weight === 'warning' ? 10 : 0)
  for (const candidate of report.problems) {
    if (candidate.weight === 'remark') continue
    if (chosen === undefined || rank(candidate) < rank(chosen)) chosen = candidate
  }
  return chosen?.problem
}

interface Line {
  readonly start: number
  readonly end: number
}

type Judged = Pick<PlacedProblem, 'problem' | 'weight'>

/** Reads the body and the session descriptions in it; encoded content is left alone. */
function inspectBody(
  message: SipMessage,
  bodyStart: number,
  problems: Judged[],
): { part: BodyPart | undefined; sessions: SessionDescription[] } {
  const sessions: SessionDescription[] = []
  const read = message.has('Content-Encoding') ? undefined : bodyOf(message)
  if (read === undefined) return { part: undefined, sessions }
  if (!read.ok) {
    // A malformed Content-Type has been reported with the headers.
    if (read.error.header === undefined) problems.push(shifted(read.error, bodyStart, message))
    return { part: undefined, sessions }
  }
  for (const leaf of leafParts(read.value)) {
    if (!leaf.contentType.is('application/sdp')) continue
    const inspection = inspectSdp(leaf.bytes)
    if (inspection.sdp !== undefined) sessions.push(inspection.sdp)
    for (const problem of inspection.problems) {
      // RFC 8866 §5.13: a reader leaves aside an attribute that it does not understand.
      const weight = inspection.sdp === undefined ? 'problem' : 'remark'
      problems.push(shifted(problem, bodyStart + leaf.offset, message, weight))
    }
  }
  return { part: read.value, sessions }
}

function shifted(
  problem: Problem,
  by: number,
  message: SipMessage,
  weight: PlacedProblem['weight'] = 'problem',
): Judged {
  const suggestedStatus = message.kind === 'response' ? 'drop' : problem.suggestedStatus
  return { problem: { ...problem, offset: problem.offset + by, suggestedStatus }, weight }
}

/** Where the body begins in the input; line ends before the message and repaired lines move it. */
function bodyStartOf(bytes: Buffer, message: SipMessage): number {
  let base = 0
  while (base < bytes.length && (bytes[base] === 0x0d || bytes[base] === 0x0a)) base++
  const guess = base + message.head.length
  const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength)
  if (body.length === 0 || bytes.subarray(guess, guess + body.length).equals(body)) return Math.min(guess, bytes.length)
  const found = bytes.indexOf(body)
  return found < 0 ? bytes.length : found
}

function splitLines(bytes: Buffer): Line[] {
  const lines: Line[] = []
  let start = 0
  while (start < bytes.length) {
    const feed = bytes.indexOf(0x0a, start)
    const next = feed < 0 ? bytes.length : feed
    const end = next > start && feed >= 0 && bytes[next - 1] === 0x0d ? next - 1 : next
    lines.push({ start, end })
    start = next + 1
  }
  return lines
}

function lineAt(lines: readonly Line[], offset: number): number {
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (lines[middle]!.start <= offset) low = middle
    else high = middle - 1
  }
  return low
}

function place(judged: Judged, lines: readonly Line[], size: number): PlacedProblem {
  const offset = Math.min(judged.problem.offset, size)
  const index = lineAt(lines, offset)
  const line = lines[index]
  return { ...judged, line: index + 1, column: line === undefined ? 0 : Math.min(offset, line.end) - line.start }
}
