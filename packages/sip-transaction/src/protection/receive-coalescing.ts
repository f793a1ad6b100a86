/**
 * Decides when a thread that has nothing to do rests for a moment instead of waking up for every single datagram. Waking
 * up costs more than a small SIP message does: network cards moderate their interrupts for the same reason. Pure.
 */

/** How often the traffic is looked at. */
const lookEveryMs = 10
/** As many datagrams of one socket as a pass of Node's event loop reads at most: then more may be there already. */
const datagramsPerPass = 32
/** As many as are worth a rest; where they take longer to come than a rest may last, fewer have to do. */
const datagramsPerRest = 24
/** Part of the time that work other than this stack's may take; where it takes more, nothing is held up for it. */
const othersShareMax = 0.25

/** When to rest. */
export interface CoalescingSettings {
  /** How long at once at most, in milliseconds. */
  readonly restMs: number
  /** From how many datagrams a second on. */
  readonly fromPerSecond: number
}

/** Watches the traffic of one stack. */
export class ReceiveCoalescing {
  private arrivals = 0
  private arrivalsOfPass = 0
  private lookedAtMs = 0
  private lastBusyMs = 0
  private restMs = 0
  private ownMs = 0

  /**
   * @param busyMs how long the event loop has been busy since it began, rests included
   */
  constructor(
    private readonly settings: CoalescingSettings,
    private readonly busyMs: () => number,
  ) {}

  /** A datagram came in. */
  arrived(): void {
    this.arrivals += 1
    this.arrivalsOfPass += 1
  }

  /**
   * A pass of the loop has done what came in and has no more to do.
   * @param workedMs how long it took
   * @returns for how long to rest, in milliseconds; 0 for not at all
   */
  passed(nowMs: number, workedMs: number): number {
    const isDrained = this.arrivalsOfPass < datagramsPerPass
    this.arrivalsOfPass = 0
    this.ownMs += workedMs
    if (nowMs - this.lookedAtMs >= lookEveryMs) this.look(nowMs)
    return isDrained ? this.restMs : 0
  }

  /** The thread has rested for so long, which counts as time of this stack. */
  rested(ms: number): void {
    this.ownMs += ms
  }

  private look(nowMs: number): void {
    const elapsedMs = nowMs - this.lookedAtMs
    const busyMs = this.busyMs()
    const othersMs = busyMs - this.lastBusyMs - this.ownMs
    const { restMs, fromPerSecond } = this.settings
    const isWorth = this.arrivals * 1000 >= fromPerSecond * elapsedMs && othersMs <= othersShareMax * elapsedMs
    this.restMs = isWorth ? Math.min(restMs, (datagramsPerRest * elapsedMs) / this.arrivals) : 0
    this.lookedAtMs = nowMs
    this.lastBusyMs = busyMs
    this.arrivals = 0
    this.ownMs = 0
  }
}
