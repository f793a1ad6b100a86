/**
 * Finished server transactions that can do nothing any more but repeat their last response (RFC 3261 §17.2.2, Completed):
 * hashes of their keys, that response, the way back, and when they end. They live in typed arrays and byte segments, not
 * as objects, because there is one for every request of the last 32 seconds: as objects they would keep the garbage
 * collector busy for longer than everything else that a request costs.
 *
 * All linger equally long, so they end in the order in which they came: a ring.
 */
import type { Buffer } from 'node:buffer'
import type { TransactionId } from '../effects'
import type { Flow } from '../ports'
import { ByteQueue } from './byte-queue'
import { ChainIndex } from './chain-index'
import { KeyedHash } from './keyed-hash'

const smallestCapacity = 256

/** What a tombstone is made of. */
export interface TombstoneInit {
  readonly id: TransactionId
  readonly key: string
  readonly mergeKey: string | undefined
  readonly flow: Flow
  /** The last response; copied. */
  readonly bytes: Uint8Array
  readonly isInternal: boolean
  readonly dueMs: number
}

/** Tombstones in the order in which they end. A slot is named by its number until it has ended or another was added. */
export class Tombstones {
  private readonly hash: KeyedHash
  private readonly mergeHash: KeyedHash
  /** What was hashed last: what is looked up is most often entered next. */
  private hashedKey = ''
  private hashedMergeKey = ''
  private readonly responses = new ByteQueue()
  private table = new Table(smallestCapacity)
  private first = 0
  /** Slots of the ring in use, those that were removed out of order among them. */
  private held = 0
  private live = 0
  private bytes = 0

  /** @param key eight unpredictable bytes for the hashes */
  constructor(key: Uint8Array) {
    this.hash = new KeyedHash(key)
    this.mergeHash = new KeyedHash(key)
    this.hash.compute('')
    this.mergeHash.compute('')
  }

  /** How many there are. */
  get count(): number {
    return this.live
  }

  /** Bytes of the responses that they keep. */
  get retainedBytes(): number {
    return this.bytes
  }

  /** When the next one ends; `Infinity` without any. */
  get deadline(): number {
    return this.held === 0 ? Number.POSITIVE_INFINITY : this.table.dues[this.first]!
  }

  /** Whether such a response can be kept. */
  canHold(bytes: Uint8Array): boolean {
    return bytes.length <= ByteQueue.maxBytes
  }

  add(init: TombstoneInit): void {
    if (this.held === this.table.capacity) this.resize(this.table.capacity * 2)
    const { table } = this
    const slot = (this.first + this.held) & (table.capacity - 1)
    this.held += 1
    this.live += 1
    this.bytes += init.bytes.length
    table.ids[slot] = init.id
    table.dues[slot] = init.dueMs
    table.positions[slot] = this.responses.push(init.bytes)
    table.lengths[slot] = init.bytes.length
    table.flows[slot] = init.flow
    this.hashKey(init.key)
    table.byKey.add(slot, this.hash.low, this.hash.high)
    table.byId.add(slot, init.id | 0, 0)
    table.flags[slot] = present | (init.isInternal ? internal : 0)
    if (init.mergeKey === undefined) return
    table.flags[slot]! |= merging
    this.hashMergeKey(init.mergeKey)
    table.byMergeKey.add(slot, this.mergeHash.low, this.mergeHash.high)
  }

  /** The slot of a server transaction's key, or -1. */
  find(key: string): number {
    if (this.live === 0) return -1
    this.hashKey(key)
    return this.table.byKey.find(this.hash.low, this.hash.high)
  }

  /** Whether a request with that merge key has been answered (RFC 3261 §8.2.2.2). */
  hasMerged(mergeKey: string): boolean {
    if (this.live === 0) return false
    this.hashMergeKey(mergeKey)
    return this.table.byMergeKey.find(this.mergeHash.low, this.mergeHash.high) >= 0
  }

  /** The slot of a transaction, or -1. */
  findId(id: TransactionId): number {
    const slot = this.table.byId.find(id | 0, 0)
    return slot >= 0 && this.table.ids[slot] === id ? slot : -1
  }

