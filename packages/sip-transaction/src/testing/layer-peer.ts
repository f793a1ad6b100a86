/**
 * A peer without dialogs: a transaction layer on a transport of a network in memory. Tests play its transaction user.
 */
import {
  checkMandatory,
  createRequest,
  type HeaderInit,
  parseMessage,
  type SipRequest,
  type SipResponse,
} from '@carillon/sip-parser'
import type { Effect, TransactionId } from '../effects'
import { silentLogger } from '../endpoint/wire/node-ports'
import { defaultTransportLimits, type TransactionLimits } from '../limits'
import type {
  Clock,
  Destination,
  Flow,
  FlowAddress,
  Random,
  ScheduledWake,
  Transport,
  TransportFactory,
  TransportSink,
} from '../ports'
import type { TimerSettings } from '../timers/timer-settings'
import { TransactionLayer } from '../transaction/layer'
import { stampReceived } from '../transport/via'

/** What a peer is made with. */
export interface LayerPeerOptions {
  readonly factory: TransportFactory
  readonly clock: Clock
  readonly random: Random
  readonly address: string
  readonly port?: number
  readonly timers?: Partial<TimerSettings>
  readonly limits?: Partial<TransactionLimits>
  readonly unreliableTransports?: readonly string[]
  /** The transaction user: called with every effect that is not a send, after the peer has carried out the sends. */
  readonly onEffect?: (effect: Effect, peer: LayerPeer) => void
}

/** A request that a peer makes; what is not given is made up. */
export interface PeerRequestInit {
  readonly method: string
  readonly to: FlowAddress
  readonly callId?: string
  readonly cseq?: number
  readonly branch?: string
  readonly fromTag?: string
  readonly toTag?: string
  readonly headers?: readonly HeaderInit[]
}

/** A transaction layer, its transport, its one wake-up and its drain loop. */
export class LayerPeer {
  readonly layer: TransactionLayer
  /** Bytes from the network that were no message with its mandatory headers. */
  dropped = 0
  onEffect: (effect: Effect, peer: LayerPeer) => void
  private transport: Transport | undefined
  private readonly clock: Clock
  private readonly random: Random
  private readonly out: Effect[] = []
  private readonly inputs: (() => void)[] = []
  private isDraining = false
  private isPaused = false
  private wake: ScheduledWake | undefined

  private constructor(options: LayerPeerOptions) {
    this.clock = options.clock
    this.random = options.random
    this.onEffect = options.onEffect ?? (() => {})
    const { timers, limits, random, unreliableTransports } = options
    this.layer = new TransactionLayer({
      random,
      ...(timers === undefined ? {} : { timers }),
      ...(limits === undefined ? {} : { limits }),
      ...(unreliableTransports === undefined ? {} : { unreliableTransports }),
    })
  }

  /** Binds a peer to its address. */
  static async create(options: LayerPeerOptions): Promise<LayerPeer> {
    const peer = new LayerPeer(options)
    let lastFlowId = 0
    const sink: TransportSink = {
      message: (bytes, flow) => peer.submit(() => peer.receive(bytes, flow)),
      garbage: () => {
        peer.dropped += 1
      },
      flowOpened: () => {},
      flowClosed: () => {},
    }
    peer.transport = await options.factory.listen(options.address, options.port ?? 0, sink, {
      clock: options.clock,
      logger: silentLogger,
      limits: defaultTransportLimits,
      nextFlowId: () => {
        lastFlowId += 1
        return lastFlowId
      },
    })
    return peer
  }

  /** Where it listens. */
  get address(): FlowAddress {
    if (this.transport === undefined) throw new RangeError('The peer has no transport yet.')
    return this.transport.local
  }

