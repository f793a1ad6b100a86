/**
 * One outgoing request from locating to its final response: RFC 3261 §8.1 (UAC), §22.2 and §22.3 (credentials),
 * RFC 3263 §4.3 (the next server when one fails), RFC 3261 §18.1.1 (long requests). INVITE and everything else; inside and
 * outside of dialogs.
 */
import type { HeaderInit, SipRequest, SipResponse, Uri } from '@carillon/sip-parser'
import { type DigestClient, DigestRounds } from '../../auth/client'
import type { RequestPlan } from '../../dialog/dialog'
import type { TransactionFailure, TransactionId } from '../../effects'
import type { TransactionErrorCode } from '../../errors'
import { orderForLongRequest } from '../../locate/long-request'
import type { Candidate, LocateFailure } from '../../locate/plan'
import type { Destination, Flow } from '../../ports'
import { readFeedback } from '../../protection/overload-feedback'
import { requestClass } from '../../protection/request-class'
import type { Core } from '../core'
import { type Appointment, type ClientUser, describeError } from '../driver'
import type { RosterPlace } from '../roster'
import type { ListenerEntry, RequestExtras } from '../wire/egress'
import type { Located } from '../wire/locator'

/** What is to be sent. */
export interface ClientRequestSpec {
  readonly method: string
  /** The URI to locate, asked for at each attempt. */
  readonly nextHop: () => Uri
  /** True when only secure hops will do, whatever the scheme of the next one (RFC 3261 §8.1.2); false when absent. */
  readonly isSecure?: (() => boolean) | undefined
  /** The request, with the next CSeq number; asked for at each attempt, after its destination is known. */
  readonly plan?: (credentials: readonly HeaderInit[]) => RequestPlan
  /** In place of `plan`: writes the whole message, for a request that is passed on. Called for each destination. */
  readonly write?: (entry: ListenerEntry, remote: string) => ForwardedRequest
  /** Where it goes when not where its URI says; undefined when that place is gone. */
  readonly destination: (() => Destination | undefined) | undefined
  /** True when the next hop is located after all once `destination` is gone or does not take the request. */
  readonly mayLocate?: boolean | undefined
  readonly extras: RequestExtras
  readonly auth: DigestClient | undefined
  readonly timeoutMs?: number | undefined
}

/** A request that is passed on, and the branch of its Via. */
export interface ForwardedRequest {
  readonly request: SipRequest
  readonly branch: string
}

/** Who hears of it. `final` is called for each 2xx to an INVITE. */
export interface ClientRequestUser {
  provisional?(response: SipResponse, flow: Flow): void
  final(response: SipResponse, flow: Flow): void
  error(code: TransactionErrorCode): void
  /** Nothing more will come: the transaction is gone. */
  gone?(): void
}

const codeOfFailure: Readonly<Record<LocateFailure, TransactionErrorCode>> = {
  unsupported: 'UNREACHABLE',
  'not-found': 'NAME_NOT_FOUND',
  'lookup-failed': 'NAME_LOOKUP_FAILED',
}

/** One request under way. All methods run inside an input. */
export class ClientRequest implements ClientUser {
  rosterPlace: RosterPlace | undefined = undefined
  /** The request as last sent. */
  request: SipRequest | undefined
  private transactionId: TransactionId | undefined
  /** The hop that the candidates are of. */
  private hop: Uri | undefined
  private candidates: readonly Candidate[] = []
  private nextCandidate = 0
  /** The candidate that has the request; undefined when it went where the user or the dialog said. */
  private current: Candidate | undefined
  private isLengthSettled = false
  /** The transaction layer had no room: the fault of no server. */
  private isRefused = false
  /** The 503 of a server after which another one was tried; the answer when none of them does better. */
  private unavailable: { readonly response: SipResponse; readonly flow: Flow } | undefined
  private planned: RequestPlan | undefined
  private attempts = 0
  private credentials: readonly HeaderInit[] = []
  /** The challenges that this request has answered at the server at hand. */
  private rounds: DigestRounds | undefined
  /** Names the next hop that has the request, while the stack offers overload control. */
  private hopKey: string | undefined
  private isCancelled = false
  private hasProvisional = false
  private isFinal = false
  private timeout: Appointment | undefined

  constructor(
    private readonly core: Core,
    private readonly spec: ClientRequestSpec,
    private readonly user: ClientRequestUser,
  ) {}

  /** The transaction of the last attempt. */
  get id(): TransactionId | undefined {
    return this.transactionId
  }

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

  /** Further 2xx of an INVITE that has its final response go to another user, and this object may go. */
  handOver(user: ClientUser): void {
    const { clients } = this.core.driver
    if (this.isFinal && this.transactionId !== undefined && clients.get(this.transactionId) === this)
      clients.set(this.transactionId, user)
  }

