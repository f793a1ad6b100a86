/** The media anchor of a bridge, asked one thing at a time in order; what it says comes back as inputs of the machine. */
import type { BridgeEffect, BridgeInput } from '../../b2bua/bridge-types'
import { hideOrigin } from '../../b2bua/topology'
import { detachedBytes } from '../calls/detached-bytes'
import type { Core } from '../core'
import { describeError } from '../driver'
import { ownHost } from './bridge-branch'
import type { BridgeOptions } from './bridge-options'

/** The work of one bridge at its anchor; without one descriptions go on as they are. */
export class AnchorQueue {
  private chain: Promise<unknown> | undefined

  constructor(
    private readonly core: Core,
    private readonly callId: string,
    private readonly options: BridgeOptions,
    private readonly tell: (input: BridgeInput) => void,
  ) {}

  ask(effect: Extract<BridgeEffect, { kind: 'anchor' }>): void {
    const { token, op, side, sdp } = effect
    const { sdp: media, hideTopology } = this.options
    if (media === undefined) {
      // A copy: what goes to the other side is kept as long as the call lasts, and the message that it is a part of is not.
      const own = hideTopology === true ? hideOrigin(sdp, ownHost(this.core)) : detachedBytes(sdp)
      this.tell({ kind: 'anchored', token, sdp: own })
      return
    }
    this.after(
      () => media[op](side, sdp),
      (rewritten) => this.tell({ kind: 'anchored', token, sdp: rewritten }),
      (error) => {
        this.core.logger.warn(
          { callId: this.callId, side, op, error: describeError(error) },
          'The media anchor refused',
        )
        this.tell({ kind: 'anchor-failed', token, ...statusOf(error) })
      },
    )
  }

  /** The bridge has ended. */
  release(): void {
    const { sdp: media } = this.options
    if (media === undefined) return
    this.after(
      async () => media.release(),
      () => {},
      (error) =>
        this.core.logger.warn(
          { callId: this.callId, error: describeError(error) },
          'The media anchor failed to release',
        ),
    )
  }

  private after<T>(work: () => Promise<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
    const chain: Promise<unknown> = (this.chain ?? Promise.resolve()).then(work).then(done, failed)
    this.chain = chain
    // What has been done is not to be kept for as long as the call lasts.
    void chain.then(() => {
      if (this.chain === chain) this.chain = undefined
    })
  }
}

/** The status that an anchor wants a refusal to have. */
function statusOf(error: unknown): { readonly status?: number } {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 700 ? { status } : {}
}
