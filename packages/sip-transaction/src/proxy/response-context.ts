/**
 * The response context of a proxied request: RFC 3261 §16.5 to §16.8 and §16.10 (targets, forking, timer C, CANCEL, the
 * best response), RFC 5393 §5.3.3 (Max-Breadth). Sans I/O.
 */
import type { SipResponse } from '@carillon/sip-parser'
import type { MachineSubject } from '../fsm/machine'
import { compileMachine } from '../fsm/machine'
import { BestResponse } from './best-response'
import { type BranchInput, type BranchState, proxyBranchDefinition } from './branch-machine'
import { type ContextAction, type ContextState, type ContextStep, proxyContextDefinition } from './context-machine'

/** In what order targets are tried. */
export type ForkMode = 'parallel' | 'serial' | 'mixed'

/** Why a branch failed. */
export type BranchFailureReason = 'status' | 'timeout' | 'transport'

/** Something to be tried. */
export interface ContextTarget {
  /** Preference, 0 to 1. */
  readonly q: number
}

/** How a context works. */
export interface ContextSettings {
  readonly isInvite: boolean
  readonly mode: ForkMode
  /** Branches that may be under way at once, here and behind the branches (RFC 5393 §5.3.3). */
  readonly breadth: number
  /** Targets in all; further ones are not taken. */
  readonly targetsMax: number
  /** Infinity when the transaction layer's own timer C is enough. */
  readonly timerCMs: number
  /** How long one target may take; Infinity for no limit. */
  readonly branchTimeoutMs: number
  /** True when after a failure somebody is asked for more targets: an `ask` effect, and `more` when the answer is there. */
  readonly asks: boolean
}

/** What a context is told. */
export type ContextInput<T extends ContextTarget> =
  | { readonly kind: 'start'; readonly targets: readonly T[] }
  | { readonly kind: 'provisional'; readonly branch: ProxyBranch<T>; readonly response: SipResponse }
  | {
      readonly kind: 'final'
      readonly branch: ProxyBranch<T>
      readonly status: number
      readonly response: SipResponse | undefined
      readonly reason: BranchFailureReason
    }
  /** A 3xx whose contacts are tried in its place (§16.7 step 4); with none left to be tried it is a `final`. */
  | { readonly kind: 'redirected'; readonly branch: ProxyBranch<T>; readonly targets: readonly T[] }
  /** A flow that failed, and the next one of the same device: tried at once, whatever else is under way (RFC 5626 §7). */
  | { readonly kind: 'replaced'; readonly branch: ProxyBranch<T>; readonly target: T }
  | { readonly kind: 'more'; readonly targets: readonly T[] }
  | { readonly kind: 'cancel' }

/** What a context asks for. */
export type ContextEffect<T extends ContextTarget> =
  | { readonly kind: 'try'; readonly branch: ProxyBranch<T> }
  /** Not for requests other than INVITE. */
  | { readonly kind: 'cancel'; readonly branch: ProxyBranch<T>; readonly isAnswered: boolean }
  | { readonly kind: 'forward'; readonly response: SipResponse }
  | { readonly kind: 'answer'; readonly status: number; readonly response: SipResponse | undefined }
  | {
      readonly kind: 'ask'
      readonly branch: ProxyBranch<T>
      readonly reason: BranchFailureReason
      readonly status: number
      readonly response: SipResponse | undefined
    }
  | { readonly kind: 'ended' }

/** One branch; only its context changes it. */
export class ProxyBranch<T extends ContextTarget> implements MachineSubject {
  state: BranchState = proxyBranchDefinition.start.next
  pendingInput: string | undefined = undefined
  /** Its share of Max-Breadth while it is under way. */
  breadth = 0
  /** When it has taken too long. */
  limitMs = Number.POSITIVE_INFINITY
  /** When its target has taken too long, whatever it rings. */
  deadlineMs = Number.POSITIVE_INFINITY
  /** True once its failure has been counted, although its final response is still to come. */
  isGivenUp = false

  constructor(readonly target: T) {}

  /** True while its final response is waited for. */
  get isPending(): boolean {
    return this.state !== 'waiting' && this.state !== 'terminated' && !this.isGivenUp
  }
}

