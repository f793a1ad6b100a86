/** Drives the bridge machine: its effects become messages and media work, what comes back becomes its inputs. */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import { BridgeMachine } from '../../b2bua/bridge'
import type { BridgeEffect, BridgeEnd, BridgeInput, BridgeSide } from '../../b2bua/bridge-types'
import { passedHeaders } from '../../b2bua/header-policy'
import { continuedFrom } from '../../dialog/origin'
import type { DialogSession } from '../calls/dialog-session'
import type { SentRequest } from '../calls/in-dialog-requests'
import { reinvitePatiently } from '../calls/patient-reinvite'
import { sdpOf, sessionBody, sessionBodyOf } from '../calls/session-body'
import type { Closable, Core } from '../core'
import { type Appointment, describeError } from '../driver'
import type { CallEnd } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { Bridge, CallLeg } from './bridge'
import { AnchorQueue } from './bridge-anchor'
import type { Callee } from './bridge-callee'
import type { BridgeCaller } from './bridge-caller'
import { refuse } from './bridge-caller'
import { type Change, RequestedChange } from './bridge-changes'
import { answerForFailure } from './bridge-failure'
import type { CalleeFactory, Invitations } from './bridge-invitations'
import { type BridgeHost, BridgeLeg, EarlyLeg } from './bridge-leg'
import type { BridgeOptions, BridgeTarget } from './bridge-options'
import { allowOf, relayRequest } from './bridge-relay'
import { receiveRefer } from './bridge-transfer'

/** What a called side is told when another one has answered (RFC 3326). */
const answeredElsewhere: readonly HeaderInit[] = [['Reason', 'SIP ;cause=200 ;text="Call completed elsewhere"']]

/** One bridge under way. */
export class BridgeRunner implements Closable, BridgeHost {
  readonly ended: Promise<BridgeEnd>
  transfer: BridgeHost['transfer']
  private readonly machine: BridgeMachine
  private readonly out: BridgeEffect[] = []
  private callees: Callee[] = []
  private readonly changes = new Map<number, Change>()
  private readonly owedAcks: { a: SipRequest | undefined; b: SipRequest | undefined } = { a: undefined, b: undefined }
  private readonly legs: { a: BridgeLeg; b: BridgeLeg | undefined }
  private readonly sessions: { a: DialogSession | undefined; b: DialogSession | undefined } = {
    a: undefined,
    b: undefined,
  }
  private nextChange = 1
  /** The sides are not those of the beginning, so that their descriptions do not go on where the last ones ended. */
  private isMixed = false
  /** What was last sent to change the session of one side. */
  private modifying: SentRequest | undefined
  private readonly anchors: AnchorQueue
  private wake: Appointment | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY
  private tellEnded!: (end: BridgeEnd) => void
  private readonly abort = () => this.hangUp('aborted')

  constructor(
    readonly core: Core,
    private caller: BridgeCaller | undefined,
    private readonly callId: string,
    private factories: readonly CalleeFactory[],
    readonly options: BridgeOptions,
    private invitations: Invitations | undefined,
  ) {
    this.machine = new BridgeMachine({
      ringTimeoutMs: options.ringTimeoutMs ?? core.limits.ringTimeoutMs,
      maxDurationMs: options.maxDurationMs ?? Number.POSITIVE_INFINITY,
    })
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
    this.isMixed = caller?.call !== undefined
    this.legs = { a: new BridgeLeg(this, 'a', caller?.call), b: undefined }
    this.anchors = new AnchorQueue(core, callId, options, (input) => this.later(input))
  }

  get legA(): CallLeg {
    return this.sessions.a?.dialog ?? this.caller!.leg
  }

  get legB(): CallLeg | undefined {
    return this.sessions.b?.dialog
  }

  get state(): Bridge['state'] {
    const { state } = this.machine
    if (state === 'ended') return 'ended'
    if (state === 'active' || state === 'acking' || state === 'answering') return 'active'
    return this.machine.hasRung ? 'ringing' : 'setup'
  }

  get isActive(): boolean {
    return this.machine.state === 'active'
  }

  get isSettingUp(): boolean {
    return this.machine.state === 'setup' || this.machine.state === 'calling'
  }

