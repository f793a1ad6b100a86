/** A transaction layer whose requests and responses of our own are told to observers; what comes in are its effects. */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import type { Effect, TransactionId } from '../effects'
import { channels } from '../observe/channels'
import type { Destination } from '../ports'
import { TransactionLayer, type TransactionLayerOptions } from '../transaction/layer'
import type { Observers } from './observers'

/** Tells the transaction channel of what this side starts and answers (RFC 3261 §17). */
export class ObservedLayer extends TransactionLayer {
  constructor(
    options: TransactionLayerOptions,
    private readonly observers: Observers,
  ) {
    super(options)
  }

  override sendRequest(
    request: SipRequest,
    destination: Destination,
    nowMs: number,
    out: Effect[],
    branch?: string,
  ): TransactionId {
    const transactionId = super.sendRequest(request, destination, nowMs, out, branch)
    if (channels.transaction.hasSubscribers) {
      const remote = destination.kind === 'flow' ? destination.flow.remote : destination.address
      this.observers.transaction({ kind: 'started', role: 'client', transactionId, request, remote })
    }
    return transactionId
  }

  override sendResponse(
    id: TransactionId,
    response: SipResponse,
    nowMs: number,
    out: Effect[],
    toTag?: string,
  ): boolean {
    const isTaken = super.sendResponse(id, response, nowMs, out, toTag)
    if (isTaken && channels.transaction.hasSubscribers)
      this.observers.transaction({ kind: 'response', role: 'server', transactionId: id, response })
    return isTaken
  }
}
