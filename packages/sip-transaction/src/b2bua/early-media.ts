/**
 * What the caller and one target have agreed on before the answer: RFC 3262 §5 (offer in a reliable provisional response,
 * answer in its PRACK), RFC 3311 §5.1 (UPDATE before the answer). Pure.
 */

/** The media before the answer. */
export class EarlyMedia {
  /** The target whose media the caller has heard of; -1 for none. */
  branch = -1
  /** How far an offer that the target made before the answer has come. */
  lateOffer: 'none' | 'offered' | 'agreed' = 'none'
  /** An UPDATE has passed, so that the first answer is out of date. */
  isChanged = false

  /** Whether a change may pass to or from that target now. */
  mayChange(branch: number | undefined): boolean {
    return this.branch >= 0 && this.lateOffer !== 'offered' && (branch === undefined || branch === this.branch)
  }

  /** Whether the 2xx of that target needs no description any more: all has been agreed on before. */
  isSettledWith(branch: number): boolean {
    return branch === this.branch && (this.isChanged || this.lateOffer === 'agreed')
  }

  /** That target is out. */
  lost(branch: number): void {
    if (this.branch !== branch) return
    this.branch = -1
    this.lateOffer = 'none'
    this.isChanged = false
  }
}
