/**
 * A transfer that one side of a bridge has asked for and the bridge carries out (RFC 3515 §2.4.4, RFC 5589 §6): who has
 * asked, and whether it is still there. The other side stays until the transfer is decided. Pure.
 */
import type { BridgeEffect, BridgeSide } from './bridge-types'

/** The transfer under way in one bridge, if any. */
export class Transfer {
  /** The side that asked for the last one. */
  by: BridgeSide = 'a'
  private isUnderWay = false
  private isGone = false

  /** A transfer begins, in a call that is up. */
  begin(side: BridgeSide, target: string, isActive: boolean, out: BridgeEffect[]): void {
    if (!isActive) return
    this.by = side
    this.isUnderWay = true
    this.isGone = false
    out.push({ kind: 'event', event: { kind: 'transferring', by: side, target } })
  }

  /** That side has left; true when the call goes on without it for now. */
  left(side: BridgeSide): boolean {
    if (!this.isUnderWay || side !== this.by) return false
    this.isGone = true
    return true
  }

  /** It has come to nothing; `end` when there is nobody left to talk to. */
  fail(status: number, out: BridgeEffect[]): 'end' | 'go-on' {
    if (!this.isUnderWay) return 'go-on'
    this.isUnderWay = false
    out.push({ kind: 'event', event: { kind: 'transfer-failed', by: this.by, status } })
    return this.isGone ? 'end' : 'go-on'
  }

  /** Somebody has the place of that side now. */
  done(side: BridgeSide, reason: 'transfer' | 'replaces', out: BridgeEffect[]): void {
    if (side === this.by) this.isUnderWay = false
    this.isGone = false
    out.push({ kind: 'event', event: { kind: 'replaced', side, reason } })
  }
}
