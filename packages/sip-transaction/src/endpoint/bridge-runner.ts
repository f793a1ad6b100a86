/** Drives the bridge machine: its effects become messages and media work, what comes back becomes its inputs. */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import { BridgeMachine } from '../b2bua/bridge'
import type { BridgeEffect, BridgeEnd, BridgeInput, BridgeSide } from '../b2bua/bridge-types'
import { SipUsageError, type TransactionErrorCode } from '../errors'
import { Bridge, type CallLeg } from './bridge'
import { branchSpec } from './bridge-branch'
import { bridgeAllow, relayRequest } from './bridge-relay'
import type { Closable, Core } from './core'
import type { DialogSession } from './dialog-session'
import { type Appointment, describeError } from './driver'
import type { SentRequest } from './in-dialog-requests'
import type { IncomingRequest } from './incoming-request'
import type { BridgeOptions, BridgeTarget } from './options'
import type { OutgoingSpec } from './outgoing'
import { OutgoingInvite } from './outgoing-invite'
import { acceptedBodies, sdpOf, sessionBody, sessionBodyOf } from './session-body'
import type { SessionOwner } from './session-owner'

/** What a failure to reach a branch counts as. */
const statusOfError: Readonly<Partial<Record<TransactionErrorCode, number>>> = {
  TIMEOUT: 408,
  NAME_NOT_FOUND: 404,
  NAME_LOOKUP_FAILED: 480,
  TRANSPORT_FAILED: 480,
  UNREACHABLE: 480,
  THROTTLED: 503,
}

/** What a called side is told when another one has answered (RFC 3326). */
const answeredElsewhere: readonly HeaderInit[] = [['Reason', 'SIP ;cause=200 ;text="Call completed elsewhere"']]

interface BranchRun {
  readonly invite: OutgoingInvite
  session: DialogSession | undefined
  request: SipRequest | undefined
}

/** Starts a bridge for an INVITE. */
export function startBridge(
  core: Core,
  incoming: IncomingRequest,
  targets: readonly (BridgeTarget | string)[],
  options: BridgeOptions,
): Bridge {
  const list = targets.map((target): BridgeTarget => (typeof target === 'string' ? { uri: target } : target))
  if (list.length === 0 || list.length > core.limits.bridgeTargetsMax) throw new SipUsageError('TARGETS_MISSING')
  const specs = list.map((target) => branchSpec(core, incoming, target, options))
  const runner = new BridgeRunner(core, incoming, specs, options)
  core.submit(() => runner.start())
  return new Bridge(runner)
}

/** One bridge under way. */
export class BridgeRunner implements Closable {
  readonly ended: Promise<BridgeEnd>
  private readonly machine: BridgeMachine
  private readonly out: BridgeEffect[] = []
  private readonly branches: (BranchRun | undefined)[] = []
  private readonly modifications = new Map<number, IncomingRequest>()
  private readonly owedAcks: { a: SipRequest | undefined; b: SipRequest | undefined } = { a: undefined, b: undefined }
  private nextModification = 1
  /** What was last sent to change the session of one side. */
  private modifying: SentRequest | undefined
  private sessionA: DialogSession | undefined
  private sessionB: DialogSession | undefined
  private anchorChain: Promise<unknown> = Promise.resolve()
  private wake: Appointment | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY
  private tellEnded!: (end: BridgeEnd) => void
  private readonly abort = () => this.hangUp('aborted')

