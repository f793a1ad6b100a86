/**
 * The state Completed of non-INVITE server transactions (RFC 3261 §17.2.2) without their objects: what can still happen
 * there (a retransmission, timer J, a response that cannot be sent) needs no more than a tombstone has.
 */
import type { TransactionId } from '../effects'
import { stopTimers, type TransactionContext } from './context'
import { Tombstones } from './tombstones'
import type { Transaction } from './transaction'

/** Takes over transactions that have answered and carries out what their machine would. */
export class AnsweredRequests {
  private readonly tombstones: Tombstones

  constructor(private readonly context: TransactionContext) {
    this.tombstones = new Tombstones(context.random.bytes(8))
  }

  get count(): number {
    return this.tombstones.count
  }

  get retainedBytes(): number {
    return this.tombstones.retainedBytes
  }

  get deadline(): number {
    return this.tombstones.deadline
  }

  has(id: TransactionId): boolean {
    return this.tombstones.findId(id) >= 0
  }

  /** Whether a request with that key has been answered. */
  hasKey(key: string): boolean {
    return this.tombstones.find(key) >= 0
  }

  /** Whether the same request has come by another way and been answered (RFC 3261 §8.2.2.2). */
  hasMerged(mergeKey: string): boolean {
    return this.tombstones.hasMerged(mergeKey)
  }

  /** Takes a transaction over if it has just answered and its way back is its flow. */
  takeOver(transaction: Transaction): void {
    const { id, key, mergeKey, flow, destination, bytes, isInternal, limitTimer } = transaction
    if (transaction.kind !== 'non-invite-server' || transaction.state !== 'completed') return
    if (flow === undefined || destination.kind !== 'flow' || destination.flow !== flow) return
    if (bytes === undefined || limitTimer === undefined || !this.tombstones.canHold(bytes)) return
    this.tombstones.add({ id, key, mergeKey, flow, bytes, isInternal, dueMs: limitTimer.dueMs })
    stopTimers(transaction, this.context)
    this.context.store.remove(transaction)
  }

  /** A request has come: sends its response again when it has been answered before, and says whether it has. */
  repeat(key: string): boolean {
    const { tombstones } = this
    const slot = tombstones.find(key)
    if (slot < 0) return false
    this.context.out.push({
      kind: 'send',
      bytes: tombstones.responseOf(slot),
      destination: { kind: 'flow', flow: tombstones.flowOf(slot) },
      transactionId: tombstones.idOf(slot),
    })
    return true
  }

  /** Its response could not be sent. */
  transportError(id: TransactionId): void {
    const slot = this.tombstones.findId(id)
    if (slot < 0) return
    if (!this.tombstones.isInternal(slot)) {
      this.context.out.push({ kind: 'failed', transactionId: id, reason: 'transport' })
    }
    this.end(slot)
  }

  /**
   * Timer J.
   * @param atMost so many are ended, and the rest stays due
   * @returns true when something due is left
   */
  expire(nowMs: number, atMost = Number.POSITIVE_INFINITY): boolean {
    for (let left = atMost; this.tombstones.deadline <= nowMs; left -= 1) {
      if (left <= 0) return true
      this.end(this.tombstones.oldest)
    }
    return false
  }

  /** Forgets the one that ends next; there must be one. */
  forgetOldest(): void {
    this.end(this.tombstones.oldest)
  }

  private end(slot: number): void {
    const { tombstones, context } = this
    const transactionId = tombstones.idOf(slot)
    if (!tombstones.isInternal(slot)) context.out.push({ kind: 'terminated', transactionId })
    tombstones.remove(slot)
  }
}
