/** Whole messages, as datagrams: parsing, inspecting, reading, editing and answering them. */
import {
  bodyOf,
  checkMandatory,
  createRequest,
  createResponse,
  defaultParserLimits,
  type Inspection,
  inspectMessage,
  leafParts,
  type ParseResult,
  type Problem,
  parseMessage,
  responseTo,
  type SipMessage,
  tolerant,
} from '@carillon/sip-parser'
import { mutateMessage } from '@carillon/sip-parser/testing'
import { must, shown } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { checkProblem, problemFeature } from '../oracles/problem.ts'
import { canonicalName, checkLogged, checkRawHeaders } from '../oracles/raw-headers.ts'
import { checkWritten, describeAll, type Reading, readAll, writtenForms } from '../oracles/values.ts'
import { messageSeeds } from './message-seeds.ts'

/** The parser under test; the fuzzer's own tests put one with a fault in its place. */
export interface MessageParser {
  readonly parseMessage: typeof parseMessage
  readonly inspectMessage: typeof inspectMessage
}

const intermission = Buffer.from(
  'REGISTER sip:other SIP/2.0\r\nVia: SIP/2.0/UDP o;branch=z9hG4bKo\r\nf: <sip:o@p>;tag=o\r\nt: <sip:o@p>\r\ni: o\r\nCSeq: 9 REGISTER\r\n\r\n',
)
const mandatory: ReadonlySet<string | undefined> = new Set(['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards'])
/** What an edit adds must still fit. */
const editBytes = 200

/** Makes the target. */
export function messageTarget(parser: MessageParser = { parseMessage, inspectMessage }): Target {
  return {
    name: 'message',
    seeds: messageSeeds,
    mutate: mutateMessage,
    check: (input, probe) => checkMessage(parser, input, probe),
  }
}

function checkMessage(parser: MessageParser, input: Uint8Array, probe: Probe): void {
  const before = Buffer.from(input)
  const strictly = inspect(parser, input, probe, false)
  const tolerantly = inspect(parser, input, probe, true)
  if (strictly.ok)
    must(tolerantly.ok, 'tolerant accepts what strict accepts', () => JSON.stringify(tolerantly.problems))
  const parsed = probe.time('parseMessage', input.length, () => parser.parseMessage(input))
  checkAgreement(parsed, strictly)
  const message = parsed.message
  if (message !== undefined) checkReadings(parser, message, input, probe, strictly)
  if (parsed.ok) {
    checkIdentity(parsed.message, input)
    checkEdits(parser, parsed.message, probe)
    checkMandatoryAgrees(parsed.message, strictly, startOf(input))
    if (strictly.ok && strictly.warnings.length === 0 && !before.includes(0)) checkRebuilt(parser, parsed.message)
  } else if (message?.kind === 'request') {
    responseTo(message, 400, { toTag: 't' }).toBytes()
    message.edit().prepend('Via', 'SIP/2.0/UDP x').set('X-A', 'b').remove('Route').build().toBytes()
  }
  if (tolerantly.message !== undefined && tolerantly.ok) checkTolerated(parser, tolerantly.message, probe)
  must(before.equals(input), 'the input is left alone', () => shown(before))
}

function inspect(parser: MessageParser, input: Uint8Array, probe: Probe, isTolerant: boolean): Inspection {
  const options = isTolerant ? { leniency: tolerant } : undefined
  const name = isTolerant ? 'inspectMessage (tolerant)' : 'inspectMessage'
  const inspection = probe.time(name, input.length, () => parser.inspectMessage(input, options))
  const { ok, message, problems, warnings } = inspection
  let last = 0
  for (const problem of [...problems, ...warnings]) {
    checkProblem(problem, input.length)
    probe.reach(`${isTolerant ? 't' : 's'} ${problemFeature(problem)}`)
    if (message?.kind === 'response')
      must(problem.suggestedStatus === 'drop', 'responses are dropped', () => JSON.stringify(problem))
  }
  for (const problem of problems) {
    must(problem.offset >= last, 'problems are in the order of the bytes', () => JSON.stringify(problems))
    last = problem.offset
    checkPlace(problem, input)
  }
  must(ok === (problems.length === 0), 'ok is the absence of problems', () => JSON.stringify(problems))
  must(!ok || message !== undefined, 'an accepted message is there', () => '')
  probe.reach(`${isTolerant ? 't' : 's'} ${message?.kind} ${ok} ${Math.min(problems.length, 9)}`)
  return inspection
}

/** Where the message begins: line ends may precede it. */
function startOf(input: Uint8Array): number {
  let at = 0
  while (input[at] === 0x0d || input[at] === 0x0a) at += 1
  return at
}

