/** A request that came in, as far as it can be sent on: RFC 3261 §16. */
import type { SipRequest, SipResponse, Uri } from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import type { Flow } from '../../ports'
import type { Core } from '../core'
import { IncomingMessage } from '../requests/incoming-message'
import type { ProxyOptions, ProxyTarget, ProxyTargets } from './proxy-options'
import { startForward, startProxy } from './proxy-start'

/** What can be proxied. */
export abstract class ProxyableRequest extends IncomingMessage {
  protected readonly core: Core
  protected readonly transactionId: TransactionId

  /** @internal */
  constructor(core: Core, transactionId: TransactionId, message: SipRequest, flow: Flow) {
    super(message, flow)
    this.core = core
    this.transactionId = transactionId
  }

  /**
   * Sends the request on to one or several targets and their answers back (RFC 3261 §16), with state: targets are tried by
   * their `q`, the best response wins, CANCEL goes with it. No target gives 480. A Route that the request has is followed.
   * @returns the final response that went back; of a request that was cancelled as a rule its 487
   * @throws SipUsageError ALREADY_ANSWERED, TARGET_INVALID, TARGETS_MISSING
   */
  async proxy(targets: ProxyTargets, options: ProxyOptions = {}): Promise<SipResponse | undefined> {
    this.expectUntouched()
    if (options.stateless !== true) return startProxy(this.core, this.transactionId, this, targets, options)
    startForward(this.core, this.transactionId, this, targets, options)
    return undefined
  }

  /**
   * Sends the request on to one target and keeps nothing of it (RFC 3261 §16.11); what becomes of it nobody hears. Who
   * forwards INVITEs so gets their CANCELs, and the ACKs to their failures, in the handlers of INVITE, to be forwarded too.
   * @throws SipUsageError ALREADY_ANSWERED, TARGET_INVALID, TARGETS_MISSING
   */
  forward(
    target: ProxyTarget | string | Uri,
    options: Pick<ProxyOptions, 'recordRoute' | 'headers' | 'history'> = {},
  ): void {
    this.expectUntouched()
    startForward(this.core, this.transactionId, this, target, options)
  }

  /** @internal True when the caller has given up. */
  abstract get wasAbandoned(): boolean

  /** @internal Whoever proxies the request answers it. */
  abstract handOver(): void

  /** @internal The caller of a proxied request gave up. */
  abstract abandonedBy(cancel: SipRequest | undefined): void

  /** @throws SipUsageError ALREADY_ANSWERED */
  protected abstract expectUntouched(): void
}
