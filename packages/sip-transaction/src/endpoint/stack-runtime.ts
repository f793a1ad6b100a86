/** Wires a stack together and leads each message from the network to the part that owns it. Internal. */
import type { SipRequest } from '@carillon/sip-parser'
import { dialogKey } from '../dialog/dialog'
import type { TransactionId } from '../effects'
import { SipUsageError } from '../errors'
import { defaultStackLimits, defaultTransportLimits } from '../limits'
import type { Destination, Flow, FlowAddress, Transport, TransportFactory, TransportSink } from '../ports'
import { deriveTimers } from '../timers/timer-settings'
import { TransactionLayer } from '../transaction/layer'
import { FlowTable } from '../transport/flow-table'
import { parseListenUri } from '../transport/listen-uri'
import { tcpTransport } from '../transport/tcp/tcp-transport'
import { udpTransport } from '../transport/udp/udp-transport'
import { responseDestination } from '../transport/via'
import { Core } from './core'
import { Counters, type DropReason } from './counters'
import type { DialogSession } from './dialog-session'
import { Driver, describeError } from './driver'
import { type Advertised, Egress, type ListenerEntry } from './egress'
import { IncomingRequest } from './incoming-request'
import { type IngressResult, readBrokenHead, readMessage } from './ingress'
import { createNodeRandom, nodeClock, nodeDnsResolver, ownAddressFor, silentLogger } from './node-ports'
import { Observers } from './observers'
import type { SipStackOptions, StackStats } from './options'
import { Router, refuseUnsupported } from './router'

/** One stack from the inside. */
export class StackRuntime {
  readonly core: Core
  readonly router = new Router()
  readonly observers: Observers
  readonly transports: Transport[] = []
  isClosed = false
  private readonly transportLimits
  private lastFlowId = 0

  constructor(private readonly options: SipStackOptions) {
    const clock = options.clock ?? nodeClock
    const random = options.random ?? createNodeRandom()
    const logger = options.logger ?? silentLogger
    const limits = { ...defaultStackLimits, ...options.limits?.stack }
    this.transportLimits = { ...defaultTransportLimits, ...options.limits?.transport }
    this.observers = new Observers((error) => logger.error({ error: describeError(error) }, 'An observer failed'))
    const layer = new TransactionLayer({
      random,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
      ...(options.limits?.transaction === undefined ? {} : { limits: options.limits.transaction }),
    })
    const driver = new Driver(layer, clock, logger, {
      request: (id, request, flow) => this.request(id, request, flow),
      ack: (request, flow) => this.ack(request, flow),
      strayResponse: (_response, flow) => this.drop('stray-response', flow.remote, ''),
      send: (bytes, destination, failed) => this.send(bytes, destination, failed),
    })
    const egress = new Egress(random, options.userAgent, parseAdvertised(options.advertise), ownAddressFor)
    this.core = new Core(
      driver,
      egress,
      new FlowTable(this.transportLimits),
      new Counters(),
      random,
      clock,
      logger,
      options.dns ?? nodeDnsResolver,
      limits,
      deriveTimers(options.timers),
      { allow: () => this.router.allow, supported: options.supported ?? [], server: options.userAgent },
    )
  }

