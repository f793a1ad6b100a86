/** Byte streams: the same messages and the same end however they are split, and as `parseMessage` sees them. */
import {
  defaultParserLimits,
  type FramerEvent,
  type FramerOptions,
  parseMessage,
  StreamFramer,
  tolerant,
} from '@carillon/sip-parser'
import { mixSeed, mutateStream, SeededGenerator } from '@carillon/sip-parser/testing'
import { must, shown } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { checkProblem } from '../oracles/problem.ts'
import { messageSeeds } from './message-seeds.ts'

/** The framer under test; the fuzzer's own tests put one with a fault in its place. */
export interface Framer {
  readonly isDead: boolean
  readonly isIdle: boolean
  readonly bufferedBytes: number
  push(chunk: Uint8Array): FramerEvent[]
}

/** Makes a framer. */
export type MakeFramer = (options?: FramerOptions) => Framer

/** All that came out of a stream. */
interface Outcome {
  readonly messages: readonly Buffer[]
  readonly end: string
  readonly hasPing: boolean
  readonly error: Extract<FramerEvent, { kind: 'error' }> | undefined
}

/** What `parseMessage` may not say of a message that the framer has cut out. */
const framed = /^(CONTENT_LENGTH_|BODY_|TRAILING_BYTES|HEAD_|MESSAGE_TOO_LARGE|EMPTY_MESSAGE|BARE_LF)/
/** Byte by byte is slow for the test, not for the framer. */
const singleBytesMax = 3_000

/** Makes the target. */
export function streamTarget(make: MakeFramer = (options) => new StreamFramer(options)): Target {
  const keepAlive = Buffer.from('\r\n\r\n')
  const messages = messageSeeds.map((message) => withLength(message))
  const seeds = [
    Buffer.concat(messages.slice(0, 3)),
    Buffer.concat([keepAlive, ...messages.slice(3, 5), keepAlive, keepAlive.subarray(2), ...messages.slice(5, 7)]),
    Buffer.concat(messages),
    ...messages,
  ]
  return { name: 'stream', seeds, mutate: mutateStream, check: (input, probe) => checkStream(make, input, probe) }
}

function withLength(message: Uint8Array): Buffer {
  const text = Buffer.from(message)
    .toString('latin1')
    .replace(/^(?:Content-Length|l)[ \t]*:[^\r]*\r\n/gim, '')
  const bodyAt = text.indexOf('\r\n\r\n') + 2
  if (bodyAt < 2) return Buffer.from(text, 'latin1')
  const length = text.length - bodyAt - 2
  return Buffer.from(`${text.slice(0, bodyAt)}Content-Length: ${length}\r\n${text.slice(bodyAt)}`, 'latin1')
}

function checkStream(make: MakeFramer, input: Uint8Array, probe: Probe): void {
  const before = Buffer.from(input)
  for (const [mode, options] of Object.entries({ s: {}, t: { leniency: tolerant } })) {
    const whole = probe.time(`push (${mode})`, input.length, () => outcomeOf(make(options), [before]))
    note(mode, whole, probe)
    checkMessages(whole, options)
    if (whole.error !== undefined) checkError(whole.error, input, options)
    const generator = new SeededGenerator(
      mixSeed(
        input.length,
        input.reduce((sum, byte) => (sum * 31 + byte) | 0, 7),
      ),
    )
    for (const sizeMax of [300, 40, 5_000]) compare(make, options, before, splits(before, generator, sizeMax), whole)
    if (input.length > singleBytesMax) continue
    const single = Array.from(before, (_, at) => before.subarray(at, at + 1))
    compare(make, options, before, single, whole)
    probe.time(`push by single bytes (${mode})`, input.length, () => outcomeOf(make(options), single))
  }
  // Pieces small enough for copying to show, large enough for the calls not to.
  const pieces = Array.from({ length: Math.ceil(before.length / 64) }, (_, at) =>
    before.subarray(64 * at, 64 * at + 64),
  )
  probe.time('push by 64 bytes', input.length, () => outcomeOf(make(), pieces))
  must(before.equals(input), 'the input is left alone', () => shown(before))
}