  /** Begins to call. Runs inside an input. */
  start(): void {
    const { core, caller, options } = this
    core.bridges += 1
    // From now on the end of the stack ends the bridge, and the bridge its INVITE.
    core.alive.add(this)
    options.signal?.addEventListener('abort', this.abort, { once: true })
    caller?.start(this.factories.length, this.legs.a, (input) => this.input(input))
    if (options.signal?.aborted) this.abort()
  }

  hangUp(reason: string): void {
    this.later({ kind: 'hangup', reason })
  }

  redirect(targets: readonly (string | BridgeTarget)[]): boolean {
    const { invitations, machine } = this
    if (invitations === undefined || !machine.mayRedirect(undefined)) return false
    const places = invitations.to(targets.map((target) => (typeof target === 'string' ? { uri: target } : target)))
    this.core.submit(() => this.callInstead(undefined, places))
    return true
  }

  /** Calls places in place of that branch, or of all of them. */
  private callInstead(branch: number | undefined, places: readonly CalleeFactory[], status = 480): void {
    if (this.machine.mayRedirect(branch)) {
      this.factories = [...this.factories, ...places]
      this.input({ kind: 'redirected', branch, count: places.length })
    } else if (branch !== undefined) this.input({ kind: 'rejected', branch, status })
  }

  sessionOf(side: BridgeSide): DialogSession | undefined {
    if (side === 'a') return this.sessions.a ?? this.caller?.session
    return this.sessions.b ?? this.callees[this.machine.earlyBranch]?.session
  }

  later(input: BridgeInput): void {
    this.core.submit(() => this.input(input))
  }

  request(side: BridgeSide, change: Change, method: 'INVITE' | 'UPDATE', sdp: Uint8Array | undefined, branch?: number) {
    const request = this.nextChange
    this.nextChange += 1
    this.changes.set(request, change)
    this.later({ kind: 'modify', side, request, method, sdp, ...(branch === undefined ? {} : { branch }) })
    return request
  }

  abandon(request: number): void {
    this.changes.delete(request)
    this.later({ kind: 'modify-abandoned', request })
  }

  replace(side: BridgeSide, session: DialogSession, owner: BridgeLeg, reason: 'transfer' | 'replaces'): void {
    const before = this.sessionOf(side)
    this.legs[side]?.detach()
    this.legs[side] = owner
    this.sessions[side] = session
    this.owedAcks[side] = undefined
    session.owner = owner
    session.allow = allowOf(this.options)
    session.onAckWanted = () => this.ack(side, undefined)
    this.input({ kind: 'replaced', side, reason })
    before?.bye('SIP ;cause=200 ;text="Replaced"')
    if (!session.isAlive) this.later({ kind: 'leg-ended', side, reason: undefined })
  }

  release(side: BridgeSide): void {
    this.legs[side]?.detach()
    this.input({ kind: 'taken', side })
  }

  continued(session: DialogSession | undefined, sdp: Uint8Array): Uint8Array {
    return this.isMixed ? continuedFrom(session?.negotiation.local, sdp) : sdp
  }

  receivedFrom(side: BridgeSide, incoming: IncomingRequest, branch?: number): void {
    const { method } = incoming
    const isRefused = (this.options.transfers ?? 'refuse') === 'refuse'
    if (method === 'REFER' && !isRefused) receiveRefer(this, side, incoming)
    else if (method !== 'INVITE' && method !== 'UPDATE' && method !== 'PRACK') relayRequest(this, side, incoming)
    else if (sessionBodyOf(incoming.message).kind === 'unsupported') refuse(this.core, incoming, 415)
    else {
      const change = new RequestedChange(this, incoming, this.legs[side] ?? this.legs.a)
      const kind = method === 'INVITE' ? method : 'UPDATE'
      const request = this.request(side, change, kind, sdpOf(incoming.message), branch)
      incoming.onAbandoned = () => this.abandon(request)
    }
  }

  acknowledgedBy(side: BridgeSide, ack: SipRequest): void {
    this.later({ kind: 'acknowledged', side, sdp: sdpOf(ack) })
  }

  answeredEarly(side: BridgeSide, sdp: Uint8Array): void {
    if (side === 'a') this.later({ kind: 'early-answer', sdp })
  }

