/**
 * The places that a bridge calls: those it was given, and, by choice, the contacts of a redirection (RFC 3261 §8.1.3.4,
 * §16.7 step 4). No place is called twice by redirections, so that they come to an end.
 */
import type { SipResponse, Uri } from '@carillon/sip-parser'
import { SipUsageError } from '../../errors'
import type { Core } from '../core'
import { redirectTargets } from '../proxy/proxy-targets'
import { branchSpec, type CallerFacts, takesEarlyOffers } from './bridge-branch'
import { type Callee, type CalleeUser, InvitedCallee } from './bridge-callee'
import type { BridgeOptions, BridgeTarget } from './bridge-options'

/** Makes a place to call, which tells the bridge what becomes of it. */
export type CalleeFactory = (user: CalleeUser) => Callee

/** The invitations of one bridge. */
export class Invitations {
  private readonly known = new Set<string>()

  constructor(
    private readonly core: Core,
    private readonly caller: CallerFacts,
    private readonly options: BridgeOptions,
  ) {}

  /**
   * One for each target.
   * @throws SipUsageError TARGETS_MISSING, TARGET_INVALID
   */
  to(targets: readonly BridgeTarget[]): CalleeFactory[] {
    const { core } = this
    if (targets.length === 0 || targets.length > core.limits.bridgeTargetsMax)
      throw new SipUsageError('TARGETS_MISSING')
    return targets.map((target) => this.factory(target, targets.length))
  }

  private factory(target: BridgeTarget, targets: number): CalleeFactory {
    const { core, caller, options } = this
    const spec = branchSpec(core, caller, target, options, targets)
    const isTaken = takesEarlyOffers(core, caller.message, targets)
    if (options.recurse === true) this.known.add(spec.uri.toString())
    return (user) => {
      const rejected = (status: number) => {
        const more = this.follow(spec.uri, callee.response, status)
        if (more.length === 0) user.rejected(status)
        else user.redirected?.(status, more)
      }
      const callee = new InvitedCallee(core, spec, { ...user, rejected, takesEarlyOffers: isTaken })
      return callee
    }
  }

  /** The contacts of a 3xx that have not been called; none where they are not followed. */
  private follow(from: Uri, response: SipResponse | undefined, status: number): CalleeFactory[] {
    const { known, core, options } = this
    if (options.recurse !== true || response === undefined || status < 300 || status >= 400) return []
    const isSips = from.scheme === 'sips' || this.caller.message?.uri.scheme === 'sips'
    const targets: BridgeTarget[] = []
    for (const { uri } of redirectTargets(response, isSips)) {
      if (known.size >= core.limits.bridgeTargetsMax) break
      if (known.has(uri.toString())) continue
      known.add(uri.toString())
      targets.push({ uri })
    }
    // An offer before the answer could come from any of several.
    return targets.map((target) => this.factory(target, 2))
  }
}
