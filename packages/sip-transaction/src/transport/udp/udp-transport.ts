/**
 * SIP over UDP (RFC 3261 §18): one socket, one flow per remote address, one datagram per message.
 * Keep-alives are swallowed and STUN binding requests answered here (RFC 5626 §3.5.2).
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type {
  Destination,
  FlowAddress,
  ScheduledWake,
  Transport,
  TransportContext,
  TransportFactory,
  TransportSink,
} from '../../ports'
import { addressFamily, canonicalAddress, isReachable } from '../address'
import { bindError } from '../bind-error'
import { classifyDatagram, stunBindingResponse } from '../keepalive'
import { flowReasons, reasonOfError } from '../reasons'
import { DatagramFlows, UdpFlow } from './datagram-flows'
import { type KeepAliveStep, StunKeepAlive } from './stun-keepalive'

/** Asked of the kernel, which grants what it is configured for: a burst waits there while one message is worked on. */
const receiveBufferBytes = 4_194_304
/** The queue behind a full kernel buffer is measured once in so many sends, for asking costs a call into the runtime. */
const sendsPerQueueCheck = 32

/** The transport for `udp://` listen URIs. */
export const udpTransport: TransportFactory = {
  scheme: 'udp',
  listen: (address, port, sink, context) => bindUdp({ transport: 'UDP', address, port }, sink, context),
}

async function bindUdp(wanted: FlowAddress, sink: TransportSink, context: TransportContext): Promise<Transport> {
  const family = addressFamily(wanted.address)
  if (family === 0) throw bindError({ code: 'EADDRNOTAVAIL' }, wanted)
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    // Destinations are IP addresses already; the default would cost a DNS call per datagram.
    lookup: (host, _options, done) => done(null, host, family),
  })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: wanted.address, port: wanted.port, exclusive: true }, () => {
        socket.removeListener('error', reject)
        resolve()
      })
    })
  } catch (error) {
    socket.close()
    throw bindError(error, wanted)
  }
  const { address, port } = socket.address()
  return new UdpTransport(socket, { transport: 'UDP', address, port }, sink, context)
}

/** A keep-alive that somebody asked for. */
interface KeptAlive {
  readonly remote: FlowAddress
  readonly machine: StunKeepAlive
  readonly lost: (reason: string) => void
  wake: ScheduledWake | undefined
}

class UdpTransport implements Transport {
  readonly name = 'UDP'
  readonly isReliable = false
  readonly isSecure = false
  private readonly flows: DatagramFlows
  private readonly messageBytesMax: number
  private readonly sendQueueBytesMax: number
  private sendsUntilCheck = sendsPerQueueCheck
  private isQueueFull = false
  private closing: Promise<void> | undefined
  private readonly keptAlive = new Set<KeptAlive>()

  constructor(
    private readonly socket: Socket,
    readonly local: FlowAddress,
    private readonly sink: TransportSink,
    private readonly context: TransportContext,
  ) {
    this.flows = new DatagramFlows(context.limits.datagramFlowsMax)
    this.messageBytesMax = context.limits.messageBytesMax
    this.sendQueueBytesMax = context.limits.sendQueueBytesMax
    try {
      socket.setRecvBufferSize(receiveBufferBytes)
    } catch (error) {
      context.logger.debug({ reason: reasonOfError(error) }, 'receive buffer left at its default')
    }
    socket.on('message', (bytes, source) => this.onDatagram(bytes, source))
    // Raised for errors of earlier datagrams too (an ICMP message came back); the socket stays usable.
    socket.on('error', (error) => context.logger.warn({ reason: reasonOfError(error) }, 'udp socket error'))
  }

  get isOpen(): boolean {
    return this.closing === undefined
  }

  canReach(address: FlowAddress): boolean {
    return isReachable(this.local, address)
  }

  send(bytes: Uint8Array, destination: Destination, failed: (reason: string) => void): void {
    const to = destination.kind === 'flow' ? destination.flow.remote : destination.address
    if (this.closing !== undefined) {
      process.nextTick(failed, flowReasons.TRANSPORT_CLOSED)
      return
    }
    if (--this.sendsUntilCheck <= 0 || this.isQueueFull) this.measureQueue()
    if (this.isQueueFull) {
      process.nextTick(failed, flowReasons.SEND_QUEUE_FULL)
      return
    }
    try {
      // Without a callback the runtime swallows EMSGSIZE, ENETUNREACH and the like; it costs under a tenth of a send.
      this.socket.send(bytes, to.port, to.address, (error) => {
        if (error) failed(reasonOfError(error))
      })
    } catch (error) {
      process.nextTick(failed, reasonOfError(error))
    }
  }

