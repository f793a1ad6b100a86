/** What a bridge is made from: the option types of `IncomingRequest.bridge` and `SipStack.connect`. */
import type { HeaderInit, NameAddr, ReferredBy, Replaces, SipResponse, SipUri, Uri } from '@carillon/sip-parser'
import type { BridgeEvent, BridgeSide } from '../../b2bua/bridge-types'
import type { HeaderPolicy } from '../../b2bua/header-policy'
import type { ExplicitDestination, UserCredentials } from '../options'

/** One place to call. */
export interface BridgeTarget {
  readonly uri: string | SipUri | Uri
  readonly destination?: ExplicitDestination
  readonly headers?: readonly HeaderInit[]
  readonly credentials?: UserCredentials
  readonly routes?: readonly string[]
}

/**
 * Rewrites session descriptions so that media runs through a relay. `offer('a', sdp)`: side a offers, the result goes
 * to b; `answer('b', sdp)`: b answered, the result goes to a. The same object serves re-INVITEs either way. Calls come
 * one at a time. A rejection refuses the call with 488 or 502, or with the `status` (400–699) that the error carries:
 * 503 says that the caller may try again when there is room. After a transfer the side that asked for it is the one who
 * has taken its place: the next offer or answer of that side comes from another address.
 */
export interface SdpAnchor {
  offer(side: 'a' | 'b', sdp: Uint8Array): Promise<Uint8Array>
  answer(side: 'a' | 'b', sdp: Uint8Array): Promise<Uint8Array>
  release(): void | Promise<void>
}

/** Why a call through a bridge does not come about. */
export interface BridgeFailure {
  /** What the best target said (RFC 3261 §16.7), or what stands for its silence. */
  readonly status: number
  /** What the caller gets when nothing else is said. */
  readonly proposed: number
  /** The response of that target; absent when it gave none. */
  readonly response: SipResponse | undefined
}

/** What the caller is told instead. */
export interface FailureAnswer {
  /** 300 to 699. */
  readonly status: number
  readonly reason?: string
  readonly headers?: readonly HeaderInit[]
}

/** A REFER inside a bridged call: one side wants the other to talk to somebody else (RFC 3515). */
export interface BridgeTransfer {
  /** The side that asks. */
  readonly by: BridgeSide
  /** Whom the other side is to talk to. */
  readonly target: Uri
  /** The call that is to be replaced there: an attended transfer (RFC 3891). */
  readonly replaces: Replaces | undefined
  readonly referredBy: ReferredBy | undefined
}

/**
 * What becomes of a REFER. `refuse` (the default): 403. `pass`: to the other side, as INFO is; its NOTIFYs come back.
 * `execute`: the bridge calls the target itself and connects it with the other side, to whom only its media changes.
 * A target: as `execute`, but there.
 */
export type TransferDecision = 'refuse' | 'pass' | 'execute' | BridgeTarget

/** Options of `IncomingRequest.bridge`. */
export interface BridgeOptions {
  /** The media anchor; without it descriptions pass unchanged and media runs between the two sides directly. */
  readonly sdp?: SdpAnchor
  /** From of the called legs; the caller's when absent. */
  readonly from?: NameAddr | string
  /** To of the called legs; the target when absent. */
  readonly to?: NameAddr | string
  /** Headers of every called leg, besides what passes. */
  readonly headers?: readonly HeaderInit[]
  /** Which headers pass: `toB` from the calling to the called side, `toA` back. None when absent. */
  readonly headerPolicy?: { readonly toA?: HeaderPolicy; readonly toB?: HeaderPolicy }
  /**
   * Names no host of one side to the other: From has ours, and so has the o= line of descriptions that no anchor rewrites.
   * Via, Route, Contact and Call-ID are those of each leg in any case.
   */
  readonly hideTopology?: boolean
  /** What the caller is told when nobody answers; the proposed status when absent or undefined. */
  readonly onFailure?: (failure: BridgeFailure) => FailureAnswer | number | undefined
  /** What becomes of a REFER of either side; a function may look the target up, and decides for each. */
  readonly transfers?:
    | 'refuse'
    | 'pass'
    | 'execute'
    | ((transfer: BridgeTransfer) => TransferDecision | Promise<TransferDecision>)
  readonly ringTimeoutMs?: number
  readonly maxDurationMs?: number
  readonly mode?: 'parallel'
  /** Follows redirections: the contacts of a 3xx are called in place of the target that gave it. Default false: 480. */
  readonly recurse?: boolean
  /** Aborting hangs the bridge up. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: BridgeEvent) => void
}
