/**
 * One outgoing request from locating to its final response: RFC 3261 §8.1 (UAC), §22.2 and §22.3 (credentials),
 * RFC 3263 §4.3 (the next address when one fails). INVITE and everything else; inside and outside of dialogs.
 */
import type { HeaderInit, SipRequest, SipResponse, Uri } from '@carillon/sip-parser'
import type { DigestClient } from '../auth/client'
import type { RequestPlan } from '../dialog/dialog'
import type { TransactionFailure, TransactionId } from '../effects'
import type { TransactionErrorCode } from '../errors'
import type { Destination, Flow, FlowAddress } from '../ports'
import type { Core } from './core'
import type { Appointment, ClientUser } from './driver'
import type { ListenerEntry, RequestExtras } from './egress'

/** What is to be sent. */
export interface ClientRequestSpec {
  readonly method: string
  /** The URI to locate, asked for at each attempt. */
  readonly nextHop: () => Uri
  /** The request, with the next CSeq number; asked for at each attempt, after its destination is known. */
  readonly plan: (credentials: readonly HeaderInit[]) => RequestPlan
  /** Where it goes when not where its URI says; undefined when that place is gone. */
  readonly destination: (() => Destination | undefined) | undefined
  readonly extras: RequestExtras
  readonly auth: DigestClient | undefined
  readonly timeoutMs?: number | undefined
}

/** Who hears of it. `final` is called for each 2xx to an INVITE. */
export interface ClientRequestUser {
  provisional?(response: SipResponse, flow: Flow): void
  final(response: SipResponse, flow: Flow): void
  error(code: TransactionErrorCode): void
  /** Nothing more will come: the transaction is gone. */
  gone?(): void
}

/** One request under way. All methods run inside an input. */
export class ClientRequest implements ClientUser {
  /** The request as last sent. */
  request: SipRequest | undefined
  private transactionId: TransactionId | undefined
  private candidates: readonly FlowAddress[] = []
  private nextCandidate = 0
  private planned: RequestPlan | undefined
  private attempts = 0
  private credentials: readonly HeaderInit[] = []
  private isCancelled = false
  private hasProvisional = false
  private isFinal = false
  private timeout: Appointment | undefined

  constructor(
    private readonly core: Core,
    private readonly spec: ClientRequestSpec,
    private readonly user: ClientRequestUser,
  ) {}

  /** Sends the request. */
  start(): void {
    this.core.requests.add(this)
    const { timeoutMs } = this.spec
    if (timeoutMs !== undefined) {
      this.timeout = this.core.driver.at(this.core.driver.nowMs + timeoutMs, () => this.giveUp('TIMEOUT'))
    }
    this.attempt()
  }

  /**
   * Cancels an INVITE (RFC 3261 §9.1). Its user still hears how it ended: failure, or a 2xx that crossed. Does nothing
   * when the final response is there.
   */
  cancel(headers: readonly HeaderInit[] = []): void {
    if (this.isFinal || this.isCancelled) return
    this.isCancelled = true
    if (this.transactionId === undefined) this.finishWithError('CANCELLED')
    else this.core.driver.layer.cancel(this.transactionId, this.core.driver.nowMs, this.core.driver.out, [...headers])
  }

  /** Stops waiting. An INVITE is cancelled, anything else is left to its transaction. */
  giveUp(code: TransactionErrorCode): void {
    if (this.isFinal) return
    if (this.spec.method === 'INVITE') {
      // Its user still has to hear of a 2xx that crosses the CANCEL.
      this.cancel()
      return
    }
    if (this.transactionId !== undefined) this.core.driver.clients.delete(this.transactionId)
    this.finishWithError(code)
  }

  /** The stack is gone: no answer can come any more. */
  abandon(): void {
    this.finishWithError('STACK_CLOSED')
  }

  response(response: SipResponse, flow: Flow): void {
    if (response.status < 200) {
      this.hasProvisional = true
      if (!this.isFinal) this.user.provisional?.(response, flow)
      return
    }
    if (response.status >= 300 && this.isFinal) return
    if (this.tryAgain(response)) return
    this.markFinal(response.status >= 200 && response.status < 300 && this.spec.method === 'INVITE')
    this.user.final(response, flow)
  }

