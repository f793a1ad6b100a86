/**
 * Two dialogs and one state machine: the back-to-back call (RFC 3261 §6 "B2BUA", §13, §14, §15, §16.7 for the choice
 * among failed branches; RFC 3264 §5 to §8 for who offers and who answers). Pure: the driver owns the dialogs, runs the
 * media anchor, and brings back every fact as an input.
 */
import { dispositionOf, statusForCaller } from './best-response'
import { Branches } from './branches'
import type { BridgeEffect, BridgeEnd, BridgeInput, BridgeParty, BridgeSide } from './bridge-types'
import { Modification } from './modification'

/** Where a bridge stands. */
export type BridgeState =
  /** Not started, or the offer is with the media anchor. */
  | 'setup'
  /** The targets have been invited. */
  | 'calling'
  /** A target answered; its answer is with the media anchor. */
  | 'answering'
  /** The caller got the 2xx; its ACK has not come. */
  | 'acking'
  | 'active'
  | 'ended'

/** Times of one bridge, in milliseconds; Infinity for none. */
export interface BridgeTimes {
  readonly ringTimeoutMs: number
  readonly maxDurationMs: number
}

type Purpose =
  | { readonly kind: 'initial-offer' }
  | { readonly kind: 'early-answer'; readonly branch: number; readonly status: number }
  | { readonly kind: 'final-answer' }
  | { readonly kind: 'late-offer' }
  | { readonly kind: 'late-answer' }
  | { readonly kind: 'modification' }

/** One bridged call. */
export class BridgeMachine {
  private current: BridgeState = 'setup'
  private readonly branches = new Branches()
  private readonly purposes = new Map<number, Purpose>()
  private readonly modification: Modification
  private nextToken = 1
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
      this.anchor({ kind: 'modification' }, op, side, sdp, out),
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

  /** When {@link expire} is next due. */
  deadline(): number {
    return Math.min(this.ringDueMs, this.durationDueMs)
  }

  /** Ends the ringing or the call when its time is over. */
  expire(nowMs: number, out: BridgeEffect[]): void {
    if (nowMs >= this.ringDueMs) {
      this.ringDueMs = Number.POSITIVE_INFINITY
      const status = this.isRinging ? 480 : 408
      this.fail(status, 'core', 'ring-timeout', nowMs, out)
    } else if (nowMs >= this.durationDueMs) {
      this.durationDueMs = Number.POSITIVE_INFINITY
      this.hangUp('core', 'max-duration', nowMs, out)
    }
  }

  /** Takes one input and appends what is to be done. */
  handle(input: BridgeInput, nowMs: number, out: BridgeEffect[]): void {
    if (this.current === 'ended') {
      this.handleEnded(input, out)
      return
    }
    switch (input.kind) {
      case 'start':
        this.start(input.sdp, input.branches, nowMs, out)
        return
      case 'refuse':
        if (this.current === 'setup') this.fail(input.status, 'core', input.reason, nowMs, out)
        return
      case 'anchored':
        this.anchored(input.token, input.sdp, nowMs, out)
        return
      case 'anchor-failed':
        this.anchorFailed(input.token, input.status, nowMs, out)
        return
      case 'progress':
        this.progress(input.branch, input.status, input.sdp, out)
        return
      case 'accepted':
        this.accepted(input.branch, input.sdp, nowMs, out)
        return
      case 'rejected':
        this.rejected(input.branch, input.status, nowMs, out)
        return
      case 'cancelled':
        this.cancelled(nowMs, out)
        return
      case 'acknowledged':
        this.acknowledged(input.side, input.sdp, nowMs, out)
        return
      case 'modify':
        this.modify(input, out)
        return
      case 'modify-abandoned':
        this.modification.abandoned(input.request, out)
        return
      case 'modify-answered':
        this.modification.answered(input.status, input.sdp, out)
        return
      case 'leg-ended':
        this.legEnded(input.side, input.reason, nowMs, out)
        return
      case 'hangup':
        this.hangUp('core', input.reason ?? 'hang-up', nowMs, out)
        return
    }
  }

  private start(sdp: Uint8Array | undefined, branches: number, nowMs: number, out: BridgeEffect[]): void {
    this.startedAtMs = nowMs
    this.ringDueMs = nowMs + this.times.ringTimeoutMs
    this.branches.open(branches)
    this.isLateOffer = sdp === undefined
    if (sdp === undefined) this.inviteAll(undefined, out)
    else this.anchor({ kind: 'initial-offer' }, 'offer', 'a', sdp, out)
  }

