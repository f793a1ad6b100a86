/**
 * Begins work at a fixed rate, whatever has become of the work before. It never sleeps: a timer would begin a millisecond's
 * work at once, as clients of their own never do.
 */

const burstMax = 64

/**
 * @param begin begins one piece of work, with its number from 0 on
 * @param over called once, when the last has begun
 */
export function startPaced(rate: number, seconds: number, begin: (index: number) => void, over: () => void): void {
  const startedAt = performance.now()
  let begun = 0
  const turn = (): void => {
    const elapsed = performance.now() - startedAt
    const due = Math.floor((Math.min(elapsed, seconds * 1000) * rate) / 1000)
    for (let burst = 0; begun < due && burst < burstMax; burst++) begin(begun++)
    if (elapsed < seconds * 1000 || begun < due) setImmediate(turn)
    else over()
  }
  turn()
}
