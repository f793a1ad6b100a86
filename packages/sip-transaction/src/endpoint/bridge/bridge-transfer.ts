/**
 * A REFER inside a bridged call, carried out by the bridge: the target is called without an offer, and what it offers goes
 * to the side that stays, whose answer goes into the ACK (RFC 5589 §6 and §7 for transferor and target, RFC 3725 §4.1 for
 * the order). An attended transfer whose other call is bridged here as well joins the two bridges (RFC 3891 §3).
 */
import type { HeaderInit } from '@carillon/sip-parser'
import type { BridgeSide } from '../../b2bua/bridge-types'
import { dialogKey } from '../../dialog/dialog'
import { glareWaitMs } from '../../dialog/glare'
import { ReferReporter } from '../calls/refer-reporter'
import { isSamePlace, type ReferFacts, readRefer } from '../calls/refer-target'
import { type Appointment, describeError } from '../driver'
import type { IncomingRequest } from '../requests/incoming-request'
import { branchSpec } from './bridge-branch'
import { type Callee, InvitedCallee, JoinedCallee } from './bridge-callee'
import { AnsweredTransfer } from './bridge-changes'
import { type BridgeHost, BridgeLeg } from './bridge-leg'
import type { BridgeOptions, BridgeTarget, TransferDecision } from './bridge-options'
import { passRequest, relayPolicies } from './bridge-relay'

/** A side of another bridge that is to be joined. */
interface Joined {
  readonly runner: BridgeHost
  readonly side: BridgeSide
}

/** A REFER came from that side. */
export function receiveRefer(runner: BridgeHost, side: BridgeSide, incoming: IncomingRequest): void {
  const facts = readRefer(incoming.message)
  if (facts.kind === 'refused') {
    incoming.answer(facts.status)
    return
  }
  const { transfers = 'refuse' } = runner.options
  if (typeof transfers !== 'function') {
    decide(runner, side, incoming, facts, transfers)
    return
  }
  const { target, replaces, referredBy } = facts
  Promise.resolve()
    .then(() => transfers({ by: side, target, replaces, referredBy }))
    .then(
      (decision) => runner.core.submit(() => decide(runner, side, incoming, facts, decision)),
      (error: unknown) => {
        runner.core.logger.error({ error: describeError(error) }, 'A callback failed')
        incoming.answer(500)
      },
    )
}

function decide(
  runner: BridgeHost,
  side: BridgeSide,
  incoming: IncomingRequest,
  facts: ReferFacts,
  decision: TransferDecision,
): void {
  const other = side === 'a' ? 'b' : 'a'
  // Its sender could not wait for the decision.
  if (incoming.isAnswered) return
  if (decision === 'refuse') incoming.answer(403)
  else if (decision === 'pass') passRequest(incoming, runner.sessionOf(other), relayPolicies(runner.options, side))
  else if (!runner.isActive || runner.transfer !== undefined) incoming.answer(491)
  else execute(runner, side, incoming, facts, decision === 'execute' ? { uri: facts.target } : decision)
}

function execute(
  runner: BridgeHost,
  side: BridgeSide,
  incoming: IncomingRequest,
  facts: ReferFacts,
  target: BridgeTarget,
): void {
  const joined = joinedBy(runner, facts)
  // Somebody who is to talk to himself, or to whom he talks already, or both sides of one call.
  if (joined?.runner === runner || (facts.replaces === undefined && isPartyOf(runner, facts))) {
    incoming.answer(403)
    return
  }
  if (joined?.runner.isActive === false) {
    incoming.answer(491)
    return
  }
  try {
    const transfer = new BridgeTransferRun(runner, side, incoming, facts, joined ?? target)
    runner.transfer = transfer
    transfer.start()
  } catch (error) {
    // What the user's function gave is no place.
    runner.core.logger.error({ error: describeError(error) }, 'A transfer cannot be carried out')
    runner.transfer = undefined
    incoming.answer(500)
  }
}

/** The side to join when the call to be replaced is bridged here: the one at its other end. */
function joinedBy(runner: BridgeHost, { replaces }: ReferFacts): Joined | undefined {
  if (replaces === undefined) return undefined
  const { callId, toTag, fromTag } = replaces
  const owner = runner.core.sessions.get(dialogKey(callId, toTag, fromTag))?.owner
  if (!(owner instanceof BridgeLeg) || owner.bridge === undefined) return undefined
  return { runner: owner.bridge, side: owner.side === 'a' ? 'b' : 'a' }
}

function isPartyOf(runner: BridgeHost, { target }: ReferFacts): boolean {
  return (['a', 'b'] as const).some((side) => {
    const dialog = runner.sessionOf(side)?.dialog
    return dialog !== undefined && (isSamePlace(target, dialog.remoteTarget) || isSamePlace(target, dialog.remote.uri))
  })
}

