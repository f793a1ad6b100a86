/** A bridged call as its user sees it. The rules are in b2bua/, the driving in bridge-runner.ts. */
import type { NameAddr } from '@carillon/sip-parser'
import type { BridgeEnd } from '../../b2bua/bridge-types'

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

  /** Ends the call on both sides. Resolves when it has ended. */
  async hangup(reason?: string): Promise<void> {
    this.runner.hangUp(reason ?? 'hang-up')
    await this.ended
  }
}