  /** The stack is gone: no answer can come any more. */
  abandon(): void {
    this.finishWithError('STACK_CLOSED')
  }

  response(response: SipResponse, flow: Flow): void {
    if (this.hopKey !== undefined) this.learnOfLoad(response, this.hopKey)
    if (response.status < 200) {
      this.hasProvisional = true
      if (!this.isFinal) this.user.provisional?.(response, flow)
      return
    }
    if (response.status >= 300 && this.isFinal) return
    if (response.status === 503) {
      if (this.tryAfter503(response, flow)) return
    } else if (this.current !== undefined) this.core.locator.blocklist.clear(this.current.address)
    if (this.tryAgain(response)) return
    if (!this.isFinal) this.learnOfServer(response, flow)
    this.markFinal(response.status >= 200 && response.status < 300 && this.spec.method === 'INVITE')
    this.user.final(response, flow)
  }

  failed(reason: TransactionFailure): void {
    if (this.isFinal) return
    if (!this.hasProvisional && !this.isRefused) {
      const { current, core } = this
      if (current !== undefined) core.locator.blocklist.block(current.address, core.driver.nowMs)
      if (!this.isCancelled && this.tryElsewhere(reason)) return
    }
    this.endUnanswered(reason === 'timeout' ? 'TIMEOUT' : 'TRANSPORT_FAILED')
  }

  terminated(): void {
    this.user.gone?.()
  }

  /** Ends with the 503 of another server, if there is one, or else with an error. */
  private endUnanswered(code: TransactionErrorCode): void {
    const { unavailable } = this
    if (unavailable === undefined || this.isCancelled) {
      this.finishWithError(code)
      return
    }
    this.markFinal(false)
    this.user.final(unavailable.response, unavailable.flow)
  }

  private attempt(): void {
    this.attempts += 1
    this.hasProvisional = false
    this.planned = undefined
    const given = this.spec.destination?.()
    if (given !== undefined) this.sendTo(given)
    else if (this.spec.destination === undefined || this.spec.mayLocate === true) this.locate()
    else this.finishWithError('TRANSPORT_FAILED')
  }

  /** Finds the next hop; a request that was challenged goes again to the server that knows its nonce. */
  private locate(): void {
    const hop = this.spec.nextHop()
    if (hop === this.hop && this.current !== undefined) {
      this.sendTo(this.current)
      return
    }
    this.hop = hop
    this.core.locator.locate(hop, this.spec.isSecure?.() ?? false, (located) => this.useCandidates(located))
  }

  private useCandidates(located: Located): void {
    if (this.isFinal) return
    if (this.isCancelled) {
      this.finishWithError('CANCELLED')
      return
    }
    if (typeof located === 'string') {
      this.finishWithError(codeOfFailure[located])
      return
    }
    const { egress, locator, driver } = this.core
    const reachable = located.filter(({ address }) => egress.entryFor(address) !== undefined)
    this.candidates = locator.blocklist.order(reachable, driver.nowMs)
    this.nextCandidate = 0
    this.isLengthSettled = false
    if (!this.sendToNext()) this.finishWithError('UNREACHABLE')
  }

  private sendToNext(): boolean {
    const candidate = this.candidates[this.nextCandidate]
    if (candidate === undefined) return false
    this.nextCandidate += 1
    this.current = candidate
    this.sendTo(candidate)
    return true
  }

  /** RFC 3263 §4.3: the same request, but for its branch, to the next server. */
  private tryElsewhere(reason: TransactionFailure): boolean {
    const isOffWay = this.current === undefined && this.spec.mayLocate === true && reason === 'transport'
    if (!isOffWay && this.candidates[this.nextCandidate] === undefined) return false
    this.hasProvisional = false
    // Another server has nonces of its own, and may ask as the first one did.
    this.attempts = 1
    this.rounds = undefined
    if (isOffWay) this.locate()
    else this.sendToNext()
    return true
  }

  /** A server that wants to be left alone for a while is, and the next one is asked (RFC 3261 §21.5.4). */
  private tryAfter503(response: SipResponse, flow: Flow): boolean {
    const { current, core } = this
    const retryAfter = response.decode('retryAfter')
    const seconds = retryAfter.ok ? (retryAfter.value?.seconds ?? 0) : 0
    if (current !== undefined && seconds > 0) {
      core.locator.blocklist.block(current.address, core.driver.nowMs, seconds * 1000)
    }
    if (this.isCancelled || current === undefined) return false
    this.unavailable = { response, flow }
    return this.tryElsewhere('timeout')
  }

  private newPlan(): RequestPlan {
    this.planned = this.spec.plan!(this.credentials)
    return this.planned
  }

