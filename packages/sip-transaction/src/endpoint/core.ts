/**
 * What the parts of one stack share: the driver, the way out, the tables of what is alive, and the caps.
 * Internal to the package.
 */
import type { HeaderInit, Uri } from '@carillon/sip-parser'
import type { StackLimits } from '../limits'
import { locatePlan } from '../locate/plan'
import { addressesNow, resolveAddresses } from '../locate/resolver'
import type { Clock, Destination, DnsResolver, FlowAddress, Logger, Random } from '../ports'
import type { TimerSettings } from '../timers/timer-settings'
import type { FlowTable } from '../transport/flow-table'
import type { Counters } from './counters'
import type { DialogSession } from './dialog-session'
import type { Driver } from './driver'
import type { Egress } from './egress'
import type { ExplicitDestination } from './options'

/** Something alive that the end of the stack has to wait for, or to end. */
export interface Closable {
  /** Ends it in order, as the protocol wants. */
  hangUp(reason: string): void
}

/** The shared state of one stack. */
export class Core {
  /** Dialogs by {@link dialogKey}. */
  readonly sessions = new Map<string, DialogSession>()
  /** Outgoing requests without a final answer. */
  readonly requests = new Set<{ abandon(): void }>()
  /** Incoming requests without a final answer. */
  readonly waiting = new Set<object>()
  /** Incoming INVITEs, outgoing INVITEs, calls and bridges: what `close()` lets finish and then ends. */
  readonly alive = new Set<Closable>()
  calls = 0
  bridges = 0
  ringing = 0
  isClosing = false
  /** Called when something left one of the tables. */
  onChange: () => void = () => {}

  constructor(
    readonly driver: Driver,
    readonly egress: Egress,
    readonly flows: FlowTable,
    readonly counters: Counters,
    readonly random: Random,
    readonly clock: Clock,
    readonly logger: Logger,
    readonly dns: DnsResolver,
    readonly limits: StackLimits,
    readonly timers: TimerSettings,
    readonly capabilities: {
      readonly allow: () => string
      readonly supported: readonly string[]
      readonly server: string | undefined
    },
  ) {}

  /** A tag (RFC 3261 §19.3 asks for at least 32 bits). */
  newTag(): string {
    return this.random.token(72)
  }

  /** A Call-ID. */
  newCallId(): string {
    return this.random.token(120)
  }

  /** Allow and Supported, where a peer is to know what may follow. */
  capabilityHeaders(allow = this.capabilities.allow()): HeaderInit[] {
    const headers: HeaderInit[] = [['Allow', allow]]
    if (this.capabilities.supported.length > 0) headers.push(['Supported', this.capabilities.supported.join(', ')])
    return headers
  }

  /** Where an explicit destination is: an open flow, or an address; undefined when its connection is gone. */
  explicit(destination: ExplicitDestination): Destination | undefined {
    const flowId = 'flowId' in destination ? destination.flowId : undefined
    const flow = flowId === undefined ? undefined : this.flows.get(flowId)
    if (flow !== undefined) return { kind: 'flow', flow }
    if (!('address' in destination)) return undefined
    const { transport, address, port } = destination
    const target: FlowAddress = { transport: transport.toUpperCase(), address, port }
    const entry = this.egress.entryFor(target)
    // A connection that came from outside cannot be opened again from here.
    if (flowId !== undefined && entry?.transport.isReliable !== false) return undefined
    return { kind: 'address', address: target }
  }

  /** The addresses behind a URI: at once when it names one, else later. */
  locate(uri: Uri): readonly FlowAddress[] | Promise<readonly FlowAddress[]> {
    const steps = locatePlan(uri, { transports: this.egress.transports })
    return addressesNow(steps) ?? this.withTimeout(resolveAddresses(steps, this.dns, this.egress.families))
  }

  /** Runs `task` as an input. */
  submit(task: () => void): void {
    this.driver.submit(task)
  }

  private withTimeout<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = this.driver.at(this.driver.nowMs + this.limits.dnsTimeoutMs, () =>
        reject(new Error('The name look-up took too long.')),
      )
      work.then(resolve, reject).finally(() => late.cancel())
    })
  }
}