/** See the head of this file. */
export class ResponseContext<T extends ContextTarget> implements MachineSubject {
  state: ContextState = proxyContextDefinition.start.next
  pendingInput: string | undefined = undefined
  /** @internal */
  out: ContextEffect<T>[] = []
  /** @internal */
  nowMs = 0
  /** @internal The branch that the present input is about. */
  branch: ProxyBranch<T> | undefined = undefined
  /** @internal */
  response: SipResponse | undefined = undefined
  /** @internal */
  status = 0
  /** @internal */
  reason: BranchFailureReason = 'status'
  /** @internal */
  breadth: number
  /** @internal */
  best: BestResponse | undefined = undefined
  /** @internal True when it was the caller who ended it. */
  isCancelled = false
  /** @internal Answers of those asked for more targets that are still to come. */
  asked = 0
  /** @internal */
  readonly branches: ProxyBranch<T>[] = []

  constructor(readonly settings: ContextSettings) {
    this.breadth = settings.breadth
  }

  /** Takes one input and adds to `out` what is to be done. */
  handle(input: ContextInput<T>, nowMs: number, out: ContextEffect<T>[]): void {
    this.enter(nowMs, out)
    switch (input.kind) {
      case 'start':
        this.add(input.targets)
        break
      case 'provisional':
        this.branch = input.branch
        this.response = input.response
        this.step(input.branch, 'provisional')
        if (!input.branch.isGivenUp && input.response.status > 100)
          contextMachine.handle(this, 'provisional', undefined)
        break
      case 'final':
        this.finish(input.branch, input.status, input.response, input.reason)
        break
      case 'redirected':
        this.branch = input.branch
        this.step(input.branch, 'final')
        if (this.state === 'forking') this.add(input.targets)
        break
      case 'replaced':
        this.replace(input.branch, input.target)
        break
      case 'more':
        this.asked -= 1
        if (this.state === 'forking') this.add(input.targets)
        break
      case 'cancel':
        this.isCancelled = true
        contextMachine.handle(this, 'cancel', undefined)
        break
    }
    this.proceed()
  }

  /** When {@link expire} is to be called; Infinity for never. */
  deadline(): number {
    const { timerCMs, branchTimeoutMs } = this.settings
    let due = Number.POSITIVE_INFINITY
    if (timerCMs === due && branchTimeoutMs === due) return due
    for (const branch of this.branches) due = Math.min(due, branch.limitMs, branch.deadlineMs)
    return due
  }

  /** Ends the branches that have taken too long. */
  expire(nowMs: number, out: ContextEffect<T>[]): void {
    this.enter(nowMs, out)
    for (const branch of [...this.branches]) {
      if (branch.limitMs > nowMs && branch.deadlineMs > nowMs) continue
      this.branch = branch
      this.step(branch, 'late')
      branch.isGivenUp = true
      // It is ending; what is tried in its place may have its share.
      this.breadth += branch.breadth
      branch.breadth = 0
      this.fail(408, undefined, 'timeout')
    }
    this.proceed()
  }

  private enter(nowMs: number, out: ContextEffect<T>[]): void {
    this.nowMs = nowMs
    this.out = out
  }

  private add(targets: readonly T[]): void {
    const { branches, settings } = this
    for (const target of targets) {
      if (branches.length >= settings.targetsMax) return
      branches.push(new ProxyBranch(target))
    }
  }

  private replace(branch: ProxyBranch<T>, target: T): void {
    const { breadth } = branch
    this.branch = branch
    this.step(branch, 'final')
    if (this.state !== 'forking') return
    const next = new ProxyBranch(target)
    this.branches.push(next)
    this.tryOne(next, breadth)
  }

  private finish(
    branch: ProxyBranch<T>,
    status: number,
    response: SipResponse | undefined,
    reason: BranchFailureReason,
  ): void {
    this.branch = branch
    this.step(branch, 'final')
    if (status >= 200 && status < 300) {
      this.response = response
      contextMachine.handle(this, 'success', undefined)
    } else if (!branch.isGivenUp) this.fail(status, response, reason)
  }

  private fail(status: number, response: SipResponse | undefined, reason: BranchFailureReason): void {
    this.status = status
    this.response = response
    this.reason = reason
    contextMachine.handle(this, status >= 600 ? 'decline' : 'failure', undefined)
  }

  /** Tries what is next, and ends when nothing is left. */
  private proceed(): void {
    if (this.state === 'forking') this.tryNext()
    // Once nothing is to be tried any more, nobody has to be waited for who could give more.
    const isAsking = this.state === 'forking' && this.asked > 0
    if (this.state !== 'terminated' && !isAsking && !this.isBusy()) {
      contextMachine.handle(this, 'exhausted', undefined)
    }
    this.branch = undefined
    this.response = undefined
  }

  private isBusy(): boolean {
    for (const branch of this.branches) if (branch.isPending) return true
    return false
  }

