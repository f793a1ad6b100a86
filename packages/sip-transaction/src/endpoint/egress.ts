/**
 * The way out: which listener a request leaves by, what it writes of itself into Via and Contact, and the bytes handed
 * to the transport. RFC 3261 §8.1.1.7 and §18.1.1 (Via), §8.1.1.8 (Contact), RFC 3581 §3 (rport).
 */
import { createRequest, type HeaderInit, type SipRequest, SipUri, Via } from '@carillon/sip-parser'
import type { RequestPlan } from '../dialog/dialog'
import type { Destination, Flow, FlowAddress, Random, Transport } from '../ports'
import type { Listener } from './options'

/** A bound transport and how it names itself. */
export interface ListenerEntry {
  readonly transport: Transport
  readonly listener: Listener
}

/** Entropy of a branch, in bits (RFC 3261 §8.1.1.7 wants it unique in space and time). */
const branchBits = 96

/** What a request carries beside its plan. */
export interface RequestExtras {
  /** True for our own Contact, or a Contact value. */
  readonly contact: boolean | string
  readonly body?: Uint8Array | string | undefined
  readonly contentType?: string | undefined
}

/** Host and port shown to peers in place of the bound ones. */
export interface Advertised {
  readonly host: string
  readonly port: number | undefined
}

/** Knows the listeners of one stack. */
export class Egress {
  readonly entries: ListenerEntry[] = []
  private readonly byFlow = new WeakMap<Flow, ListenerEntry>()

  constructor(
    private readonly random: Random,
    private readonly userAgent: string | undefined,
    private readonly advertised: Advertised | undefined,
    private readonly ownAddressFor: (remote: string) => string,
  ) {}

  /** Transports at hand, upper-case, in the order of the listeners. */
  get transports(): readonly string[] {
    return [...new Set(this.entries.map((entry) => entry.transport.name))]
  }

  /** Address families at hand. */
  get families(): readonly (4 | 6)[] {
    return [...new Set(this.entries.map((entry): 4 | 6 => (entry.transport.local.address.includes(':') ? 6 : 4)))]
  }

  /** Enters a bound transport. */
  add(transport: Transport): ListenerEntry {
    const { address, port } = transport.local
    const isAny = address === '0.0.0.0' || address === '::'
    const host =
      this.advertised?.host ?? (isAny ? this.ownAddressFor(address === '::' ? '2001:db8::1' : '192.0.2.1') : address)
    const shown = { transport: transport.name, address: host, port: this.advertised?.port ?? port }
    const entry = { transport, listener: { transport: transport.name, address, port, uri: ownUri(shown, undefined) } }
    this.entries.push(entry)
    return entry
  }

  /** Remembers which listener a flow belongs to. */
  learn(flow: Flow, entry: ListenerEntry): void {
    this.byFlow.set(flow, entry)
  }

  /** The listener that a flow belongs to. */
  entryOf(flow: Flow): ListenerEntry | undefined {
    const known = this.byFlow.get(flow)
    if (known !== undefined) return known
    return this.entries.find(({ transport }) => transport.name === flow.transport && transport.canReach(flow.remote))
  }

  /** The listener that reaches an address, by transport and address family. */
  entryFor(address: FlowAddress): ListenerEntry | undefined {
    return this.entries.find(({ transport }) => transport.name === address.transport && transport.canReach(address))
  }

  /** The listener for a destination. */
  entryTo(destination: Destination): ListenerEntry | undefined {
    return destination.kind === 'flow' ? this.entryOf(destination.flow) : this.entryFor(destination.address)
  }

  /** Our Contact as seen from that peer, in angle brackets. */
  contactFor(entry: ListenerEntry, remote: string, user: string | undefined): string {
    return `<${ownUri(this.shownAddress(entry, remote), user).toString()}>`
  }

  /** A From for requests whose user gives none (RFC 3261 §8.1.1.3 wants a host that means nothing outside). */
  defaultFrom(): string {
    const host = this.advertised?.host ?? this.entries[0]?.listener.uri.host ?? 'anonymous.invalid'
    return `<${SipUri.of({ host }).toString()}>`
  }

  /** A request with a Via of its own, ready for a client transaction or, for ACK, for the network. */
  build(plan: RequestPlan, entry: ListenerEntry, remote: string, extras: RequestExtras): SipRequest {
    const { address, port } = this.shownAddress(entry, remote)
    const params = new Map<string, string | null>([
      ['branch', `z9hG4bK${this.random.token(branchBits)}`],
      ['rport', null],
    ])
    const via = Via.of({ transport: entry.transport.name, host: address, port, params })
    const headers: HeaderInit[] = [['Via', via.toString()], ...plan.headers]
    if (typeof extras.contact === 'string') headers.push(['Contact', extras.contact])
    else if (extras.contact) headers.push(['Contact', this.contactFor(entry, remote, plan.user)])
    if (this.userAgent !== undefined) headers.push(['User-Agent', this.userAgent])
    return createRequest({
      method: plan.method,
      uri: plan.uri,
      headers,
      ...(extras.body === undefined ? {} : { body: extras.body }),
      ...(extras.contentType === undefined ? {} : { contentType: extras.contentType }),
    })
  }

  private shownAddress(entry: ListenerEntry, remote: string): FlowAddress {
    const { name, local } = entry.transport
    if (this.advertised !== undefined) {
      return { transport: name, address: this.advertised.host, port: this.advertised.port ?? local.port }
    }
    const isAny = local.address === '0.0.0.0' || local.address === '::'
    return {
      transport: name,
      address: isAny ? this.ownAddressFor(remote) : withoutZone(local.address),
      port: local.port,
    }
  }
}

/** The URI of one of our listeners; UDP is what a SIP URI without a transport means. */
function ownUri(shown: FlowAddress, user: string | undefined): SipUri {
  const params =
    shown.transport === 'UDP' ? new Map<string, string>() : new Map([['transport', shown.transport.toLowerCase()]])
  return SipUri.of({ ...(user === undefined ? {} : { user }), host: shown.address, port: shown.port, params })
}

/** A zone means something on this machine only. */
function withoutZone(address: string): string {
  const zoneAt = address.indexOf('%')
  return zoneAt < 0 ? address : address.slice(0, zoneAt)
}
