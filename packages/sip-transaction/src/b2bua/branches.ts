/** The branches of one bridge: who rings, who failed, who is still to be cancelled (RFC 3261 §16.7). Pure. */
import { failureRank } from './best-response'
import type { BridgeEffect } from './bridge-types'

/** One called place. */
export interface Branch {
  state: 'idle' | 'calling' | 'ringing' | 'failed' | 'won' | 'left' | 'redirected'
  /** The failure status. */
  status: number
  /** The answer of its early media. */
  earlySdp: Uint8Array | undefined
}

/** All of them, by their numbers. */
export class Branches {
  private readonly list: Branch[] = []
  /** What all of them are offered. */
  private offer: Uint8Array | undefined

  /** Makes that many branches. */
  open(count: number): void {
    for (let index = 0; index < count; index += 1) this.list.push({ state: 'idle', status: 0, earlySdp: undefined })
  }

  at(index: number): Branch | undefined {
    return this.list[index]
  }

  /** The branch when it has no final response yet. */
  pending(index: number): Branch | undefined {
    const branch = this.list[index]
    return branch?.state === 'calling' || branch?.state === 'ringing' ? branch : undefined
  }

  /** Calls all that have not been called. */
  invite(sdp: Uint8Array | undefined, out: BridgeEffect[]): void {
    this.offer = sdp
    for (let branch = 0; branch < this.list.length; branch += 1) {
      if (this.list[branch]!.state !== 'idle') continue
      this.list[branch]!.state = 'calling'
      out.push({ kind: 'invite', branch, sdp })
    }
  }

  /** Calls so many more in place of that branch, or of all that there are, which do not count any more. */
  redirect(index: number | undefined, count: number, out: BridgeEffect[]): void {
    if (index === undefined) this.cancel(false, out)
    this.list.forEach((branch, at) => {
      if (index === undefined || at === index) branch.state = 'redirected'
    })
    this.open(count)
    this.invite(this.offer, out)
  }

  /** Leaves every branch that has no final response yet. */
  cancel(isAnsweredElsewhere: boolean, out: BridgeEffect[]): void {
    for (let branch = 0; branch < this.list.length; branch += 1) {
      const pending = this.pending(branch)
      if (pending === undefined) continue
      pending.state = 'left'
      out.push({ kind: 'cancel', branch, isAnsweredElsewhere })
    }
  }

  /** The call is up: what the branches offered is not needed any more. */
  forget(): void {
    this.offer = undefined
    for (const branch of this.list) branch.earlySdp = undefined
  }

  /** Early media is played from one branch at a time. */
  mayPlayEarly(index: number): boolean {
    return this.list.every(
      ({ state, earlySdp }, at) =>
        at === index || earlySdp === undefined || state === 'failed' || state === 'redirected',
    )
  }

  /** The branch whose failure the caller is told when nobody can answer any more; undefined while somebody can. */
  verdict(): { readonly branch: number; readonly status: number } | undefined {
    const asked = this.list
      .map(({ state, status }, branch) => ({ state, status, branch }))
      .filter(({ state }) => state !== 'redirected')
    const failed = asked.filter(({ state }) => state === 'failed')
    // A 6xx speaks for every place where the user could be (RFC 3261 §16.7 step 5).
    if (failed.length < asked.length && !failed.some(({ status }) => status >= 600)) return undefined
    return failed.reduce((left, right) => (failureRank(right.status) < failureRank(left.status) ? right : left))
  }
}
