/**
 * The way out: which listener a request leaves by, what it writes of itself into Via and Contact, and the bytes handed
 * to the transport. RFC 3261 §8.1.1.7 and §18.1.1 (Via), §8.1.1.8 (Contact), RFC 3581 §3 (rport).
 */
import { createRequest, type HeaderInit, type SipRequest, SipUri, Via } from '@carillon/sip-parser'
import type { RequestPlan } from '../../dialog/dialog'
import type { Destination, Flow, FlowAddress, Random, Transport } from '../../ports'
import type { Listener } from '../options'

/** A bound transport and how it names itself. */
export interface ListenerEntry {
  readonly transport: Transport
  readonly listener: Listener
  /** What it shows in place of the bound address. */
  readonly advertised: Advertised | undefined
}

/** Entropy of a branch, in bits (RFC 3261 §8.1.1.7 wants it unique in space and time). */
const branchBits = 96

/** What a request carries beside its plan. */
export interface RequestExtras {
  /** True for our own Contact, or a Contact value. */
  readonly contact: boolean | string
  /** Parameters of our own Contact, each with its semicolon. */
  readonly contactParams?: string | undefined
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
  /** Transports at hand, upper-case, in the order of the listeners. */
  transports: readonly string[] = []
  /** Address families at hand. */
  families: readonly (4 | 6)[] = []
  /** Parameters that every Via of ours has besides, as they are written. */
  viaSuffix = ''
  /** What every request of ours has besides, where it does not say otherwise itself. */
  ownHeaders: readonly HeaderInit[] = []
  private readonly byFlow = new WeakMap<Flow, ListenerEntry>()

  constructor(
    private readonly random: Random,
    private readonly userAgent: string | undefined,
    private readonly advertised: Advertised | undefined,
    private readonly ownAddressFor: (remote: string) => string,
  ) {}

  /**
   * Enters a bound transport.
   * @param own what this listener shows in place of what all of them show
   */
  add(transport: Transport, own?: Advertised): ListenerEntry {
    const { address, port } = transport.local
    const advertised = own ?? this.advertised
    const isAny = address === '0.0.0.0' || address === '::'
    const host =
      advertised?.host ?? (isAny ? this.ownAddressFor(address === '::' ? '2001:db8::1' : '192.0.2.1') : address)
    const shown = { transport: transport.name, address: host, port: advertised?.port ?? port }
    const listener = { transport: transport.name, address, port, uri: ownUri(shown, undefined) }
    const entry = { transport, listener, advertised }
    this.entries.push(entry)
    this.transports = [...new Set(this.entries.map((each) => each.transport.name))]
    this.families = [...new Set(this.entries.map((each) => (each.transport.local.address.includes(':') ? 6 : 4)))]
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

  /**
   * Our Contact as seen from that peer, in angle brackets.
   * @param isSips true where a SIPS URI is owed: for a SIPS request or route (RFC 3261 §8.1.1.8, §12.1.1)
   */
  contactFor(entry: ListenerEntry, remote: string, user: string | undefined, isSips = false): string {
    return `<${ownUri(this.shownAddress(entry, remote), user, isSips).toString()}>`
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
    // RFC 5923 §5: we take requests on this connection, from whoever knows us by our certificate.
    if (entry.transport.offersAlias === true) params.set('alias', null)
    const via = Via.of({ transport: entry.transport.name, host: address, port, params })
    const headers: HeaderInit[] = [['Via', `${via}${this.viaSuffix}`], ...plan.headers]
    if (typeof extras.contact === 'string') headers.push(['Contact', extras.contact + (extras.contactParams ?? '')])
    else if (extras.contact)
      headers.push([
        'Contact',
        this.contactFor(entry, remote, plan.user, owesSips(plan)) + (extras.contactParams ?? ''),
      ])
    if (this.userAgent !== undefined) headers.push(['User-Agent', this.userAgent])
    if (this.ownHeaders.length > 0) headers.push(...withoutThose(headers, this.ownHeaders))
    return createRequest({
      method: plan.method,
      uri: plan.uri,
      headers,
      ...(extras.body === undefined ? {} : { body: extras.body }),
      ...(extras.contentType === undefined ? {} : { contentType: extras.contentType }),
    })
  }

  /** How a listener names itself to that peer. */
  shownAddress(entry: ListenerEntry, remote: string): FlowAddress {
    const { transport, advertised } = entry
    const { name, local } = transport
    if (advertised !== undefined) {
      return { transport: name, address: advertised.host, port: advertised.port ?? local.port }
    }
    const isAny = local.address === '0.0.0.0' || local.address === '::'
    return {
      transport: name,
      address: isAny ? this.ownAddressFor(remote) : withoutZone(local.address),
      port: local.port,
    }
  }
}

/** Those of the headers whose name is not among the others. */
function withoutThose(others: readonly HeaderInit[], headers: readonly HeaderInit[]): HeaderInit[] {
  const names = new Set(others.map(([name]) => name.toLowerCase()))
  return headers.filter(([name]) => !names.has(name.toLowerCase()))
}

/** True when the Contact of a request must be a SIPS URI: its target is one, or its first hop (RFC 3261 §8.1.1.8). */
function owesSips(plan: RequestPlan): boolean {
  if (plan.uri.scheme === 'sips') return true
  const route = plan.headers.find(([name]) => name === 'Route')
  return route !== undefined && /^[^<]*<sips:/i.test(String(route[1]))
}

/**
 * The URI of one of our listeners; UDP is what a SIP URI without a transport means, TLS over TCP what a SIPS URI does,
 * and what names a transport in one is what lies below TLS (RFC 5630 §3.1.4).
 */
function ownUri(shown: FlowAddress, user: string | undefined, isSips = false): SipUri {
  const transport = shown.transport.toLowerCase()
  const named = isSips ? (transport.startsWith('ws') ? 'ws' : undefined) : transport === 'udp' ? undefined : transport
  return SipUri.of({
    scheme: isSips ? 'sips' : 'sip',
    ...(user === undefined ? {} : { user }),
    host: shown.address,
    port: shown.port,
    params: named === undefined ? new Map<string, string>() : new Map([['transport', named]]),
  })
}

/** A zone means something on this machine only. */
function withoutZone(address: string): string {
  const zoneAt = address.indexOf('%')
  return zoneAt < 0 ? address : address.slice(0, zoneAt)
}
