/** Sends a copy of every message of a stack to a capture server that speaks HEP version 3, such as Homer or sngrep. */

import type { MessageEvent } from '../../endpoint/options'
import type { SipStack } from '../../endpoint/stack'
import { nodeClock, ownAddressFor } from '../../endpoint/wire/node-ports'
import { SipUsageError } from '../../errors'
import { defaultHepLimits, type HepLimits } from '../../limits'
import type { Clock, FlowAddress } from '../../ports'
import { isUnspecified } from '../../transport/address'
import { callIdOf } from '../call-id'
import { HepSender } from './hep-sender'
import { hepPayloadSip, tryEncodeHep } from './packet'

/** Options of a {@link HepExporter}. */
export interface HepExporterOptions {
  /** Name or address of the capture server. */
  readonly host: string
  readonly port: number
  /** Default `udp`. */
  readonly protocol?: 'udp' | 'tcp'
  /** The number by which the server knows this agent; default 2001. */
  readonly agentId?: number
  /** The password of the server, if it asks for one. It goes over the network as it is, and into no log. */
  readonly key?: string
  /** False for messages that are not to be exported, such as keep-alive OPTIONS. */
  readonly filter?: (message: MessageEvent) => boolean
  readonly clock?: Clock
  readonly limits?: Partial<HepLimits>
}

/** What an exporter has done so far. */
export interface HepStats {
  readonly sent: number
  /** Not sent: the queue was full, or the message does not fit into a packet. */
  readonly dropped: number
  /** Not taken by the network. */
  readonly failed: number
  readonly queuedBytes: number
}

const defaultAgentId = 2001
const ipProtocols = { udp: 17, tcp: 6 } as const

/**
 * Exports messages of the stacks that it is attached to. It never holds a stack up: when the server is slow or away,
 * packets are dropped and counted. Whole messages go out, credentials and session keys included, and HEP has no
 * encryption: use it inside a network that may see them.
 */
export class HepExporter {
  readonly #sender: HepSender
  readonly #key: string | undefined
  readonly #agentId: number
  readonly #filter: ((message: MessageEvent) => boolean) | undefined
  readonly #clock: Clock
  readonly #detach = new Set<() => void>()
  #unencodable = 0

  /** @throws SipUsageError HEP_INVALID */
  constructor(options: HepExporterOptions) {
    const { host, port, protocol = 'udp', agentId = defaultAgentId, key, filter, clock = nodeClock } = options
    const isPort = Number.isInteger(port) && port > 0 && port <= 65_535
    if (host === '' || !isPort || !Object.hasOwn(ipProtocols, protocol)) throw new SipUsageError('HEP_INVALID')
    this.#sender = new HepSender({ host, port, protocol }, { ...defaultHepLimits, ...options.limits }, clock)
    this.#key = key
    this.#agentId = agentId
    this.#filter = filter
    this.#clock = clock
  }

  /** Figures since it was made. */
  get stats(): HepStats {
    const { sent, dropped, failed, queuedBytes } = this.#sender
    return { sent, dropped: dropped + this.#unencodable, failed, queuedBytes }
  }

  /** Exports what this stack sends and receives from now on. Returns a function that stops it. */
  attach(stack: Pick<SipStack, 'on' | 'listeners'>): () => void {
    const take = (event: MessageEvent) => this.#take(stack, event)
    const stops = [stack.on('messageIn', take), stack.on('messageOut', take)]
    const detach = () => {
      for (const stop of stops) stop()
      this.#detach.delete(detach)
    }
    this.#detach.add(detach)
    return detach
  }

  /** Detaches from every stack, sends what is queued, and closes the socket. */
  async close(): Promise<void> {
    for (const detach of [...this.#detach]) detach()
    await this.#sender.close()
  }

  #take(stack: Pick<SipStack, 'listeners'>, event: MessageEvent): void {
    if (this.#filter?.(event) === false) return
    const { bytes, remote, transport } = event
    const near = localEnd(stack, event)
    const far = { address: remote.address, port: remote.port }
    const correlationId = callIdOf(bytes)
    const packet = tryEncodeHep({
      source: event.direction === 'in' ? far : near,
      destination: event.direction === 'in' ? near : far,
      ipProtocol: transport === 'UDP' ? ipProtocols.udp : ipProtocols.tcp,
      wallMs: this.#clock.wallMs(),
      payloadType: hepPayloadSip,
      agentId: this.#agentId,
      ...(this.#key === undefined ? {} : { key: this.#key }),
      ...(correlationId === undefined ? {} : { correlationId }),
      payload: bytes,
    })
    if (packet === undefined) this.#unencodable += 1
    else this.#sender.push(packet)
  }
}

/** Our end: the listener's where the connection is not open yet, and an address of this machine in place of any. */
function localEnd(stack: Pick<SipStack, 'listeners'>, event: MessageEvent): { address: string; port: number } {
  const { remote, transport } = event
  const known: FlowAddress | undefined =
    event.local ?? stack.listeners.find((listener) => listener.transport === transport)
  const address = known === undefined || isUnspecified(known.address) ? ownAddressFor(remote.address) : known.address
  return { address, port: known?.port ?? 0 }
}
