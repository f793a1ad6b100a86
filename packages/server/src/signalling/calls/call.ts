/**
 * One call between extensions, from the INVITE to its record.
 */
import type { Bridge, BridgeEvent } from '@carillon/sip-transaction'
import type { MediaSession } from '../../media/port'
import { type CallRecord, callRecord, type Disposition, type HangUpSide } from './call-record'

/** A call that lives. */
export class LiveCall {
  readonly startMs: number
  #answerMs: number | undefined
  #bridge: Bridge | undefined
  #hangUpReason: string | undefined

  constructor(
    /** The caller's Call-ID, cut to a length fit for the log. */
    readonly callId: string,
    readonly source: string,
    readonly destination: string,
    readonly media: MediaSession,
    private readonly wallMs: () => number,
  ) {
    this.startMs = wallMs()
  }

  /** The call has its bridge; if it was to be hung up meanwhile, that happens now. */
  attach(bridge: Bridge): void {
    this.#bridge = bridge
    if (this.#hangUpReason !== undefined) void bridge.hangup(this.#hangUpReason)
  }

  /** Hangs up both sides, at once or as soon as there is something to hang up. */
  hangUp(reason: string): void {
    this.#hangUpReason ??= reason
    void this.#bridge?.hangup(reason)
  }

  /** Takes note of what the bridge reports. */
  observe(event: BridgeEvent): void {
    if (event.kind === 'answered') this.#answerMs ??= this.wallMs()
  }

  /** The record of the call, which is over. */
  async record(end: {
    readonly disposition: string
    readonly status: number
    readonly by: 'a' | 'b' | 'core'
  }): Promise<CallRecord> {
    const endMs = this.wallMs()
    const media = await this.media.report().catch(() => undefined)
    return callRecord({
      callId: this.callId,
      source: this.source,
      destination: this.destination,
      startMs: this.startMs,
      answerMs: this.#answerMs,
      endMs,
      disposition: end.disposition === 'CANCELLED' ? 'NO ANSWER' : (end.disposition as Disposition),
      sipStatus: end.status,
      hangUpSide: SIDES[end.by],
      media,
    })
  }
}

const SIDES: Readonly<Record<'a' | 'b' | 'core', HangUpSide>> = { a: 'source', b: 'destination', core: 'server' }