  /** §16.6: the targets whose turn it is, as many as Max-Breadth allows. */
  private tryNext(): void {
    const { branches, settings } = this
    const only = branches[0]
    if (branches.length === 1 && only !== undefined) {
      if (only.state === 'waiting' && this.breadth > 0) this.tryOne(only, this.breadth)
      return
    }
    if (settings.mode !== 'parallel' && (this.asked > 0 || this.isBusy())) return
    const waiting = branches.filter(({ state }) => state === 'waiting')
    if (waiting.length === 0) return
    const q = waiting.reduce((most, { target }) => Math.max(most, target.q), 0)
    const group = settings.mode === 'parallel' ? waiting : waiting.filter(({ target }) => target.q === q)
    const count = Math.min(settings.mode === 'serial' ? 1 : group.length, this.breadth)
    for (let index = 0; index < count; index += 1) {
      // What does not divide evenly goes to the first.
      this.tryOne(group[index]!, Math.ceil(this.breadth / (count - index)))
    }
  }

  private tryOne(branch: ProxyBranch<T>, breadth: number): void {
    branch.breadth = breadth
    this.breadth -= breadth
    this.step(branch, 'try')
  }

  /** @internal */
  step(branch: ProxyBranch<T>, input: BranchInput): void {
    branchMachine.handle(branch, input, this)
  }
}

type AnyBranch = ProxyBranch<ContextTarget>
type AnyContext = ResponseContext<ContextTarget>

const branchMachine = compileMachine<
  BranchState,
  BranchInput,
  'send' | 'start-limit' | 'restart-limit' | 'stop-limit' | 'send-cancel' | 'release',
  AnyBranch,
  AnyContext
>(proxyBranchDefinition, {
  send: (branch, context) => context.out.push({ kind: 'try', branch }),
  'start-limit': startLimit,
  'restart-limit': restartLimit,
  'stop-limit': stopLimit,
  'send-cancel': (branch, context) => {
    if (!context.settings.isInvite) return
    context.out.push({ kind: 'cancel', branch, isAnswered: context.state === 'answered' })
  },
  release: (branch, context) => {
    context.breadth += branch.breadth
    branch.breadth = 0
  },
})

const contextMachine = compileMachine<ContextState, ContextStep, ContextAction, AnyContext, undefined>(
  proxyContextDefinition,
  {
    forward,
    'forward-further': (context) => {
      if (context.settings.isInvite) forward(context)
    },
    store: (context) => {
      context.best ??= new BestResponse()
      context.best.offer(context.status, context.response)
    },
    ask,
    'drop-waiting': (context) => {
      for (const branch of context.branches) if (branch.state === 'waiting') context.step(branch, 'cancel')
    },
    'cancel-pending': (context) => {
      for (const branch of context.branches) if (branch.isPending) context.step(branch, 'cancel')
    },
    answer,
    end: (context) => context.out.push({ kind: 'ended' }),
  },
)

function forward(context: AnyContext): void {
  if (context.response !== undefined) context.out.push({ kind: 'forward', response: context.response })
}

function ask(context: AnyContext): void {
  const { branch, reason, status, response } = context
  if (!context.settings.asks || branch === undefined) return
  context.asked += 1
  context.out.push({ kind: 'ask', branch, reason, status, response })
}

/** §16.7 step 6, §16.10 and RFC 5393 §5.3.3.1: the best response, or what says why there is none. */
function answer(context: AnyContext): void {
  const chosen = context.best?.choose()
  // Who has cancelled wants to hear that it has worked, not that somebody was silent to the end.
  const isSilent = context.isCancelled && chosen?.status === 408 && chosen.response === undefined
  if (chosen !== undefined && !isSilent) context.out.push({ kind: 'answer', ...chosen })
  else {
    const isTooNarrow = context.settings.breadth < 1 && context.branches.length > 0
    const status = context.isCancelled ? 487 : isTooNarrow ? 440 : 480
    context.out.push({ kind: 'answer', status, response: undefined })
  }
}

function startLimit(branch: AnyBranch, context: AnyContext): void {
  const { isInvite, timerCMs, branchTimeoutMs } = context.settings
  branch.deadlineMs = context.nowMs + branchTimeoutMs
  if (isInvite) branch.limitMs = context.nowMs + timerCMs
}

function restartLimit(branch: AnyBranch, context: AnyContext): void {
  const { isInvite, timerCMs } = context.settings
  if (isInvite && context.response?.status !== 100) branch.limitMs = context.nowMs + timerCMs
}

function stopLimit(branch: AnyBranch): void {
  branch.limitMs = Number.POSITIVE_INFINITY
  branch.deadlineMs = Number.POSITIVE_INFINITY
}
