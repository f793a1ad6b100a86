/** How long to wait after 491 before trying again: RFC 3261 §14.1, RFC 3311 §5.1. Pure. */

/** The steps of the wait. */
const unitMs = 10

/**
 * The wait after a 491, in milliseconds, in steps of 10 ms: 2.1 to 4 s for the side that chose the Call-ID, 0 to 2 s for
 * the other, so that they do not meet again.
 * @param fraction a random number in [0, 1)
 */
export function glareWaitMs(isCallIdOwner: boolean, fraction: number): number {
  const [fromMs, toMs] = isCallIdOwner ? [2_100, 4_000] : [0, 2_000]
  const steps = (toMs - fromMs) / unitMs + 1
  return fromMs + Math.floor(fraction * steps) * unitMs
}
