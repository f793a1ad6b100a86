/**
 * Says now and then in the log what was dropped, as a summary, so that a flood of garbage does not become a flood of
 * log lines.
 */
import type { Clock, Logger, ScheduledWake } from '@carillon/sip-transaction'

type Counts = Readonly<Record<string, number>>

/** What a {@link DroppedReport} is made of. */
export interface DroppedReportPorts {
  readonly clock: Clock
  readonly logger: Logger
}

/** Watches counters that only grow, and logs how much they grew. */
export class DroppedReport {
  readonly #read: () => Counts
  readonly #ports: DroppedReportPorts
  readonly #intervalMs: number
  #wake: ScheduledWake
  #before: Counts

  /** @param read - reads the counters, by reason */
  constructor(read: () => Counts, ports: DroppedReportPorts, intervalMs: number) {
    this.#read = read
    this.#ports = ports
    this.#intervalMs = intervalMs
    this.#before = read()
    this.#wake = this.#arm()
  }

  /** Logs what is left to say, and stops. */
  close(): void {
    this.#wake.cancel()
    this.#report()
  }

  #arm(): ScheduledWake {
    const { clock } = this.#ports
    return clock.schedule(clock.monotonicMs() + this.#intervalMs, () => {
      this.#report()
      this.#wake = this.#arm()
    })
  }

  #report(): void {
    const now = this.#read()
    const dropped = growth(this.#before, now)
    this.#before = now
    if (dropped) this.#ports.logger.warn({ event: 'input.dropped', dropped }, 'input was dropped')
  }
}

/** How much each counter grew; `undefined` when none did. */
export function growth(before: Counts, now: Counts): Counts | undefined {
  const grown = Object.entries(now)
    .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
    .filter(([, count]) => count > 0)
  return grown.length === 0 ? undefined : Object.fromEntries(grown)
}
