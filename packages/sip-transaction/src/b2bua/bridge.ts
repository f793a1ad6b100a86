/**
 * Two dialogs and one state machine: the back-to-back call (RFC 3261 §6 "B2BUA", §13, §14, §15, §16.7 for the choice
 * among failed branches; RFC 3264 §5 to §8 for who offers and who answers). Pure: the driver owns the dialogs, runs the
 * media anchor, and brings back every fact as an input.
 */
import { AnchorCalls } from './anchor-calls'
import { statusForCaller } from './best-response'
import { Branches } from './branches'
import { answeredEnd, cancelledEnd, failedEnd } from './bridge-end'
import type { BridgeEffect, BridgeEnd, BridgeInput, BridgeParty, BridgeSide, BridgeState } from './bridge-types'
import { EarlyMedia } from './early-media'
import { Modification } from './modification'
import { Transfer } from './transfer'

/** Times of one bridge, in milliseconds; Infinity for none. */
export interface BridgeTimes {
  readonly ringTimeoutMs: number
  readonly maxDurationMs: number
}

/** One bridged call. */
export class BridgeMachine {
  private current: BridgeState = 'setup'
  private readonly branches = new Branches()
  private readonly anchors = new AnchorCalls()
  private readonly early = new EarlyMedia()
  private readonly modification: Modification
  private readonly transfer = new Transfer()
  private isLateOffer = false
  private winner = -1
  private isWinnerAcked = false
  private isRinging = false
  private startedAtMs = 0
  private answeredAtMs: number | undefined
  private ringDueMs = Number.POSITIVE_INFINITY
  private durationDueMs = Number.POSITIVE_INFINITY

  constructor(private readonly times: BridgeTimes) {
    this.modification = new Modification((op, side, sdp, out) =>
      this.anchors.ask({ kind: 'modification' }, op, side, sdp, out),
    )
  }

  /** Where the bridge stands. */
  get state(): BridgeState {
    return this.current
  }

  /** Whether a target rings. */
  get hasRung(): boolean {
    return this.isRinging
  }

  /** The target whose early media the caller has; -1 for none. */
  get earlyBranch(): number {
    return this.early.branch
  }

  /** Whether that media is an offer, to be answered in a PRACK. */
  get isEarlyOffer(): boolean {
    return this.early.lateOffer === 'offered'
  }

  /** Whether other places may be called in place of that branch, or of all: nobody has taken part in its media. */
  mayRedirect(branch: number | undefined): boolean {
    const isPending = branch === undefined || this.branches.pending(branch) !== undefined
    return this.current === 'calling' && isPending && this.early.lateOffer === 'none'
  }

  /** When {@link expire} is next due. */
  deadline(): number {
    return Math.min(this.ringDueMs, this.durationDueMs)
  }

  /** Ends the ringing or the call when its time is over. */
  expire(nowMs: number, out: BridgeEffect[]): void {
    if (nowMs >= this.ringDueMs) {
      this.ringDueMs = Number.POSITIVE_INFINITY
      this.fail({ status: this.isRinging ? 480 : 408 }, 'core', 'ring-timeout', out)
    } else if (nowMs >= this.durationDueMs) {
      this.durationDueMs = Number.POSITIVE_INFINITY
      this.hangUp('core', 'max-duration', nowMs, out)
    }
  }

  /** Takes one input and appends what is to be done. */
  handle(input: BridgeInput, nowMs: number, out: BridgeEffect[]): void {
    const { kind } = input
    if (this.current === 'ended') this.handleEnded(input, out)
    else if (kind === 'start') this.start(input.sdp, input.branches, nowMs, out)
    else if (kind === 'refuse') this.refuse(input.status, input.reason, out)
    else if (kind === 'anchored') this.anchored(input.token, input.sdp, nowMs, out)
    else if (kind === 'anchor-failed') this.anchorFailed(input.token, input.status, nowMs, out)
    else if (kind === 'progress') this.progress(input, out)
    else if (kind === 'early-answer') this.earlyAnswer(input.sdp, out)
    else if (kind === 'accepted') this.accepted(input.branch, input.sdp, nowMs, out)
    else if (kind === 'rejected') this.rejected(input.branch, input.status, out)
    else if (kind === 'cancelled') this.cancelled(out)
    else if (kind === 'acknowledged') this.acknowledged(input.side, input.sdp, nowMs, out)
    else if (kind === 'modify') this.modify(input, out)
    else if (kind === 'modify-abandoned') this.modification.abandoned(input.request, out)
    else if (kind === 'modify-answered') this.modification.answered(input.status, input.sdp, out)
    else if (kind === 'redirected') this.redirected(input.branch, input.count, nowMs, out)
    else if (kind === 'transfer') this.transfer.begin(input.side, input.target, this.current === 'active', out)
    else if (kind === 'transfer-failed') this.transferFailed(input.status, nowMs, out)
    else if (kind === 'replaced') this.transfer.done(input.side, input.reason, out)
    else if (kind === 'taken') this.taken(input.side, nowMs, out)
    else if (kind === 'leg-ended') this.legEnded(input.side, input.reason, nowMs, out)
    else this.hangUp('core', input.reason ?? 'hang-up', nowMs, out)
  }