/** A problem in a header points at a line of that header. */
function checkPlace(problem: Problem, input: Uint8Array): void {
  if (problem.header === undefined || problem.code === 'HEADER_MISSING') return
  const text = Buffer.from(input).toString('latin1')
  // A value that ends too early is reported at its end, which may be the line end.
  let start = Math.min(problem.offset, text.length - 1)
  while (
    start > 0 &&
    !(text[start - 1] === '\n' && text[start] !== ' ' && text[start] !== '\t' && start <= problem.offset)
  )
    start -= 1
  const isAtLineEnd = start === problem.offset
  const found = (at: number): string => canonicalName(/^[^\s:]*/.exec(text.slice(at, at + 300))?.[0] ?? '')
  let name = found(start)
  if (isAtLineEnd && name !== problem.header.toLowerCase()) {
    const previous = text.lastIndexOf('\n', start - 2) + 1
    name = found(previous)
  }
  must(
    name === problem.header.toLowerCase(),
    'a problem points at its header',
    () => `${JSON.stringify(problem)} is at ${name}`,
  )
}

function checkAgreement(parsed: ParseResult, inspection: Inspection): void {
  if (inspection.ok) must(parsed.ok, 'parseMessage accepts what inspectMessage accepts', () => JSON.stringify(parsed))
  if (parsed.ok) return
  const { code, offset } = parsed.error
  const isKnown = inspection.problems.some((problem) => problem.code === code && problem.offset === offset)
  must(isKnown, 'inspectMessage reports what parseMessage reports', () => `${code} at ${offset}`)
}

/** Typed and raw readers: no surprise, the same answer twice, whatever was parsed in between. */
function checkReadings(
  parser: MessageParser,
  message: SipMessage,
  input: Uint8Array,
  probe: Probe,
  inspection: Inspection,
): void {
  const readings = readAll(message)
  for (const [name, reading] of readings) {
    if ('value' in reading) {
      if (inspection.ok) checkWritten(name, reading.value)
    } else checkProblem(reading.problem, Math.max(input.length, message.head.length))
    probe.reach('value' in reading ? `g ${name} ${shapeOf(reading.value)}` : `g ${name} ${reading.problem.code}`)
    if (!inspection.ok || 'value' in reading) continue
    must(
      reading.problem.code === 'HEADER_MISSING',
      'every getter of a good message has a value',
      () => `${name}: ${reading.problem.code}`,
    )
  }
  const again = parser.parseMessage(input).message
  const other = parser.parseMessage(intermission)
  if (other.ok) readAll(other.message)
  const second = again === undefined ? undefined : describeAll(readAll(again))
  must(
    second === describeAll(readings),
    'messages do not disturb one another',
    () => `${second} and ${describeAll(readings)}`,
  )
  probe.time('typed getters', input.length, () => {
    const fresh = parser.parseMessage(input).message
    if (fresh !== undefined) readAll(fresh)
  })
  checkRawHeaders(message)
  checkLogged(message)
  probe.time('toJSON', input.length, () => JSON.stringify(message))
  checkBody(message, input, probe)
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `list ${Math.min(3, value.length)}`
  return value === undefined ? 'absent' : (value?.constructor.name ?? 'null')
}

function checkBody(message: SipMessage, input: Uint8Array, probe: Probe): void {
  const { body, bodyLength, head } = message
  const whole = message.toBytes()
  must(
    body.length === bodyLength && head.length + bodyLength === whole.length,
    'head and body are the message',
    () => '',
  )
  must(whole.subarray(head.length).equals(body), 'the body is what follows the head', () => '')
  const part = probe.time('bodyOf', input.length, () => bodyOf(message))
  if (part === undefined) return
  probe.reach(
    part.ok
      ? `body ${Math.min(4, leafParts(part.value).length)} ${part.value.contentType.type}`
      : `body ${part.error.code}`,
  )
  if (!part.ok) checkProblem(part.error, Math.max(bodyLength, message.get('Content-Type')?.length ?? 0, input.length))
}

/** What was accepted is written back byte for byte; only the case of the version in the start line may differ. */
function checkIdentity(message: SipMessage, input: Uint8Array): void {
  const written = message.toBytes()
  let start = 0
  while (input[start] === 0x0d || input[start] === 0x0a) start += 1
  const came = Buffer.from(input.subarray(start, start + written.length))
  if (came.equals(written)) return
  const capital = (bytes: Buffer): string => bytes.toString('latin1').replace(/sip\/2\.0/i, 'SIP/2.0')
  must(capital(came) === capital(written), 'accepted bytes come back', () => `${shown(came)} became ${shown(written)}`)
}

function checkEdits(parser: MessageParser, message: SipMessage, probe: Probe): void {
  const bytes = message.toBytes()
  const lines = [...message.headers()]
  const { headBytesMax, headersMax } = defaultParserLimits
  if (message.head.length + editBytes > headBytesMax || lines.length + 2 > headersMax) return
  const via = 'SIP/2.0/UDP x;branch=z9hG4bKy'
  const edited = probe.time('edit', bytes.length, () => message.edit().prepend('Via', via).build().toBytes())
  const again = parser.parseMessage(edited)
  must(again.ok, 'an edit reads back', () => shown(edited))
  must(again.message.via.host === 'x', 'a pushed Via is the top one', () => shown(edited))
  const left = again.message.edit().removeFirst('Via').build().toBytes()
  must(left.equals(bytes), 'what an edit adds can be taken away again', () => `${shown(left)} was ${shown(bytes)}`)
  const changed = message.edit().set('X-A', 'b').set('Max-Forwards', 1).setBody('body', 'text/plain').build().toBytes()
  const other = parser.parseMessage(changed, { datagram: false })
  must(other.ok, 'a new body reads back', () => shown(changed))
  must(
    other.message.get('x-a') === 'b' && Buffer.from(other.message.body).toString() === 'body',
    'a new body is the body',
    () => shown(changed),
  )
  const untouched = [...other.message.headers()].filter(({ name }) => !isChanged(name))
  const expected = lines.filter(({ name }) => !isChanged(name))
  must(JSON.stringify(untouched) === JSON.stringify(expected), 'an edit leaves other headers alone', () =>
    shown(changed),
  )
}

