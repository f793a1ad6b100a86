/** A bridged call as its user sees it. The rules are in b2bua/, the driving in bridge-runner.ts. */
import type { NameAddr } from '@carillon/sip-parser'
import type { BridgeEnd } from '../../b2bua/bridge-types'
import type { BridgeTarget } from './bridge-options'

/** One side of a bridge: a dialog of its own. */
export interface CallLeg {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  readonly local: NameAddr
  readonly remote: NameAddr
}

/** The bridge behind it. */
export interface BridgeView {
  readonly ended: Promise<BridgeEnd>
  readonly legA: CallLeg
  readonly legB: CallLeg | undefined
  readonly state: 'setup' | 'ringing' | 'active' | 'ended'
  hangUp(reason: string): void
  redirect(targets: readonly (string | BridgeTarget)[]): boolean
}

/** Two calls connected with each other. */
export class Bridge {
  /** How it ended; never rejects. */
  readonly ended: Promise<BridgeEnd>
  private readonly runner: BridgeView

  /** @internal */
  constructor(runner: BridgeView) {
    this.runner = runner
    this.ended = runner.ended
  }

  /** The calling side. */
  get a(): CallLeg {
    return this.runner.legA
  }

  /** The called side, once a target has answered. */
  get b(): CallLeg | undefined {
    return this.runner.legB
  }

  /** `ringing` as soon as a target rings; `active` from the answer on. */
  get state(): BridgeView['state'] {
    return this.runner.state
  }

  /**
   * Calls other places in place of all that have been called so far: those that ring are cancelled, and the time to ring
   * begins anew.
   * @returns false, and nothing is done, when the call has been answered or is over, or when its two sides are already
   *   agreeing on media by an offer of the called side
   * @throws SipUsageError TARGETS_MISSING, TARGET_INVALID
   */
  redirect(targets: string | BridgeTarget | readonly (string | BridgeTarget)[]): boolean {
    return this.runner.redirect(isList(targets) ? targets : [targets])
  }

  /** Ends the call on both sides. Resolves when it has ended. */
  async hangup(reason?: string): Promise<void> {
    this.runner.hangUp(reason ?? 'hang-up')
    await this.ended
  }
}

function isList(
  targets: string | BridgeTarget | readonly (string | BridgeTarget)[],
): targets is readonly (string | BridgeTarget)[] {
  return Array.isArray(targets)
}
