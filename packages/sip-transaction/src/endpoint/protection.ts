/** Puts what protects one stack together: its gatekeeper, its queue, its turns. Internal. */
import { dialogKey } from '../dialog/dialog'
import { defaultProtectionLimits } from '../limits'
import type { Random, Turns } from '../ports'
import { NextHopThrottle } from '../protection/next-hop-throttle'
import { overloadOffer } from '../protection/overload-feedback'
import type { Core } from './core'
import type { Appointment } from './driver'
import type { SipStackOptions } from './options'
import { Gatekeeper } from './wire/gatekeeper'
import { IngressQueue } from './wire/ingress-queue'
import { nodeClock } from './wire/node-ports'
import { createNodeLoadProbe, createNodeTurns } from './wire/node-turns'

/** Turns of the event loop; none for a stack whose clock is not the real one, which has no say over real time. */
export function turnsFor(options: SipStackOptions): Turns | undefined {
  if ((options.clock ?? nodeClock) !== nodeClock) return undefined
  const { turnMs, coalesceRestMs, coalesceFromPerSecond } = {
    ...defaultProtectionLimits,
    ...options.limits?.protection,
  }
  const coalescing = { restMs: coalesceRestMs, fromPerSecond: coalesceFromPerSecond }
  return createNodeTurns(turnMs, options.coalesce === false || coalesceRestMs === 0 ? undefined : coalescing)
}

/** The protection of one stack. */
export class Protection {
  readonly gatekeeper: Gatekeeper
  readonly queue: IngressQueue
  private forgetting: Appointment | undefined

  /** @throws SipUsageError RATE_LIMIT_INVALID */
  constructor(
    options: SipStackOptions,
    private readonly core: Core,
    turns: Turns | undefined,
    random: Random,
  ) {
    const { driver, clock } = core
    const limits = { ...defaultProtectionLimits, ...options.limits?.protection }
    const protection = options.protection ?? {}
    this.queue = new IngressQueue(turns, limits, () => driver.nowMs)
    const overload = protection.overload ?? {}
    const probe = overload === false ? undefined : (overload.probe ?? (turns && createNodeLoadProbe()))
    this.gatekeeper = new Gatekeeper(protection, {
      key: random.bytes(8),
      probe,
      retryAfterSeconds: core.limits.retryAfterSeconds,
      limits,
      wallMs: () => clock.wallMs(),
      occupancy: () => Math.max(driver.layer.occupancy, core.waiting / core.limits.waitingRequestsMax, this.queue.fill),
      takeLongestWaitMs: () => this.queue.takeLongestMs(),
      isInside: ({ callId, to, from }) => core.sessions.has(dialogKey(callId, to.tag ?? '', from.tag ?? '')),
      isKnown: (request, flow) => driver.layer.isKnownRequest(request, flow),
    })
    if (this.gatekeeper.countsAnswers)
      core.onAnswer = (request, flow, status) => this.gatekeeper.answered(request, flow, status)
    if (overload === false || overload.offer !== true) return
    core.throttle = new NextHopThrottle(limits)
    core.egress.viaSuffix = overloadOffer
  }

  /** After a request was judged: sources that go quiet are forgotten even if nothing comes in any more. */
  arm(): void {
    if (this.forgetting !== undefined) return
    const dueMs = this.gatekeeper.deadline()
    if (dueMs === Number.POSITIVE_INFINITY) return
    const { driver } = this.core
    this.forgetting = driver.at(dueMs, () => {
      this.forgetting = undefined
      this.gatekeeper.expire(driver.nowMs)
      this.arm()
    })
  }
}
