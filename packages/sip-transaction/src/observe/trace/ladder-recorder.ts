/** Collects the messages of a stack, or of a network in memory, by Call-ID, so that a call can be looked at afterwards. */
import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { detachText, parseMessage, type SipMessage } from '@carillon/sip-parser'
import { sdpOf } from '../../endpoint/calls/session-body'
import type { MessageEvent } from '../../endpoint/options'
import type { SipStack } from '../../endpoint/stack'
import { nodeClock } from '../../endpoint/wire/node-ports'
import { defaultTraceLimits, type TraceLimits } from '../../limits'
import type { Clock, FlowAddress } from '../../ports'
import type { MemoryNetwork, MessageFate } from '../../testing/memory-network'
import { AgedMap } from '../../timers/aged-map'
import { callIdOf } from '../call-id'
import { DialogTrace, type TraceStep } from './dialog-trace'
import { maskedMessage } from './masked'
import { summariseSdp } from './sdp-summary'

/** Options of a {@link LadderRecorder}. */
export interface LadderRecorderOptions {
  /** Names of participants by `address:port`, in place of the address: `{ '192.0.2.1:5060': 'alice' }`. */
  readonly names?: Readonly<Record<string, string>>
  /** False for Call-IDs that are not to be recorded. */
  readonly filter?: (callId: string) => boolean
  readonly clock?: Clock
  readonly limits?: Partial<TraceLimits>
}

/** A message as it is remembered: small, and read only when somebody asks. */
interface Recorded {
  readonly atMs: number
  readonly from: string
  readonly to: string
  readonly transport: string
  /** The bytes as Latin-1; repetitions share one text. */
  readonly text: string
  readonly repetition: number
  readonly fate: MessageFate
}

/** The messages of one Call-ID. */
class Recording {
  readonly messages: Recorded[] = []
  bytes = 0
  omitted = 0
  /** The last message of each kind, to find repetitions. */
  readonly latest = new Map<string, Recorded>()

  constructor(readonly startedWallMs: number) {}
}

/** What each message is charged with besides its bytes. */
const messageOverheadBytes = 200

/**
 * Remembers messages by Call-ID, up to caps; what has had no news for longest is forgotten first. Recording costs a copy
 * of each message and the search for its Call-ID, so it is for tests and for the hunt after a fault.
 */
export class LadderRecorder {
  private readonly limits: TraceLimits
  private readonly clock: Clock
  private readonly names: ReadonlyMap<string, string>
  private readonly filter: ((callId: string) => boolean) | undefined
  /** In the order of their latest message. */
  private readonly recordings = new AgedMap<string, Recording>()
  /** Listeners of the stacks that are recorded, and their names. */
  private readonly own = new Map<string, string>()
  private totalBytes = 0

  constructor(options: LadderRecorderOptions = {}) {
    this.limits = { ...defaultTraceLimits, ...options.limits }
    this.clock = options.clock ?? nodeClock
    this.names = new Map(Object.entries(options.names ?? {}))
    this.filter = options.filter
  }

  /** The Call-IDs that are remembered, that of the latest message last. */
  get callIds(): readonly string[] {
    return [...this.recordings.keys()]
  }

  /**
   * Records what a stack sends and receives. All of its sockets are one participant; what two recorded stacks send to
   * each other's listeners is recorded once.
   * @param name of the participant; its first listener when absent
   * @returns a function that stops it
   */
  attach(stack: Pick<SipStack, 'on' | 'listeners'>, name?: string): () => void {
    const [first] = stack.listeners
    const self = name ?? (first === undefined ? 'stack' : this.nameOf(first))
    const keys = stack.listeners.map(addressKey)
    for (const key of keys) this.own.set(key, self)
    const record = (event: MessageEvent) => {
      const { remote, bytes, transport, direction } = event
      const isOut = direction === 'out'
      // The recorded stack that sent it has told already.
      if (!isOut && this.own.has(addressKey(remote))) return
      const peer = this.own.get(addressKey(remote)) ?? this.nameOf(remote)
      this.record(bytes, isOut ? self : peer, isOut ? peer : self, transport, 'sent')
    }
    const stops = [stack.on('messageIn', record), stack.on('messageOut', record)]
    return () => {
      for (const stop of stops) stop()
      for (const key of keys) this.own.delete(key)
    }
  }

  /** Records what is sent on a network in memory, and what was lost. Returns a function that stops it. */
  watch(network: Pick<MemoryNetwork, 'observe'>): () => void {
    return network.observe(({ from, to, bytes, fate }) => {
      this.record(bytes, this.nameOf(from), this.nameOf(to), from.transport, fate)
    })
  }