  legEnded(side: BridgeSide, end: CallEnd): void {
    this.later({ kind: 'leg-ended', side, reason: end.reason })
  }

  private input(input: BridgeInput): void {
    this.machine.handle(input, this.core.driver.nowMs, this.out)
    this.carryOutAll()
  }

  private carryOutAll(): void {
    for (const effect of this.out.splice(0)) this.carryOut(effect)
    if (this.machine.state === 'active' && this.callees.length > 0) this.forgetSetUp()
    this.rearm()
  }

  /** What only the set-up needs is as large as all the rest. */
  private forgetSetUp(): void {
    this.callees = []
    this.factories = []
    this.invitations = undefined
    this.caller?.settled()
    this.caller = undefined
  }

  private rearm(): void {
    const atMs = this.machine.deadline()
    if (atMs === this.wakeAtMs) return
    this.wake?.cancel()
    this.wakeAtMs = atMs
    this.wake = undefined
    if (atMs === Number.POSITIVE_INFINITY) return
    this.wake = this.core.driver.at(atMs, () => {
      this.wakeAtMs = Number.POSITIVE_INFINITY
      this.machine.expire(this.core.driver.nowMs, this.out)
      this.carryOutAll()
    })
  }

  private carryOut(effect: BridgeEffect): void {
    const { kind } = effect
    if (kind === 'anchor') this.anchors.ask(effect)
    else if (kind === 'invite') this.invite(effect.branch, effect.sdp)
    else if (kind === 'cancel') this.cancel(effect.branch, effect.isAnsweredElsewhere)
    else if (kind === 'drop') this.drop(effect.branch)
    else if (kind === 'adopt') this.adopt(effect.branch)
    else if (kind === 'progress') this.progress(effect.branch, effect.status, effect.sdp)
    else if (kind === 'accept') this.accept(effect.sdp)
    else if (kind === 'prack') this.callees[effect.branch]?.answer(effect.sdp)
    else if (kind === 'reject') this.reject(effect)
    else if (kind === 'ack') this.ack(effect.side, effect.sdp)
    else if (kind === 'modify') this.modify(effect.side, effect.method, effect.sdp)
    else if (kind === 'modify-cancel') this.modifying?.giveUp('CANCELLED')
    else if (kind === 'modify-reply') this.replyToChange(effect.request, effect.status, effect.sdp)
    else if (kind === 'bye') this.bye(effect.side, effect.reason)
    else if (kind === 'event') this.tell(effect)
    else this.finish(effect.end)
  }

  private invite(branch: number, sdp: Uint8Array | undefined): void {
    const callee = this.factories[branch]!({
      progress: (response) => {
        const isReliable = response.has('RSeq')
        this.later({ kind: 'progress', branch, status: response.status, sdp: sdpOf(response), isReliable })
      },
      accepted: (answer) => this.later({ kind: 'accepted', branch, sdp: answer }),
      rejected: (status) => this.later({ kind: 'rejected', branch, status }),
      redirected: (status, places) => this.core.submit(() => this.callInstead(branch, places, status)),
      early: (session) => {
        session.owner ??= new EarlyLeg(this, branch)
      },
    })
    this.callees[branch] = callee
    callee.start(sdp)
  }

  private cancel(branch: number, isAnsweredElsewhere: boolean): void {
    this.callees[branch]?.cancel(isAnsweredElsewhere ? answeredElsewhere : (this.caller?.reasons ?? []))
  }

  private drop(branch: number): void {
    const { session, request, call } = this.callees[branch] ?? {}
    if (session === undefined || request === undefined) return
    session.ack(request)
    if (call === undefined) session.bye('Call completed elsewhere')
  }

  private adopt(branch: number): void {
    const { session, request, call } = this.callees[branch]!
    if (session === undefined) return
    this.legs.b = new BridgeLeg(this, 'b', call)
    this.sessions.b = session
    this.owedAcks.b = request
    session.owner = this.legs.b
    session.allow = allowOf(this.options)
    session.onAckWanted = () => this.ack('b', undefined)
    // It may have ended before it was adopted.
    if (!session.isAlive) this.later({ kind: 'leg-ended', side: 'b', reason: undefined })
  }