  failed(reason: TransactionFailure): void {
    if (this.isFinal) return
    if (reason === 'transport' && !this.hasProvisional && !this.isCancelled && this.sendToNext()) return
    this.finishWithError(reason === 'timeout' ? 'TIMEOUT' : 'TRANSPORT_FAILED')
  }

  terminated(): void {
    this.user.gone?.()
  }

  private attempt(): void {
    this.attempts += 1
    this.hasProvisional = false
    const { destination } = this.spec
    if (destination !== undefined) {
      const explicit = destination()
      if (explicit !== undefined) this.send(this.newPlan(), explicit)
      else this.finishWithError('TRANSPORT_FAILED')
      return
    }
    const located = this.core.locate(this.spec.nextHop())
    if (!(located instanceof Promise)) {
      this.useCandidates(located)
      return
    }
    located.then(
      (addresses) => this.core.submit(() => this.useCandidates(addresses)),
      () => this.core.submit(() => this.finishWithError('NAME_NOT_FOUND')),
    )
  }

  private useCandidates(addresses: readonly FlowAddress[]): void {
    if (this.isFinal) return
    if (this.isCancelled) {
      this.finishWithError('CANCELLED')
      return
    }
    this.candidates = addresses.filter((address) => this.core.egress.entryFor(address) !== undefined)
    this.nextCandidate = 0
    this.planned = undefined
    if (this.sendToNext()) return
    this.finishWithError(
      addresses.length === 0 && this.core.egress.entries.length > 0 ? 'NAME_NOT_FOUND' : 'UNREACHABLE',
    )
  }

  private sendToNext(): boolean {
    const address = this.candidates[this.nextCandidate]
    if (address === undefined) return false
    this.nextCandidate += 1
    this.send(this.planned ?? this.newPlan(), { kind: 'address', address })
    return true
  }

  private newPlan(): RequestPlan {
    this.planned = this.spec.plan(this.credentials)
    return this.planned
  }

  private send(plan: RequestPlan, destination: Destination): void {
    const { driver, egress } = this.core
    const entry: ListenerEntry | undefined = egress.entryTo(destination)
    if (entry === undefined) {
      this.finishWithError('UNREACHABLE')
      return
    }
    const remote = destination.kind === 'flow' ? destination.flow.remote.address : destination.address.address
    const built = egress.build(plan, entry, remote, this.spec.extras)
    const request = this.attempts > 1 ? built : (this.spec.auth?.preempt(built) ?? built)
    this.request = request
    if (this.transactionId !== undefined) driver.clients.delete(this.transactionId)
    const id = driver.layer.sendRequest(request, destination, driver.nowMs, driver.out)
    this.transactionId = id
    driver.clients.set(id, this)
  }

  /** Answers a challenge by sending the request again; true when that has been done. */
  private tryAgain(response: SipResponse): boolean {
    if (response.status !== 401 && response.status !== 407) return false
    const { auth } = this.spec
    if (auth === undefined || this.request === undefined || this.isCancelled || this.isFinal) return false
    if (this.attempts > this.core.limits.authAttemptsMax) return false
    const signed = auth.answer(this.request, response, this.attempts - 1)
    if (signed === undefined) return false
    this.credentials = credentialsOf(signed)
    this.attempt()
    return true
  }

  private markFinal(keepTransaction: boolean): void {
    this.isFinal = true
    this.timeout?.cancel()
    if (!keepTransaction && this.transactionId !== undefined) this.core.driver.clients.delete(this.transactionId)
    if (this.core.requests.delete(this)) this.core.onChange()
  }

  private finishWithError(code: TransactionErrorCode): void {
    if (this.isFinal) return
    this.markFinal(false)
    this.user.error(code)
  }
}

/** The credentials of a request, for the next one of the same kind or for its ACK (RFC 3261 §13.2.2.4). */
export function credentialsOf(request: SipRequest): HeaderInit[] {
  const headers: HeaderInit[] = []
  for (const name of ['Authorization', 'Proxy-Authorization']) {
    for (const value of request.getAll(name)) headers.push([name, value])
  }
  return headers
}
