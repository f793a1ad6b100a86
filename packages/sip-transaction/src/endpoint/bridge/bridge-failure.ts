/** What the caller of a bridge is told when nobody answers: RFC 3261 §16.7 and §21.5.4 unless the bridge's user says else. */
import type { HeaderInit, SipResponse } from '@carillon/sip-parser'
import type { Core } from '../core'
import { describeError } from '../driver'
import type { BridgeOptions } from './bridge-options'

/** A failure on its way to the caller. */
export interface Refusal {
  readonly status: number
  readonly reason: string | undefined
  readonly headers: readonly HeaderInit[]
}

/** Asks the user; why the called side failed goes along in its own words (RFC 3326, RFC 6432). */
export function answerForFailure(
  core: Core,
  options: BridgeOptions,
  verdict: { readonly status: number; readonly cause?: number },
  response: SipResponse | undefined,
): Refusal {
  const reasons = (response?.getAll('Reason') ?? []).map((value): HeaderInit => ['Reason', value])
  const proposed = { status: verdict.status, reason: undefined, headers: reasons }
  if (options.onFailure === undefined) return proposed
  try {
    const answer = options.onFailure({ status: verdict.cause ?? verdict.status, proposed: verdict.status, response })
    if (answer === undefined) return proposed
    const { status, reason = undefined, headers = [] } = typeof answer === 'number' ? { status: answer } : answer
    if (!Number.isInteger(status) || status < 300 || status > 699) return proposed
    return { status, reason, headers: [...reasons, ...headers] }
  } catch (error) {
    core.logger.error({ error: describeError(error) }, 'A callback failed')
    return proposed
  }
}
