/**
 * Server transactions that have nothing left to do but to know their request when it comes again, as tombstones. What
 * that means differs by kind.
 */
import { Buffer } from 'node:buffer'
import type { TransactionId } from '../effects'
import type { Flow } from '../ports'
import { stopTimers, type TransactionContext } from './context'
import type { TransactionCounts } from './store'
import { Tombstones } from './tombstones'
import type { Transaction } from './transaction'

/** Transactions of one kind that linger until their timer ends. */
abstract class Lingering {
  protected readonly tombstones: Tombstones

  constructor(protected readonly context: TransactionContext) {
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

  /** Whether a request has that key. */
  hasKey(key: string): boolean {
    return this.tombstones.find(key) >= 0
  }

  /** Whether the same request has come by another way (RFC 3261 §8.2.2.2). */
  hasMerged(mergeKey: string): boolean {
    return this.tombstones.hasMerged(mergeKey)
  }

  /**
   * Ends those that are due.
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

  /** Puts a tombstone in the place of a transaction. */
  protected bury(transaction: Transaction, flow: Flow, bytes: Uint8Array): void {
    const { id, key, mergeKey, isInternal, limitTimer } = transaction
    if (limitTimer === undefined || !this.tombstones.canHold(bytes)) return
    this.tombstones.add({ id, key, mergeKey, flow, bytes, isInternal, dueMs: limitTimer.dueMs })
    stopTimers(transaction, this.context)
    this.context.store.remove(transaction)
  }

  protected end(slot: number): void {
    const { tombstones, context } = this
    const transactionId = tombstones.idOf(slot)
    if (!tombstones.isInternal(slot)) context.out.push({ kind: 'terminated', transactionId })
    tombstones.remove(slot)
  }
}

/**
 * The state Completed of non-INVITE server transactions (RFC 3261 §17.2.2): a retransmission gets the response again, and
 * that may fail to go out.
 */
class AnsweredRequests extends Lingering {
  /** Takes a transaction over if it has just answered and its way back is its flow. */
  takeOver(transaction: Transaction): void {
    const { flow, destination, bytes } = transaction
    if (transaction.kind !== 'non-invite-server' || transaction.state !== 'completed') return
    if (flow === undefined || destination.kind !== 'flow' || destination.flow !== flow || bytes === undefined) return
    this.bury(transaction, flow, bytes)
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
}

/**
 * The state Accepted of INVITE server transactions (RFC 6026 §7.1) whose TU sends its 2xx again by itself: copies of the
 * INVITE are absorbed, and a late CANCEL gets its 200. An ACK with the same branch belongs to the dialog like any other.
 */
class AcceptedInvites extends Lingering {
  /** Takes a transaction over if it has just been accepted for good. */
  takeOver(transaction: Transaction): void {
    const { flow, toTag = '' } = transaction
    if (transaction.state !== 'accepted' || !transaction.isReleased || flow === undefined) return
    this.bury(transaction, flow, Buffer.from(toTag, 'latin1'))
  }

  /** The To tag of the INVITE with that key, when it came from that host; a CANCEL gets the same one (RFC 3261 §9.2). */
  toTagFor(key: string, cancelFlow: Flow): string | undefined {
    const { tombstones } = this
    const slot = tombstones.find(key)
    if (slot < 0 || tombstones.flowOf(slot).remote.address !== cancelFlow.remote.address) return undefined
    return tombstones.responseOf(slot).toString('latin1')
  }
}

/** All of them: each request is looked for among those of its kind. */
export class LingeringTransactions {
  readonly answered: AnsweredRequests
  readonly accepted: AcceptedInvites

  constructor(context: TransactionContext) {
    this.answered = new AnsweredRequests(context)
    this.accepted = new AcceptedInvites(context)
  }

  get count(): number {
    return this.answered.count + this.accepted.count
  }

  get retainedBytes(): number {
    return this.answered.retainedBytes + this.accepted.retainedBytes
  }

  /** How many transactions there are, with these. */
  addTo(others: TransactionCounts): TransactionCounts {
    return {
      ...others,
      inviteServer: others.inviteServer + this.accepted.count,
      nonInviteServer: others.nonInviteServer + this.answered.count,
      finished: others.finished + this.count,
      total: others.total + this.count,
      bytes: others.bytes + this.retainedBytes,
    }
  }

  get deadline(): number {
    return Math.min(this.answered.deadline, this.accepted.deadline)
  }

  /** The state of a transaction; undefined when it is none of these. */
  stateOf(id: TransactionId): string | undefined {
    return this.answered.has(id) ? 'completed' : this.accepted.has(id) ? 'accepted' : undefined
  }

  /** Whether a request with that method and key has been answered. */
  hasKey(method: string, key: string): boolean {
    return this.of(method).hasKey(key)
  }

  /** Whether the same request has come by another way and been answered (RFC 3261 §8.2.2.2). */
  hasMerged(method: string, mergeKey: string): boolean {
    return this.of(method).hasMerged(mergeKey)
  }

  /** A request has come: does what is to be done when it has been answered before, and says whether it has. */
  receive(method: string, key: string): boolean {
    return method === 'INVITE' ? this.accepted.hasKey(key) : this.answered.repeat(key)
  }

  /** Takes a transaction over if there is nothing left to it. */
  takeOver(transaction: Transaction): void {
    if (transaction.kind === 'invite-server') this.accepted.takeOver(transaction)
    else this.answered.takeOver(transaction)
  }

  /** As {@link Lingering.expire}, so many of each kind. */
  expire(nowMs: number, atMost?: number): boolean {
    const isLeft = this.answered.expire(nowMs, atMost)
    return this.accepted.expire(nowMs, atMost) || isLeft
  }

  /** Forgets one, an INVITE last: when it is repeated that costs a call, any other repeated request only work. */
  forgetOldest(): void {
    if (this.answered.count > 0) this.answered.forgetOldest()
    else this.accepted.forgetOldest()
  }

  private of(method: string): Lingering {
    return method === 'INVITE' ? this.accepted : this.answered
  }
}