  private sendTo(destination: Destination): void {
    const entry: ListenerEntry | undefined = this.core.egress.entryTo(destination)
    if (entry === undefined) {
      this.finishWithError('UNREACHABLE')
      return
    }
    try {
      this.writeTo(destination, entry)
    } catch (error) {
      // What the user gave makes no message. Whoever waits has to hear of it.
      this.core.logger.error({ method: this.spec.method, error: describeError(error) }, 'A request cannot be written')
      this.finishWithError('REQUEST_INVALID')
    }
  }

  private writeTo(destination: Destination, entry: ListenerEntry): void {
    const { driver, egress } = this.core
    const remote = destination.kind === 'flow' ? destination.flow.remote.address : destination.address.address
    const forwarded = this.spec.write?.(entry, remote)
    const built = forwarded?.request ?? egress.build(this.planned ?? this.newPlan(), entry, remote, this.spec.extras)
    const request = this.attempts > 1 ? built : (this.spec.auth?.preempt(built) ?? built)
    if (destination === this.current && !entry.transport.isReliable && this.changeForLength(request)) return
    if (this.isKeptBack(request, destination)) return
    this.request = request
    if (this.transactionId !== undefined) driver.clients.delete(this.transactionId)
    const refusedBefore = driver.layer.counters.refused
    const id = driver.layer.sendRequest(request, destination, driver.nowMs, driver.out, forwarded?.branch)
    this.isRefused = driver.layer.counters.refused !== refusedBefore
    this.transactionId = id
    driver.clients.set(id, this)
  }

  /**
   * RFC 7339 §5.3: a part of the requests is not for a next hop that has asked for fewer; true when this one is not, and
   * has gone to another or failed as after 503.
   */
  private isKeptBack(request: SipRequest, destination: Destination): boolean {
    const { throttle, driver, random, counters } = this.core
    if (throttle === undefined) return false
    this.hopKey = hopKeyOf(destination)
    if (throttle.admits(this.hopKey, requestClass(request) === 'kept', random.fraction(), driver.nowMs)) return false
    counters.throttled += 1
    if (!this.tryElsewhere('timeout')) this.endUnanswered('THROTTLED')
    return true
  }

  /** RFC 3261 §18.1.1: a request too long for a datagram goes over TCP first; true when it has been sent that way. */
  private changeForLength(request: SipRequest): boolean {
    const { egress, locator, driver } = this.core
    if (this.isLengthSettled) return false
    if (request.byteLength <= locator.datagramRequestBytesMax) return false
    this.isLengthSettled = true
    const rest = this.candidates.slice(this.nextCandidate - 1)
    const ordered = orderForLongRequest(rest, ({ address }) => egress.entryFor(address) !== undefined)
    const candidates = locator.blocklist.order(ordered, driver.nowMs)
    this.candidates = candidates
    this.nextCandidate = 1
    if (candidates[0] === this.current) return false
    this.nextCandidate = 0
    return this.sendToNext()
  }

  /** Answers a challenge by sending the request again; true when that has been done. */
  private tryAgain(response: SipResponse): boolean {
    if (response.status !== 401 && response.status !== 407) return false
    const { auth } = this.spec
    if (auth === undefined || this.request === undefined || this.isCancelled || this.isFinal) return false
    if (this.attempts > this.core.limits.authAttemptsMax) return false
    this.rounds ??= new DigestRounds()
    const signed = auth.answer(this.request, response, this.rounds)
    if (signed === undefined) return false
    this.credentials = credentialsOf(signed)
    this.attempt()
    return true
  }

  /** RFC 7616 §3.5: the nonce for the next request, and the server's own proof. */
  private learnOfServer(response: SipResponse, flow: Flow): void {
    const { auth } = this.spec
    if (auth === undefined || this.request === undefined || response.status < 200) return
    if (auth.learn(this.request, response) !== 'wrong') return
    const { method } = this.spec
    this.core.logger.warn(
      { method, status: response.status },
      'What a server sent to prove that it knows the password does not',
    )
    this.core.onUnproven(this.request, response, flow)
  }

  /** RFC 7339 §5.3: how much less the next hop wants. */
  private learnOfLoad(response: SipResponse, hopKey: string): void {
    const asked = readFeedback(response.via)
    if (asked !== undefined) this.core.throttle?.learn(hopKey, asked, this.core.driver.nowMs)
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

function hopKeyOf(destination: Destination): string {
  const { transport, address, port } = destination.kind === 'flow' ? destination.flow.remote : destination.address
  return `${transport} ${address} ${port}`
}

/** The credentials of a request, for the next one of the same kind or for its ACK (RFC 3261 §13.2.2.4). */
export function credentialsOf(request: SipRequest): HeaderInit[] {
  const headers: HeaderInit[] = []
  for (const name of ['Authorization', 'Proxy-Authorization']) {
    for (const value of request.getAll(name)) headers.push([name, value])
  }
  return headers
}
