/**
 * The words of the bridge machine: what it is told, what it asks for, what it reports.
 */
import type { Disposition } from './best-response'

/** The two sides: `a` called us, `b` was called by us. */
export type BridgeSide = 'a' | 'b'

/** Who ended a bridge. */
export type BridgeParty = BridgeSide | 'core'

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

/** How a bridge ended. Times are monotonic differences in milliseconds. */
export interface BridgeEnd {
  readonly disposition: Disposition
  /** The final status that the called side gave, or that stands for what happened; 200 when answered. */
  readonly status: number
  readonly by: BridgeParty
  /** From the INVITE to its answer; absent when it was not answered. */
  readonly setupMs?: number
  /** From the answer to the end; 0 when it was not answered. */
  readonly durationMs: number
  /**
   * In a few words, for records: `hang-up`, `ring-timeout`, `max-duration`, `media`, `transferred` (the other side goes on
   * in another bridge), or what the caller of hangup() said.
   */
  readonly reason?: string
}

/** What an observer of a bridge is told. */
export type BridgeEvent =
  | { readonly kind: 'ringing'; readonly status: number }
  | { readonly kind: 'answered'; readonly setupMs: number }
  | { readonly kind: 'reinvite'; readonly by: BridgeSide }
  /** This side has put the other one on hold, or has taken it off hold (RFC 3264 §8.4): start or stop the music. */
  | { readonly kind: 'hold' | 'resume'; readonly by: BridgeSide }
  /** A transfer that this side asked for is carried out; `transfer-failed` ends it as well. */
  | { readonly kind: 'transferring'; readonly by: BridgeSide; readonly target: string }
  /** Somebody else has the place of this side now. */
  | { readonly kind: 'replaced'; readonly side: BridgeSide; readonly reason: 'transfer' | 'replaces' }
  | { readonly kind: 'transfer-failed'; readonly by: BridgeSide; readonly status: number }
  | { readonly kind: 'ended'; readonly end: BridgeEnd }

/** What can happen to a bridge. */
export type BridgeInput =
  | { readonly kind: 'start'; readonly sdp: Uint8Array | undefined; readonly branches: number }
  /** The INVITE may not be passed on; instead of `start`. */
  | { readonly kind: 'refuse'; readonly status: number; readonly reason: string }
  | { readonly kind: 'anchored'; readonly token: number; readonly sdp: Uint8Array }
  /** `status`: what a refusal of the call is to say, where the anchor knows better than 488 or 502. */
  | { readonly kind: 'anchor-failed'; readonly token: number; readonly status?: number }
  | {
      readonly kind: 'progress'
      readonly branch: number
      readonly status: number
      readonly sdp: Uint8Array | undefined
      /** It cannot be lost, so that its description counts (RFC 3262 §5). */
      readonly isReliable?: boolean
    }
  /** The caller's answer, in a PRACK, to the offer of a callee that was asked for one (RFC 3262 §5). */
  | { readonly kind: 'early-answer'; readonly sdp: Uint8Array }
  /** The first 2xx of a branch. */
  | { readonly kind: 'accepted'; readonly branch: number; readonly sdp: Uint8Array | undefined }
  | { readonly kind: 'rejected'; readonly branch: number; readonly status: number }
  /** So many other places are to be called in place of that branch, or of all; they count on from the last one. */
  | { readonly kind: 'redirected'; readonly branch: number | undefined; readonly count: number }
  /** The caller cancelled, or its INVITE ended in another way before an answer. */
  | { readonly kind: 'cancelled' }
  /** The ACK for a 2xx that went to this side. */
  | { readonly kind: 'acknowledged'; readonly side: BridgeSide; readonly sdp: Uint8Array | undefined }
  /** A re-INVITE or UPDATE came from this side; `request` names it. */
  | {
      readonly kind: 'modify'
      readonly side: BridgeSide
      readonly request: number
      readonly method: 'INVITE' | 'UPDATE'
      readonly sdp: Uint8Array | undefined
      /** Before the answer: the branch of side `b` that it came from. */
      readonly branch?: number
    }
  /** The request of a modification was cancelled, or died, before its answer. */
  | { readonly kind: 'modify-abandoned'; readonly request: number }
  /** The other side's final response to the modification that we passed on. */
  | { readonly kind: 'modify-answered'; readonly status: number; readonly sdp: Uint8Array | undefined }
  | { readonly kind: 'leg-ended'; readonly side: BridgeSide; readonly reason: string | undefined }
  | { readonly kind: 'hangup'; readonly reason: string | undefined }
  /** A transfer asked for by that side begins: its end does not end the call until it is decided. */
  | { readonly kind: 'transfer'; readonly side: BridgeSide; readonly target: string }
  /** It has come to nothing. */
  | { readonly kind: 'transfer-failed'; readonly status: number }
  /** Somebody else has the place of that side. */
  | { readonly kind: 'replaced'; readonly side: BridgeSide; readonly reason: 'transfer' | 'replaces' }
  /** That side goes on in another bridge: this one ends without a word to it. */
  | { readonly kind: 'taken'; readonly side: BridgeSide }

/** What a bridge asks of its driver. */
export type BridgeEffect =
  /** Run the media anchor; the answer comes back as `anchored` or `anchor-failed` with the same token, in order. */
  | {
      readonly kind: 'anchor'
      readonly token: number
      readonly op: 'offer' | 'answer'
      readonly side: BridgeSide
      readonly sdp: Uint8Array
    }
  | { readonly kind: 'invite'; readonly branch: number; readonly sdp: Uint8Array | undefined }
  /** CANCEL a branch that has not answered; a 2xx that crosses is ACKed and BYEd by the driver. */
  | { readonly kind: 'cancel'; readonly branch: number; readonly isAnsweredElsewhere: boolean }
  /** ACK and BYE a branch whose 2xx came too late. */
  | { readonly kind: 'drop'; readonly branch: number }
  /** This branch is the called side from now on; the driver routes its dialog's events as side `b`. */
  | { readonly kind: 'adopt'; readonly branch: number }
  | {
      readonly kind: 'progress'
      readonly status: number
      readonly branch: number
      readonly sdp: Uint8Array | undefined
    }
  | { readonly kind: 'accept'; readonly sdp: Uint8Array | undefined }
  /** Answer the PRACK-less offer of that branch: the answer of the caller, for our PRACK. */
  | { readonly kind: 'prack'; readonly branch: number; readonly sdp: Uint8Array }
  /** `branch`: whose failure it is; absent when no target failed. `cause`: what that one said. */
  | { readonly kind: 'reject'; readonly status: number; readonly branch?: number; readonly cause?: number }
  /** ACK the 2xx that this side gave to our INVITE. */
  | { readonly kind: 'ack'; readonly side: BridgeSide; readonly sdp: Uint8Array | undefined }
  | {
      readonly kind: 'modify'
      readonly side: BridgeSide
      readonly method: 'INVITE' | 'UPDATE'
      readonly sdp: Uint8Array | undefined
    }
  /** CANCEL what `modify` sent to this side; its final response is still awaited. */
  | { readonly kind: 'modify-cancel'; readonly side: BridgeSide }
  | {
      readonly kind: 'modify-reply'
      readonly request: number
      readonly status: number
      readonly sdp: Uint8Array | undefined
    }
  | { readonly kind: 'bye'; readonly side: BridgeSide; readonly reason: string | undefined }
  | { readonly kind: 'event'; readonly event: BridgeEvent }
  /** Free the media and forget the bridge: the last effect. */
  | { readonly kind: 'ended'; readonly end: BridgeEnd }
