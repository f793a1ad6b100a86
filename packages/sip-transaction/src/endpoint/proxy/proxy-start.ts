/** From a handler to a proxied request: what `IncomingRequest.proxy` and `forward` do (RFC 3261 §16.3 to §16.6, §16.11). */
import { responseTo, type SipRequest, type SipResponse, SipUri } from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import { SipUsageError } from '../../errors'
import { withHistory } from '../../identity/proxied-history'
import type { Core } from '../core'
import type { ProxyOptions, ProxyTargets } from './proxy-options'
import { calleeFlowOf, callerFlowOf } from './proxy-record-route'
import { ProxyRun } from './proxy-run'
import { forwardStateless } from './proxy-stateless'
import { type ReadTarget, readTargets } from './proxy-targets'
import type { ProxyableRequest } from './proxyable-request'

/** Proxies a request with state. */
export function startProxy(
  core: Core,
  id: TransactionId,
  incoming: ProxyableRequest,
  given: ProxyTargets,
  options: ProxyOptions,
): Promise<SipResponse> {
  const { message, flow } = incoming
  // Cancelled while its handler was looking for targets: that has been answered.
  if (incoming.wasAbandoned) return Promise.resolve(responseTo(message, 487))
  const targets = readTargets(given).map((target) => atHome(core, incoming, target))
  const kept = options.history === undefined ? options : withHistory(incoming, options)
  incoming.handOver()
  return new Promise((resolve) => {
    core.submit(() => {
      const { proxy } = core
      const loopHash = proxy.loops.hashOf(message)
      const refusal = message.method === 'CANCEL' ? { status: 481, headers: [] } : proxy.refusal(message, loopHash)
      if (refusal !== undefined) {
        resolve(proxy.refuse(id, message, flow, refusal))
        return
      }
      const isRecorded = options.recordRoute === true
      const job = {
        targets,
        options: kept,
        ownRoutes: countOwnRoutes(core, incoming),
        isStrict: false,
        callerFlow: isRecorded ? callerFlowOf(message, flow) : undefined,
        settled: resolve,
        abandoned: (cancel: SipRequest | undefined) => incoming.abandonedBy(cancel),
      }
      new ProxyRun(core, id, message, flow, job, loopHash).start()
    })
  })
}

/**
 * Forwards a request without state.
 * @throws SipUsageError TARGETS_MISSING, TARGET_INVALID
 */
export function startForward(
  core: Core,
  id: TransactionId,
  incoming: ProxyableRequest,
  given: ProxyTargets,
  options: Pick<ProxyOptions, 'recordRoute' | 'headers' | 'history'>,
): void {
  const [read, ...others] = readTargets(given)
  if (read === undefined || others.length > 0) throw new SipUsageError('TARGETS_MISSING')
  const target = atHome(core, incoming, read)
  if (incoming.wasAbandoned) return
  incoming.handOver()
  const { message, flow } = incoming
  core.submit(() => {
    const { proxy, driver } = core
    const refusal = proxy.refusal(message, proxy.loops.hashOf(message))
    if (refusal !== undefined) {
      proxy.refuse(id, message, flow, refusal)
      return
    }
    if (message.method === 'INVITE') driver.layer.passesCancels = true
    driver.layer.forget(id, driver.nowMs, driver.out)
    const calleeFlow = calleeFlowOf(target)
    const kept = options.history === undefined ? options : withHistory(incoming, options)
    const way = { flow, options: kept, callerFlow: callerFlowOf(message, flow), calleeFlow }
    forwardStateless(core, message, target, countOwnRoutes(core, incoming), false, way)
  })
}

/** §16.4: a target that is the Request-URI is so without a maddr that names us, or the request would come back. */
function atHome(core: Core, { message, flow }: ProxyableRequest, target: ReadTarget): ReadTarget {
  const { uri } = message
  if (!(uri instanceof SipUri) || !uri.params.has('maddr') || target.uri.toString() !== uri.toString()) return target
  return { ...target, uri: core.proxy.own.withoutOwnMaddr(uri, core.egress.entryOf(flow)) }
}

/** §16.4: Route values that name us are not followed, however often they do. */
function countOwnRoutes(core: Core, { message }: ProxyableRequest): number {
  if (!message.has('Route')) return 0
  let count = 0
  for (const route of message.routes) {
    if (!core.proxy.own.isOurs(route.uri)) break
    count += 1
  }
  return count
}
