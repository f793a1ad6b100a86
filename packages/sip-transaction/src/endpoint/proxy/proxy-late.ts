/** What is left of a proxied INVITE once its final response has gone back: further 2xx follow it (RFC 3261 §16.7 step 5). */
import type { SipResponse } from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import type { Core } from '../core'
import type { ClientUser } from '../driver'
import type { ProxyLeg } from './proxy-leg'
import type { HeaderChanges, ProxyOptions } from './proxy-options'
import { hasWayBack, passBack, passBackStateless } from './proxy-response'

/** What is changed in a response. */
type ResponseChanges = HeaderChanges | ((response: SipResponse) => HeaderChanges | undefined) | undefined

/** Sends 2xx back, repeated ones and those of other branches. */
export class LateForwarder implements ClientUser {
  constructor(
    private readonly core: Core,
    private readonly server: TransactionId,
    private readonly given: ResponseChanges,
  ) {}

  response(response: SipResponse): void {
    const { status } = response
    if (status < 200 || status > 299 || !hasWayBack(response)) return
    const { driver } = this.core
    const { tag } = response.to
    const changes = typeof this.given === 'function' ? this.given(response) : this.given
    // A transaction that has answered with a failure takes no 2xx any more, which has to be forwarded nevertheless.
    if (driver.layer.sendResponse(this.server, passBack(response, changes), driver.nowMs, driver.out, tag)) return
    passBackStateless(this.core, response, changes)
  }

  failed(): void {}

  terminated(): void {}
}

/** What is changed in responses of a branch. It keeps neither the branch nor the run, which others outlive. */
export function changesFor({ responseHeaders }: ProxyOptions, leg: ProxyLeg | undefined): ResponseChanges {
  if (typeof responseHeaders !== 'function') return responseHeaders
  const target = leg?.branch.target.given
  const hop = leg?.hop
  return (response) => responseHeaders(response, target, hop)
}
