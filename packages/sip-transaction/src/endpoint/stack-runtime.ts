/** Wires a stack together and leads each message from the network to the part that owns it. Internal. */
import type { SipRequest, SipResponse } from '@carillon/sip-parser'
import { dialogKey } from '../dialog/dialog'
import type { TransactionId } from '../effects'
import { SipUsageError } from '../errors'
import { defaultLocateLimits, defaultStackLimits, defaultTransportLimits } from '../limits'
import type { Destination, Flow, FlowAddress, Transport, TransportFactory, TransportSink, Turns } from '../ports'
import { deriveTimers } from '../timers/timer-settings'
import { noteAlias } from '../transport/alias'
import { BuiltinTransports } from '../transport/builtin-transports'
import { FlowTable } from '../transport/flow-table'
import { parseListenUri } from '../transport/listen-uri'
import type { TlsOptions } from '../transport/tls/tls-options'
import { responseDestination } from '../transport/via'
import type { DialogSession } from './calls/dialog-session'
import { takeLateAnswer } from './calls/late-answers'
import { capabilitiesOf } from './capabilities'
import { Core } from './core'
import { Counters, type DropReason } from './counters'
import { Driver, type DriverHooks, describeError } from './driver'
import { localEnd, parseAdvertised, startLine } from './message-parts'
import { ObservedLayer } from './observed-layer'
import { Observers } from './observers'
import type { ListenOptions, SipStackOptions, StackStats } from './options'
import { Protection, turnsFor } from './protection'
import { ProxyCore } from './proxy/proxy-core'
import { IncomingRequest } from './requests/incoming-request'
import { Router, refuseInterval, refuseUnsupported } from './router'
import { Egress, type ListenerEntry } from './wire/egress'
import type { Verdict } from './wire/gatekeeper'
import { type IngressResult, readBrokenHead, readMessage } from './wire/ingress'
import { Locator } from './wire/locator'
import { resolverFor } from './wire/node-dns'
import { createNodeRandom, nodeClock, ownAddressFor, silentLogger } from './wire/node-ports'
import { checkedOwnHeaders } from './wire/own-headers'
import { SenderSearch } from './wire/sender-search'

/** Methods that mean nothing outside of a dialog (RFC 3261 §15.1.2, RFC 3262 §3, RFC 3311 §5). */
const insideOnly: ReadonlySet<string> = new Set(['BYE', 'PRACK', 'UPDATE'])

/** One stack from the inside. */
export class StackRuntime {
  readonly core: Core
  readonly router = new Router()
  readonly observers: Observers
  readonly transports: Transport[] = []
  isClosed = false
  private readonly transportLimits
  private readonly senderSearch: SenderSearch | undefined
  private lastFlowId = 0
  private readonly builtin: BuiltinTransports
  private readonly turns: Turns | undefined
  private readonly protection: Protection

  constructor(private readonly options: SipStackOptions) {
    const clock = options.clock ?? nodeClock
    const random = options.random ?? createNodeRandom()
    this.builtin = new BuiltinTransports({ tls: options.tls, websocket: options.websocket, random })
    const logger = options.logger ?? silentLogger
    const limits = { ...defaultStackLimits, ...options.limits?.stack }
    this.transportLimits = { ...defaultTransportLimits, ...options.limits?.transport }
    this.observers = new Observers(clock, (error) =>
      logger.error({ error: describeError(error) }, 'An observer failed'),
    )
    const layerOptions = {
      random,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
      ...(options.limits?.transaction === undefined ? {} : { limits: options.limits.transaction }),
    }
    const layer = new ObservedLayer(layerOptions, this.observers)
    this.turns = turnsFor(options)
    const hooks: DriverHooks = {
      request: (id, request, flow) => this.request(id, request, flow),
      ack: (request, flow) => this.ack(request, flow),
      strayResponse: (response, flow, id) => {
        if (!takeLateAnswer(this.core, response, flow) && !this.core.proxy.takeStray(response, id))
          this.drop('stray-response', flow.remote, '')
      },
      send: (bytes, destination, failed) => this.send(bytes, destination, failed),
      effect: (effect) => this.observers.effect(effect),
    }
    const driver = new Driver(layer, clock, logger, hooks, this.turns)
    const egress = new Egress(random, options.userAgent, parseAdvertised(options.advertise), ownAddressFor)
    egress.ownHeaders = checkedOwnHeaders(options.headers ?? [])
    const locator = new Locator({
      dns: resolverFor(options.dns),
      limits: { ...defaultLocateLimits, ...options.limits?.locate },
      timeoutMs: limits.dnsTimeoutMs,
      abilities: () => egress,
      fraction: () => random.fraction(),
      driver,
    })
    this.core = new Core(
      driver,
      egress,
      new FlowTable(this.transportLimits),
      new Counters(),
      random,
      clock,
      logger,
      locator,
      limits,
      deriveTimers(options.timers),
      capabilitiesOf(options, () => this.router.allow),
    )
    this.core.proxy = new ProxyCore(this.core, options.proxy)
    layer.spirals = (method) => this.core.proxy.passes(method)
    this.core.onDialog = (kind, session, end) => this.observers.dialog(kind, session, end)
    this.core.onUnproven = (request, response, flow) => this.observers.unproven(request, response, flow)
    this.protection = new Protection(options, this.core, this.turns, random)
    this.senderSearch = options.dns?.followSentBy === true ? new SenderSearch(this.core) : undefined
  }

