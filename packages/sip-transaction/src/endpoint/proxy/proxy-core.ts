/**
 * The proxy of one stack: which requests it forwards without asking anybody, because their Route or their Request-URI
 * bears its mark (RFC 3261 §16.4, §16.12.1; RFC 5626 §5.3), ACKs to 2xx, and responses to what was forwarded without state.
 */
import {
  type HeaderInit,
  responseTo,
  SipHeaderError,
  type SipRequest,
  type SipResponse,
  SipUri,
  type Uri,
} from '@carillon/sip-parser'
import type { TransactionId } from '../../effects'
import type { Flow } from '../../ports'
import { LoopGuard } from '../../proxy/loop'
import {
  type DialogMark,
  dialogMarkParam,
  type MarkedFlow,
  markOf,
  pathMarkParam,
  RouteMarks,
} from '../../proxy/route-mark'
import type { Core } from '../core'
import { describeError } from '../driver'
import { sourceOf } from '../requests/incoming-message'
import type { ListenerEntry } from '../wire/egress'
import { ProxyAddresses } from './proxy-addresses'
import type { ProxyLeg } from './proxy-leg'
import type { ProxyOptions, ProxyStackOptions } from './proxy-options'
import { callerFlowOf, hasOneVia } from './proxy-record-route'
import { passBackStateless } from './proxy-response'
import { ProxyRun } from './proxy-run'
import { forwardStateless } from './proxy-stateless'
import type { ReadTarget } from './proxy-targets'

/** What a request with our mark says of its way. */
interface MarkedRoute {
  readonly mark: DialogMark
  readonly ownRoutes: number
  readonly isStrict: boolean
  readonly uri: Uri
  /** True when no other proxy follows: the next hop is the other side. */
  readonly isLast: boolean
}

/** Why a request cannot be proxied, as the answer to it. */
export interface ProxyRefusal {
  readonly status: number
  readonly headers: readonly HeaderInit[]
}

/** Methods whose Require is read here: the requests that a proxy answers itself as a rule. */
const ownMethods: ReadonlySet<string> = new Set(['REGISTER', 'OPTIONS', 'SUBSCRIBE'])

/** See the head of this file. */
export class ProxyCore {
  readonly marks: RouteMarks
  readonly loops: LoopGuard
  readonly own: ProxyAddresses
  /** Requests being proxied with state. */
  runs = 0
  /** Branches of INVITEs still being proxied that have failed, and may yet have a 2xx, by their transactions. */
  readonly failedLegs = new Map<TransactionId, ProxyLeg>()
  /** Option tags of Proxy-Require that are not refused. */
  private readonly extensions: ReadonlySet<string>
  private readonly guard: ProxyStackOptions['guard']
  private readonly passesRequire: ((method: string) => boolean) | undefined

  constructor(
    private readonly core: Core,
    options: ProxyStackOptions | true | undefined,
  ) {
    const { secret, names = [], passes, extensions = [], guard } = options === true ? {} : (options ?? {})
    this.extensions = new Set(extensions.map((tag) => tag.toLowerCase()))
    this.guard = guard
    this.marks = new RouteMarks(secret ?? Buffer.from(core.random.bytes(32)).toString('base64url'))
    this.loops = new LoopGuard(core.random.bytes(8))
    this.own = new ProxyAddresses(core.egress, names)
    if (options !== undefined) this.passesRequire = passes ?? ((method) => !ownMethods.has(method))
  }

  /** True when requests of that method are for somebody else, as far as Require and merged copies are concerned. */
  passes(method: string): boolean {
    return this.passesRequire?.(method) === true
  }