  idOf(slot: number): TransactionId {
    return this.table.ids[slot]!
  }

  isInternal(slot: number): boolean {
    return (this.table.flags[slot]! & internal) !== 0
  }

  flowOf(slot: number): Flow {
    return this.table.flows[slot]!
  }

  /** A copy of the response: whoever sends it may still hold it when the tombstone is gone. */
  responseOf(slot: number): Buffer {
    return this.responses.read(this.table.positions[slot]!, this.table.lengths[slot]!)
  }

  /** The slot of the one that ends next, or -1. */
  get oldest(): number {
    return this.held === 0 ? -1 : this.first
  }

  /** Forgets one; those that end before it keep their order. */
  remove(slot: number): void {
    const { table } = this
    table.byKey.remove(slot)
    table.byId.remove(slot)
    if ((table.flags[slot]! & merging) !== 0) table.byMergeKey.remove(slot)
    table.flags[slot] = 0
    table.flows[slot] = undefined
    this.live -= 1
    this.bytes -= table.lengths[slot]!
    if (slot === this.first) this.dropFront()
  }

  private hashKey(key: string): void {
    if (key === this.hashedKey) return
    this.hash.compute(key)
    this.hashedKey = key
  }

  private hashMergeKey(key: string): void {
    if (key === this.hashedMergeKey) return
    this.mergeHash.compute(key)
    this.hashedMergeKey = key
  }

  /** Drops slots at the front that are empty, so that the oldest is always a live one. */
  private dropFront(): void {
    const { table } = this
    while (this.held > 0 && table.flags[this.first] === 0) {
      this.first = (this.first + 1) & (table.capacity - 1)
      this.held -= 1
    }
    this.responses.releaseBefore(this.held === 0 ? undefined : table.positions[this.first]!)
    // Memory goes back after a storm; a quarter, so that it does not go back and forth.
    if (table.capacity > smallestCapacity && this.held < table.capacity >> 2) this.resize(table.capacity >> 1)
  }

  private resize(capacity: number): void {
    const old = this.table
    const table = new Table(capacity)
    let held = 0
    for (let at = 0; at < this.held; at += 1) {
      const slot = (this.first + at) & (old.capacity - 1)
      if (old.flags[slot] === 0) continue
      table.takeOver(old, slot, held)
      held += 1
    }
    this.table = table
    this.first = 0
    this.held = held
  }
}

const present = 1
const merging = 2
const internal = 4

/** The columns of the ring and its indexes. */
class Table {
  readonly ids: Float64Array
  readonly dues: Float64Array
  readonly positions: Float64Array
  readonly lengths: Uint32Array
  readonly flags: Uint8Array
  readonly flows: (Flow | undefined)[]
  readonly byKey: ChainIndex
  readonly byMergeKey: ChainIndex
  readonly byId: ChainIndex

  constructor(readonly capacity: number) {
    this.ids = new Float64Array(capacity)
    this.dues = new Float64Array(capacity)
    this.positions = new Float64Array(capacity)
    this.lengths = new Uint32Array(capacity)
    this.flags = new Uint8Array(capacity)
    this.flows = new Array<Flow | undefined>(capacity).fill(undefined)
    this.byKey = new ChainIndex(capacity)
    this.byMergeKey = new ChainIndex(capacity)
    this.byId = new ChainIndex(capacity)
  }

  takeOver(old: Table, from: number, slot: number): void {
    this.ids[slot] = old.ids[from]!
    this.dues[slot] = old.dues[from]!
    this.positions[slot] = old.positions[from]!
    this.lengths[slot] = old.lengths[from]!
    this.flags[slot] = old.flags[from]!
    this.flows[slot] = old.flows[from]
    this.byKey.adopt(old.byKey, from, slot)
    this.byId.adopt(old.byId, from, slot)
    if ((old.flags[from]! & merging) !== 0) this.byMergeKey.adopt(old.byMergeKey, from, slot)
  }
}
