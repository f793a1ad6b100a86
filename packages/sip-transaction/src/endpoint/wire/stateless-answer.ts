/** Answers of which nothing is kept: RFC 3261 §8.2.7. */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import type { Flow } from '../../ports'
import { responseDestination } from '../../transport/via'
import type { Core } from '../core'

/** Answers through the request's transaction, which keeps the response for as long as copies of the request may come. */
export function sendResponse({ driver }: Core, id: TransactionId, response: SipResponse, toTag?: string): void {
  driver.layer.sendResponse(id, response, driver.nowMs, driver.out, toTag)
}

/** Answers, and lets go of the transaction at once. */
export function answerOnce(
  { driver }: Core,
  id: TransactionId,
  request: SipRequest,
  response: SipResponse,
  flow: Flow,
): void {
  const destination = responseDestination(flow, request.via)
  driver.out.push({ kind: 'send', bytes: response.toBytes(), destination, transactionId: undefined })
  driver.layer.forget(id, driver.nowMs, driver.out)
}

/** The To tag of an answer without state: the same for each copy of a request, and nobody's to guess. */
export function statelessTag({ tagHash }: Core, request: SipRequest): string {
  tagHash.compute(`${request.callId} ${request.cseq.seq} ${request.from.tag ?? ''} ${request.via.branch ?? ''}`)
  return hexOf(tagHash.low) + hexOf(tagHash.high)
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Eight digits: `toString` of a large number is a call into the runtime. */
function hexOf(word: number): string {
  return hexBytes[word >>> 24]! + hexBytes[(word >>> 16) & 255]! + hexBytes[(word >>> 8) & 255]! + hexBytes[word & 255]!
}