  /**
   * Why a request cannot be proxied (§16.3 steps 3 to 5, RFC 5393 §4.2); undefined when it can.
   * @param loopHash undefined for what needs no look for loops: a Route with our mark can be followed only once
   */
  refusal(request: SipRequest, loopHash: string | undefined): ProxyRefusal | undefined {
    try {
      // Read here, so that nothing later meets a value that it cannot read.
      const { maxForwards, proxyRequire, vias } = request
      if (request.has('Max-Breadth')) void request.maxBreadth
      if (request.has('Route')) void request.routes
      if (maxForwards === 0) return { status: 483, headers: [] }
      if (loopHash !== undefined && vias.length > 1 && this.loops.isLoop(vias, loopHash))
        return { status: 482, headers: [] }
      const unknown = proxyRequire.filter((tag) => !this.extensions.has(tag.toLowerCase()))
      if (unknown.length > 0) return { status: 420, headers: [['Unsupported', unknown.join(', ')]] }
      return undefined
    } catch (error) {
      if (error instanceof SipHeaderError) return { status: 400, headers: [] }
      throw error
    }
  }

  /** Answers a request that cannot be proxied; the caller hears it as from any proxy. */
  refuse(id: TransactionId, request: SipRequest, flow: Flow, { status, headers }: ProxyRefusal): SipResponse {
    const { core } = this
    const response = responseTo(request, status, { toTag: request.to.tag ?? core.newTag(), headers: [...headers] })
    core.driver.layer.sendResponse(id, response, core.driver.nowMs, core.driver.out)
    core.onAnswer?.(request, flow, status)
    return response
  }

  /** A request with a Route that bears our mark: forwards it and returns true. */
  take(id: TransactionId, request: SipRequest, flow: Flow, isInside: boolean): boolean {
    try {
      return isInside ? this.takeInside(id, request, flow) : this.takePath(id, request, flow)
    } catch (error) {
      // Left unanswered it would be remembered for ever.
      this.core.logger.error({ error: describeError(error) }, 'A request failed inside the proxy')
      this.refuse(id, request, flow, { status: 500, headers: [] })
      return true
    }
  }

  /** A request inside a dialog: forwards it and returns true when it bears our mark. */
  private takeInside(id: TransactionId, request: SipRequest, flow: Flow): boolean {
    const route = this.markedRoute(request)
    if (route === undefined) return false
    const { core } = this
    const refusal = this.refusal(request, undefined)
    const target = this.targetOf(route, route.isLast)
    if (refusal !== undefined || target === undefined) {
      this.refuse(id, request, flow, refusal ?? { status: 430, headers: [] })
      return true
    }
    const { ownRoutes, isStrict } = route
    // RFC 6665 §4.3: a NOTIFY makes the dialog of the subscriber, who would pass by us without it.
    const options = { recordRoute: request.method === 'NOTIFY', ...this.guarded(request, flow) }
    const callerFlow = options.recordRoute ? callerFlowOf(request, flow) : undefined
    const job = { targets: [target], options, ownRoutes, isStrict, callerFlow }
    new ProxyRun(core, id, request, flow, job, undefined).start()
    return true
  }

  /** A request outside of dialogs on a Path of ours: forwards it and returns true (RFC 5626 §5.3). */
  private takePath(id: TransactionId, request: SipRequest, flow: Flow): boolean {
    const routes = request.decode('routes')
    const first = routes.ok ? routes.value[0] : undefined
    const mark = first === undefined ? undefined : markOf(first.uri, pathMarkParam)
    const flowId = mark === undefined ? undefined : this.marks.readPath(mark)
    if (flowId === undefined) return false
    const { core } = this
    const loopHash = this.loops.hashOf(request)
    const refusal = this.refusal(request, loopHash)
    if (refusal !== undefined) {
      this.refuse(id, request, flow, refusal)
      return true
    }
    const isLast = routes.ok && routes.value.length === 1
    const calleeFlow: MarkedFlow | undefined = isLast ? { flowId, isOnlyWay: true } : undefined
    const target = newTarget(request.uri, calleeFlow)
    const options = { recordRoute: true, ...this.guarded(request, flow) }
    const callerFlow = callerFlowOf(request, flow)
    const job = { targets: [target], options, ownRoutes: 1, isStrict: false, callerFlow, calleeFlow }
    new ProxyRun(core, id, request, flow, job, loopHash).start()
    return true
  }