  constructor(
    private readonly core: Core,
    private readonly incoming: IncomingRequest,
    private readonly specs: readonly Omit<OutgoingSpec, 'body' | 'contentType'>[],
    private readonly options: BridgeOptions,
  ) {
    this.machine = new BridgeMachine({
      ringTimeoutMs: options.ringTimeoutMs ?? core.limits.ringTimeoutMs,
      maxDurationMs: options.maxDurationMs ?? Number.POSITIVE_INFINITY,
    })
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve
    })
  }

  get legA(): CallLeg {
    const { session } = this.incoming
    if (session !== undefined) return session.dialog
    const { callId, to, from } = this.incoming
    return { callId, localTag: to.tag ?? '', remoteTag: from.tag ?? '', local: to, remote: from }
  }

  get legB(): CallLeg | undefined {
    return this.sessionB?.dialog
  }

  get state(): Bridge['state'] {
    const { state } = this.machine
    if (state === 'ended') return 'ended'
    if (state === 'active' || state === 'acking' || state === 'answering') return 'active'
    return this.machine.hasRung ? 'ringing' : 'setup'
  }

  /** Begins to call. Runs inside an input. */
  start(): void {
    const { incoming, core } = this
    core.bridges += 1
    // From now on the end of the stack ends the bridge, and the bridge its INVITE.
    core.alive.delete(incoming)
    core.alive.add(this)
    this.options.signal?.addEventListener('abort', this.abort, { once: true })
    incoming.dialogAllow = bridgeAllow
    if (incoming.message.maxForwards === 0) {
      this.input({ kind: 'refuse', status: 483, reason: 'too many hops' })
      return
    }
    if (sessionBodyOf(incoming.message).kind === 'unsupported') {
      this.input({ kind: 'refuse', status: 415, reason: 'not a session description' })
      return
    }
    this.input({ kind: 'start', sdp: sdpOf(incoming.message), branches: this.specs.length })
    incoming.onAbandoned = () => this.later({ kind: 'cancelled' })
    if (incoming.isAnswered) this.later({ kind: 'cancelled' })
    else if (this.options.signal?.aborted) this.abort()
  }

  hangUp(reason: string): void {
    this.later({ kind: 'hangup', reason })
  }

  private later(input: BridgeInput): void {
    this.core.submit(() => this.input(input))
  }

  private input(input: BridgeInput): void {
    this.machine.handle(input, this.core.driver.nowMs, this.out)
    this.carryOutAll()
  }

  private carryOutAll(): void {
    for (const effect of this.out.splice(0)) this.carryOut(effect)
    this.rearm()
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
    switch (effect.kind) {
      case 'anchor':
        this.anchor(effect)
        break
      case 'invite':
        this.invite(effect.branch, effect.sdp)
        break
      case 'cancel':
        this.branches[effect.branch]?.invite.cancel(effect.isAnsweredElsewhere ? answeredElsewhere : this.callerReason)
        break
      case 'drop':
        this.drop(effect.branch)
        break
      case 'adopt':
        this.adopt(effect.branch)
        break
      case 'progress':
        this.incoming.progress(effect.status, effect.sdp, this.specs.length > 1)
        break
      case 'accept':
        this.accept(effect.sdp)
        break
      case 'reject':
        refuse(this.core, this.incoming, effect.status)
        break
      case 'ack':
        this.ack(effect.side, effect.sdp)
        break
      case 'modify':
        this.modify(effect.side, effect.method, effect.sdp)
        break
      case 'modify-cancel':
        this.modifying?.giveUp('CANCELLED')
        break
      case 'modify-reply':
        this.replyToModification(effect.request, effect.status, effect.sdp)
        break
      case 'bye':
        this.bye(effect.side, effect.reason)
        break
      case 'event':
        this.tell(effect)
        break
      case 'ended':
        this.finish(effect.end)
        break
    }
  }

  /** The media anchor does one thing at a time, in the order asked. */
  private anchor(effect: Extract<BridgeEffect, { kind: 'anchor' }>): void {
    const { token, op, side, sdp } = effect
    const media = this.options.sdp
    if (media === undefined) {
      this.later({ kind: 'anchored', token, sdp })
      return
    }
    this.anchorChain = this.anchorChain
      .then(() => media[op](side, sdp))
      .then(
        (rewritten) => this.later({ kind: 'anchored', token, sdp: rewritten }),
        (error: unknown) => {
          this.core.logger.warn(
            { callId: this.incoming.callId, side, op, error: describeError(error) },
            'The media anchor refused',
          )
          this.later({ kind: 'anchor-failed', token, ...statusOf(error) })
        },
      )
  }

  private invite(branch: number, sdp: Uint8Array | undefined): void {
    const spec = this.specs[branch]!
    const whole = { ...spec, body: sdp, contentType: sdp === undefined ? undefined : 'application/sdp' }
    const invite = new OutgoingInvite(this.core, whole, {
      progress: (response) => this.later({ kind: 'progress', branch, status: response.status, sdp: sdpOf(response) }),
      accepted: (session, response, request) => {
        const run = this.branches[branch]!
        run.session = session
        run.request = request
        this.later({ kind: 'accepted', branch, sdp: sdpOf(response) })
      },
      failed: (response) => this.later({ kind: 'rejected', branch, status: response.status }),
      error: (code) => this.later({ kind: 'rejected', branch, status: statusOfError[code] ?? 500 }),
    })
    this.branches[branch] = { invite, session: undefined, request: undefined }
    invite.start()
  }

  /** Why the caller cancelled, for those who were called (RFC 3326). */
  private get callerReason(): HeaderInit[] {
    return this.incoming.cancelReasons.map((reason) => ['Reason', reason])
  }

  private drop(branch: number): void {
    const run = this.branches[branch]
    if (run?.session === undefined || run.request === undefined) return
    run.session.ack(run.request)
    run.session.bye('Call completed elsewhere')
  }

  private adopt(branch: number): void {
    const run = this.branches[branch]!
    this.sessionB = run.session
    this.owedAcks.b = run.request
    if (this.sessionB === undefined) return
    this.sessionB.owner = this.leg('b')
    this.sessionB.allow = bridgeAllow
    this.sessionB.onAckWanted = () => this.ack('b', undefined)
    // It may have ended before it was adopted.
    if (!this.sessionB.isAlive) this.later({ kind: 'leg-ended', side: 'b', reason: undefined })
  }

  private accept(sdp: Uint8Array | undefined): void {
    const body = sessionBody(sdp)
    this.sessionA = this.incoming.isAnswered ? undefined : this.incoming.acceptInto(this.leg('a'), 200, body)
    if (this.sessionA === undefined) this.later({ kind: 'leg-ended', side: 'a', reason: undefined })
    else this.sessionA.onAckWanted = () => this.ack('a', undefined)
  }

  private ack(side: BridgeSide, sdp: Uint8Array | undefined): void {
    const request = this.owedAcks[side]
    this.owedAcks[side] = undefined
    if (request !== undefined) this.sessionOf(side)?.ack(request, sdp)
  }

  private bye(side: BridgeSide, reason: string | undefined): void {
    const session = this.sessionOf(side)
    this.ack(side, undefined)
    session?.bye(reason)
  }

  private modify(side: BridgeSide, method: 'INVITE' | 'UPDATE', sdp: Uint8Array | undefined): void {
    const session = this.sessionOf(side)
    const body = sessionBody(sdp)
    const error = () => this.later({ kind: 'modify-answered', status: 500, sdp: undefined })
    const answered = (response: SipResponse) =>
      this.later({ kind: 'modify-answered', status: response.status, sdp: sdpOf(response) })
    if (session === undefined) error()
    else if (method === 'UPDATE') this.modifying = session.request('UPDATE', body, { final: answered, error })
    else {
      const final = (response: SipResponse, request: SipRequest) => {
        if (response.status < 300) this.owedAcks[side] = request
        answered(response)
      }
      this.modifying = session.reinvite(body, { final, error })
      if (this.modifying === undefined) this.later({ kind: 'modify-answered', status: 491, sdp: undefined })
    }
  }

  private replyToModification(token: number, status: number, sdp: Uint8Array | undefined): void {
    const incoming = this.modifications.get(token)
    this.modifications.delete(token)
    if (incoming === undefined || incoming.isAnswered) return
    const body = sessionBody(sdp)
    if (status >= 300) incoming.answer(status)
    else if (incoming.method === 'INVITE') incoming.acceptInto(this.leg('a'), status, body)
    else incoming.reply(status, body)
  }

  private leg(side: BridgeSide): SessionOwner {
    return {
      received: (incoming) => this.received(side, incoming),
      acknowledged: (ack) => this.later({ kind: 'acknowledged', side, sdp: sdpOf(ack) }),
      endedBy: (end) => this.later({ kind: 'leg-ended', side, reason: end.reason }),
    }
  }

  private received(side: BridgeSide, incoming: IncomingRequest): void {
    const { method } = incoming
    if (method !== 'INVITE' && method !== 'UPDATE') {
      relayRequest(incoming, this.sessionOf(side === 'a' ? 'b' : 'a'))
      return
    }
    const body = sessionBodyOf(incoming.message)
    if (body.kind === 'unsupported') {
      refuse(this.core, incoming, 415)
      return
    }
    const request = this.nextModification
    this.nextModification += 1
    this.modifications.set(request, incoming)
    this.later({ kind: 'modify', side, request, method, sdp: body.kind === 'sdp' ? body.sdp : undefined })
    incoming.onAbandoned = () => {
      this.modifications.delete(request)
      this.later({ kind: 'modify-abandoned', request })
    }
  }

  private sessionOf(side: BridgeSide): DialogSession | undefined {
    return side === 'a' ? (this.sessionA ?? this.incoming.session) : this.sessionB
  }

  private tell(effect: Extract<BridgeEffect, { kind: 'event' }>): void {
    try {
      this.options.onEvent?.(effect.event)
    } catch (error) {
      this.core.logger.error({ callId: this.incoming.callId, error: describeError(error) }, 'A bridge observer failed')
    }
  }

  private finish(end: BridgeEnd): void {
    const { core } = this
    this.wake?.cancel()
    this.options.signal?.removeEventListener('abort', this.abort)
    this.incoming.onAbandoned = undefined
    for (const request of this.modifications.values()) request.answer(487)
    this.modifications.clear()
    const media = this.options.sdp
    this.anchorChain = this.anchorChain
      .then(() => media?.release())
      .catch((error: unknown) =>
        core.logger.warn(
          { callId: this.incoming.callId, error: describeError(error) },
          'The media anchor failed to release',
        ),
      )
    core.bridges -= 1
    core.alive.delete(this)
    core.onChange()
    this.tellEnded(end)
  }
}

/** Refuses; 415 says what would be understood (RFC 3261 §21.4.13), 503 when to try again (§21.5.4). */
function refuse(core: Core, incoming: IncomingRequest, status: number): void {
  const more: Readonly<Record<number, HeaderInit>> = {
    415: ['Accept', acceptedBodies],
    503: ['Retry-After', core.limits.retryAfterSeconds],
  }
  incoming.answer(status, status in more ? [more[status]!] : [])
}

/** The status that an anchor wants a refusal to have. */
function statusOf(error: unknown): { readonly status?: number } {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 700 ? { status } : {}
}
