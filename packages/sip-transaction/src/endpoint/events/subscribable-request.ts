/** A request that came in, as far as it asks for a subscription: RFC 6665 §4.2.1. */

import { ProxyableRequest } from '../proxy/proxyable-request'
import type { IncomingRequest } from '../requests/incoming-request'
import { acceptSubscription, type NotifierOptions, type NotifierSubscription } from './notifier'

/** What can make a subscription. */
export abstract class SubscribableRequest extends ProxyableRequest {
  /**
   * Accepts a SUBSCRIBE and tells its sender the state, now and by `notify`. Undefined when the request has been refused:
   * 489 for another package, 406 for other bodies, 423 for too short a lifetime, 503 or 403 over a cap.
   * @throws SipUsageError NOT_A_SUBSCRIBE, ALREADY_ANSWERED
   */
  subscription<State>(options: NotifierOptions<State>): NotifierSubscription<State> | undefined {
    return acceptSubscription(this.core, this as unknown as IncomingRequest, options)
  }
}