  private refuse(status: number, reason: string, out: BridgeEffect[]): void {
    if (this.current === 'setup') this.fail({ status }, 'core', reason, out)
  }

  private start(sdp: Uint8Array | undefined, branches: number, nowMs: number, out: BridgeEffect[]): void {
    this.startedAtMs = nowMs
    this.ringDueMs = nowMs + this.times.ringTimeoutMs
    this.branches.open(branches)
    this.isLateOffer = sdp === undefined
    if (sdp === undefined) this.inviteAll(undefined, out)
    else this.anchors.ask({ kind: 'initial-offer' }, 'offer', 'a', sdp, out)
  }

  private inviteAll(sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    this.current = 'calling'
    this.branches.invite(sdp, out)
  }

  private anchored(token: number, sdp: Uint8Array, nowMs: number, out: BridgeEffect[]): void {
    const purpose = this.anchors.take(token)
    switch (purpose?.kind) {
      case 'initial-offer':
        this.inviteAll(sdp, out)
        return
      case 'early-answer':
      case 'early-offer':
        this.progressAnchored(purpose.branch, purpose.status, sdp, out)
        return
      case 'early-late-answer':
        if (this.current !== 'calling') return
        this.early.lateOffer = 'agreed'
        this.isLateOffer = false
        out.push({ kind: 'prack', branch: purpose.branch, sdp })
        return
      case 'final-answer':
      case 'late-offer':
        this.acceptCaller(sdp, nowMs, out)
        return
      case 'late-answer':
        this.isWinnerAcked = true
        out.push({ kind: 'ack', side: 'b', sdp })
        this.current = 'active'
        return
      case 'modification':
        if (this.modification.anchored(sdp, out) === 'agreed') this.early.isChanged = true
        return
      case undefined:
    }
  }

  private anchorFailed(token: number, status: number | undefined, nowMs: number, out: BridgeEffect[]): void {
    const purpose = this.anchors.take(token)
    switch (purpose?.kind) {
      case 'initial-offer':
      case 'early-offer':
      case 'early-late-answer':
      case 'final-answer':
      case 'late-offer':
        this.fail({ status: status ?? (purpose.kind === 'initial-offer' ? 488 : 502) }, 'core', 'media', out)
        return
      case 'late-answer':
        this.hangUp('core', 'media', nowMs, out)
        return
      case 'modification':
        if (this.modification.anchorFailed(status ?? 488, out) === 'fatal') this.hangUp('core', 'media', nowMs, out)
        return
      default:
        return
    }
  }

  private progress(input: Extract<BridgeInput, { kind: 'progress' }>, out: BridgeEffect[]): void {
    const { branch: index, status, sdp, isReliable = false } = input
    const branch = this.branches.pending(index)
    if (this.current !== 'calling' || branch === undefined || status === 100) return
    branch.state = 'ringing'
    if (!this.isRinging) {
      this.isRinging = true
      out.push({ kind: 'event', event: { kind: 'ringing', status } })
    }
    const { early } = this
    if (sdp !== undefined && this.isLateOffer && isReliable && early.lateOffer === 'none') {
      // Only one target is asked for its offer before the answer.
      early.branch = index
      early.lateOffer = 'offered'
      this.anchors.ask({ kind: 'early-offer', branch: index, status }, 'offer', 'b', sdp, out)
      return
    }
    // Early media is taken from one branch at a time; once it has been changed by UPDATE, copies say nothing new.
    const isNews = sdp !== undefined && !this.isLateOffer && !early.isSettledWith(index)
    if (isNews && this.branches.mayPlayEarly(index)) {
      branch.earlySdp = sdp
      early.branch = index
      this.anchors.ask({ kind: 'early-answer', branch: index, status }, 'answer', 'b', sdp, out)
    } else {
      out.push({ kind: 'progress', status, branch: index, sdp: undefined })
    }
  }

