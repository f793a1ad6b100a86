/**
 * What the actions of the transaction machines work with: the input under way, the effects to add to, the timers, and
 * the actions that all four machines share (RFC 3261 §17).
 */
import { Buffer } from 'node:buffer'
import { responseTo, type SipMessage } from '@carillon/sip-parser'
import type { Effect, TransactionFailure } from '../effects'
import type { Flow, Random } from '../ports'
import type { TimerSettings } from '../timers/timer-settings'
import { Timer, type TimerWheel } from '../timers/timer-wheel'
import { responseDestination } from '../transport/via'
import type { TransactionStore } from './store'
import type { Transaction } from './transaction'

/** The surroundings of one input; the layer fills it anew for each. */
export interface TransactionContext {
  readonly timers: TimerSettings
  readonly wheel: TimerWheel<Transaction, string>
  readonly store: TransactionStore
  readonly random: Random
  /** Sends the CANCEL of an INVITE as a transaction of its own. */
  readonly sendCancel: (invite: Transaction) => void
  out: Effect[]
  nowMs: number
  /** The message that is being handled: from the network, or a response from the TU. */
  message: SipMessage | undefined
  /** Where it came from; undefined when it comes from the TU. */
  flow: Flow | undefined
}

/** An action of a transaction machine. */
export type TransactionAction = (transaction: Transaction, context: TransactionContext) => void

/** Sends the transaction's present bytes: its request, its ACK or its last response. Does nothing before there are any. */
export function sendBytes(transaction: Transaction, context: TransactionContext): void {
  const { wireText, destination, id } = transaction
  const bytes = transaction.bytes ?? (wireText === undefined ? undefined : Buffer.from(wireText, 'latin1'))
  if (bytes === undefined) return
  context.out.push({ kind: 'send', bytes, destination, transactionId: id })
}

/** Serializes the request, once, and sends it. */
export function sendRequest(transaction: Transaction, context: TransactionContext): void {
  transaction.bytes = transaction.request?.toBytes()
  context.store.charge(transaction)
  sendBytes(transaction, context)
}

/** Serializes the TU's response, once, keeps it as the last one, and sends it. */
export function sendResponse(transaction: Transaction, context: TransactionContext): void {
  const { message } = context
  if (message?.kind !== 'response') return
  transaction.response = message
  transaction.bytes = message.toBytes()
  context.store.charge(transaction)
  refreshWayBack(transaction)
  sendBytes(transaction, context)
}

/** RFC 3261 §18.2.2: when the connection of the request is gone, the response goes to the address it came from. */
function refreshWayBack(transaction: Transaction): void {
  const { flow, request } = transaction
  if (flow === undefined || flow.isOpen || request === undefined) return
  transaction.destination = responseDestination(flow, request.via)
}

/** Answers 100 Trying in place of a TU that has said nothing yet (RFC 3261 §8.2.6.1, §17.2.1; RFC 4320 §4.1). */
export function sendTrying(transaction: Transaction, context: TransactionContext): void {
  if (transaction.request === undefined) return
  transaction.bytes = responseTo(transaction.request, 100).toBytes()
  context.store.charge(transaction)
  sendBytes(transaction, context)
}

/** Hands a new request to the TU. */
export function passRequest(transaction: Transaction, context: TransactionContext): void {
  const { message, flow } = context
  if (transaction.isInternal || message?.kind !== 'request' || flow === undefined) return
  context.out.push({ kind: 'request', transactionId: transaction.id, request: message, flow })
}

/** Hands a response to the TU. */
export function passResponse(transaction: Transaction, context: TransactionContext): void {
  const { message, flow } = context
  if (transaction.isInternal || message?.kind !== 'response' || flow === undefined) return
  context.out.push({ kind: 'response', transactionId: transaction.id, response: message, flow })
}

/** Tells the TU that no final response came, or that its own could not be delivered. */
export function fail(reason: TransactionFailure): TransactionAction {
  return (transaction, context) => {
    if (!transaction.isInternal) context.out.push({ kind: 'failed', transactionId: transaction.id, reason })
  }
}

/** Makes a tombstone of the transaction. */
export function finish(transaction: Transaction, context: TransactionContext): void {
  context.store.finish(transaction)
}

/** Keeps nothing to send any more: what comes again is absorbed in silence. */
export function dropBytes(transaction: Transaction, context: TransactionContext): void {
  transaction.bytes = undefined
  transaction.wireText = undefined
  context.store.charge(transaction)
}

/** Stops both timers and lets the transaction go. */
export function end(transaction: Transaction, context: TransactionContext): void {
  stopTimers(transaction, context)
  context.store.remove(transaction)
  transaction.state = 'terminated'
  transaction.pendingInput = undefined
  transaction.request = undefined
  if (!transaction.isInternal) context.out.push({ kind: 'terminated', transactionId: transaction.id })
}

/** Stops both timers. */
export function stopTimers(transaction: Transaction, context: TransactionContext): void {
  stopRetryTimer(transaction, context)
  if (transaction.limitTimer !== undefined) context.wheel.cancel(transaction.limitTimer)
}

/** Stops the timer of retransmissions, or the one before a 100. */
export function stopRetryTimer(transaction: Transaction, context: TransactionContext): void {
  if (transaction.retryTimer === undefined) return
  context.wheel.cancel(transaction.retryTimer)
  // A tombstone has no use for it any more.
  transaction.retryTimer = undefined
}

/** Starts the timer that ends the present state, in place of the one before. Zero fires within this step. */
export function startLimit(
  transaction: Transaction,
  context: TransactionContext,
  input: string,
  afterMs: number,
): void {
  if (afterMs === 0) {
    transaction.pendingInput = input
    return
  }
  transaction.limitTimer ??= new Timer(transaction, input)
  transaction.limitTimer.kind = input
  if (afterMs === Number.POSITIVE_INFINITY) context.wheel.cancel(transaction.limitTimer)
  else context.wheel.schedule(transaction.limitTimer, context.nowMs + afterMs)
}

/** The same for a timer that is zero on a reliable transport (D, I, J, K). */
export function startLinger(
  transaction: Transaction,
  context: TransactionContext,
  input: string,
  afterMs: number,
): void {
  startLimit(transaction, context, input, transaction.isReliable ? 0 : afterMs)
}

/** Starts retransmissions with their first interval; reliable transports need none (A, E, G). */
export function startRetry(
  transaction: Transaction,
  context: TransactionContext,
  input: string,
  intervalMs: number,
): void {
  if (transaction.isReliable) return
  transaction.intervalMs = intervalMs
  startRetryTimer(transaction, context, input, intervalMs)
}

/** Waits for the next retransmission twice as long as for this one, `maxMs` at most. */
export function doubleRetry(transaction: Transaction, context: TransactionContext, input: string, maxMs: number): void {
  startRetry(transaction, context, input, Math.min(transaction.intervalMs * 2, maxMs))
}

/** Starts the timer of retransmissions for another purpose, on any transport. */
export function startRetryTimer(
  transaction: Transaction,
  context: TransactionContext,
  input: string,
  afterMs: number,
): void {
  transaction.retryTimer ??= new Timer(transaction, input)
  transaction.retryTimer.kind = input
  context.wheel.schedule(transaction.retryTimer, context.nowMs + afterMs)
}
