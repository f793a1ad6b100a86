/** A session of the relay, wherever its media is carried: its offers and answers (RFC 3264), its state, its end. */
import type { CloseReason } from '../control/events'
import type { AnswerOptions, OfferOptions } from '../control/offer-options'
import type { SessionSnapshot, StreamSnapshot } from '../control/snapshot'
import { RelayError } from '../errors'
import type { EngineClient, SessionSink } from './engine-client'
import type { EngineEvent, TappedPacket } from './protocol'
import type { TapListener } from './tap'

/** May be given up. */
export interface Abortable {
  /**
   * Gives up waiting: the call rejects with the signal's reason at once. What had begun may still take effect, as an
   * offer that nobody answers does.
   */
  readonly signal?: AbortSignal
}

/** What a session needs of its relay. */
export interface SessionOwner {
  readonly pendingOperationsMax: number
  now(): number
  /** The session takes no more calls; its id is free. */
  left(session: RelaySession): void
  happened(event: EngineEvent): void
}

/** A session of the relay; made by `Relay.createSession`. */
export class RelaySession {
  readonly id: string
  readonly #key: number
  readonly #client: EngineClient
  readonly #owner: SessionOwner
  readonly #createdMs: number
  readonly #listeners = new Set<TapListener>()
  readonly #end: Promise<SessionSnapshot>
  #ended: (snapshot: SessionSnapshot) => void = () => undefined
  readonly #stopListening: () => void
  #pendingCount = 0
  #tapDropped = 0
  #known: SessionSnapshot | undefined
  #isClosed = false