function splits(stream: Buffer, generator: SeededGenerator, sizeMax: number): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < stream.length; ) {
    const size = generator.between(generator.once(20) ? 0 : 1, sizeMax)
    chunks.push(stream.subarray(at, at + size))
    at += size
  }
  return chunks
}

/** Any split gives what the whole gives, although each chunk is overwritten once the framer has answered. */
function compare(
  make: MakeFramer,
  options: FramerOptions,
  stream: Buffer,
  chunks: readonly Buffer[],
  whole: Outcome,
): void {
  const found = outcomeOf(make(options), chunks, true)
  const tell = (): string =>
    `${found.messages.length} messages and ${found.end}; whole: ${whole.messages.length} and ${whole.end}`
  const isSame =
    found.messages.length === whole.messages.length &&
    found.messages.every((bytes, at) => bytes.equals(whole.messages[at]!))
  must(isSame, 'any split gives the same messages', tell)
  must(found.end === whole.end, 'any split gives the same end', tell)
  must(found.hasPing === whole.hasPing, 'any split gives the same pings', () => shown(stream))
}

function outcomeOf(framer: Framer, chunks: readonly Uint8Array[], isOverwriting = false): Outcome {
  const messages: Buffer[] = []
  let error: Outcome['error']
  let hasPing = false
  for (const chunk of chunks) {
    const passed = isOverwriting ? Buffer.from(chunk) : chunk
    let pings = 0
    let pongs = 0
    for (const event of framer.push(passed)) {
      must(error === undefined, 'nothing follows an error', () => event.kind)
      if (event.kind === 'message') messages.push(Buffer.from(event.bytes))
      else if (event.kind === 'error') error = event
      else if (event.kind === 'ping') pings += 1
      else pongs += 1
    }
    must(pings <= 1 && pongs <= 1, 'one keep-alive a push at most', () => `${pings} pings, ${pongs} pongs`)
    hasPing ||= pings > 0
    must(framer.isDead === (error !== undefined), 'a framer is dead after an error', () => String(error?.error.code))
    must(
      framer.bufferedBytes <= defaultParserLimits.messageBytesMax,
      'memory is bounded',
      () => `${framer.bufferedBytes}`,
    )
    if (isOverwriting) passed.fill(0x2a)
  }
  const end =
    error === undefined
      ? `${framer.bufferedBytes} bytes left, idle ${framer.isIdle}`
      : `${error.error.code} at ${error.error.offset}`
  return { messages, end, hasPing, error }
}

/** `parseMessage` finds no fault in the framing of what the framer has cut out. */
function checkMessages(outcome: Outcome, options: FramerOptions): void {
  for (const bytes of outcome.messages) {
    const parsed = parseMessage(bytes, { ...options, datagram: false })
    if (parsed.ok) {
      const isWhole = options.leniency !== undefined || parsed.message.toBytes().length === bytes.length
      must(isWhole, 'a framed message is wholly parsed', () => shown(bytes))
    } else {
      must(!framed.test(parsed.error.code), 'framer and parser agree', () => `${parsed.error.code} in ${shown(bytes)}`)
    }
  }
}

/** When the framer refuses a whole head, `parseMessage` refuses it for the same reason. */
function checkError(event: Extract<FramerEvent, { kind: 'error' }>, input: Uint8Array, options: FramerOptions): void {
  const { error, head } = event
  checkProblem(error, input.length)
  if (head === undefined || !error.code.startsWith('CONTENT_LENGTH_')) return
  const parsed = parseMessage(head, { ...options, datagram: false })
  must(!parsed.ok, 'the parser refuses what the framer refuses', () => `${error.code}: ${shown(head)}`)
}

function note(mode: string, outcome: Outcome, probe: Probe): void {
  probe.reach(`${mode} ${Math.min(outcome.messages.length, 12)} messages`)
  probe.reach(
    `${mode} ${outcome.error?.error.code ?? 'open'} ${outcome.hasPing} after ${Math.min(outcome.messages.length, 3)}`,
  )
  for (const bytes of outcome.messages.slice(0, 8)) {
    const parsed = parseMessage(bytes, { datagram: false })
    probe.reach(`${mode} ${parsed.ok ? parsed.message.kind : parsed.error.code}`)
  }
}