  private progressAnchored(branch: number, status: number, sdp: Uint8Array, out: BridgeEffect[]): void {
    if (this.current === 'calling' && this.branches.pending(branch) !== undefined)
      out.push({ kind: 'progress', status, branch, sdp })
  }

  private earlyAnswer(sdp: Uint8Array, out: BridgeEffect[]): void {
    if (this.current !== 'calling' || this.early.lateOffer !== 'offered') return
    this.anchors.ask({ kind: 'early-late-answer', branch: this.early.branch }, 'answer', 'a', sdp, out)
  }

  private accepted(index: number, sdp: Uint8Array | undefined, nowMs: number, out: BridgeEffect[]): void {
    const branch = this.branches.at(index)
    if (branch === undefined) return
    if (this.current !== 'calling' || branch.state === 'redirected') {
      if (branch.state !== 'redirected') branch.state = 'left'
      out.push({ kind: 'drop', branch: index })
      return
    }
    this.current = 'answering'
    this.ringDueMs = Number.POSITIVE_INFINITY
    this.winner = index
    branch.state = 'won'
    out.push({ kind: 'adopt', branch: index })
    this.branches.cancel(true, out)
    if (index !== this.early.branch) this.modification.abandon(out, undefined)
    if (this.early.isSettledWith(index)) {
      this.ackWinner(undefined, out)
      this.acceptCaller(undefined, nowMs, out)
      return
    }
    const description = sdp ?? (this.isLateOffer ? undefined : branch.earlySdp)
    if (!this.isLateOffer) this.ackWinner(undefined, out)
    if (description === undefined) {
      this.fail({ status: 502 }, 'core', 'media', out)
      return
    }
    if (this.isLateOffer) this.anchors.ask({ kind: 'late-offer' }, 'offer', 'b', description, out)
    else this.anchors.ask({ kind: 'final-answer' }, 'answer', 'b', description, out)
  }

  private ackWinner(sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    if (this.isWinnerAcked) return
    this.isWinnerAcked = true
    out.push({ kind: 'ack', side: 'b', sdp })
  }

  private acceptCaller(sdp: Uint8Array | undefined, nowMs: number, out: BridgeEffect[]): void {
    if (this.current !== 'answering') return
    this.current = 'acking'
    this.answeredAtMs = nowMs
    this.durationDueMs = nowMs + this.times.maxDurationMs
    this.branches.forget()
    const event = { kind: 'answered', setupMs: nowMs - this.startedAtMs } as const
    out.push({ kind: 'accept', sdp }, { kind: 'event', event })
  }

  private rejected(index: number, status: number, out: BridgeEffect[]): void {
    const branch = this.branches.pending(index)
    if (branch === undefined || this.current !== 'calling') return
    branch.state = 'failed'
    branch.status = status
    if (index === this.early.branch) this.modification.abandon(out, undefined)
    this.early.lost(index)
    const verdict = this.branches.verdict()
    if (verdict !== undefined) this.fail(verdict, 'b', undefined, out)
  }

  private redirected(index: number | undefined, count: number, nowMs: number, out: BridgeEffect[]): void {
    if (!this.mayRedirect(index)) return
    if (index === undefined) this.ringDueMs = nowMs + this.times.ringTimeoutMs
    if (index === undefined || index === this.early.branch) this.modification.abandon(out, undefined)
    this.early.lost(index ?? this.early.branch)
    this.branches.redirect(index, count, out)
  }

  private cancelled(out: BridgeEffect[]): void {
    if (this.current === 'acking' || this.current === 'active') return
    this.branches.cancel(false, out)
    if (this.winner >= 0) out.push({ kind: 'bye', side: 'b', reason: undefined })
    this.modification.abandon(out, 'a')
    this.finish(cancelledEnd, out)
  }

  private acknowledged(side: BridgeSide, sdp: Uint8Array | undefined, nowMs: number, out: BridgeEffect[]): void {
    if (this.current !== 'acking') {
      this.modification.acknowledged(side, sdp, out)
      return
    }
    if (side !== 'a') return
    if (!this.isLateOffer) {
      this.current = 'active'
      return
    }
    if (sdp === undefined) this.hangUp('core', 'media', nowMs, out)
    else if (!this.anchors.has('late-answer')) this.anchors.ask({ kind: 'late-answer' }, 'answer', 'a', sdp, out)
  }