  /** Not for callers: use `Relay.createSession`. */
  constructor(id: string, key: number, client: EngineClient, owner: SessionOwner, signal?: AbortSignal) {
    this.id = id
    this.#key = key
    this.#client = client
    this.#owner = owner
    this.#createdMs = owner.now()
    this.#end = new Promise((resolve) => {
      this.#ended = resolve
    })
    const abort = (): void => this.#finish('aborted')
    signal?.addEventListener('abort', abort, { once: true })
    this.#stopListening = () => signal?.removeEventListener('abort', abort)
    const sink: SessionSink = {
      id,
      happened: (event) => this.#happened(event),
      tapped: (packets, dropped) => this.#tapped(packets, dropped),
      known: (snapshot) => {
        this.#known = snapshot
      },
      lost: (reason) => this.#lost(reason),
    }
    client.open(key, sink)
  }

  /** True once the session is closed or closing. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Packets of taps that were dropped because the listeners were slow; none where the relay has no workers. */
  get tapDropped(): number {
    return this.#tapDropped
  }

  /**
   * Takes an offer of one side; resolves with the offer for the other side. Ports are opened where they are missing,
   * all or none, and stay the same over later offers. Offers and answers take effect in the order of the calls. A
   * `viaBranch` that is new begins a branch, with ports and keys of its own. Rejects with RelayError: the codes of the
   * SDP, NO_INTERFACE, PORTS_EXHAUSTED, SOCKET_FAILED, the codes of branches, SESSION_CLOSED, TOO_MANY_PENDING, and the
   * session then is as it was before; or WORKER_CRASHED, WORKER_TIMEOUT.
   */
  offer(sdp: Uint8Array | string, options: OfferOptions & Abortable): Promise<Uint8Array> {
    const { signal, ...rest } = options
    return this.#call(signal, () =>
      this.#client.request(this.#key, { operation: 'offer', sdp: own(sdp), options: rest }),
    )
  }

  /**
   * Takes the answer of the side that was offered to; resolves with the answer for the offerer. May be called again
   * for the same offer: early answers, then the final one; the last one counts. `final` says that the branch has won,
   * and every other one ends. Rejects with RelayError: the codes of the SDP, NO_OFFER, those of branches (BRANCH_CLOSED
   * where another one has won), SESSION_CLOSED, TOO_MANY_PENDING, WORKER_CRASHED, WORKER_TIMEOUT.
   */
  answer(sdp: Uint8Array | string, options: AnswerOptions & Abortable): Promise<Uint8Array> {
    const { signal, ...rest } = options
    return this.#call(signal, () =>
      this.#client.request(this.#key, { operation: 'answer', sdp: own(sdp), options: rest }),
    )
  }

  /**
   * A branch has won, as if by an answer with `final`, where that answer has no SDP: every other one ends. Rejects with
   * RelayError: NO_OFFER for a branch that never was, BRANCH_INVALID, BRANCH_CLOSED, SESSION_CLOSED, TOO_MANY_PENDING,
   * WORKER_CRASHED, WORKER_TIMEOUT.
   */
  chooseBranch(viaBranch: string): Promise<void> {
    return this.#call(undefined, () => this.#client.request(this.#key, { operation: 'choose-branch', viaBranch }))
  }

  /**
   * Ends one branch, without waiting for offers and answers under way: its ports are given back, and what comes later
   * for it rejects with BRANCH_CLOSED. Resolves with how its media stood; nothing where there is no such branch. The
   * session goes on until it is closed, or for `offerTimeoutMs` without a branch. Rejects with RelayError:
   * BRANCH_INVALID, WORKER_CRASHED, WORKER_TIMEOUT.
   */
  async closeBranch(viaBranch: string): Promise<readonly StreamSnapshot[]> {
    if (this.#isClosed) return []
    try {
      return await this.#client.request(this.#key, { operation: 'close-branch', viaBranch })
    } catch (error) {
      // The session has ended in the meantime, and the branch with it.
      if (this.#isClosed) return []
      throw error
    }
  }

  /** What is known now; after the end the last state. Rejects with WORKER_CRASHED or WORKER_TIMEOUT. */
  async snapshot(): Promise<SessionSnapshot> {
    if (this.#isClosed) return this.#end
    try {
      return await this.#client.snapshot(this.#key)
    } catch (error) {
      // It has ended in the meantime.
      if (this.#isClosed) return this.#end
      throw error
    }
  }

  /** Ends the session: its ports are given back, pending offers reject. Resolves with the last snapshot; again: the same. */
  close(): Promise<SessionSnapshot> {
    this.#finish('closed')
    return this.#end
  }

  /** Same as {@link RelaySession.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Has `listener` called with a copy of each RTP packet that either side sends, until the returned function is called:
   * in clear where the relay has the keys. In workers the copies come in batches, late by some tens of milliseconds,
   * and those that a slow listener cannot take are dropped and counted in `tapDropped`. Listeners observe: nothing they
   * do changes what is forwarded.
   */
  tap(listener: TapListener): () => void {
    const isFirst = this.#listeners.size === 0
    this.#listeners.add(listener)
    if (isFirst && !this.#isClosed) this.#client.tap(this.#key, true)
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0 || this.#isClosed) return
      this.#client.tap(this.#key, false)
    }
  }

  async #call<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    if (this.#isClosed) throw new RelayError('SESSION_CLOSED')
    if (this.#pendingCount >= this.#owner.pendingOperationsMax) throw new RelayError('TOO_MANY_PENDING')
    this.#pendingCount++
    const result = work().finally(() => this.#pendingCount--)
    return signal === undefined ? result : abandonable(result, signal)
  }

  #finish(reason: CloseReason): void {
    if (this.#isClosed) return
    this.#leave()
    this.#client.end(this.#key, reason)
  }

  #leave(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopListening()
    this.#owner.left(this)
  }

  #happened(event: EngineEvent): void {
    if (event.name === 'session-closed') {
      this.#leave()
      this.#listeners.clear()
      this.#ended(event.event.snapshot)
    }
    this.#owner.happened(event)
  }

  #lost(reason: CloseReason): void {
    const ageMs = this.#owner.now() - this.#createdMs
    const known = this.#known ?? { id: this.id, ageMs, streams: [] }
    const snapshot: SessionSnapshot = { ...known, state: 'closed' }
    const event = { sessionId: this.id, reason, snapshot }
    this.#happened({ name: 'session-closed', event })
  }

  #tapped(packets: readonly TappedPacket[], dropped: number): void {
    this.#tapDropped = dropped
    for (const packet of packets) {
      for (const listener of this.#listeners) {
        try {
          listener(packet)
        } catch (error) {
          // The fault is the listener's: it surfaces as an uncaught error of its own, after the relay's work is done.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    }
  }
}

/** A small Buffer is a view of a pool; cloning it for another thread would clone the pool. */
function own(sdp: Uint8Array | string): Uint8Array | string {
  return typeof sdp === 'string' || sdp.byteLength === sdp.buffer.byteLength ? sdp : Uint8Array.from(sdp)
}

function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
