/** Clock and random numbers of the process, as the relay's ports want them. */
import { randomBytes, randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock, Random } from '../ports'

/** The process's monotonic clock. Its timers do not keep the process alive. */
export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  schedule(atMs, wake) {
    const timer = setTimeout(wake, Math.max(0, Math.ceil(atMs - performance.now())))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

const FRACTION_STEPS = 2 ** 32

/** Cryptographic random numbers. */
export const nodeRandom: Random = {
  fraction: () => randomInt(FRACTION_STEPS) / FRACTION_STEPS,
  bytes: (count) => randomBytes(count),
}
