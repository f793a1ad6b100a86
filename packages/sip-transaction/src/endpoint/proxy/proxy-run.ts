/**
 * A request that is proxied with state: drives its response context (RFC 3261 §16.2, §16.6 to §16.10). Its effects become
 * requests of its branches and responses to the one who asked; what comes back becomes its inputs.
 */
import { type HeaderInit, responseTo, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import type { Flow } from '../../ports'
import { forwardRequest, planForward } from '../../proxy/forward-request'
import { type ContextEffect, type ContextInput, ResponseContext } from '../../proxy/response-context'
import type { MarkedFlow } from '../../proxy/route-mark'
import { reasonsOf } from '../calls/reason'
import type { Closable, Core } from '../core'
import { type Appointment, describeError, type ServerUser } from '../driver'
import type { ForwardedRequest } from '../requests/client-request'
import type { ListenerEntry } from '../wire/egress'
import { changesFor, LateForwarder } from './proxy-late'
import { type LegOwner, ProxyLeg } from './proxy-leg'
import type { BranchFailure, MoreTargets, ProxyOptions } from './proxy-options'
import { calleeFlowOf, recordRoutes } from './proxy-record-route'
import { hasWayBack, passBack } from './proxy-response'
import { type ReadTarget, readTargets, redirectTargets } from './proxy-targets'
import { TargetSet } from './target-set'

/** What is proxied, and how. */
export interface ProxyJob {
  readonly targets: readonly ReadTarget[]
  readonly options: ProxyOptions
  /** Elements of Route that name us. */
  readonly ownRoutes: number
  /** True when a strict router has put us into the Request-URI, and the last Route is the target. */
  readonly isStrict: boolean
  /** How the caller is reached, and the callee, when not by their Contacts: for the Record-Route. */
  readonly callerFlow?: MarkedFlow | undefined
  readonly calleeFlow?: MarkedFlow | undefined
  /** The final response that went back, or would have. */
  readonly settled?: (response: SipResponse) => void
  /** The caller gave up. */
  readonly abandoned?: (cancel: SipRequest | undefined) => void
}

/** What other branches are told when one has answered (RFC 3326). */
const answeredElsewhere: readonly HeaderInit[] = [['Reason', 'SIP ;cause=200 ;text="Call completed elsewhere"']]

/** Entropy of a branch, in bits. */
const branchBits = 96

/** One proxied request. All methods run inside an input. */
export class ProxyRun implements ServerUser, Closable, LegOwner {
  readonly method: string
  readonly isSips: boolean
  private readonly context: ResponseContext<ReadTarget>
  private readonly out: ContextEffect<ReadTarget>[] = []
  private readonly legs: ProxyLeg[] = []
  private targets: TargetSet | undefined
  private cancel: SipRequest | undefined
  private isDraining = false
  private isSettled = false
  private wake: Appointment | undefined
  private wakeAtMs = Number.POSITIVE_INFINITY
  /** How long hooks are waited for that have not answered. */
  private patience: Set<Appointment> | undefined
  private abort: (() => void) | undefined
  /** Which branch a response came from. */
  private origins: WeakMap<SipResponse, ProxyLeg> | undefined

  constructor(
    readonly core: Core,
    private readonly id: TransactionId,
    private readonly request: SipRequest,
    private readonly flow: Flow,
    private readonly job: ProxyJob,
    private readonly loopHash: string | undefined,
  ) {
    this.method = request.method
    this.isSips = request.uri.scheme === 'sips'
    const { options } = job
    const { limits } = core
    this.context = new ResponseContext({
      isInvite: request.method === 'INVITE',
      mode: options.mode ?? 'mixed',
      breadth: Math.min(request.maxBreadth ?? limits.proxyBreadthMax, limits.proxyBreadthMax),
      targetsMax: limits.proxyTargetsMax,
      timerCMs: options.timerCMs ?? Number.POSITIVE_INFINITY,
      branchTimeoutMs: options.branchTimeoutMs ?? Number.POSITIVE_INFINITY,
      asks: options.onBranchFailed !== undefined,
    })
  }

  /** Begins. */
  start(): void {
    const { core, job, request } = this
    core.proxy.runs += 1
    core.waiting += 1
    core.driver.servers.set(this.id, this)
    core.driver.layer.unmerge(this.id)
    if (request.method === 'INVITE') {
      core.ringing += 1
      core.alive.add(this)
      // §16.2: a caller over UDP stops repeating the INVITE at once.
      this.send(responseTo(request, 100), undefined)
    }
    const { signal } = job.options
    let { targets } = job
    if (targets.length > 1) {
      this.targets = new TargetSet()
      targets = this.targets.add(targets)
    }
    this.input({ kind: 'start', targets })
    if (signal?.aborted) this.giveUp()
    else if (signal !== undefined && this.context.state !== 'terminated') {
      this.abort = () => core.submit(() => this.giveUp())
      signal.addEventListener('abort', this.abort, { once: true })
    }
  }

  /** Cancels what is under way; the best response goes back. */
  giveUp(): void {
    this.input({ kind: 'cancel' })
  }

  hangUp(): void {
    this.giveUp()
  }

  cancelled(cancel: SipRequest): void {
    this.cancel = cancel
    this.job.abandoned?.(cancel)
    this.giveUp()
  }

  failed(): void {
    if (!this.isSettled) this.job.abandoned?.(undefined)
    this.giveUp()
  }

  terminated(): void {
    if (!this.isSettled) this.failed()
  }

  write(leg: ProxyLeg, entry: ListenerEntry, remote: string): ForwardedRequest {
    const { core, request, job } = this
    const { loops, own } = core.proxy
    const branch = loops.branch(core.random.token(branchBits), this.loopHash)
    const { headers, given } = leg.branch.target
    const { headers: edits, responseHeaders } = job.options
    const isAsked = typeof edits === 'function' || typeof responseHeaders === 'function'
    const hop = isAsked ? { address: remote, uri: leg.nextHop() } : undefined
    leg.hop = hop
    const written = forwardRequest(request, leg.forward, {
      via: own.via(entry, remote, branch),
      recordRoutes: job.options.recordRoute === true ? this.recordRoutes(leg, entry, remote) : [],
      breadth: leg.branch.breadth,
      edits: typeof edits === 'function' ? edits(given, hop!) : edits,
      headers,
      path: job.options.path === true ? core.proxy.pathFor(this.request, this.flow, entry, remote) : undefined,
    })
    return { request: written, branch }
  }

  provisional(leg: ProxyLeg, response: SipResponse): void {
    if (response.status > 100) this.tell(leg, response)
    this.input({ kind: 'provisional', branch: leg.branch, response })
  }

  final(leg: ProxyLeg, response: SipResponse): void {
    const { branch } = leg
    const { status } = response
    this.tell(leg, response)
    if (this.context.state === 'terminated') {
      if (status < 300 && this.method === 'INVITE') this.lateFor(leg).response(response)
    } else if (!hasWayBack(response)) {
      this.input({ kind: 'final', branch, status: 502, response: undefined, reason: 'status' })
    } else if (status < 300 || status >= 400 || !this.follow(leg, response)) {
      this.finish({ kind: 'final', branch, status, response, reason: 'status' })
    }
    const { id } = leg.client
    const isOver = this.context.state === 'terminated' || this.method !== 'INVITE' || status < 300
    // §16.7 step 5: what comes after its failure is no stray response as long as others are waited for.
    if (!isOver && id !== undefined) this.core.proxy.failedLegs.set(id, leg)
  }

  legFailed(leg: ProxyLeg, status: number, reason: 'timeout' | 'transport'): void {
    this.finish({ kind: 'final', branch: leg.branch, status, response: undefined, reason })
  }

  private finish(final: Extract<ContextInput<ReadTarget>, { kind: 'final' }>): void {
    const { branch, status, reason } = final
    const isOpen = status >= 300 && this.context.state === 'forking' && !branch.isGivenUp
    const spare = isOpen ? this.targets?.next(branch.target, status, reason) : undefined
    if (spare === undefined) this.input(final)
    else this.input({ kind: 'replaced', branch, target: spare })
  }

  private input(input: ContextInput<ReadTarget>): void {
    this.context.handle(input, this.core.driver.nowMs, this.out)
    this.drain()
  }

  /** Effects in order; what they lead to at once adds to them. */
  private drain(): void {
    if (this.isDraining) return
    this.isDraining = true
    for (let index = 0; index < this.out.length; index += 1) this.carryOut(this.out[index]!)
    this.out.length = 0
    this.isDraining = false
    this.rearm()
  }

  private carryOut(effect: ContextEffect<ReadTarget>): void {
    switch (effect.kind) {
      case 'try':
        this.tryBranch(effect.branch)
        break
      case 'cancel':
        this.legOf(effect.branch)?.client.cancel(effect.isAnswered ? answeredElsewhere : this.callerReasons)
        break
      case 'forward':
        this.passOn(effect.response)
        break
      case 'answer':
        if (effect.response === undefined) this.answer(effect.status)
        else this.passOn(effect.response)
        break
      case 'ask':
        this.ask(effect)
        break
      case 'ended':
        this.end()
        break
    }
  }

  private tryBranch(branch: ProxyLeg['branch']): void {
    const { target } = branch
    const { ownRoutes, isStrict } = this.job
    const plan = planForward(this.request, target.uri, ownRoutes, target.routes, isStrict)
    const leg = new ProxyLeg(this, branch, plan)
    this.legs.push(leg)
    leg.client.start()
  }

  private recordRoutes(leg: ProxyLeg, entry: ListenerEntry, remote: string): readonly string[] {
    const { callerFlow, calleeFlow = calleeFlowOf(leg.branch.target) } = this.job
    return recordRoutes(this.core, this.request, this.flow, entry, remote, { callerFlow, calleeFlow })
  }

  private legOf(branch: ProxyLeg['branch']): ProxyLeg | undefined {
    return this.legs.find((leg) => leg.branch === branch)
  }

  /** §16.7 step 4: the contacts of a redirection take its place, when there are new ones. */
  private follow(leg: ProxyLeg, response: SipResponse): boolean {
    const { options, targets } = this.job
    if (options.recurse !== true) return false
    this.targets ??= new TargetSet(targets)
    const found = this.targets.add(redirectTargets(response, this.isSips))
    if (found.length > 0) this.input({ kind: 'redirected', branch: leg.branch, targets: found })
    return found.length > 0
  }

  /** Asks the user for more targets. What fails there fails nothing else. */
  private ask(effect: Extract<ContextEffect<ReadTarget>, { kind: 'ask' }>): void {
    const { branch, reason, status, response } = effect
    const failure: BranchFailure = { target: branch.target.given, reason, status, response }
    const { core } = this
    let isOpen = true
    let late: Appointment | undefined
    const more = (given: MoreTargets) => {
      if (!isOpen) return
      isOpen = false
      if (late !== undefined && this.patience?.delete(late) === true) late.cancel()
      this.input({ kind: 'more', targets: this.read(given) })
    }
    const refuse = (error: unknown) => {
      core.counters.handlerErrors += 1
      core.logger.error({ method: this.method, error: describeError(error) }, 'A hook of a proxied request failed')
      more(undefined)
    }
    try {
      const given = this.job.options.onBranchFailed?.(failure)
      if (!(given instanceof Promise)) more(given)
      else {
        late = core.driver.at(core.driver.nowMs + core.limits.inviteAnswerTimeoutMs, () => more(undefined))
        this.patience ??= new Set()
        this.patience.add(late)
        given.then(
          (targets) => core.submit(() => more(targets)),
          (error: unknown) => core.submit(() => refuse(error)),
        )
      }
    } catch (error) {
      refuse(error)
    }
  }

  private read(given: MoreTargets): readonly ReadTarget[] {
    this.targets ??= new TargetSet(this.job.targets)
    try {
      return this.targets.add(readTargets(given))
    } catch (error) {
      this.core.logger.error({ error: describeError(error) }, 'A hook of a proxied request gave no targets')
      return []
    }
  }

  private tell(leg: ProxyLeg, response: SipResponse): void {
    const { onResponse, responseHeaders } = this.job.options
    if (typeof responseHeaders === 'function') {
      this.origins ??= new WeakMap()
      this.origins.set(response, leg)
    }
    if (onResponse === undefined) return
    try {
      onResponse(response, leg.branch.target.given)
    } catch (error) {
      this.core.logger.error({ error: describeError(error) }, 'A hook of a proxied request failed')
    }
  }

  /** §16.7 steps 3 and 9: without our Via, to the one who asked. */
  private passOn(response: SipResponse): void {
    try {
      const changes = changesFor(this.job.options, this.origins?.get(response))
      this.send(passBack(response, typeof changes === 'function' ? changes(response) : changes), response.to.tag)
    } catch (error) {
      // What a hook would have taken out must not go back because it failed.
      this.core.logger.error({ error: describeError(error) }, 'A hook of a proxied request failed')
      if (response.status >= 200) this.answer(500)
    }
  }

  private answer(status: number): void {
    const toTag = this.request.to.tag ?? this.core.newTag()
    this.send(responseTo(this.request, status, { toTag }), toTag)
  }

  private send(response: SipResponse, toTag: string | undefined): void {
    const { driver, onAnswer } = this.core
    driver.layer.sendResponse(this.id, response, driver.nowMs, driver.out, toTag)
    if (response.status < 200) return
    onAnswer?.(this.request, this.flow, response.status)
    if (!this.isSettled) this.settle(response)
  }

  private settle(response: SipResponse): void {
    const { core } = this
    this.isSettled = true
    if (this.method === 'INVITE') {
      core.ringing -= 1
      core.alive.delete(this)
    }
    this.job.settled?.(response)
  }

  /** Every branch has ended. Of the INVITE further 2xx may come; they need no more than the way back. */
  private end(): void {
    const { core } = this
    this.wake?.cancel()
    this.wake = undefined
    for (const late of this.patience ?? []) late.cancel()
    this.patience = undefined
    if (this.abort !== undefined) this.job.options.signal?.removeEventListener('abort', this.abort)
    core.driver.servers.delete(this.id)
    if (this.method === 'INVITE') {
      for (const leg of this.legs) {
        leg.client.handOver(this.lateFor(leg))
        if (leg.client.id !== undefined) core.proxy.failedLegs.delete(leg.client.id)
      }
    }
    core.proxy.runs -= 1
    core.waiting -= 1
    core.onChange()
  }

  private lateFor(leg: ProxyLeg): LateForwarder {
    return new LateForwarder(this.core, this.id, changesFor(this.job.options, leg))
  }

  private rearm(): void {
    const atMs = this.context.deadline()
    if (atMs === this.wakeAtMs || this.context.state === 'terminated') return
    this.wake?.cancel()
    this.wakeAtMs = atMs
    this.wake = undefined
    if (atMs === Number.POSITIVE_INFINITY) return
    this.wake = this.core.driver.at(atMs, () => {
      this.wakeAtMs = Number.POSITIVE_INFINITY
      this.context.expire(this.core.driver.nowMs, this.out)
      this.drain()
    })
  }

  /** Why the caller cancelled, for the branches (RFC 3326). */
  private get callerReasons(): readonly HeaderInit[] {
    const { reasons } = this.cancel === undefined ? { reasons: [] } : reasonsOf(this.cancel)
    return (reasons ?? []).map((reason): HeaderInit => ['Reason', reason])
  }
}
