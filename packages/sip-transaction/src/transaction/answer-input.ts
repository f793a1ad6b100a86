/** What a response of the TU is to the machine of its server transaction: RFC 3261 §17.2, RFC 4320 §4. */
import type { Transaction } from './transaction'

/**
 * The input that it is; undefined when it must not be sent now.
 * @param tryingMs how soon a 100 to a request other than INVITE may be sent on an unreliable transport
 */
export function answerInput(
  transaction: Transaction,
  status: number,
  nowMs: number,
  tryingMs: number,
): string | undefined {
  if (transaction.kind === 'invite-server') {
    return status < 200 ? 'tuProvisional' : status < 300 ? 'tuSuccess' : 'tuFailure'
  }
  if (transaction.kind !== 'non-invite-server') return undefined
  if (status === 408) return 'tuTimeout'
  if (status >= 200) return 'tuFinal'
  const mayTry = transaction.isReliable || nowMs - transaction.startedMs >= tryingMs
  return status === 100 && mayTry ? 'tuTrying' : undefined
}
