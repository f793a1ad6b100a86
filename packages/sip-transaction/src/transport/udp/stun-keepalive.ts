/**
 * Keeps the way to one UDP peer open and finds out when it is gone: STUN binding requests on the SIP port
 * (RFC 5626 §3.5.2 and §4.4.2, RFC 5389 §7.2.1). Pure, but for the bytes that are handed in as transaction ids.
 */
import { isStunBindingSuccess, mappedAddressOf, stunBindingRequest } from '../keepalive'
import { flowReasons } from '../reasons'

/** When a request is sent, counted from the first one: a datagram may be lost, and the next one too. */
const repeatAfterMs: readonly number[] = [0, 500, 1_500, 3_500]

/** What a keep-alive has to be done for it. */
export type KeepAliveStep =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The way is gone; nothing more comes of this keep-alive. */
  | { readonly kind: 'lost'; readonly reason: string }

/** Settings of one keep-alive. */
export interface StunKeepAliveOptions {
  /** Requests begin after 80 to 100 % of it (RFC 5626 §4.4). */
  readonly everyMs: number
  /** How long the answer may take. */
  readonly answerMs: number
  /** A number in [0, 1). */
  readonly fraction: () => number
  /** Twelve unpredictable bytes. */
  readonly transactionId: () => Uint8Array
}

/** The keep-alive of one peer. */
export class StunKeepAlive {
  private request: Uint8Array | undefined
  private requestedAtMs = 0
  private sent = 0
  private nextMs: number
  /** Where the peer sees us; another place means that a translator between us has forgotten us. */
  private mapped: string | undefined
  private isLost = false

  constructor(
    private readonly options: StunKeepAliveOptions,
    nowMs: number,
  ) {
    this.nextMs = this.nextRoundMs(nowMs)
  }

  /** When {@link expire} has something to do; Infinity once the way is lost. */
  deadline(): number {
    return this.isLost ? Number.POSITIVE_INFINITY : this.nextMs
  }

  /** A STUN message came from the peer; true when it answers this keep-alive. */
  receive(message: Uint8Array, nowMs: number, out: KeepAliveStep[]): boolean {
    const { request } = this
    if (request === undefined || this.isLost || !isStunBindingSuccess(message, request)) return false
    this.request = undefined
    const mapped = mappedAddressOf(message)
    if (this.mapped !== undefined && mapped !== undefined && mapped !== this.mapped) {
      this.lose(flowReasons.ADDRESS_CHANGED, out)
      return true
    }
    this.mapped = mapped ?? this.mapped
    this.nextMs = this.nextRoundMs(nowMs)
    return true
  }

  /** Does what is due. */
  expire(nowMs: number, out: KeepAliveStep[]): void {
    if (nowMs < this.deadline()) return
    if (this.request === undefined) {
      this.request = stunBindingRequest(this.options.transactionId())
      this.requestedAtMs = nowMs
      this.sent = 0
    }
    if (nowMs >= this.requestedAtMs + this.options.answerMs) {
      this.lose(flowReasons.KEEP_ALIVE_UNANSWERED, out)
      return
    }
    this.sent += 1
    out.push({ kind: 'send', bytes: this.request })
    const repeatMs = repeatAfterMs[this.sent] ?? Number.POSITIVE_INFINITY
    this.nextMs = this.requestedAtMs + Math.min(repeatMs, this.options.answerMs)
  }

  private lose(reason: string, out: KeepAliveStep[]): void {
    this.isLost = true
    out.push({ kind: 'lost', reason })
  }

  private nextRoundMs(nowMs: number): number {
    return nowMs + this.options.everyMs * (0.8 + 0.2 * this.options.fraction())
  }
}
