/** What is left of a proxied INVITE once its final response has gone back: further 2xx follow it (RFC 3261 §16.7 step 5). */
import type { SipResponse } from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import type { Core } from '../core'
import type { ClientUser } from '../driver'
import { hasWayBack, passBack, passBackStateless } from './proxy-response'

/** Sends 2xx back, repeated ones and those of other branches. */
export class LateForwarder implements ClientUser {
  constructor(
    private readonly core: Core,
    private readonly server: TransactionId,
  ) {}

  response(response: SipResponse): void {
    const { status } = response
    if (status < 200 || status > 299 || !hasWayBack(response)) return
    const { driver } = this.core
    const { tag } = response.to
    // A transaction that has answered with a failure takes no 2xx any more, which has to be forwarded nevertheless.
    if (driver.layer.sendResponse(this.server, passBack(response, undefined), driver.nowMs, driver.out, tag)) return
    passBackStateless(this.core, response)
  }

  failed(): void {}

  terminated(): void {}
}
