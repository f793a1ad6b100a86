/**
 * The state of one transaction, client or server (RFC 3261 §17). One class serves all four machines, so that the layer's
 * hot path sees one shape. Once it is finished only its key, the last bytes sent and where they went remain.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { TransactionId } from '../effects'
import type { MachineSubject } from '../fsm/machine'
import type { Destination, Flow } from '../ports'
import type { Timer } from '../timers/timer-wheel'

/** Which of the four machines a transaction runs. */
export type TransactionKind = 'invite-client' | 'invite-server' | 'non-invite-client' | 'non-invite-server'

/** What a transaction is made from. */
export interface TransactionInit {
  readonly id: TransactionId
  readonly kind: TransactionKind
  readonly key: string
  readonly request: SipRequest
  readonly destination: Destination
  /** The flow that the request came on; undefined for a client transaction. */
  readonly flow: Flow | undefined
  readonly isReliable: boolean
  /** True for one of the layer's own (CANCEL either way, a merged request): nothing of it is told to the TU. */
  readonly isInternal: boolean
}

/** One transaction. Only the layer and its machines touch it. */
export class Transaction implements MachineSubject {
  readonly id: TransactionId
  readonly kind: TransactionKind
  readonly key: string
  /** Where its bytes go: the request's next hop, or the way back of a response. */
  destination: Destination
  readonly flow: Flow | undefined
  readonly isReliable: boolean
  readonly isInternal: boolean
  state = 'new'
  pendingInput: string | undefined = undefined
  /** Identifies the request apart from its branch (RFC 3261 §8.2.2.2); only of requests that start a dialog. */
  mergeKey: string | undefined = undefined
  /** The request that began it; dropped when it is finished. */
  request: SipRequest | undefined
  /** The response sent last; dropped when it is finished. */
  response: SipResponse | undefined = undefined
  /** The tag of that response, which stays: a CANCEL that crosses it gets the same one (RFC 3261 §9.2). */
  toTag: string | undefined = undefined
  /** What a retransmission sends: the request, its ACK, or the last response. */
  bytes: Uint8Array | undefined = undefined
  /** The same once it is finished, as text: small buffers are cut from large ones, which one of them keeps alive. */
  wireText: string | undefined = undefined
  /** Further headers of a CANCEL that waits for a provisional response. */
  cancelHeaders: readonly HeaderInit[] | undefined = undefined
  readonly startedMs: number
  /** The present interval between retransmissions. */
  intervalMs = 0
  /** Timer A, E, G, or the one before a 100. */
  retryTimer: Timer<Transaction, string> | undefined = undefined
  /** The timer that ends the present state. */
  limitTimer: Timer<Transaction, string> | undefined = undefined
  /** Bytes that it is charged with. */
  retainedBytes = 0
  isFinished = false
  /** An INVITE whose TU answers it with one 2xx at most, which it sends again by itself. */
  isReleased = false
  /** Neighbours in the list of finished transactions, in the order in which they finished. */
  older: Transaction | undefined = undefined
  newer: Transaction | undefined = undefined

  constructor(init: TransactionInit, startedMs: number) {
    this.id = init.id
    this.kind = init.kind
    this.key = init.key
    this.request = init.request
    this.destination = init.destination
    this.flow = init.flow
    this.isReliable = init.isReliable
    this.isInternal = init.isInternal
    this.startedMs = startedMs
  }
}
