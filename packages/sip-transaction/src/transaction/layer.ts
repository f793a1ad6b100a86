/**
 * The transaction layer (RFC 3261 §17): matches messages to transactions, runs their machines and their timers, and
 * does what belongs to no TU: ACK to failures, CANCEL both ways, merged requests, caps. Sans I/O: it appends effects
 * to the caller's array, and the caller carries them out before the next call.
 */
import { type HeaderInit, responseTo, type SipMessage, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import type { Effect, TransactionId } from '../effects'
import { SipUsageError } from '../errors'
import { defaultTransactionLimits, type TransactionLimits } from '../limits'
import type { Destination, Flow, Random } from '../ports'
import { deriveTimers, type TimerSettings } from '../timers/timer-settings'
import { type Timer, TimerWheel } from '../timers/timer-wheel'
import { responseDestination } from '../transport/via'
import { cancelFor } from './ack-cancel'
import { answerInput } from './answer-input'
import { end, type TransactionContext } from './context'
import { type TransactionCounters, zeroCounters } from './counters'
import { clientKey, clientKeyOf, mergeKey, ownKey, serverKey } from './key'
import { LingeringTransactions } from './lingering'
import { transactionMachines } from './machines'
import { type TransactionCounts, TransactionStore } from './store'
import { Transaction, type TransactionInit, type TransactionKind } from './transaction'

/** What a layer is made with. */
export interface TransactionLayerOptions {
  /** Durations that differ from the RFC's. */
  readonly timers?: Partial<TimerSettings>
  readonly limits?: Partial<TransactionLimits>
  readonly random: Random
  /**
   * Upper-case names of the transports that lose messages, for requests whose destination is an address: there is no
   * flow yet to ask. Default: UDP alone. A destination that is a flow answers for itself.
   */
  readonly unreliableTransports?: readonly string[]
}

/** Bits of a To tag that the layer makes; RFC 3261 §19.3 asks for 32 at least. */
const TAG_BITS = 64

/** All transactions of one stack. */
export class TransactionLayer {
  /** What the layer has done on its own. */
  readonly counters: TransactionCounters = zeroCounters()
  /** True when a CANCEL that matches nothing goes to the TU, which may forward without state (RFC 3261 §16.10), not 481. */
  passesCancels = false
  /** Methods whose requests may come again by another way: proxies let them spiral (RFC 5393 §3), ends answer 482. */
  spirals: (method: string) => boolean = () => false
  private readonly limits: TransactionLimits
  private readonly reserve: number
  private readonly unreliable: ReadonlySet<string>
  private readonly store = new TransactionStore()
  private readonly wheel = new TimerWheel<Transaction, string>()
  /** Server transactions that only wait for copies of their request: most of all there are. */
  private readonly lingering: LingeringTransactions
  private readonly context: TransactionContext
  private lastId = 0

  /** @throws RangeError when a timer makes no sense (see {@link deriveTimers}). */
  constructor(options: TransactionLayerOptions) {
    this.limits = { ...defaultTransactionLimits, ...options.limits }
    this.reserve = Math.ceil(this.limits.transactionsMax / 8)
    this.unreliable = new Set(options.unreliableTransports ?? ['UDP'])
    this.context = {
      timers: deriveTimers(options.timers),
      wheel: this.wheel,
      store: this.store,
      random: options.random,
      sendCancel: (invite) => this.sendCancel(invite),
      out: [],
      nowMs: 0,
      message: undefined,
      flow: undefined,
    }
    this.lingering = new LingeringTransactions(this.context)
  }

  /** How many transactions there are. */
  get counts(): TransactionCounts {
    return this.lingering.addTo(this.store.counts)
  }

  /** How much of the room for transactions without an answer is taken, 0 to 1 and a little more. */
  get occupancy(): number {
    return this.store.pendingCount / this.limits.transactionsMax
  }

  /** The state of a transaction, as in docs/fsm; undefined when it is gone. */
  stateOf(id: TransactionId): string | undefined {
    return this.store.get(id)?.state ?? this.lingering.stateOf(id)
  }

  /**
   * A message from the network, parsed and checked for its mandatory headers, its top Via stamped with received and
   * rport. It is answered on `flow`.
   */
  receive(message: SipMessage, flow: Flow, nowMs: number, out: Effect[]): void {
    this.enter(nowMs, out, message, flow)
    if (message.kind === 'response') this.receiveResponse(message, flow)
    else if (message.method === 'ACK') this.receiveAck(message, flow)
    else this.receiveRequest(message, flow)
    this.leave()
  }

  /**
   * Starts a client transaction. The request is complete, with its own Via and branch on top; the destination is
   * chosen. Over the caps the transaction fails at once with 'transport', which RFC 3261 §8.1.3.1 treats as 503.
   * @param branch that of its Via, where the caller has just written it: reading it again is saved
   * @throws SipUsageError METHOD_RESERVED for ACK and CANCEL; BRANCH_INVALID without a branch or with one in use.
   */
  sendRequest(
    request: SipRequest,
    destination: Destination,
    nowMs: number,
    out: Effect[],
    branch?: string,
  ): TransactionId {
    const { method } = request
    if (method === 'ACK' || method === 'CANCEL') throw new SipUsageError('METHOD_RESERVED')
    const key = branch === undefined ? clientKey(request) : clientKeyOf(method, branch)
    if (key === undefined || this.store.client(key) !== undefined) throw new SipUsageError('BRANCH_INVALID')
    if (this.isFull(this.reserve)) {
      this.counters.refused += 1
      this.lastId += 1
      out.push({ kind: 'failed', transactionId: this.lastId, reason: 'transport' })
      out.push({ kind: 'terminated', transactionId: this.lastId })
      return this.lastId
    }
    this.enter(nowMs, out, request, undefined)
    const kind = method === 'INVITE' ? 'invite-client' : 'non-invite-client'
    const isReliable = this.isReliable(destination)
    const transaction = this.begin({ kind, key, request, destination, flow: undefined, isReliable, isInternal: false })
    this.leave()
    return transaction.id
  }

  /**
   * The TU answers a server transaction. Returns false, and does nothing, when the answer can no longer be given or
   * must not be: after a final response (but further 2xx of an INVITE go out), for an unknown transaction, and for
   * what RFC 4320 forbids for requests other than INVITE: provisional responses but 100, and that one not too early.
   * 408 to such a request is not sent either; it ends the transaction in silence.
   * @param toTag that of its To, where the caller knows it: reading it again is saved
   */
  sendResponse(id: TransactionId, response: SipResponse, nowMs: number, out: Effect[], toTag?: string): boolean {
    const transaction = this.store.get(id)
    if (transaction === undefined || transaction.isInternal) return false
    if (toTag !== undefined) transaction.toTag = toTag
    const input = answerInput(transaction, response.status, nowMs, this.context.timers.nonInviteTrying)
    if (input === undefined) return false
    this.enter(nowMs, out, response, undefined)
    const isTaken = this.run(transaction, input)
    this.lingering.takeOver(transaction)
    this.leave()
    return isTaken
  }

  /**
   * Cancels an INVITE client transaction: now if a provisional response has come, else as soon as one comes; a final
   * response makes it moot. Without a final response within 64·T1 after CANCEL the transaction fails with 'timeout'
   * (RFC 3261 §9.1). `headers` go into the CANCEL, such as Reason.
   */
  cancel(id: TransactionId, nowMs: number, out: Effect[], headers?: readonly HeaderInit[]): void {
    const transaction = this.store.get(id)
    if (transaction === undefined || transaction.kind !== 'invite-client' || transaction.isFinished) return
    transaction.cancelHeaders ??= headers
    this.enter(nowMs, out, undefined, undefined)
    this.run(transaction, 'cancel')
    this.leave()
  }

  /** Something that this transaction sent could not be handed to the network. */
  transportError(id: TransactionId, nowMs: number, out: Effect[]): void {
    const transaction = this.store.get(id)
    this.enter(nowMs, out, undefined, undefined)
    if (transaction !== undefined) this.run(transaction, 'transportError')
    else this.lingering.answered.transportError(id)
    this.leave()
  }

  /** Lets a server transaction go without an answer: its request has been forwarded without state (RFC 3261 §16.11). */
  forget(id: TransactionId, nowMs: number, out: Effect[]): void {
    const transaction = this.store.get(id)
    if (transaction === undefined) return
    this.enter(nowMs, out, undefined, undefined)
    end(transaction, this.context)
    this.leave()
  }

  /**
   * The TU answers this INVITE with one 2xx at most, and sends it again by itself until the ACK comes (RFC 3261
   * §13.3.1.4): once accepted, a tombstone will do for it. Without this, further 2xx may follow, as a proxy has them.
   */
  release(id: TransactionId): void {
    const transaction = this.store.get(id)
    if (transaction?.kind === 'invite-server') transaction.isReleased = true
  }

  /** From now on a copy of this request that comes by another way is no merged one: a proxy may spiral (RFC 5393 §3). */
  unmerge(id: TransactionId): void {
    const transaction = this.store.get(id)
    if (transaction !== undefined) this.store.unmerge(transaction)
  }

  /** When {@link expire} is to be called next; `Infinity` when no timer runs. */
  deadline(): number {
    return Math.min(this.wheel.deadline(), this.lingering.deadline)
  }

  /**
   * Fires the timers that are due, in due order.
   * @param atMost so many of each kind are fired, and the rest stays due
   * @returns true when something due may be left
   */
  expire(nowMs: number, out: Effect[], atMost?: number): boolean {
    this.enter(nowMs, out, undefined, undefined)
    const isLeft = this.wheel.expire(nowMs, this.fire, atMost)
    const isLingeringLeft = this.lingering.expire(nowMs, atMost)
    this.leave()
    return isLeft || isLingeringLeft
  }

  /** Whether a request belongs to a server transaction, or repeats one that has been answered. */
  isKnownRequest(request: SipRequest, flow: Flow): boolean {
    const key = serverKey(request, flow.remote.address)
    return this.store.server(key) !== undefined || this.lingering.hasKey(request.method, key)
  }

  private readonly fire = (timer: Timer<Transaction, string>): void => {
    this.run(timer.owner, timer.kind)
  }

  private receiveResponse(response: SipResponse, flow: Flow): void {
    const key = clientKey(response)
    const transaction = key === undefined ? undefined : this.store.client(key)
    if (transaction === undefined) {
      this.context.out.push({ kind: 'stray-response', response, flow, transactionId: undefined })
      return
    }
    const { status } = response
    if (status < 200) this.run(transaction, 'provisional')
    else if (transaction.kind === 'non-invite-client') this.run(transaction, 'final')
    else this.run(transaction, status < 300 ? 'success' : 'failure')
  }

  private receiveAck(ack: SipRequest, flow: Flow): void {
    const invite = this.store.server(serverKey(ack, flow.remote.address))
    if (invite === undefined) this.context.out.push({ kind: 'ack', request: ack, flow })
    else this.run(invite, 'ack')
  }

  private receiveRequest(request: SipRequest, flow: Flow): void {
    const key = serverKey(request, flow.remote.address)
    const known = this.store.server(key)
    if (known !== undefined) {
      this.run(known, 'request')
      return
    }
    const { method } = request
    if (this.lingering.receive(method, key)) return
    const isCancel = method === 'CANCEL'
    const merge = isCancel ? undefined : mergeKey(request)
    if (this.isFull(merge === undefined ? this.reserve : 0)) this.refuse(request, flow)
    else if (isCancel) this.receiveCancel(request, key, flow)
    else if (merge === undefined || this.spirals(method)) this.beginServer(request, key, flow, false, undefined)
    else if (this.store.merged(merge) !== undefined || this.lingering.hasMerged(method, merge))
      this.refuseMerged(request, key, flow)
    else this.beginServer(request, key, flow, false, merge)
  }

  /** RFC 3261 §9.2; the CANCEL has a transaction of its own, so that its retransmissions get the same answer. */
  private receiveCancel(cancel: SipRequest, key: string, flow: Flow): void {
    const inviteKey = serverKey(cancel, flow.remote.address, 'INVITE')
    const found = this.store.server(inviteKey)
    // A CANCEL from elsewhere than its INVITE is forged; NAT may have changed the port, but not the host.
    const invite = found !== undefined && found.flow?.remote.address === flow.remote.address ? found : undefined
    const acceptedTag = found === undefined ? this.lingering.accepted.toTagFor(inviteKey, flow) : undefined
    const isMatched = invite !== undefined || acceptedTag !== undefined
    if (!isMatched && this.passesCancels) {
      this.beginServer(cancel, key, flow, false, undefined)
      return
    }
    if (!isMatched) this.counters.unmatchedCancels += 1
    const toTag = invite?.response?.to.tag ?? invite?.toTag ?? acceptedTag ?? this.context.random.token(TAG_BITS)
    this.answerInternally(cancel, key, flow, responseTo(cancel, isMatched ? 200 : 481, { toTag }))
    if (invite === undefined) return
    this.context.message = cancel
    this.run(invite, 'cancel')
  }

  /** The same request has come by another way (RFC 3261 §8.2.2.2). */
  private refuseMerged(request: SipRequest, key: string, flow: Flow): void {
    this.counters.merged += 1
    const toTag = this.context.random.token(TAG_BITS)
    this.answerInternally(request, key, flow, responseTo(request, 482, { toTag }))
  }

  /** Answers 503 without keeping anything (RFC 3261 §8.2.7). */
  private refuse(request: SipRequest, flow: Flow): void {
    this.counters.overloaded += 1
    const response = responseTo(request, 503, {
      toTag: this.context.random.token(TAG_BITS),
      headers: [['Retry-After', this.limits.transactionRetryAfterSeconds]],
    })
    const destination = responseDestination(flow, request.via)
    this.context.out.push({ kind: 'send', bytes: response.toBytes(), destination, transactionId: undefined })
  }

  private answerInternally(request: SipRequest, key: string, flow: Flow, response: SipResponse): void {
    const transaction = this.beginServer(request, key, flow, true, undefined)
    this.context.message = response
    this.run(transaction, transaction.kind === 'invite-server' ? 'tuFailure' : 'tuFinal')
    this.lingering.takeOver(transaction)
  }

  private beginServer(
    request: SipRequest,
    key: string,
    flow: Flow,
    isInternal: boolean,
    merge: string | undefined,
  ): Transaction {
    const kind: TransactionKind = request.method === 'INVITE' ? 'invite-server' : 'non-invite-server'
    const destination = responseDestination(flow, request.via)
    return this.begin({ kind, key, request, destination, flow, isReliable: flow.isReliable, isInternal }, merge)
  }

  private begin(init: Omit<TransactionInit, 'id'>, merge?: string): Transaction {
    this.lastId += 1
    // What is answered and forgotten within its turn, as most requests are, needs no key of its own.
    const isBrief = init.kind === 'non-invite-server' && !init.isReliable && init.destination.kind === 'flow'
    const key = isBrief ? init.key : ownKey(init.key)
    const transaction = new Transaction({ ...init, key, id: this.lastId }, this.context.nowMs)
    transaction.mergeKey = merge === undefined || isBrief ? merge : ownKey(merge)
    this.store.add(transaction)
    transactionMachines[init.kind].start(transaction, this.context)
    return transaction
  }

  private sendCancel(invite: Transaction): void {
    const { request, destination, isReliable } = invite
    if (request === undefined) return
    const cancel = cancelFor(request, invite.cancelHeaders)
    const key = clientKey(cancel)
    if (key === undefined || this.store.client(key) !== undefined) return
    const flow = undefined
    this.begin({ kind: 'non-invite-client', key, request: cancel, destination, flow, isReliable, isInternal: true })
  }

  private isReliable(destination: Destination): boolean {
    if (destination.kind === 'flow') return destination.flow.isReliable
    return !this.unreliable.has(destination.address.transport)
  }

  /** True when no more transactions may begin, even with some more allowed than the cap says. */
  private isFull(reserve: number): boolean {
    const { transactionsMax, transactionBytesMax } = this.limits
    if (this.store.pendingCount >= transactionsMax + reserve) return true
    const bytesMax = reserve === 0 ? transactionBytesMax : transactionBytesMax * 1.125
    if (this.store.oldestFinished !== undefined || this.lingering.count > 0) return false
    return this.store.retainedBytes >= bytesMax
  }

  /** Returns true when the input was taken. */
  private run(transaction: Transaction, input: string): boolean {
    const outcome = transactionMachines[transaction.kind].handle(transaction, input, this.context)
    if (outcome !== 'impossible') return outcome === 'stepped'
    this.counters.invariantsBroken += 1
    if (!transaction.isInternal && !transaction.isFinished) {
      this.context.out.push({ kind: 'failed', transactionId: transaction.id, reason: 'transport' })
    }
    end(transaction, this.context)
    return false
  }

  private enter(nowMs: number, out: Effect[], message: SipMessage | undefined, flow: Flow | undefined): void {
    this.context.nowMs = nowMs
    this.context.out = out
    this.context.message = message
    this.context.flow = flow
  }

  /** Forgets what the caps do not allow to be kept, and every reference to the input. */
  private leave(): void {
    const { finishedTransactionsMax, transactionBytesMax } = this.limits
    const { store, lingering } = this
    while (
      store.finishedCount + lingering.count > finishedTransactionsMax ||
      store.retainedBytes + lingering.retainedBytes > transactionBytesMax
    ) {
      // A repeated INVITE costs a call, any other repeated request only work: INVITEs are forgotten last.
      const oldest = lingering.answered.count > 0 ? undefined : store.oldestFinished
      if (oldest !== undefined) end(oldest, this.context)
      else if (lingering.count > 0) lingering.forgetOldest()
      else break
      this.counters.forgotten += 1
    }
    this.context.message = undefined
    this.context.flow = undefined
  }
}