function isChanged(name: string): boolean {
  return ['x-a', 'max-forwards', 'content-type', 'content-length'].includes(canonicalName(name))
}

/** The quick check for servers and the thorough one agree. */
function checkMandatoryAgrees(message: SipMessage, inspection: Inspection, start: number): void {
  const found = checkMandatory(message)
  const all = [...inspection.problems, ...inspection.warnings]
  if (found === undefined) {
    const missed = all.find(({ code, header }) => code === 'HEADER_MISSING' || mandatory.has(header))
    must(missed === undefined, 'checkMandatory finds what inspectMessage finds', () => JSON.stringify(missed))
    const response = message.kind === 'request' ? responseTo(message, 200, { toTag: 't' }) : message
    must(parseMessage(response.toBytes()).ok, 'a response reads back', () => shown(response.toBytes()))
    return
  }
  const isKnown = all.some(
    ({ code, header, offset }) =>
      header === found.header && (code === 'HEADER_MISSING' ? code === found.code : offset === found.offset + start),
  )
  must(isKnown, 'inspectMessage finds what checkMandatory finds', () => JSON.stringify(found))
}

/** A message built anew from the typed parts of a good one has the same typed parts. */
function checkRebuilt(parser: MessageParser, message: SipMessage): void {
  const { from, to, callId, cseq, vias, contacts, routes, recordRoutes } = message
  const headers = [
    ...vias.map((via) => ['Via', via] as const),
    ['From', from] as const,
    ['To', to] as const,
    ['Call-ID', callId] as const,
    ['CSeq', `${cseq.seq} ${cseq.method}`] as const,
    ...contacts.map((contact) => ['Contact', contact] as const),
    ...routes.map((route) => ['Route', route] as const),
    ...recordRoutes.map((route) => ['Record-Route', route] as const),
  ]
  if (headers.length > defaultParserLimits.headersMax - 2) return
  const { body } = message
  const built =
    message.kind === 'request'
      ? createRequest({ method: message.method, uri: message.uri, headers, body })
      : createResponse({ status: message.status, reason: message.reason, headers, body })
  const bytes = built.toBytes()
  if (bytes.length > defaultParserLimits.headBytesMax) return
  const inspection = parser.inspectMessage(bytes, { datagram: false })
  must(
    inspection.ok && inspection.message !== undefined,
    'a rebuilt message is good',
    () => `${shown(bytes)} ${JSON.stringify(inspection.problems)}`,
  )
  const again = inspection.message
  for (const name of ['vias', 'from', 'to', 'contacts', 'routes', 'recordRoutes'] as const) {
    const texts = writtenForms(again[name])
    const expected = writtenForms(message[name])
    must(
      texts.join('\n') === expected.join('\n'),
      `a rebuilt message has the same ${name}`,
      () => `${texts} and ${expected}`,
    )
  }
  must(again.callId === callId && again.cseq.seq === cseq.seq, 'a rebuilt message has the same Call-ID and CSeq', () =>
    shown(bytes),
  )
  must(Buffer.compare(again.body, body) === 0, 'a rebuilt message has the same body', () => shown(bytes))
}

/** What was tolerated can be read again, and is then written as it was. */
function checkTolerated(parser: MessageParser, message: SipMessage, probe: Probe): void {
  const bytes = message.toBytes()
  const { headBytesMax, messageBytesMax } = defaultParserLimits
  // A repair may make a head longer than the limit.
  if (message.head.length > headBytesMax || bytes.length > messageBytesMax) return
  const again = parser.parseMessage(bytes, { leniency: tolerant })
  must(again.ok && again.message.toBytes().equals(bytes), 'what was tolerated reads back', () => shown(bytes))
  const readings: ReadonlyMap<string, Reading> = readAll(message)
  for (const [name, reading] of readings) {
    if ('value' in reading) checkWritten(name, reading.value)
  }
  for (const via of message.vias) {
    // Tabs are white space of the grammar and stay as they came.
    must(
      !/[\0-\x08\x0a-\x1f\x7f]/.test(`${via}`.replace(/"(?:[^"\\]|\\.)*"/gs, '')),
      'a Via is visible',
      () => `${via}`,
    )
  }
  probe.time('typed getters (tolerant)', bytes.length, () =>
    readAll(parser.parseMessage(bytes, { leniency: tolerant }).message ?? message),
  )
}