  /** Binds every listener; when one fails, those before it are closed again. */
  async listen(): Promise<void> {
    const factories = this.options.transports ?? [udpTransport, tcpTransport]
    try {
      for (const uri of this.options.listen) await this.bind(uri, factories)
    } catch (error) {
      await Promise.all(this.transports.map((transport) => transport.close()))
      this.core.driver.stop()
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
      connections,
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

  private async bind(uri: string, factories: readonly TransportFactory[]): Promise<void> {
    const { scheme, address, port } = parseListenUri(uri)
    const factory = factories.find((candidate) => candidate.scheme === scheme)
    if (factory === undefined) throw new SipUsageError('TRANSPORT_UNKNOWN', scheme)
    const { clock, logger } = this.core
    let entry: ListenerEntry | undefined
    const sink: TransportSink = {
      message: (bytes, flow) => this.message(bytes, flow, entry),
      garbage: (reason, flow, head) => this.garbage(reason, flow, head),
      flowOpened: (flow) => this.meet(flow, entry),
      flowClosed: (flow, reason) => this.flowClosed(flow, reason),
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
    })
    this.transports.push(transport)
    entry = this.core.egress.add(transport)
  }

  private meet(flow: Flow, entry: ListenerEntry | undefined): void {
    if (entry !== undefined) this.core.egress.learn(flow, entry)
    this.core.flows.add(flow)
  }

  private flowClosed(flow: Flow, reason: string): void {
    this.core.flows.delete(flow)
    if (this.observers.has('flowClosed'))
      this.observers.emit('flowClosed', { flowId: flow.id, remote: flow.remote, reason })
  }

  private message(bytes: Uint8Array, flow: Flow, entry: ListenerEntry | undefined): void {
    if (this.isClosed) return
    this.meet(flow, entry)
    const { core } = this
    const result = readMessage(bytes, flow, () => core.newTag())
    const message = result.kind === 'message' ? result.message : result.kind === 'answer' ? result.request : undefined
    if (this.observers.has('messageIn')) {
      const data = {
        direction: 'in',
        bytes,
        startLine: startLine(bytes),
        transport: flow.transport,
        local: flow.local,
      } as const
      this.observers.emit('messageIn', { ...data, remote: flow.remote, ...(message === undefined ? {} : { message }) })
    }
    if (result.kind === 'drop') {
      this.drop(result.reason, flow.remote, result.detail)
      return
    }
    if (message?.kind === 'request') core.counters.requestsIn += 1
    else core.counters.responsesIn += 1
    if (result.kind === 'answer') {
      this.answerMalformed(result, flow)
      return
    }
    const checked = result.message
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
    const { core } = this
    core.counters.rejectedMalformed += 1
    const destination = responseDestination(flow, result.request.via)
    const bytes = result.response.toBytes()
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
    const session = isInside ? core.sessions.get(dialogKey(request.callId, tag, request.from.tag ?? '')) : undefined
    const incoming = new IncomingRequest(core, id, request, flow, session)
    try {
      if (isInside) this.requestInside(incoming, session)
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
    if (session === undefined) incoming.answer(481)
    else if (incoming.method === 'BYE' || !refuseUnsupported(this.core, incoming)) session.receive(incoming)
  }

  /** RFC 3261 §8.2: to the handlers. */
  private requestOutside(incoming: IncomingRequest): void {
    const { core } = this
    if (incoming.method === 'BYE') incoming.answer(481)
    else if (incoming.method === 'INVITE' && this.isFull()) {
      core.counters.rejectedOverload += 1
      incoming.answer(503, [['Retry-After', core.limits.retryAfterSeconds]])
    } else this.router.dispatch(core, incoming)
  }

  private isFull(): boolean {
    return this.core.isClosing || this.core.sessions.size >= this.core.limits.dialogsMax
  }

  private ack(request: SipRequest, flow: Flow): void {
    const session = this.core.sessions.get(dialogKey(request.callId, request.to.tag ?? '', request.from.tag ?? ''))
    if (session?.receiveAck(request)) return
    // The ACK of a 2xx that has been acknowledged before is no news.
    if (session === undefined) this.drop('stray-ack', flow.remote, '')
  }

  private send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void {
    const { core } = this
    const entry = core.egress.entryTo(destination)
    const remote = destination.kind === 'flow' ? destination.flow.remote : destination.address
    core.counters.messagesOut += 1
    if (this.observers.has('messageOut')) {
      const local = destination.kind === 'flow' ? { local: destination.flow.local } : {}
      const data = { direction: 'out', bytes, startLine: startLine(bytes), transport: remote.transport } as const
      this.observers.emit('messageOut', { ...data, ...local, remote })
    }
    const fail = (reason: string) => {
      core.counters.sendFailures += 1
      core.logger.debug({ transport: remote.transport, reason }, 'A message could not be sent')
      failed(reason)
    }
    if (entry === undefined) queueMicrotask(() => fail('unreachable'))
    else entry.transport.send(bytes, destination, fail)
  }

  private drop(reason: DropReason, remote: FlowAddress, detail: string): void {
    this.core.counters.dropped[reason] += 1
    if (this.observers.has('dropped')) this.observers.emit('dropped', { reason, remote, detail })
  }
}

/** The first line of a message, at most what a terminal shows. */
function startLine(bytes: Uint8Array): string {
  const end = bytes.subarray(0, 512).indexOf(13)
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? Math.min(bytes.length, 512) : end).toString('latin1')
}

function parseAdvertised(text: string | undefined): Advertised | undefined {
  if (text === undefined) return undefined
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9a-z.-]+)|([0-9a-f:]+:[0-9a-f:.]*))(?::(\d{1,5}))?$/i.exec(text.trim())
  const host = match?.[1] ?? match?.[2] ?? match?.[3]
  const port = match?.[4] === undefined ? undefined : Number(match[4])
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535)))
    throw new SipUsageError('ADVERTISE_INVALID', text)
  return { host, port }
}