  keepAlive(remote: FlowAddress, everyMs: number, lost: (reason: string) => void): () => void {
    const { clock, limits } = this.context
    const options = {
      everyMs,
      answerMs: limits.keepAliveAnswerMs,
      fraction: () => randomBytes(1).readUInt8() / 256,
      transactionId: () => randomBytes(12),
    }
    const machine = new StunKeepAlive(options, clock.monotonicMs())
    const kept: KeptAlive = { remote, machine, lost, wake: undefined }
    this.keptAlive.add(kept)
    this.arm(kept)
    return () => this.stopKeepAlive(kept)
  }

  close(): Promise<void> {
    for (const kept of [...this.keptAlive]) this.stopKeepAlive(kept)
    this.closing ??= new Promise((resolve) => {
      this.socket.removeAllListeners('message')
      this.socket.close(() => {
        for (const flow of this.flows.values())
          this.guard(() => this.sink.flowClosed(flow, flowReasons.TRANSPORT_CLOSED))
        this.flows.clear()
        resolve()
      })
    })
    return this.closing
  }

  private onDatagram(bytes: Uint8Array, source: RemoteInfo): void {
    // Nothing can be answered to port 0, and only a forger sends from it.
    if (source.port === 0) return
    const kind = classifyDatagram(bytes)
    if (kind === 'message' && bytes.length <= this.messageBytesMax) {
      const flow = this.flows.find(source.address, source.port) ?? this.open(source)
      try {
        this.sink.message(bytes, flow)
      } catch (error) {
        this.report(error)
      }
      return
    }
    if (kind === 'stun') this.answerStun(bytes, source)
    else if (kind !== 'keep-alive') {
      // A flow of its own, so that garbage from forged addresses displaces no flow in use.
      const flow = this.flows.find(source.address, source.port) ?? this.flowOf(source)
      const reason = kind === 'garbage' ? 'not SIP' : 'message too large'
      this.guard(() => this.sink.garbage(reason, flow))
    }
  }

  private open(source: RemoteInfo): UdpFlow {
    const flow = this.flowOf(source)
    this.flows.add(flow)
    this.guard(() => this.sink.flowOpened(flow))
    return flow
  }

  private flowOf(source: RemoteInfo): UdpFlow {
    const remote = { transport: 'UDP', address: source.address, port: source.port }
    return new UdpFlow(this.context.nextFlowId(), remote, this)
  }

  private answerStun(bytes: Uint8Array, source: RemoteInfo): void {
    const response = stunBindingResponse(bytes, source)
    if (response === undefined) {
      this.receiveStun(bytes, source)
      return
    }
    this.send(
      response,
      { kind: 'address', address: { transport: 'UDP', address: source.address, port: source.port } },
      ignore,
    )
  }

  /** May be the answer to a request of ours; only from where that request went. */
  private receiveStun(bytes: Uint8Array, source: RemoteInfo): void {
    const nowMs = this.context.clock.monotonicMs()
    for (const kept of this.keptAlive) {
      if (kept.remote.port !== source.port || canonicalAddress(kept.remote.address) !== source.address) continue
      const steps: KeepAliveStep[] = []
      if (!kept.machine.receive(bytes, nowMs, steps)) continue
      this.carryOut(kept, steps)
      return
    }
  }

  private arm(kept: KeptAlive): void {
    kept.wake?.cancel()
    kept.wake = this.context.clock.schedule(kept.machine.deadline(), () => {
      const steps: KeepAliveStep[] = []
      kept.machine.expire(this.context.clock.monotonicMs(), steps)
      this.carryOut(kept, steps)
    })
  }

  private carryOut(kept: KeptAlive, steps: readonly KeepAliveStep[]): void {
    for (const step of steps) {
      if (step.kind === 'send') this.send(step.bytes, { kind: 'address', address: kept.remote }, ignore)
      else {
        this.stopKeepAlive(kept)
        const flow = this.flows.find(canonicalAddress(kept.remote.address), kept.remote.port)
        if (flow !== undefined) this.guard(() => this.sink.flowClosed(flow, step.reason))
        this.guard(() => kept.lost(step.reason))
        return
      }
    }
    this.arm(kept)
  }

  private stopKeepAlive(kept: KeptAlive): void {
    this.keptAlive.delete(kept)
    kept.wake?.cancel()
  }

  private measureQueue(): void {
    this.sendsUntilCheck = sendsPerQueueCheck
    this.isQueueFull = this.socket.getSendQueueSize() > this.sendQueueBytesMax
  }

  private guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.report(error)
    }
  }

  private report(error: unknown): void {
    this.context.logger.error({ error }, 'the owner of a transport threw')
  }
}

function ignore(): void {}