  /** The trace of a Call-ID, or of several in one: the two sides of a bridge. Undefined when none is remembered. */
  trace(...callIds: readonly string[]): DialogTrace | undefined {
    const found = callIds.flatMap((callId) => {
      const recording = this.recordings.get(callId)
      return recording === undefined ? [] : [{ callId, recording }]
    })
    const messages = found
      .flatMap(({ callId, recording }) => recording.messages.map((message) => ({ callId, message })))
      .sort((one, other) => one.message.atMs - other.message.atMs)
    const [first] = messages
    if (first === undefined) return undefined
    const startedMs = first.message.atMs
    return new DialogTrace(
      found.map(({ callId }) => callId),
      Math.min(...found.map(({ recording }) => recording.startedWallMs)),
      found.reduce((sum, { recording }) => sum + recording.omitted, 0),
      messages.map(({ callId, message }) => stepOf(callId, message, startedMs)),
    )
  }

  /** Forgets everything. */
  clear(): void {
    this.recordings.clear()
    this.totalBytes = 0
  }

  private record(bytes: Uint8Array, from: string, to: string, transport: string, fate: MessageFate): void {
    const callId = callIdOf(bytes)
    if (callId === undefined || this.filter?.(callId) === false) return
    const recording = this.recordingOf(callId)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const key = `${from} ${to} ${text.length} ${crc32(bytes)}`
    const before = recording.latest.get(key)
    const repeated = before?.text === text ? before : undefined
    const message: Recorded = {
      atMs: this.clock.monotonicMs(),
      from,
      to,
      transport,
      text: repeated?.text ?? text,
      repetition: repeated === undefined ? 0 : repeated.repetition + 1,
      fate,
    }
    recording.latest.set(key, message)
    recording.messages.push(message)
    this.charge(recording, chargeOf(message))
    if (recording.messages.length > this.limits.traceMessagesMax) this.shorten(recording)
    while (this.totalBytes > this.limits.traceBytesMax && this.recordings.size > 0) this.forgetOldest()
  }

  private recordingOf(callId: string): Recording {
    const known = this.recordings.get(callId)
    if (known !== undefined) {
      // The latest is always last.
      this.recordings.set(callId, known)
      return known
    }
    if (this.recordings.size >= this.limits.traceDialogsMax) this.forgetOldest()
    const recording = new Recording(this.clock.wallMs())
    this.recordings.set(detachText(callId), recording)
    return recording
  }

  /** Forgets the older half, so that a long dialog does not move its list for each message. */
  private shorten(recording: Recording): void {
    const gone = recording.messages.splice(0, Math.ceil(recording.messages.length / 2))
    recording.omitted += gone.length
    recording.latest.clear()
    for (const message of gone) this.charge(recording, -chargeOf(message))
  }

  private forgetOldest(): void {
    this.totalBytes -= this.recordings.oldestValue?.bytes ?? 0
    this.recordings.deleteOldest()
  }

  private charge(recording: Recording, bytes: number): void {
    recording.bytes += bytes
    this.totalBytes += bytes
  }

  private nameOf(address: FlowAddress): string {
    const key = addressKey(address)
    return this.names.get(key) ?? key
  }
}

function addressKey({ address, port }: FlowAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Repetitions share a text, but may outlive the message that it came with. */
function chargeOf({ text }: Recorded): number {
  return messageOverheadBytes + text.length
}

function stepOf(callId: string, recorded: Recorded, startedMs: number): TraceStep {
  const { from, to, transport, repetition, fate } = recorded
  const message = parseMessage(Buffer.from(recorded.text, 'latin1')).message
  const cseq = message?.decode('cseq')
  const sdp = message === undefined ? undefined : sdpOf(message)
  return {
    atMs: recorded.atMs - startedMs,
    from,
    to,
    transport,
    callId,
    label: labelOf(message),
    method: message?.kind === 'request' ? message.method : cseq?.ok ? cseq.value.method : undefined,
    status: message?.kind === 'response' ? message.status : undefined,
    cseq: cseq?.ok ? cseq.value.seq : undefined,
    hasCredentials: message?.has('Authorization') === true || message?.has('Proxy-Authorization') === true,
    repetition,
    fate,
    sdp: sdp === undefined ? undefined : summariseSdp(sdp),
    message: message === undefined ? undefined : maskedMessage(message),
  }
}

function labelOf(message: SipMessage | undefined): string {
  if (message === undefined) return 'unreadable'
  return message.kind === 'request' ? message.method : `${message.status} ${message.reason}`
}