  /** What passes of a response of the called side. */
  private passedBack(response: SipResponse | undefined): HeaderInit[] {
    return response === undefined ? [] : passedHeaders(response, this.options.headerPolicy?.toA)
  }

  private progress(branch: number, status: number, sdp: Uint8Array | undefined): void {
    const { callees, machine, caller } = this
    const headers = this.passedBack(callees[branch]?.response)
    caller?.progress(status, sdp, headers, callees.length > 1, sdp !== undefined && machine.isEarlyOffer)
  }

  private accept(sdp: Uint8Array | undefined): void {
    const headers = this.passedBack(this.callees.find(({ session }) => session === this.sessions.b)?.response)
    const session = this.caller?.accept(sdp, headers)
    this.sessions.a = session
    if (session === undefined) this.later({ kind: 'leg-ended', side: 'a', reason: undefined })
    else session.onAckWanted = () => this.ack('a', undefined)
  }

  private reject(effect: Extract<BridgeEffect, { kind: 'reject' }>): void {
    const response = effect.branch === undefined ? undefined : this.callees[effect.branch]?.response
    const { status, reason, headers } = answerForFailure(this.core, this.options, effect, response)
    this.caller?.reject(status, reason, [...headers, ...this.passedBack(response)])
  }

  private ack(side: BridgeSide, sdp: Uint8Array | undefined): void {
    const request = this.owedAcks[side]
    this.owedAcks[side] = undefined
    const session = this.sessionOf(side)
    if (request !== undefined) session?.ack(request, sdp && this.continued(session, sdp))
  }

  private bye(side: BridgeSide, reason: string | undefined): void {
    const session = this.sessionOf(side)
    this.ack(side, undefined)
    session?.bye(reason)
  }

  private modify(side: BridgeSide, method: 'INVITE' | 'UPDATE', sdp: Uint8Array | undefined): void {
    const session = this.sessionOf(side)
    // A side learns of its own glare; for somebody who takes a place it is waited out here.
    const isOwn = [...this.changes.values()].every((change) => change instanceof RequestedChange)
    if (!isOwn) this.isMixed = true
    const next = sdp && this.continued(session, sdp)
    const body = sessionBody(next)
    const failed = (status: number) => this.later({ kind: 'modify-answered', status, sdp: undefined })
    const error = () => failed(500)
    const answered = (response: SipResponse) =>
      this.later({ kind: 'modify-answered', status: response.status, sdp: sdpOf(response) })
    if (session === undefined) error()
    else if (method === 'UPDATE') {
      // Before the answer there is no re-INVITE to say it with (RFC 3311 §5.1).
      if (session.usage.state === 'early' && !session.mayUpdate) failed(488)
      else if (sdp !== undefined && session.negotiation.state !== 'stable') failed(491)
      else this.modifying = session.request('UPDATE', body, { final: answered, error })
    } else {
      const final = (response: SipResponse, request: SipRequest) => {
        const isOver = this.machine.state === 'ended'
        // The dialog may live on in another bridge, where nobody knows of this request.
        if (response.status < 300 && isOver) session.ack(request)
        else if (response.status < 300) this.owedAcks[side] = request
        answered(response)
      }
      this.modifying = isOwn
        ? session.reinvite(body, { final, error })
        : reinvitePatiently(session, next, { final, error, isWanted: () => this.machine.state !== 'ended' })
      if (this.modifying === undefined) failed(491)
    }
  }

  private replyToChange(token: number, status: number, sdp: Uint8Array | undefined): void {
    const change = this.changes.get(token)
    this.changes.delete(token)
    change?.answer(status, sdp)
  }

  private tell(effect: Extract<BridgeEffect, { kind: 'event' }>): void {
    try {
      this.options.onEvent?.(effect.event)
    } catch (error) {
      this.core.logger.error({ callId: this.callId, error: describeError(error) }, 'A bridge observer failed')
    }
  }

  private finish(end: BridgeEnd): void {
    const { core } = this
    this.wake?.cancel()
    this.options.signal?.removeEventListener('abort', this.abort)
    this.caller?.settled()
    this.transfer?.abort()
    for (const change of this.changes.values()) change.answer(487, undefined)
    this.changes.clear()
    this.anchors.release()
    core.bridges -= 1
    core.alive.delete(this)
    core.onChange()
    this.tellEnded(end)
  }
}
