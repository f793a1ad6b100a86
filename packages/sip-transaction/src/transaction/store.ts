/**
 * All transactions of a layer: by id, by key, by merge key; and the finished ones in the order in which they finished,
 * so that the oldest can be forgotten when there are too many. Every look-up and change costs the same at any size.
 */
import { Buffer } from 'node:buffer'
import type { TransactionId } from '../effects'
import { PassingMap } from './passing-map'
import type { Transaction, TransactionKind } from './transaction'

/** How many transactions there are of each kind, how many of them are finished, and all together. */
export interface TransactionCounts {
  readonly inviteClient: number
  readonly inviteServer: number
  readonly nonInviteClient: number
  readonly nonInviteServer: number
  readonly finished: number
  readonly total: number
  /** Bytes of messages that they keep. */
  readonly bytes: number
}

/** What leaves the store at once, for {@link LingeringTransactions}. */
function isTakenOver({ kind, state, isReleased }: Transaction): boolean {
  return kind === 'non-invite-server' || (isReleased && state === 'accepted')
}

/** Holds transactions; decides nothing. */
export class TransactionStore {
  private readonly byId = new PassingMap<TransactionId, Transaction>()
  private readonly servers = new PassingMap<string, Transaction>()
  private readonly clients = new PassingMap<string, Transaction>()
  private readonly merging = new PassingMap<string, Transaction>()
  private readonly kinds: Record<TransactionKind, number> = {
    'invite-client': 0,
    'invite-server': 0,
    'non-invite-client': 0,
    'non-invite-server': 0,
  }
  private oldest: Transaction | undefined = undefined
  private newest: Transaction | undefined = undefined
  private finished = 0
  private bytes = 0

  get counts(): TransactionCounts {
    return {
      inviteClient: this.kinds['invite-client'],
      inviteServer: this.kinds['invite-server'],
      nonInviteClient: this.kinds['non-invite-client'],
      nonInviteServer: this.kinds['non-invite-server'],
      finished: this.finished,
      total: this.byId.size,
      bytes: this.bytes,
    }
  }

  /** Transactions that are not finished. */
  get pendingCount(): number {
    return this.byId.size - this.finished
  }

  get finishedCount(): number {
    return this.finished
  }

  get retainedBytes(): number {
    return this.bytes
  }

  /** The transaction that finished first of those that are left. */
  get oldestFinished(): Transaction | undefined {
    return this.oldest
  }

  get(id: TransactionId): Transaction | undefined {
    return this.byId.get(id)
  }

  server(key: string): Transaction | undefined {
    return this.servers.get(key)
  }

  client(key: string): Transaction | undefined {
    return this.clients.get(key)
  }

  /** The transaction whose request is the same as one that came another way (RFC 3261 §8.2.2.2). */
  merged(mergeKey: string): Transaction | undefined {
    return this.merging.get(mergeKey)
  }

  add(transaction: Transaction): void {
    this.byId.set(transaction.id, transaction)
    this.table(transaction).set(transaction.key, transaction)
    if (transaction.mergeKey !== undefined) this.merging.set(transaction.mergeKey, transaction)
    this.kinds[transaction.kind] += 1
    this.charge(transaction)
  }

  /** Makes a tombstone of it: everything but the key, the last bytes and the way back is let go. */
  finish(transaction: Transaction): void {
    if (transaction.kind === 'invite-server') transaction.toTag ??= transaction.response?.to.tag
    transaction.request = undefined
    transaction.response = undefined
    transaction.cancelHeaders = undefined
    transaction.isFinished = true
    if (transaction.bytes !== undefined && !isTakenOver(transaction)) {
      transaction.wireText = Buffer.from(transaction.bytes).toString('latin1')
      transaction.bytes = undefined
    }
    transaction.older = this.newest
    if (this.newest === undefined) this.oldest = transaction
    else this.newest.newer = transaction
    this.newest = transaction
    this.finished += 1
    this.charge(transaction)
  }

  /** Charges a transaction with the bytes that it keeps now. */
  charge(transaction: Transaction): void {
    const { request, bytes, wireText } = transaction
    const retained = (request === undefined ? 0 : request.byteLength) + (bytes?.length ?? 0) + (wireText?.length ?? 0)
    this.bytes += retained - transaction.retainedBytes
    transaction.retainedBytes = retained
  }

  /** Forgets by what copies of its request are known. */
  unmerge(transaction: Transaction): void {
    const { mergeKey } = transaction
    if (mergeKey !== undefined && this.merging.get(mergeKey) === transaction) this.merging.delete(mergeKey)
    transaction.mergeKey = undefined
  }

  remove(transaction: Transaction): void {
    if (!this.byId.delete(transaction.id)) return
    this.table(transaction).delete(transaction.key)
    this.unmerge(transaction)
    this.kinds[transaction.kind] -= 1
    this.bytes -= transaction.retainedBytes
    transaction.retainedBytes = 0
    if (transaction.isFinished) this.unlink(transaction)
  }

  private table(transaction: Transaction): PassingMap<string, Transaction> {
    return transaction.kind === 'invite-client' || transaction.kind === 'non-invite-client'
      ? this.clients
      : this.servers
  }

  private unlink(transaction: Transaction): void {
    const { older, newer } = transaction
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    transaction.older = undefined
    transaction.newer = undefined
    this.finished -= 1
  }
}