/** One transfer under way. */
class BridgeTransferRun {
  private readonly callee: Callee
  private readonly reporter: ReferReporter
  private readonly joined: Joined | undefined
  private late: Appointment | undefined
  private tries = 0
  private isOver = false
  /** What the target said last; undefined before its 2xx. */
  private offer: Uint8Array | undefined

  constructor(
    private readonly runner: BridgeHost,
    private readonly side: BridgeSide,
    refer: IncomingRequest,
    private readonly facts: ReferFacts,
    to: Joined | BridgeTarget,
  ) {
    const user = {
      progress: ({ status }: { readonly status: number }) => this.reporter.progress(status),
      accepted: (offer: Uint8Array | undefined) => this.accepted(offer),
      rejected: (status: number) => this.fail(status),
    }
    this.joined = 'runner' in to ? to : undefined
    if ('runner' in to) {
      this.callee = new JoinedCallee(to.runner.sessionOf(to.side)!, undefined, user)
    } else {
      const { core, options } = runner
      const stays = runner.sessionOf(side === 'a' ? 'b' : 'a')!.dialog
      const referring = runner.sessionOf(side)!.dialog
      const target = { ...to, headers: [...(to.headers ?? []), ...headersOf(facts, referring.remote.uri.toString())] }
      const spec = branchSpec(core, { from: stays.remote, message: undefined }, target, optionsFor(side, options), 1)
      this.callee = new InvitedCallee(core, spec, user)
    }
    this.reporter = new ReferReporter(runner.sessionOf(side), refer)
  }

  /** Calls the target. */
  start(): void {
    const { runner, side, facts } = this
    runner.later({ kind: 'transfer', side, target: facts.target.toString() })
    const { core, options } = runner
    const ringMs = options.ringTimeoutMs ?? core.limits.ringTimeoutMs
    this.late = core.driver.at(core.driver.nowMs + ringMs, () => {
      this.callee.cancel([])
      this.fail(408)
    })
    this.callee.start(undefined)
  }

  /** The bridge has ended. */
  abort(): void {
    if (this.isOver) return
    if (this.callee.request === undefined) this.callee.cancel([])
    this.reporter.done(487)
    this.leave()
  }

  private accepted(offer: Uint8Array | undefined): void {
    if (this.isOver) {
      this.leave()
      return
    }
    this.late?.cancel()
    this.offer = offer
    if (offer === undefined) this.fail(488)
    else this.connect()
  }

  private connect(): void {
    const { runner, side, callee, offer } = this
    const { session, request } = callee
    if (this.isOver || session === undefined || request === undefined) return
    session.onAckWanted = () => session.ack(request)
    const change = new AnsweredTransfer(session, request, (status) => this.answered(status))
    runner.request(side, change, 'INVITE', offer)
  }

  private answered(status: number): void {
    const { runner, side, callee, joined } = this
    const { core } = runner
    if (this.isOver) return
    if (status === 491 && this.tries < core.limits.glareRetriesMax) {
      this.tries += 1
      this.late = core.driver.at(core.driver.nowMs + glareWaitMs(true, core.random.fraction()), () => this.connect())
      return
    }
    if (status >= 300) {
      this.fail(status)
      return
    }
    this.isOver = true
    runner.transfer = undefined
    this.reporter.done(200)
    runner.replace(side, callee.session!, new BridgeLeg(runner, side, callee.call), 'transfer')
    runner.later({ kind: 'acknowledged', side, sdp: undefined })
    if (joined?.runner.sessionOf(joined.side) === callee.session) joined?.runner.release(joined.side)
  }

  private fail(status: number): void {
    if (this.isOver) return
    this.reporter.done(status)
    this.leave()
    this.runner.transfer = undefined
    this.runner.later({ kind: 'transfer-failed', status })
  }

  /** Lets the target go; one that is in a bridge of its own stays there. */
  private leave(): void {
    this.isOver = true
    this.late?.cancel()
    const { session, request } = this.callee
    if (session === undefined || request === undefined) return
    session.ack(request)
    if (this.joined === undefined) session.bye('The transfer has failed')
  }
}

/** From is what the bridge shows of its caller, when that one stays; To is the target, whoever was called before. */
function optionsFor(leaving: BridgeSide, { from, to: _, ...rest }: BridgeOptions): BridgeOptions {
  return leaving === 'b' && from !== undefined ? { ...rest, from } : rest
}

function headersOf({ replaces, referredBy }: ReferFacts, referrer: string): HeaderInit[] {
  const headers: HeaderInit[] = [['Referred-By', referredBy?.toString() ?? `<${referrer}>`]]
  if (replaces !== undefined) headers.push(['Replaces', replaces.toString()], ['Require', 'replaces'])
  return headers
}
