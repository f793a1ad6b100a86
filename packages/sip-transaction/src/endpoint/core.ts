/**
 * What the parts of one stack share: the driver, the way out, the tables of what is alive, and the caps.
 * Internal to the package.
 */
import type { HeaderInit, SipRequest, SipResponse } from '@carillon/sip-parser'
import { RefusedInvites } from '../dialog/refused-invites'
import type { StackLimits } from '../limits'
import type { Clock, Destination, Flow, FlowAddress, Logger, Random } from '../ports'
import type { NextHopThrottle } from '../protection/next-hop-throttle'
import type { TimerSettings } from '../timers/timer-settings'
import { KeyedHash } from '../transaction/keyed-hash'
import { PassingMap } from '../transaction/passing-map'
import type { FlowTable } from '../transport/flow-table'
import type { DialogSession } from './calls/dialog-session'
import type { Capabilities } from './capabilities'
import type { Counters } from './counters'
import type { Appointment, Driver } from './driver'
import { EventDialogs } from './events/event-dialog'
import type { CallEnd, ExplicitDestination } from './options'
import type { ProxyCore } from './proxy/proxy-core'
import { Registrations } from './registration/registrations'
import { type Listed, Roster } from './roster'
import type { Egress } from './wire/egress'
import type { Locator } from './wire/locator'

/** Something alive that the end of the stack has to wait for, or to end. */
export interface Closable extends Listed {
  /** Ends it in order, as the protocol wants. */
  hangUp(reason: string): void
}

/** The shared state of one stack. */
export class Core {
  /** Dialogs by {@link dialogKey}. */
  readonly sessions = new PassingMap<string, DialogSession>()
  /** Dialogs with subscriptions, and who waits for one. */
  readonly events = new EventDialogs(this)
  /** Our own registrations. */
  readonly registrations = new Registrations()
  /** Outgoing requests without a final answer. */
  readonly requests = new Roster<Listed & { abandon(): void }>()
  /** Incoming requests without a final answer. */
  waiting = 0
  /** Incoming INVITEs, outgoing INVITEs, calls and bridges: what `close()` lets finish and then ends. */
  readonly alive = new Roster<Closable>()
  /** INVITEs of ours that ended without a call, in case a 2xx comes late. */
  readonly refused: RefusedInvites
  /** When the next of them is forgotten. */
  refusedWake: Appointment | undefined
  /** What forwards requests. The runtime sets it as soon as there is a core. */
  proxy!: ProxyCore
  calls = 0
  bridges = 0
  ringing = 0
  isClosing = false
  /** Told when a dialog is made, confirmed and over. */
  onDialog: (kind: 'early' | 'confirmed' | 'ended', session: DialogSession, end?: CallEnd) => void = () => {}
  /** Told of a response whose sender claims to know the password of its request, and does not. */
  onUnproven: (request: SipRequest, response: SipResponse, flow: Flow) => void = () => {}
  /** Told of each final answer to an incoming request. */
  onAnswer: ((request: SipRequest, flow: Flow, status: number) => void) | undefined
  /** Next hops that have asked for fewer requests, when the stack offers overload control (RFC 7339). */
  throttle: NextHopThrottle | undefined
  /** Called when something left one of the tables. */
  onChange: () => void = () => {}

  /** For tags that are made of what they answer. */
  readonly tagHash: KeyedHash

  constructor(
    readonly driver: Driver,
    readonly egress: Egress,
    readonly flows: FlowTable,
    readonly counters: Counters,
    readonly random: Random,
    readonly clock: Clock,
    readonly logger: Logger,
    readonly locator: Locator,
    readonly limits: StackLimits,
    readonly timers: TimerSettings,
    readonly capabilities: Capabilities,
  ) {
    this.refused = new RefusedInvites(limits.refusedInvitesMax, limits.forkedDialogsMax)
    this.tagHash = new KeyedHash(random.bytes(8))
  }

  /** A tag (RFC 3261 §19.3 asks for at least 32 bits). */
  newTag(): string {
    return this.random.token(72)
  }

  /** A Call-ID. */
  newCallId(): string {
    return this.random.token(120)
  }

  /** Allow and Supported, where a peer is to know what may follow. `without`: an option tag that is left out. */
  capabilityHeaders(allow = this.capabilities.allow(), without?: string): HeaderInit[] {
    const headers: HeaderInit[] = [['Allow', allow]]
    const supported = this.capabilities.supported.filter((tag) => tag !== without)
    if (supported.length > 0) headers.push(['Supported', supported.join(', ')])
    const { infoPackages } = this.capabilities
    if (infoPackages.length > 0) headers.push(['Recv-Info', infoPackages.join(', ')])
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

  /** Runs `task` as an input. */
  submit(task: () => void): void {
    this.driver.submit(task)
  }
}
