/**
 * Waiting that has an end.
 */
import type { Clock, ScheduledWake } from '@carillon/sip-transaction'

/** Resolves when `work` does, or after that time on the monotonic clock; leaves no wake-up behind. */
export async function withinMs(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  let wake: ScheduledWake | undefined
  const limit = new Promise<void>((resolve) => {
    wake = clock.schedule(clock.monotonicMs() + limitMs, resolve)
  })
  await Promise.race([work, limit])
  wake?.cancel()
}
