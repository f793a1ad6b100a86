/**
 * A re-INVITE or UPDATE on its way through a bridge: offered by one side, answered by the other, in both orders of
 * offer and answer (RFC 3261 §14, RFC 3264 §8, RFC 3311). One at a time; the bridge refuses a second one with 491.
 */

import { isHolding } from '../dialog/hold'
import type { BridgeEffect, BridgeInput, BridgeSide } from './bridge-types'

type AnchorCall = (op: 'offer' | 'answer', side: BridgeSide, sdp: Uint8Array, out: BridgeEffect[]) => void

type Phase =
  /** The offer is with the media anchor. */
  | 'anchoring-offer'
  /** The request is with the other side. */
  | 'asking'
  /** The other side's answer is with the media anchor. */
  | 'anchoring-answer'
  /** The other side made the offer (late offer); it is with the media anchor. */
  | 'anchoring-late-offer'
  /** The asking side got 2xx; its ACK has not come. */
  | 'acking'
  /** The answer of its ACK is with the media anchor. */
  | 'anchoring-late-answer'

interface Work {
  readonly from: BridgeSide
  readonly to: BridgeSide
  readonly method: 'INVITE' | 'UPDATE'
  readonly request: number
  readonly isLateOffer: boolean
  phase: Phase
  /** How the other side is asked: by UPDATE only as long as it knows that. */
  asked: 'INVITE' | 'UPDATE'
  /** The anchored offer, as the other side gets it. */
  offer: Uint8Array | undefined
  /** The asking side has gone back on its request, so that no answer is due to it. */
  isAbandoned: boolean
  /** The side that offers, and whether its offer puts the other one on hold. */
  hold: { readonly by: BridgeSide; readonly isHeld: boolean } | undefined
}

/** The modification under way, if any. */
export class Modification {
  private work: Work | undefined
  private readonly holds = { a: false, b: false }

  constructor(private readonly anchor: AnchorCall) {}

  /** Whether one is under way. */
  get isUnderWay(): boolean {
    return this.work !== undefined
  }

  /** A modification came from one side. */
  start(input: Extract<BridgeInput, { kind: 'modify' }>, out: BridgeEffect[]): void {
    const to = input.side === 'a' ? 'b' : 'a'
    const isLateOffer = input.sdp === undefined && input.method === 'INVITE'
    const { side: from, method, request } = input
    const base = {
      from,
      to,
      method,
      request,
      isLateOffer,
      asked: method,
      offer: undefined,
      isAbandoned: false,
      hold: input.sdp === undefined ? undefined : { by: from, isHeld: isHolding(input.sdp) },
    } as const
    if (input.sdp === undefined) {
      this.work = { ...base, phase: 'asking' }
      out.push({ kind: 'modify', side: to, method: input.method, sdp: undefined })
    } else {
      this.work = { ...base, phase: 'anchoring-offer' }
      this.anchor('offer', input.side, input.sdp, out)
    }
  }

  /** The media anchor has done what the current phase asked of it; `agreed` when both sides have the new session now. */
  anchored(sdp: Uint8Array, out: BridgeEffect[]): 'agreed' | undefined {
    const work = this.work
    if (work === undefined) return undefined
    if (work.phase === 'anchoring-offer') {
      if (work.isAbandoned) {
        this.work = undefined
        return undefined
      }
      work.phase = 'asking'
      work.offer = sdp
      out.push({ kind: 'modify', side: work.to, method: work.method, sdp })
    } else if (work.phase === 'anchoring-answer') {
      this.replyFinal(work, sdp, out)
      return 'agreed'
    } else if (work.phase === 'anchoring-late-offer') {
      this.replyFinal(work, sdp, out)
    } else if (work.phase === 'anchoring-late-answer') {
      this.work = undefined
      out.push({ kind: 'ack', side: work.to, sdp })
    }
    return undefined
  }

  /** The media anchor refused. `fatal` when the sides no longer agree on the media and the call must end. */
  anchorFailed(status: number, out: BridgeEffect[]): 'refused' | 'fatal' {
    const work = this.work
    if (work === undefined) return 'refused'
    if (work.phase === 'anchoring-offer') {
      this.work = undefined
      out.push({ kind: 'modify-reply', request: work.request, status, sdp: undefined })
      return 'refused'
    }
    // From here on one side has already taken the new description.
    return 'fatal'
  }

