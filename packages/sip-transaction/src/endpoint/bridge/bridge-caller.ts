/** The side of a bridge that wants to talk, as the bridge uses it: here the one whose INVITE came in (RFC 3261 §13.3.1). */
import type { HeaderInit } from '@carillon/sip-parser'
import type { BridgeInput } from '../../b2bua/bridge-types'
import type { Call } from '../calls/call'
import type { DialogSession } from '../calls/dialog-session'
import { handOver } from '../calls/early-dialog'
import { acceptedBodies, sdpOf, sessionBody, sessionBodyOf } from '../calls/session-body'
import type { SessionOwner } from '../calls/session-owner'
import type { Core } from '../core'
import type { IncomingRequest } from '../requests/incoming-request'
import type { CallLeg } from './bridge'

/** What the caller tells the bridge. */
export type TellBridge = (input: BridgeInput) => void

/** The calling side. Every method runs inside an input. */
export interface BridgeCaller {
  readonly leg: CallLeg
  readonly session: DialogSession | undefined
  /** Why it gave up (RFC 3326). */
  readonly reasons: readonly HeaderInit[]
  /** The call that it was before. */
  readonly call: Call | undefined
  /** Begins: the first input of the bridge comes of it. */
  start(branches: number, owner: SessionOwner, tell: TellBridge): void
  /** `mayChange`: another branch may still replace the description; `isOffer`: it has to be answered in a PRACK. */
  progress(
    status: number,
    sdp: Uint8Array | undefined,
    headers: readonly HeaderInit[],
    mayChange: boolean,
    isOffer: boolean,
  ): void
  /** The 2xx; undefined when it may not be sent any more. */
  accept(sdp: Uint8Array | undefined, headers: readonly HeaderInit[]): DialogSession | undefined
  reject(status: number, reason: string | undefined, headers: readonly HeaderInit[]): void
  /** The set-up is over. */
  settled(): void
}

/** Whose INVITE came in. */
export class IncomingCaller implements BridgeCaller {
  readonly call = undefined
  private owner: SessionOwner | undefined

  constructor(
    private readonly core: Core,
    private readonly incoming: IncomingRequest,
    /** What may be sent in its dialog. */
    private readonly allow: string,
  ) {}

  get leg(): CallLeg {
    const { session, callId, to, from } = this.incoming
    return session?.dialog ?? { callId, localTag: to.tag ?? '', remoteTag: from.tag ?? '', local: to, remote: from }
  }

  get session(): DialogSession | undefined {
    return this.incoming.session
  }

  get reasons(): HeaderInit[] {
    return this.incoming.cancelReasons.map((reason) => ['Reason', reason])
  }

  start(branches: number, owner: SessionOwner, tell: TellBridge): void {
    const { incoming, core } = this
    this.owner = owner
    core.alive.delete(incoming)
    incoming.dialogAllow = this.allow
    const { message } = incoming
    if (message.maxForwards === 0) tell({ kind: 'refuse', status: 483, reason: 'too many hops' })
    else if (sessionBodyOf(message).kind === 'unsupported')
      tell({ kind: 'refuse', status: 415, reason: 'not a session description' })
    else {
      tell({ kind: 'start', sdp: sdpOf(message), branches })
      const cancelled = () => core.submit(() => tell({ kind: 'cancelled' }))
      incoming.onAbandoned = cancelled
      if (incoming.isAnswered) cancelled()
    }
  }

  progress(
    status: number,
    sdp: Uint8Array | undefined,
    headers: readonly HeaderInit[],
    mayChange: boolean,
    isOffer: boolean,
  ): void {
    const { incoming, owner } = this
    incoming.progress(status, sdp, { mayChange, reliable: isOffer, headers })
    // From now on its early dialog is the bridge's, for UPDATE and what is in a PRACK.
    if (owner !== undefined && incoming.session !== undefined && !incoming.isAnswered) handOver(incoming.session, owner)
  }

  accept(sdp: Uint8Array | undefined, headers: readonly HeaderInit[]): DialogSession | undefined {
    const { incoming, owner } = this
    if (incoming.isAnswered || owner === undefined) return undefined
    return incoming.acceptInto(owner, 200, { ...sessionBody(sdp), headers })
  }

  reject(status: number, reason: string | undefined, headers: readonly HeaderInit[]): void {
    refuse(this.core, this.incoming, status, headers, reason)
  }

  settled(): void {
    this.incoming.onAbandoned = undefined
  }
}

/** Refuses; 415 says what would be understood (RFC 3261 §21.4.13), 503 when to try again (§21.5.4). */
export function refuse(
  core: Core,
  incoming: IncomingRequest,
  status: number,
  headers: readonly HeaderInit[] = [],
  reason?: string,
): void {
  const more: Readonly<Record<number, HeaderInit>> = {
    415: ['Accept', acceptedBodies],
    503: ['Retry-After', core.limits.retryAfterSeconds],
  }
  incoming.answer(status, status in more ? [more[status]!, ...headers] : headers, reason)
}