  /** Makes a request with a Via of this peer. */
  makeRequest(init: PeerRequestInit): SipRequest {
    const { transport, address, port } = this.address
    const host = address.includes(':') ? `[${address}]` : address
    const peerHost = init.to.address.includes(':') ? `[${init.to.address}]` : init.to.address
    const branch = init.branch ?? `z9hG4bK${this.random.token(80)}`
    const toTag = init.toTag === undefined ? '' : `;tag=${init.toTag}`
    return createRequest({
      method: init.method,
      uri: `sip:peer@${peerHost}:${init.to.port}`,
      headers: [
        ['Via', `SIP/2.0/${transport} ${host}:${port};branch=${branch};rport`],
        ['Max-Forwards', 70],
        ['From', `<sip:self@${host}>;tag=${init.fromTag ?? this.random.token(40)}`],
        ['To', `<sip:peer@${peerHost}>${toTag}`],
        ['Call-ID', init.callId ?? this.random.token(60)],
        ['CSeq', `${init.cseq ?? 1} ${init.method}`],
        ...(init.headers ?? []),
      ],
    })
  }

  /** Sends a request in a client transaction; `began` gets its id before any effect of it is handed on. */
  request(request: SipRequest, destination: FlowAddress | Flow, began: (id: TransactionId) => void = () => {}): void {
    this.submit(() => {
      began(this.layer.sendRequest(request, toDestination(destination), this.clock.monotonicMs(), this.out))
    })
  }

  /** Answers a server transaction. */
  respond(id: TransactionId, response: SipResponse): void {
    this.submit(() => void this.layer.sendResponse(id, response, this.clock.monotonicMs(), this.out))
  }

  /** Cancels an INVITE client transaction. */
  cancel(id: TransactionId, headers?: readonly HeaderInit[]): void {
    this.submit(() => this.layer.cancel(id, this.clock.monotonicMs(), this.out, headers))
  }

  /** Sends bytes outside of any transaction, such as the ACK to a 2xx. */
  sendBytes(bytes: Uint8Array, destination: FlowAddress | Flow): void {
    this.transport?.send(bytes, toDestination(destination), () => {})
  }

  /** Runs an input, after the one that is running now. */
  submit(input: () => void): void {
    this.inputs.push(input)
    if (!this.isDraining && !this.isPaused) this.drain()
  }

  /** Stops handling anything, as a process that hangs; timers and messages wait for {@link resume}. */
  pause(): void {
    this.isPaused = true
  }

  /** Handles everything that has come up since {@link pause}. */
  resume(): void {
    this.isPaused = false
    this.drain()
  }

  /** Closes the transport. Transactions that are left keep their timers. */
  async close(): Promise<void> {
    await this.transport?.close()
  }

  private drain(): void {
    this.isDraining = true
    for (let input = this.inputs.shift(); input !== undefined; input = this.inputs.shift()) {
      input()
      for (const effect of this.out.splice(0)) this.carryOut(effect)
    }
    this.isDraining = false
    this.rearm()
  }

  private carryOut(effect: Effect): void {
    if (effect.kind !== 'send') {
      this.onEffect(effect, this)
      return
    }
    const { transactionId } = effect
    this.transport?.send(effect.bytes, effect.destination, () => {
      if (transactionId === undefined) return
      this.submit(() => this.layer.transportError(transactionId, this.clock.monotonicMs(), this.out))
    })
  }

  private receive(bytes: Uint8Array, flow: Flow): void {
    const parsed = parseMessage(bytes)
    if (!parsed.ok || checkMandatory(parsed.message) !== undefined) {
      this.dropped += 1
      return
    }
    const { message } = parsed
    const stamped = message.kind === 'request' ? stampReceived(message, flow.remote) : message
    this.layer.receive(stamped, flow, this.clock.monotonicMs(), this.out)
  }

  private rearm(): void {
    this.wake?.cancel()
    this.wake = undefined
    const dueMs = this.layer.deadline()
    if (dueMs === Number.POSITIVE_INFINITY) return
    this.wake = this.clock.schedule(dueMs, () => {
      this.wake = undefined
      this.submit(() => this.layer.expire(this.clock.monotonicMs(), this.out))
    })
  }
}

function toDestination(destination: FlowAddress | Flow): Destination {
  return 'isOpen' in destination ? { kind: 'flow', flow: destination } : { kind: 'address', address: destination }
}