  /** The asking side cancelled: so does the bridge, and what the other side answers to it stays here. */
  abandoned(request: number, out: BridgeEffect[]): void {
    const work = this.work
    if (work === undefined || work.request !== request || work.isAbandoned) return
    work.isAbandoned = true
    if (work.phase === 'asking') out.push({ kind: 'modify-cancel', side: work.to })
  }

  /** The asking side is gone, and the call goes on: as if it had gone back on what it asked. */
  gone(side: BridgeSide): void {
    const { work } = this
    if (work?.from !== side) return
    if (work.phase === 'acking' || work.phase === 'anchoring-late-answer') this.work = undefined
    else work.isAbandoned = true
  }

  /** The other side answered what we passed on. */
  answered(status: number, sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    const work = this.work
    if (work === undefined || work.phase !== 'asking') return
    if (work.asked === 'UPDATE' && (status === 405 || status === 501)) {
      this.askWithoutUpdate(work, out)
      return
    }
    if (status < 300) {
      this.accepted(work, sdp, out)
      return
    }
    this.work = undefined
    out.push({ kind: 'modify-reply', request: work.request, status: modifyStatus(status), sdp: undefined })
  }

  /** The asking side acknowledged its 2xx. */
  acknowledged(side: BridgeSide, sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    const work = this.work
    if (work === undefined || work.phase !== 'acking' || side !== work.from) return
    if (!work.isLateOffer) {
      this.work = undefined
    } else if (sdp === undefined) {
      // Without an answer the offer fails; the ACK that is owed goes all the same and the old session stands.
      this.work = undefined
      out.push({ kind: 'ack', side: work.to, sdp: undefined })
    } else {
      work.phase = 'anchoring-late-answer'
      this.anchor('answer', work.from, sdp, out)
    }
  }

  /** The call ends: answers a request that still waits, unless its own side is the one that is gone. */
  abandon(out: BridgeEffect[], goneSide: BridgeSide | undefined): void {
    const work = this.work
    this.work = undefined
    if (work === undefined || work.from === goneSide) return
    if (work.phase === 'acking' || work.phase === 'anchoring-late-answer') return
    out.push({ kind: 'modify-reply', request: work.request, status: 487, sdp: undefined })
  }

  /** The other side knows no UPDATE: a re-INVITE says the same, and a mere refresh needs to say nothing. */
  private askWithoutUpdate(work: Work, out: BridgeEffect[]): void {
    if (work.offer === undefined) {
      this.replyFinal(work, undefined, out)
      return
    }
    work.asked = 'INVITE'
    out.push({ kind: 'modify', side: work.to, method: 'INVITE', sdp: work.offer })
  }

  private accepted(work: Work, sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    if (work.isLateOffer) {
      if (sdp === undefined) {
        out.push({ kind: 'ack', side: work.to, sdp: undefined })
        this.replyFinal(work, undefined, out)
        return
      }
      work.phase = 'anchoring-late-offer'
      work.hold = { by: work.to, isHeld: isHolding(sdp) }
      this.anchor('offer', work.to, sdp, out)
      return
    }
    if (work.asked === 'INVITE') out.push({ kind: 'ack', side: work.to, sdp: undefined })
    if (sdp === undefined) {
      this.replyFinal(work, undefined, out)
      return
    }
    work.phase = 'anchoring-answer'
    this.anchor('answer', work.to, sdp, out)
  }

  private noteHold({ hold }: Work, out: BridgeEffect[]): void {
    if (hold === undefined || this.holds[hold.by] === hold.isHeld) return
    this.holds[hold.by] = hold.isHeld
    out.push({ kind: 'event', event: { kind: hold.isHeld ? 'hold' : 'resume', by: hold.by } })
  }

  private replyFinal(work: Work, sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    if (work.isAbandoned) {
      this.work = undefined
      // A late offer that nobody will answer: the ACK that is owed goes all the same.
      if (work.isLateOffer && sdp !== undefined) out.push({ kind: 'ack', side: work.to, sdp: undefined })
      return
    }
    out.push({
      kind: 'modify-reply',
      request: work.request,
      status: sdp === undefined && work.isLateOffer ? 488 : 200,
      sdp,
    })
    if (sdp !== undefined) this.noteHold(work, out)
    if (work.method === 'INVITE' && !(sdp === undefined && work.isLateOffer)) work.phase = 'acking'
    else this.work = undefined
  }
}

/** A failed modification leaves the call as it was, so the status is passed; a challenge concerns only our side. */
function modifyStatus(status: number): number {
  if (status === 401 || status === 407 || status === 503) return 500
  if (status < 400) return 488
  return status
}