  private modify(input: Extract<BridgeInput, { kind: 'modify' }>, out: BridgeEffect[]): void {
    const isEarly = this.current === 'calling' && input.method === 'UPDATE' && input.sdp !== undefined
    const mayPass = this.current === 'active' || (isEarly && this.early.mayChange(input.branch))
    if (!mayPass || this.modification.isUnderWay) {
      out.push({ kind: 'modify-reply', request: input.request, status: 491, sdp: undefined })
      return
    }
    if (!isEarly) out.push({ kind: 'event', event: { kind: 'reinvite', by: input.side } })
    this.modification.start(input, out)
  }

  private legEnded(side: BridgeSide, reason: string | undefined, nowMs: number, out: BridgeEffect[]): void {
    if (side === 'b' && this.current === 'answering') {
      // The called side left before the caller heard of its answer.
      this.winner = -1
      this.fail({ status: 480 }, 'b', reason, out)
      return
    }
    if (this.current !== 'acking' && this.current !== 'active') {
      if (side === 'a') this.cancelled(out)
      return
    }
    // Who has asked for a transfer may leave before it is decided; the other side waits for it.
    if (this.transfer.left(side)) this.modification.gone(side)
    else this.leave(side, reason, nowMs, out)
  }

  /** One side is gone: so is the call. */
  private leave(side: BridgeSide, reason: string | undefined, nowMs: number, out: BridgeEffect[]): void {
    this.modification.abandon(out, side)
    out.push({ kind: 'bye', side: side === 'a' ? 'b' : 'a', reason })
    this.finishAnswered(side, reason ?? 'hang-up', nowMs, out)
  }

  private transferFailed(status: number, nowMs: number, out: BridgeEffect[]): void {
    if (this.transfer.fail(status, out) === 'end') this.leave(this.transfer.by, 'transfer failed', nowMs, out)
  }

  private taken(side: BridgeSide, nowMs: number, out: BridgeEffect[]): void {
    if (this.current !== 'active') return
    this.modification.abandon(out, side)
    out.push({ kind: 'bye', side: side === 'a' ? 'b' : 'a', reason: 'transferred' })
    this.finishAnswered('core', 'transferred', nowMs, out)
  }

  /** Ends the call from the middle: whatever each side needs by its state. */
  private hangUp(by: BridgeParty, reason: string, nowMs: number, out: BridgeEffect[]): void {
    if (this.current !== 'acking' && this.current !== 'active') {
      // Nobody asked the called side whether it wants to talk: 480 tells the caller that nobody will.
      this.fail({ status: 480 }, by, reason, out)
      return
    }
    this.modification.abandon(out, undefined)
    out.push({ kind: 'bye', side: 'b', reason }, { kind: 'bye', side: 'a', reason })
    this.finishAnswered(by, reason, nowMs, out)
  }

  private finishAnswered(by: BridgeParty, reason: string, nowMs: number, out: BridgeEffect[]): void {
    this.finish(answeredEnd(by, reason, this.startedAtMs, this.answeredAtMs ?? nowMs, nowMs), out)
  }

  /** The call was not answered: tells the caller and leaves every branch. */
  private fail(
    verdict: { readonly status: number; readonly branch?: number },
    by: BridgeParty,
    reason: string | undefined,
    out: BridgeEffect[],
  ): void {
    const { status, branch } = verdict
    this.branches.cancel(false, out)
    if (this.winner >= 0) out.push({ kind: 'bye', side: 'b', reason })
    this.modification.abandon(out, undefined)
    const shown = by === 'core' ? status : statusForCaller(status)
    out.push({ kind: 'reject', status: shown, ...(branch === undefined ? {} : { branch, cause: status }) })
    this.finish(failedEnd(status, by, reason), out)
  }

  private finish(end: BridgeEnd, out: BridgeEffect[]): void {
    this.current = 'ended'
    this.ringDueMs = Number.POSITIVE_INFINITY
    this.durationDueMs = Number.POSITIVE_INFINITY
    this.anchors.clear()
    out.push({ kind: 'event', event: { kind: 'ended', end } }, { kind: 'ended', end })
  }

  /** After the end: late answers are dropped and late requests refused. */
  private handleEnded(input: BridgeInput, out: BridgeEffect[]): void {
    if (input.kind === 'accepted') out.push({ kind: 'drop', branch: input.branch })
    if (input.kind === 'modify') out.push({ kind: 'modify-reply', request: input.request, status: 481, sdp: undefined })
  }
}
