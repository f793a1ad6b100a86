/**
 * One session: the media of one call between side a and side b. Where a proxy in front forks the call, each branch is
 * between side a and another phone, with ports of its own, until one of them has won. Decides which branch an offer or an
 * answer (RFC 3264) belongs to, and when branches and session end; the branch does the rest.
 */
import { detachText } from '@carillon/sip-parser/sdp'
import { RelayError } from '../errors'
import { viaBranchCharsMax } from '../limits'
import { isOver, type SessionTimeouts, type TimeoutReason } from '../relay/branch-media'
import type { Leg } from '../relay/leg'
import { Branch, type BranchContext } from './branch'
import type { BranchCloseReason, CloseReason } from './events'
import type { AnswerOptions, OfferOptions } from './offer-options'
import { OwnPorts } from './own-ports'
import { type SessionSnapshot, type StreamSnapshot, snapshotOf, streamsOf } from './snapshot'

/** What a session needs from its relay. */
export interface SessionContext extends BranchContext {
  /** Takes what legs have counted that are gone while their session goes on. */
  carried(legs: readonly Leg[]): void
  sessionClosed(session: RelaySession, reason: CloseReason): void
}

const none: readonly never[] = []

/** A session of the relay; made by `Relay.createSession`. */
export class RelaySession {
  readonly id: string
  readonly #context: SessionContext
  readonly #createdMs: number
  readonly #ownPorts = new OwnPorts()
  /** In the order in which they began. An array that is pushed to has room for sixteen more, so it is made anew. */
  #branches: readonly Branch[] = none
  /** One of the branches has won: it is the only one, and takes what does not name a branch. */
  #isDecided = false
  /** The last branches that have ended, by name: what comes late for them opens no ports. */
  #former: readonly string[] = none
  /** Since when the session has no branch, where it has none. */
  #emptySinceMs: number
  #tail: Promise<unknown> = Promise.resolve()
  #pendingCount = 0
  #final: SessionSnapshot | undefined

  /** Not for callers: use `Relay.createSession`. */
  constructor(id: string, context: SessionContext) {
    this.id = id
    this.#context = context
    this.#createdMs = context.clock.monotonicMs()
    this.#emptySinceMs = this.#createdMs
  }

  /** True once the session is closed. */
  get isClosed(): boolean {
    return this.#final !== undefined
  }

  /** The branches that there are, in the order in which they began. */
  get branches(): readonly Branch[] {
    return this.#branches
  }

  /**
   * Takes an offer of one side; resolves with the offer for the other side. Ports are opened where they are missing,
   * all or none, and stay the same over later offers. A `viaBranch` that is new begins a branch. Rejects with
   * RelayError: SDP_INVALID, SDP_INCOMPLETE, SDP_TOO_MANY_MEDIA, NO_INTERFACE, PORTS_EXHAUSTED, SOCKET_FAILED,
   * CRYPTO_UNUSABLE, BRANCH_INVALID, BRANCH_AMBIGUOUS, BRANCH_CLOSED, TOO_MANY_BRANCHES, SESSION_CLOSED,
   * TOO_MANY_PENDING; the session then is as it was before.
   */
  offer(sdp: Uint8Array | string, options: OfferOptions): Promise<Uint8Array> {
    return this.#inTurn(() => this.#offer(sdp, options))
  }