  /** What the user of the stack has changed in what no handler of his sees. */
  private guarded(message: SipRequest, flow: Flow): Pick<ProxyOptions, 'headers' | 'responseHeaders'> {
    return this.guard === undefined ? {} : this.guard({ message, source: sourceOf(flow) })
  }

  /** The ACK of a 2xx, forwarded without state; true when it bears our mark. */
  takeAck(ack: SipRequest, flow: Flow): boolean {
    const route = this.markedRoute(ack)
    if (route === undefined) return false
    const target = this.targetOf(route, route.isLast)
    if (target !== undefined && this.refusal(ack, undefined) === undefined) {
      const { headers } = this.guarded(ack, flow)
      forwardStateless(this.core, ack, target, route.ownRoutes, route.isStrict, undefined, headers)
    }
    return true
  }

  /**
   * A response without a transaction: forwarded when its request was forwarded without state, or when it is the 2xx of a
   * proxied INVITE that has failed before. Any other is dropped (RFC 6026 §7.3).
   */
  takeStray(response: SipResponse, transactionId: TransactionId | undefined): boolean {
    const leg = transactionId === undefined ? undefined : this.failedLegs.get(transactionId)
    if (leg !== undefined) {
      leg.final(response)
      return true
    }
    if (transactionId === undefined && !this.loops.isStatelessResponse(response)) return false
    return passBackStateless(this.core, response)
  }

  /** Where a marked request goes; undefined when the only way is gone. */
  private targetOf({ mark, uri }: MarkedRoute, isLast: boolean): ReadTarget | undefined {
    const { flow } = mark
    if (flow === undefined || !isLast) return newTarget(uri, undefined)
    if (this.core.flows.get(flow.flowId) !== undefined) return newTarget(uri, flow)
    return flow.isOnlyWay ? undefined : newTarget(uri, undefined)
  }

  /** The Path of a REGISTER: requests that come by it go back on that flow. */
  pathFor(request: SipRequest, flow: Flow, entry: ListenerEntry, remote: string): string {
    // RFC 5626 §5.1: only the first proxy may say that it keeps flows.
    const ob = hasOneVia(request) ? ';ob' : ''
    return `<${this.own.uri(entry, remote, request.uri.scheme === 'sips')};lr${ob};${pathMarkParam}=${this.marks.path(flow.id)}>`
  }

  /** §16.4: what a request says of its way when we are on it. */
  private markedRoute(request: SipRequest): MarkedRoute | undefined {
    const routes = request.decode('routes')
    if (!routes.ok) return undefined
    const { uri } = request
    const strict = this.readMark(uri, request)
    let mark = strict
    let ownRoutes = 0
    let known: string | undefined
    for (const route of routes.value) {
      const text = markOf(route.uri, dialogMarkParam)
      if (text === undefined) break
      // Both halves of a double Record-Route bear the same mark.
      if (text !== known) {
        const read = this.readMark(route.uri, request)
        if (read === undefined) break
        mark = read
        known = text
      }
      ownRoutes += 1
    }
    if (mark === undefined) return undefined
    const last = routes.value[routes.value.length - 1]
    // A strict router has put our URI in place of the target, which is the last Route.
    if (strict !== undefined && ownRoutes < routes.value.length && last !== undefined)
      return { mark, ownRoutes, isStrict: true, uri: last.uri, isLast: ownRoutes === routes.value.length - 1 }
    return { mark, ownRoutes, isStrict: false, uri, isLast: ownRoutes === routes.value.length }
  }

  private readMark(uri: Uri, request: SipRequest): DialogMark | undefined {
    const mark = uri instanceof SipUri ? markOf(uri, dialogMarkParam) : undefined
    if (mark === undefined) return undefined
    return this.marks.readDialog(mark, request.callId, request.from.tag ?? '', request.to.tag ?? '')
  }
}

function newTarget(uri: Uri, flow: MarkedFlow | undefined): ReadTarget {
  const destination = flow === undefined ? undefined : { flowId: flow.flowId }
  const given = destination === undefined ? { uri } : { uri, destination }
  return { uri, q: 1, routes: [], nextHop: undefined, destination, headers: undefined, given }
}