  /** Binds every listener; when one fails, those before it are closed again. */
  async listen(): Promise<void> {
    const factories = this.options.transports ?? this.builtin.factories
    try {
      for (const wanted of this.options.listen) await this.bind(wanted, factories)
    } catch (error) {
      await Promise.all(this.transports.map((transport) => transport.close()))
      this.core.driver.stop()
      this.core.locator.close()
      this.release()
      throw error
    }
  }

  stats(): StackStats {
    const { core } = this
    let connections = 0
    for (const flow of core.flows.values()) if (flow.isReliable) connections += 1
    return {
      transactions: core.driver.layer.counts.total,
      dialogs: core.sessions.size,
      calls: core.calls,
      bridges: core.bridges,
      ringing: core.ringing,
      requests: core.requests.size,
      subscriptions: core.events.size,
      proxied: core.proxy.runs,
      connections,
      reduction: this.protection.gatekeeper.reduction,
      counters: core.counters.snapshot(),
    }
  }

  /** Runs a user's callback; what it throws is logged. */
  shield(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.core.logger.error({ error: describeError(error) }, 'A callback failed')
    }
  }

  /** Lets go of what only an open stack needs. */
  release(): void {
    this.protection.gatekeeper.close()
    this.observers.clear()
  }

  /** See `SipStack.reloadTls`. */
  reloadTls(options: TlsOptions): void {
    this.builtin.reloadTls(options)
  }

  /** See `SipStack.keepAlive`. */
  keepAlive(destination: FlowAddress, everyMs: number | undefined, lost: (reason: string) => void): () => void {
    const transport = this.core.egress.entryFor(destination)?.transport
    if (transport?.keepAlive === undefined) throw new SipUsageError('TARGET_INVALID', 'keep-alive')
    return transport.keepAlive(destination, everyMs ?? this.transportLimits.datagramKeepAliveMs, lost)
  }

  private async bind(wanted: string | ListenOptions, factories: readonly TransportFactory[]): Promise<void> {
    const { uri, advertise = undefined } = typeof wanted === 'string' ? { uri: wanted } : wanted
    const advertised = parseAdvertised(advertise)
    const { scheme, address, port } = parseListenUri(uri)
    const factory = factories.find((candidate) => candidate.scheme === scheme)
    if (factory === undefined) throw new SipUsageError('TRANSPORT_UNKNOWN', scheme)
    const { clock, logger } = this.core
    let entry: ListenerEntry | undefined
    const sink: TransportSink = {
      message: (bytes, flow) => this.message(bytes, flow, entry),
      garbage: (reason, flow, head) => this.garbage(reason, flow, head),
      flowOpened: (flow) => {
        this.meet(flow, entry)
        this.observers.flowOpened(flow)
      },
      flowClosed: (flow, reason) => this.flowClosed(flow, reason),
      refused: (remote, reason) => this.drop('refused-connection', remote, reason),
    }
    const nextFlowId = () => {
      this.lastFlowId += 1
      return this.lastFlowId
    }
    const transport = await factory.listen(address, port, sink, {
      clock,
      logger,
      limits: this.transportLimits,
      nextFlowId,
      turns: this.turns,
    })
    this.transports.push(transport)
    entry = this.core.egress.add(transport, advertised)
  }

  private meet(flow: Flow, entry: ListenerEntry | undefined): void {
    if (entry !== undefined) this.core.egress.learn(flow, entry)
    this.core.flows.add(flow)
  }

  private flowClosed(flow: Flow, reason: string): void {
    this.core.flows.delete(flow)
    this.core.registrations.flowClosed(flow.id)
    this.observers.flowClosed(flow, reason)
  }

  private message(bytes: Uint8Array, flow: Flow, entry: ListenerEntry | undefined): void {
    const { queue } = this.protection
    if (!queue.mustWait(flow)) this.read(bytes, flow, entry)
    else if (!queue.push(bytes, () => this.shield(() => this.read(bytes, flow, entry))))
      this.drop('overload', flow.remote, 'queue full')
  }

  private read(bytes: Uint8Array, flow: Flow, entry: ListenerEntry | undefined): void {
    if (this.isClosed) return
    this.meet(flow, entry)
    const { core } = this
    const { gatekeeper } = this.protection
    const nowMs = core.driver.nowMs
    const result = readMessage(bytes, flow, () => core.newTag(), gatekeeper.feedback(nowMs))
    const message = result.kind === 'message' ? result.message : result.kind === 'answer' ? result.request : undefined
    if (this.observers.watches('messageIn')) {
      const data = {
        direction: 'in',
        bytes,
        startLine: startLine(bytes),
        transport: flow.transport,
        local: flow.local,
      } as const
      this.observers.message({ ...data, remote: flow.remote, ...(message === undefined ? {} : { message }) })
    }
    if (result.kind === 'drop') {
      this.drop(result.reason, flow.remote, result.detail)
      return
    }
    if (message?.kind === 'request') core.counters.requestsIn += 1
    else core.counters.responsesIn += 1
    if (result.kind === 'answer') {
      const verdict = gatekeeper.judgeMalformed(result.request, flow, nowMs)
      if (verdict === undefined) this.answerMalformed(result, flow)
      else this.turnAway(result.request, flow, verdict)
      return
    }
    const checked = result.message
    if (checked.kind === 'request') {
      const verdict = gatekeeper.judge(checked, flow, nowMs)
      this.protection.arm()
      if (verdict !== undefined) {
        this.turnAway(checked, flow, verdict)
        return
      }
      noteAlias(checked, flow, entry?.transport)
    }
    core.submit(() => core.driver.layer.receive(checked, flow, core.driver.nowMs, core.driver.out))
  }

  /** Bytes that end their stream, or that are no message: answered when that much of them can be read. */
  private garbage(reason: string, flow: Flow, head: Uint8Array | undefined): void {
    this.drop('garbage', flow.remote, reason)
    if (head === undefined || this.isClosed) return
    const result = readBrokenHead(head, reason, flow, () => this.core.newTag())
    if (result.kind === 'answer') this.answerMalformed(result, flow)
  }

  private answerMalformed(result: Extract<IngressResult, { kind: 'answer' }>, flow: Flow): void {
    this.core.counters.rejectedMalformed += 1
    this.answerStateless(result.request, result.response, flow)
  }

  /** What the gatekeeper does not let in: no state is made for it. */
  private turnAway(request: SipRequest, flow: Flow, verdict: NonNullable<Verdict>): void {
    const { counters } = this.core
    if (verdict.kind === 'drop') {
      this.drop(verdict.reason, flow.remote, verdict.detail)
      return
    }
    if (verdict.because === 'overload') counters.shed += 1
    else counters.rejectedRateLimit += 1
    this.answerStateless(request, this.protection.gatekeeper.refusal(request), flow)
  }

  private answerStateless(request: SipRequest, response: SipResponse, flow: Flow): void {
    const { core } = this
    const destination = responseDestination(flow, request.via)
    const bytes = response.toBytes()
    core.submit(() => core.driver.out.push({ kind: 'send', bytes, destination, transactionId: undefined }))
  }

  /**
   * A new request. An error of ours, or a value that turns out unreadable only now, ends this request and nothing else:
   * left unanswered it would be remembered for ever.
   */
  private request(id: TransactionId, request: SipRequest, flow: Flow): void {
    const { core } = this
    const { tag } = request.to
    // A registration has no dialog; phones that repeat the To tag of the last answer mean no harm.
    const isInside = tag !== undefined && request.method !== 'REGISTER'
    if (request.has('Route') && core.proxy.take(id, request, flow, isInside)) return
    const session = isInside ? core.sessions.get(dialogKey(request.callId, tag, request.from.tag ?? '')) : undefined
    const incoming = new IncomingRequest(core, id, request, flow, session)
    try {
      if (request.method === 'CANCEL') this.router.forwarding(core, incoming)
      else if (isInside) this.requestInside(incoming, session)
      else this.requestOutside(incoming)
    } catch (error) {
      core.counters.handlerErrors += 1
      const { method, callId } = request
      core.logger.error({ method, callId, error: describeError(error) }, 'A request failed inside the stack')
      incoming.answer(500)
    }
    incoming.limitWaiting()
  }

  /** RFC 3261 §12.2.2: to its dialog. */
  private requestInside(incoming: IncomingRequest, session: DialogSession | undefined): void {
    if (this.core.events.receive(incoming, session, this.router)) return
    if (session === undefined) incoming.answer(481)
    else if (incoming.method === 'BYE') session.receive(incoming)
    else if (!refuseUnsupported(this.core, incoming) && !refuseInterval(this.core, incoming, session))
      session.receive(incoming)
  }

  /** RFC 3261 §8.2: to the handlers. */
  private requestOutside(incoming: IncomingRequest): void {
    const { core } = this
    if (insideOnly.has(incoming.method)) incoming.answer(481)
    else if (this.isFull(incoming.method)) {
      core.counters.rejectedOverload += 1
      incoming.answer(503, [['Retry-After', core.limits.retryAfterSeconds]])
    } else this.router.dispatch(core, incoming)
  }

  private isFull(method: string): boolean {
    const { isClosing, sessions, waiting, proxy, limits } = this.core
    // The request itself waits already. What is proxied waits for others, and is bounded as transactions are.
    if (waiting - proxy.runs > limits.waitingRequestsMax) return true
    return method === 'INVITE' && (isClosing || sessions.size >= limits.dialogsMax)
  }

  private ack(request: SipRequest, flow: Flow): void {
    const { core } = this
    const session = core.sessions.get(dialogKey(request.callId, request.to.tag ?? '', request.from.tag ?? ''))
    if (request.has('Route') && core.proxy.takeAck(request, flow)) return
    if (session?.receiveAck(request)) return
    if (session === undefined && core.driver.layer.passesCancels) {
      const incoming = new IncomingRequest(core, 0, request, flow)
      this.router.forwarding(core, incoming)
      incoming.limitWaiting()
      return
    }
    // The ACK of a 2xx that has been acknowledged before is no news.
    if (session === undefined) this.drop('stray-ack', flow.remote, '')
  }

  private send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void {
    const { core } = this
    const entry = core.egress.entryTo(destination)
    const remote = destination.kind === 'flow' ? destination.flow.remote : destination.address
    core.counters.messagesOut += 1
    if (this.observers.watches('messageOut')) {
      const local = localEnd(destination, entry)
      const data = { direction: 'out', bytes, startLine: startLine(bytes), transport: remote.transport } as const
      this.observers.message({ ...data, ...local, remote })
    }
    const fail = (reason: string) => {
      core.counters.sendFailures += 1
      core.logger.debug({ transport: remote.transport, reason }, 'A message could not be sent')
      if (this.senderSearch?.take(bytes, destination, failed) !== true) failed(reason)
    }
    if (entry === undefined) queueMicrotask(() => fail('unreachable'))
    else entry.transport.send(bytes, destination, fail)
  }

  private drop(reason: DropReason, remote: FlowAddress, detail: string): void {
    this.core.counters.dropped[reason] += 1
    this.observers.dropped({ reason, remote, detail })
  }
}