  /**
   * Takes the answer of the side that was offered to; resolves with the answer for the offerer. May be called again
   * for the same offer: early answers, then the final one; the last one counts. With `final` the branch has won.
   * Rejects with RelayError: SDP_INVALID, SDP_INCOMPLETE, SDP_MISMATCH, NO_OFFER, CRYPTO_MISMATCH, BRANCH_INVALID,
   * BRANCH_AMBIGUOUS, BRANCH_CLOSED, SESSION_CLOSED, TOO_MANY_PENDING.
   */
  answer(sdp: Uint8Array | string, options: AnswerOptions): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const branch = this.#known(options.viaBranch)
      const answer = branch.answer(sdp, options)
      if (options.final === true) this.#decide(branch)
      return answer
    })
  }

  /**
   * A branch has won, as if by an answer with `final`: every other one ends. Rejects with RelayError NO_OFFER for a
   * branch that never was, BRANCH_INVALID, BRANCH_CLOSED, SESSION_CLOSED, TOO_MANY_PENDING.
   */
  chooseBranch(viaBranch: string): Promise<void> {
    return this.#inTurn(async () => {
      const branch = this.#known(viaBranch)
      if (!this.#isDecided) branch.choose()
      this.#decide(branch)
    })
  }

  /**
   * Ends one branch at once, and none other: its ports are given back, and what comes later for it rejects with
   * BRANCH_CLOSED, be it that its offer is still to come. Returns how its media stood; nothing where there is no such
   * branch. The session goes on, with its last branch gone too. Throws RelayError BRANCH_INVALID.
   */
  closeBranch(viaBranch: string): readonly StreamSnapshot[] {
    checkName(viaBranch)
    const branch = this.#branches.find((one) => one.viaBranch === viaBranch)
    if (branch !== undefined && !this.isClosed) return this.#end(branch, 'closed')
    this.#forget(viaBranch)
    return []
  }

  /** What is known now; after `close` the state at closing. `isBrief` leaves histories out. */
  snapshot(isBrief = false): SessionSnapshot {
    return this.#final ?? this.#snapshot(false, isBrief)
  }

  /** Ends the session: its ports are given back at once, pending offers reject. Again: the same last snapshot. */
  close(): SessionSnapshot {
    return this.end('closed')
  }

  /** Not for callers: closes with a reason. */
  end(reason: CloseReason): SessionSnapshot {
    if (this.#final !== undefined) return this.#final
    const nowMs = this.#context.clock.monotonicMs()
    for (const { media } of this.#branches) media.finish(nowMs)
    const final = this.#snapshot(true)
    this.#final = final
    for (const branch of this.#branches) branch.close()
    this.#context.sessionClosed(this, reason)
    return final
  }

  /** Not for callers: what is due by the clock. */
  check(nowMs: number, timeouts: SessionTimeouts): void {
    if (this.isClosed) return
    if (isOver(nowMs - this.#createdMs, timeouts.maxDurationMs)) this.#timeOut('duration')
    else if (this.#branches.length > 0) for (const branch of this.#branches) this.#check(branch, nowMs, timeouts)
    else if (isOver(nowMs - this.#emptySinceMs, timeouts.offerTimeoutMs)) this.#timeOut('offer')
  }

  /** Not for callers: every leg of the branches that there are, closed ones included. */
  legs(): readonly Leg[] {
    return this.#branches.flatMap(({ media }) => media.legs())
  }

  /** Not for callers: resolves when no offer or answer is in work. */
  async idle(): Promise<void> {
    await this.#tail
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.isClosed) return Promise.reject(new RelayError('SESSION_CLOSED'))
    if (this.#pendingCount >= this.#context.limits.pendingOperationsMax) {
      return Promise.reject(new RelayError('TOO_MANY_PENDING'))
    }
    this.#pendingCount++
    const turn = this.#tail.then(() => {
      if (this.isClosed) throw new RelayError('SESSION_CLOSED')
      return work()
    })
    this.#tail = turn.then(
      () => this.#pendingCount--,
      () => this.#pendingCount--,
    )
    return turn
  }

  async #offer(sdp: Uint8Array | string, options: OfferOptions): Promise<Uint8Array> {
    const known = this.#find(options.viaBranch)
    const branch = known ?? this.#begin(options.viaBranch)
    try {
      return await branch.offer(sdp, options)
    } catch (error) {
      // A branch that never came to be takes no place, and may be tried again.
      if (known === undefined) this.#remove(branch)
      throw this.isClosed ? new RelayError('SESSION_CLOSED') : error
    }
  }

  /** The branch that is meant; undefined when there is none and it may begin. */
  #find(viaBranch: string | undefined): Branch | undefined {
    if (viaBranch !== undefined) checkName(viaBranch)
    const named = this.#branches.find((branch) => branch.viaBranch === viaBranch)
    if (named !== undefined) return named
    if (viaBranch === undefined) {
      if (this.#branches.length > 1) throw new RelayError('BRANCH_AMBIGUOUS')
      return this.#branches[0]
    }
    if (this.#isDecided || this.#former.includes(viaBranch)) throw new RelayError('BRANCH_CLOSED')
    return undefined
  }

  #known(viaBranch: string | undefined): Branch {
    const branch = this.#find(viaBranch)
    if (branch === undefined) throw new RelayError('NO_OFFER')
    return branch
  }

  #begin(viaBranch: string | undefined): Branch {
    if (this.#branches.length >= this.#context.limits.branchesPerSessionMax) throw new RelayError('TOO_MANY_BRANCHES')
    const name = viaBranch === undefined ? undefined : detachText(viaBranch)
    const branch = new Branch(this.id, name, this.#context, this.#ownPorts)
    this.#branches = [...this.#branches, branch]
    return branch
  }

  #decide(winner: Branch): void {
    this.#isDecided = true
    for (const branch of this.#branches) {
      // A listener may have closed the session.
      if (branch !== winner && !this.isClosed) this.#end(branch, 'lost')
    }
  }

  #check(branch: Branch, nowMs: number, timeouts: SessionTimeouts): void {
    // A listener may have ended it, or the session.
    if (this.isClosed || !this.#branches.includes(branch)) return
    const reason = branch.check(nowMs, this.#branches.length === 1, timeouts)
    if (reason === undefined || this.isClosed || !this.#branches.includes(branch)) return
    if (this.#branches.length > 1) this.#end(branch, 'offer')
    else this.#timeOut(reason)
  }

  #timeOut(reason: TimeoutReason): void {
    this.#context.emitter.emit('session-timeout', { sessionId: this.id, reason })
    this.end(reason)
  }

  /** Ends a branch while the session goes on. */
  #end(branch: Branch, reason: BranchCloseReason): readonly StreamSnapshot[] {
    const nowMs = this.#context.clock.monotonicMs()
    branch.media.finish(nowMs)
    const streams = streamsOf(branch, nowMs)
    if (branch.viaBranch !== undefined) this.#forget(branch.viaBranch)
    this.#remove(branch)
    if (this.#branches.length === 0) {
      this.#isDecided = false
      this.#emptySinceMs = nowMs
    }
    this.#context.carried(branch.media.legs())
    this.#context.emitter.emit('branch-closed', { ...branch.name, reason, streams })
    return streams
  }

  #remove(branch: Branch): void {
    this.#branches = this.#branches.filter((one) => one !== branch)
    branch.close()
  }

  #forget(viaBranch: string): void {
    const others = this.#former.filter((name) => name !== viaBranch)
    this.#former = [...others, detachText(viaBranch)].slice(-this.#context.limits.branchesPerSessionMax)
  }

  #snapshot(isClosed: boolean, isBrief = false): SessionSnapshot {
    const shown = { id: this.id, createdMs: this.#createdMs, isClosed, branches: this.#branches }
    return snapshotOf(shown, this.#context.clock.monotonicMs(), isBrief)
  }
}

function checkName(viaBranch: string): void {
  if (viaBranch === '' || viaBranch.length > viaBranchCharsMax) throw new RelayError('BRANCH_INVALID')
}
