/** The messages of one Call-ID, or of several that belong together, as data and as a ladder. */
import type { MessageFate } from '../../testing/memory-network'
import { drawLadder, type LadderStyle } from './ladder'
import type { MaskedMessage } from './masked'
import type { MediaSummary } from './sdp-summary'

/** One message of a trace. */
export interface TraceStep {
  /** Milliseconds since the first message of the trace. */
  readonly atMs: number
  /** The participants, by name. */
  readonly from: string
  readonly to: string
  readonly transport: string
  readonly callId: string
  /** `INVITE`, or `180 Ringing`. */
  readonly label: string
  /** Of a request, and by CSeq of a response. Undefined when the message could not be read. */
  readonly method: string | undefined
  readonly status: number | undefined
  readonly cseq: number | undefined
  /** Whether the request carries credentials. */
  readonly hasCredentials: boolean
  /** How often the same bytes have gone the same way before: 0 for news, 1 for the first retransmission. */
  readonly repetition: number
  /** What became of it on a network in memory, where that is known. */
  readonly fate: MessageFate
  /** What its session description says; undefined without one. */
  readonly sdp: readonly MediaSummary[] | undefined
  /** The message without its secrets. */
  readonly message: MaskedMessage | undefined
}

/** What {@link DialogTrace.toJSON} gives. */
export interface TraceData {
  readonly callIds: readonly string[]
  /** From left to right. */
  readonly participants: readonly string[]
  /** Wall clock at the first message, ISO 8601. */
  readonly startedAt: string
  readonly durationMs: number
  /** Messages of these Call-IDs that are forgotten: the oldest, over a cap. */
  readonly omitted: number
  readonly steps: readonly TraceStep[]
}

/** A trace as it was when it was asked for; it does not grow. */
export class DialogTrace {
  /** Every message, in order. */
  readonly steps: readonly TraceStep[]
  private readonly callIds: readonly string[]
  private readonly startedWallMs: number
  private readonly omitted: number

  /** @internal */
  constructor(callIds: readonly string[], startedWallMs: number, omitted: number, steps: readonly TraceStep[]) {
    this.callIds = callIds
    this.startedWallMs = startedWallMs
    this.omitted = omitted
    this.steps = steps
  }

  /** Who takes part, in the order in which they appear. */
  get participants(): readonly string[] {
    return [...new Set(this.steps.flatMap(({ from, to }) => [from, to]))]
  }

  /** The ladder: a column for each participant, an arrow for each message, time running down. Holds no secrets. */
  toText(style: LadderStyle = {}): string {
    const { callIds, omitted, participants, steps } = this
    return drawLadder({ callIds, omitted, participants, steps }, style)
  }

  /** Plain data. Credentials and passwords are masked, bodies left out. */
  toJSON(): TraceData {
    return {
      callIds: this.callIds,
      participants: this.participants,
      startedAt: new Date(this.startedWallMs).toISOString(),
      durationMs: this.steps.at(-1)?.atMs ?? 0,
      omitted: this.omitted,
      steps: this.steps,
    }
  }
}
