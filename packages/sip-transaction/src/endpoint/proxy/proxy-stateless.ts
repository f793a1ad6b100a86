/** Forwarding without state: RFC 3261 §16.11, and the ACK of a 2xx (§16.6, last part). */
import type { SipRequest } from '@carillon/sip-parser'
import type { Destination, Flow } from '../../ports'
import { forwardRequest, planForward } from '../../proxy/forward-request'
import type { Core } from '../core'
import type { ProxyOptions } from './proxy-options'
import { type DialogFlows, recordRoutes } from './proxy-record-route'
import type { ReadTarget } from './proxy-targets'

/** What of the options means something without state. */
export interface StatelessWay extends DialogFlows {
  readonly flow: Flow
  readonly options: Pick<ProxyOptions, 'recordRoute' | 'headers'>
}

/**
 * Sends a request to the first place that its target leads to. Nothing is kept: what becomes of it nobody hears. Each copy of
 * the request goes the same way with the same branch, as far as names lead to the same servers. Runs inside an input.
 */
export function forwardStateless(
  core: Core,
  request: SipRequest,
  target: ReadTarget,
  ownRoutes: number,
  isStrict: boolean,
  way?: StatelessWay,
  headers = way?.options.headers,
): void {
  const plan = planForward(request, target.uri, ownRoutes, target.routes, isStrict)
  const send = (destination: Destination) => {
    const entry = core.egress.entryTo(destination)
    if (entry === undefined) return
    const { loops, own } = core.proxy
    const remote = destination.kind === 'flow' ? destination.flow.remote.address : destination.address.address
    // An ACK has come by a Route of ours, which it can only once.
    const branch = loops.statelessBranch(request, way === undefined ? undefined : loops.hashOf(request))
    const isRecorded = way?.options.recordRoute === true
    const written = forwardRequest(request, plan, {
      via: own.via(entry, remote, branch),
      recordRoutes: isRecorded ? recordRoutes(core, request, way.flow, entry, remote, way) : [],
      breadth: undefined,
      edits:
        typeof headers === 'function'
          ? headers(target.given, { address: remote, uri: target.nextHop ?? plan.nextHop })
          : headers,
      headers: target.headers,
      path: undefined,
    })
    core.driver.out.push({ kind: 'send', bytes: written.toBytes(), destination, transactionId: undefined })
  }
  if (target.destination !== undefined) {
    const destination = core.explicit(target.destination)
    if (destination !== undefined) send(destination)
    return
  }
  core.locator.locate(target.nextHop ?? plan.nextHop, request.uri.scheme === 'sips', (located) => {
    if (typeof located === 'string') return
    const reachable = located.filter(({ address }) => core.egress.entryFor(address) !== undefined)
    const [first] = core.locator.blocklist.order(reachable, core.driver.nowMs)
    if (first !== undefined) send(first)
  })
}
