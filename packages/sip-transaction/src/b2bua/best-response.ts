/**
 * Which of several failures a caller is told, and what a call that failed is called.
 * RFC 3261 §16.7 step 6 (choice of the best response), §16.9 (transport errors), §21.5.4 (503 is not forwarded).
 */

/** How a bridged call ended, in the words of call records. */
export type Disposition = 'ANSWERED' | 'NO ANSWER' | 'BUSY' | 'FAILED' | 'CONGESTION' | 'CANCELLED'

/** Preference among 4xx: what tells the caller most first; 408 says least. Others rank between. */
const preferred4xx: readonly number[] = [486, 415, 420, 484, 488, 404, 410, 480]

/** Ranks a failure status; the lowest rank is the best response of RFC 3261 §16.7. */
export function failureRank(status: number): number {
  if (status >= 600) return 0
  const byClass = Math.floor(status / 100) * 1000
  if (status === 503) return byClass + 999
  if (status >= 500 || status < 400) return byClass + (status % 100)
  const preference = preferred4xx.indexOf(status)
  if (preference >= 0) return byClass + preference
  return byClass + (status === 408 || status === 487 ? 900 : 100 + (status % 100))
}

/**
 * The status that the calling side gets for a failure of the called side. A redirection, a challenge and an overloaded
 * next hop concern only this end of the call, so they are not passed as they are.
 */
export function statusForCaller(status: number): number {
  if (status < 400) return 480
  if (status === 401 || status === 407) return 403
  if (status === 503) return 500
  return status
}

/** The disposition of a call that was not answered. */
export function dispositionOf(status: number): Disposition {
  if (status === 486 || status === 600) return 'BUSY'
  if (status === 408 || status === 480 || status === 487) return 'NO ANSWER'
  if (status === 503) return 'CONGESTION'
  return 'FAILED'
}
