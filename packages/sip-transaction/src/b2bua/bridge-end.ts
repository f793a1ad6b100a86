/** How a bridge has ended, put together: the record of a call is written from it. Pure. */
import { dispositionOf } from './best-response'
import type { BridgeEnd, BridgeParty } from './bridge-types'

/** The end of a call that was answered. */
export function answeredEnd(
  by: BridgeParty,
  reason: string,
  startedAtMs: number,
  answeredAtMs: number,
  nowMs: number,
): BridgeEnd {
  const setupMs = answeredAtMs - startedAtMs
  return { disposition: 'ANSWERED', status: 200, by, setupMs, durationMs: nowMs - answeredAtMs, reason }
}

/** The end of a call that was not. */
export function failedEnd(status: number, by: BridgeParty, reason: string | undefined): BridgeEnd {
  const end = { disposition: dispositionOf(status), status, by, durationMs: 0 }
  return reason === undefined ? end : { ...end, reason }
}

/** The end of a call that its caller gave up. */
export const cancelledEnd: BridgeEnd = { disposition: 'CANCELLED', status: 487, by: 'a', durationMs: 0 }