  private inviteAll(sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    this.current = 'calling'
    this.branches.invite(sdp, out)
  }

  private anchor(
    purpose: Purpose,
    op: 'offer' | 'answer',
    side: BridgeSide,
    sdp: Uint8Array,
    out: BridgeEffect[],
  ): void {
    const token = this.nextToken
    this.nextToken += 1
    this.purposes.set(token, purpose)
    out.push({ kind: 'anchor', token, op, side, sdp })
  }

  private anchored(token: number, sdp: Uint8Array, nowMs: number, out: BridgeEffect[]): void {
    const purpose = this.purposes.get(token)
    this.purposes.delete(token)
    switch (purpose?.kind) {
      case 'initial-offer':
        this.inviteAll(sdp, out)
        return
      case 'early-answer':
        if (this.current === 'calling' && this.branches.pending(purpose.branch) !== undefined) {
          out.push({ kind: 'progress', status: purpose.status, branch: purpose.branch, sdp })
        }
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
        this.modification.anchored(sdp, out)
        return
      case undefined:
    }
  }

  private anchorFailed(token: number, status: number | undefined, nowMs: number, out: BridgeEffect[]): void {
    const purpose = this.purposes.get(token)
    this.purposes.delete(token)
    switch (purpose?.kind) {
      case 'initial-offer':
        this.fail(status ?? 488, 'core', 'media', nowMs, out)
        return
      case 'final-answer':
      case 'late-offer':
        this.fail(status ?? 502, 'core', 'media', nowMs, out)
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

  private progress(index: number, status: number, sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    const branch = this.branches.pending(index)
    if (this.current !== 'calling' || branch === undefined || status === 100) return
    branch.state = 'ringing'
    if (!this.isRinging) {
      this.isRinging = true
      out.push({ kind: 'event', event: { kind: 'ringing', status } })
    }
    // Early media is taken from one branch at a time; a body before any offer of ours cannot be an answer.
    const isEarlyMedia = sdp !== undefined && !this.isLateOffer && this.branches.mayPlayEarly(index)
    if (isEarlyMedia) {
      branch.earlySdp = sdp
      this.anchor({ kind: 'early-answer', branch: index, status }, 'answer', 'b', sdp, out)
    } else {
      out.push({ kind: 'progress', status, branch: index, sdp: undefined })
    }
  }

  private accepted(index: number, sdp: Uint8Array | undefined, nowMs: number, out: BridgeEffect[]): void {
    const branch = this.branches.at(index)
    if (branch === undefined) return
    if (this.current !== 'calling') {
      branch.state = 'left'
      out.push({ kind: 'drop', branch: index })
      return
    }
    this.current = 'answering'
    this.ringDueMs = Number.POSITIVE_INFINITY
    this.winner = index
    branch.state = 'won'
    out.push({ kind: 'adopt', branch: index })
    this.branches.cancel(true, out)
    const description = sdp ?? (this.isLateOffer ? undefined : branch.earlySdp)
    if (!this.isLateOffer) this.ackWinner(undefined, out)
    if (description === undefined) {
      this.fail(502, 'core', 'media', nowMs, out)
      return
    }
    if (this.isLateOffer) this.anchor({ kind: 'late-offer' }, 'offer', 'b', description, out)
    else this.anchor({ kind: 'final-answer' }, 'answer', 'b', description, out)
  }

  private ackWinner(sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    if (this.isWinnerAcked) return
    this.isWinnerAcked = true
    out.push({ kind: 'ack', side: 'b', sdp })
  }

  private acceptCaller(sdp: Uint8Array, nowMs: number, out: BridgeEffect[]): void {
    if (this.current !== 'answering') return
    this.current = 'acking'
    this.answeredAtMs = nowMs
    this.durationDueMs = nowMs + this.times.maxDurationMs
    out.push({ kind: 'accept', sdp })
    out.push({ kind: 'event', event: { kind: 'answered', setupMs: nowMs - this.startedAtMs } })
  }

  private rejected(index: number, status: number, nowMs: number, out: BridgeEffect[]): void {
    const branch = this.branches.pending(index)
    if (branch === undefined || this.current !== 'calling') return
    branch.state = 'failed'
    branch.status = status
    const verdict = this.branches.verdict()
    if (verdict !== undefined) this.fail(verdict, 'b', undefined, nowMs, out)
  }

  private cancelled(nowMs: number, out: BridgeEffect[]): void {
    if (this.current === 'acking' || this.current === 'active') return
    this.branches.cancel(false, out)
    if (this.winner >= 0) out.push({ kind: 'bye', side: 'b', reason: undefined })
    const end = { disposition: 'CANCELLED', status: 487, by: 'a', durationMs: 0 } as const
    this.finish({ ...end, setupMs: undefined }, nowMs, out)
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
    else if (![...this.purposes.values()].some((purpose) => purpose.kind === 'late-answer')) {
      this.anchor({ kind: 'late-answer' }, 'answer', 'a', sdp, out)
    }
  }

  private modify(input: Extract<BridgeInput, { kind: 'modify' }>, out: BridgeEffect[]): void {
    if (this.current !== 'active' || this.modification.isUnderWay) {
      out.push({ kind: 'modify-reply', request: input.request, status: 491, sdp: undefined })
      return
    }
    out.push({ kind: 'event', event: { kind: 'reinvite', by: input.side } })
    this.modification.start(input, out)
  }

  private legEnded(side: BridgeSide, reason: string | undefined, nowMs: number, out: BridgeEffect[]): void {
    if (side === 'b' && this.current === 'answering') {
      // The called side left before the caller heard of its answer.
      this.winner = -1
      this.fail(480, 'b', reason, nowMs, out)
      return
    }
    const other = side === 'a' ? 'b' : 'a'
    if (this.current !== 'acking' && this.current !== 'active') {
      this.cancelled(nowMs, out)
      return
    }
    this.modification.abandon(out, side)
    out.push({ kind: 'bye', side: other, reason })
    this.finish(this.answeredEnd(side, reason ?? 'hang-up', nowMs), nowMs, out)
  }

  /** Ends the call from the middle: whatever each side needs by its state. */
  private hangUp(by: BridgeParty, reason: string, nowMs: number, out: BridgeEffect[]): void {
    if (this.current !== 'acking' && this.current !== 'active') {
      // Nobody asked the called side whether it wants to talk: 480 tells the caller that nobody will.
      this.fail(480, by, reason, nowMs, out)
      return
    }
    this.modification.abandon(out, undefined)
    out.push({ kind: 'bye', side: 'b', reason }, { kind: 'bye', side: 'a', reason })
    this.finish(this.answeredEnd(by, reason, nowMs), nowMs, out)
  }

  private answeredEnd(by: BridgeParty, reason: string, nowMs: number): EndDraft {
    const answeredAtMs = this.answeredAtMs ?? nowMs
    return {
      disposition: 'ANSWERED',
      status: 200,
      by,
      setupMs: answeredAtMs - this.startedAtMs,
      durationMs: nowMs - answeredAtMs,
      reason,
    }
  }

  /** The call was not answered: tells the caller and leaves every branch. */
  private fail(status: number, by: BridgeParty, reason: string | undefined, nowMs: number, out: BridgeEffect[]): void {
    this.branches.cancel(false, out)
    if (this.winner >= 0) out.push({ kind: 'bye', side: 'b', reason })
    out.push({ kind: 'reject', status: by === 'core' ? status : statusForCaller(status) })
    this.finish(
      { disposition: dispositionOf(status), status, by, setupMs: undefined, durationMs: 0, reason },
      nowMs,
      out,
    )
  }

  private finish(draft: EndDraft, _nowMs: number, out: BridgeEffect[]): void {
    this.current = 'ended'
    this.ringDueMs = Number.POSITIVE_INFINITY
    this.durationDueMs = Number.POSITIVE_INFINITY
    this.purposes.clear()
    const { setupMs, reason, ...rest } = draft
    const end: BridgeEnd = {
      ...rest,
      ...(setupMs === undefined ? {} : { setupMs }),
      ...(reason === undefined ? {} : { reason }),
    }
    out.push({ kind: 'event', event: { kind: 'ended', end } }, { kind: 'ended', end })
  }

  /** After the end: late answers are dropped and late requests refused. */
  private handleEnded(input: BridgeInput, out: BridgeEffect[]): void {
    if (input.kind === 'accepted') out.push({ kind: 'drop', branch: input.branch })
    if (input.kind === 'modify') out.push({ kind: 'modify-reply', request: input.request, status: 481, sdp: undefined })
  }
}

interface EndDraft {
  readonly disposition: BridgeEnd['disposition']
  readonly status: number
  readonly by: BridgeParty
  readonly setupMs: number | undefined
  readonly durationMs: number
  readonly reason?: string | undefined
}
