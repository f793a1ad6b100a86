/** Order statistics: they hold still where a mean follows the worst round. */

/** The middle of some figures. NaN when there are none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The figure below which this part of them lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
