/**
 * What the thread that owns a relay and its workers tell each other. Everything is plain data (structured clone); no
 * packet of a call crosses, but copies of those that a tap asks for.
 */
import type { EngineStats } from '../control/engine'
import type { CloseReason, RelayEvents } from '../control/events'
import type { AnswerOptions, OfferOptions } from '../control/offer-options'
import type { RelayOptions } from '../control/options'
import type { SessionSnapshot, StreamSnapshot } from '../control/snapshot'
import type { Side } from '../relay/leg'

/** Events that an engine has; the others are about workers. */
export type EngineEvents = Omit<RelayEvents, 'worker-crashed' | 'worker-restarted'>

/** What a worker is started with. */
export interface WorkerStart {
  readonly options: RelayOptions
  /**
   * What is known of each pair of ports, by interface. Over shared memory, so that it outlives a crash: the ports that a
   * worker held then rest before the next one uses them.
   */
  readonly portStates: readonly Uint8Array[]
}

/** What is asked of a session. */
export type SessionRequest =
  | { readonly operation: 'offer'; readonly sdp: Uint8Array | string; readonly options: OfferOptions }
  | { readonly operation: 'answer'; readonly sdp: Uint8Array | string; readonly options: AnswerOptions }
  | { readonly operation: 'choose-branch'; readonly viaBranch: string }
  | { readonly operation: 'close-branch'; readonly viaBranch: string }
  | { readonly operation: 'snapshot' }

/** What a request of each kind is answered with. */
export interface SessionReplies {
  readonly offer: Uint8Array
  readonly answer: Uint8Array
  readonly 'choose-branch': undefined
  readonly 'close-branch': readonly StreamSnapshot[]
  readonly snapshot: SessionSnapshot
}

/** To a worker. `key` names a session: it is never used twice, whatever ids sessions have. */
export type ToWorker =
  | { readonly kind: 'open'; readonly key: number; readonly id: string }
  | { readonly kind: 'request'; readonly request: number; readonly key: number; readonly body: SessionRequest }
  | { readonly kind: 'end'; readonly key: number; readonly reason: CloseReason }
  | { readonly kind: 'stats'; readonly request: number }
  | { readonly kind: 'tap'; readonly key: number; readonly isOn: boolean }
  | { readonly kind: 'tapped'; readonly key: number; readonly count: number }
  | { readonly kind: 'close' }

/** An error on its way between threads. */
export interface ErrorMessage {
  readonly code: string | undefined
  readonly message: string
}

/** One packet of a tap. The bytes are a copy, and the receiver's own. */
export interface TappedPacket {
  /** The branch that it belongs to, where that has a name. */
  readonly viaBranch?: string
  readonly stream: number
  /** The side that the packet came from. */
  readonly side: Side
  /** RTP as it was sent, decrypted where the relay has the keys. */
  readonly packet: Uint8Array
  /** When it came, in milliseconds of the monotonic clock of the thread that carries the session. */
  readonly atMs: number
}

/** An event of an engine, by name. */
export type EngineEvent = {
  [K in keyof EngineEvents]: { readonly name: K; readonly event: EngineEvents[K] }
}[keyof EngineEvents]

/** From a worker. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly error: ErrorMessage }
  | {
      readonly kind: 'reply'
      readonly request: number
      readonly value: SessionReplies[keyof SessionReplies] | EngineStats
    }
  | { readonly kind: 'failure'; readonly request: number; readonly error: ErrorMessage | Error }
  | { readonly kind: 'event'; readonly key: number; readonly event: EngineEvent }
  | {
      readonly kind: 'report'
      readonly stats: EngineStats
      readonly heapBytes: number
      readonly snapshots: readonly { readonly key: number; readonly snapshot: SessionSnapshot }[]
    }
  | {
      readonly kind: 'tap'
      readonly key: number
      readonly packets: readonly TappedPacket[]
      /** Packets that found the queue full, since the tap began. */
      readonly dropped: number
    }
  | { readonly kind: 'closed' }
