/**
 * What a proxy writes of itself into Via, Record-Route and Path, and which Route values name it: RFC 3261 §16.4, §16.6
 * steps 4 and 8. The texts are made once for each listener and peer network.
 */
import { SipUri, type Uri, Via } from '@carillon/sip-parser'
import { defaultPort, isIpAddress } from '../../locate/plan'
import type { Egress, ListenerEntry } from '../wire/egress'

/** Texts of one listener as seen from one peer. */
interface OwnTexts {
  /** Of a Via, up to the value of its branch. */
  readonly via: string
  /** A URI of this listener without brackets; `sip` and `sips`. */
  readonly sip: string
  readonly sips: string
}

/** Peers whose texts are remembered for one listener bound to every address; then all are forgotten. */
const peersMax = 1_024

/** Names of one stack. */
export class ProxyAddresses {
  private readonly texts = new Map<ListenerEntry, OwnTexts | Map<string, OwnTexts>>()
  private readonly names: ReadonlySet<string>

  constructor(
    private readonly egress: Egress,
    names: readonly string[],
  ) {
    this.names = new Set(names.map((name) => name.toLowerCase()))
  }

  /** A Via for a request that leaves by that listener. */
  via(entry: ListenerEntry, remote: string, branch: string): string {
    const alias = entry.transport.offersAlias === true ? ';alias' : ''
    return `${this.of(entry, remote).via}${branch};rport${alias}${this.egress.viaSuffix}`
  }

  /** A URI of that listener, to which parameters are added. */
  uri(entry: ListenerEntry, remote: string, isSips: boolean): string {
    const texts = this.of(entry, remote)
    return isSips ? texts.sips : texts.sip
  }

  /** True when a URI names one of the listeners, or a name that the user has given. */
  isOurs(uri: Uri): boolean {
    if (!(uri instanceof SipUri)) return false
    const { host } = uri
    const isNamed = this.names.has(host)
    const port = uri.port ?? (isNamed ? undefined : defaultPort(uri.scheme === 'sips' ? 'TLS' : 'UDP'))
    for (const entry of this.egress.entries) {
      const { local } = entry.transport
      // Asked how it would name itself to that address, a listener of every address answers with it when it is its own.
      const isAny = (local.address === '0.0.0.0' || local.address === '::') && isIpAddress(host)
      const shown = this.egress.shownAddress(entry, isAny ? host : local.address)
      const isHere = isNamed || shown.address === host || local.address === host
      if (isHere && (port === undefined || port === shown.port || port === local.port)) return true
    }
    return false
  }

  /**
   * A Request-URI without a maddr that names us, where the request came to the port and by the transport that go with it;
   * these go too, for what is left is what is meant (§16.4).
   */
  withoutOwnMaddr(uri: Uri, entry: ListenerEntry | undefined): Uri {
    if (entry === undefined || !(uri instanceof SipUri)) return uri
    const maddr = uri.params.get('maddr')
    if (maddr === undefined || maddr === null || maddr === '') return uri
    const transport =
      uri.scheme === 'sips' && uri.transport === undefined ? 'TLS' : (uri.transport ?? 'udp').toUpperCase()
    const { local, name } = entry.transport
    const shown = this.egress.shownAddress(entry, local.address)
    const port = uri.port ?? defaultPort(transport)
    if (transport !== name || (port !== local.port && port !== shown.port)) return uri
    if (!this.isOurs(SipUri.of({ host: maddr, port }))) return uri
    const params = [...uri.params].filter(([param]) => param !== 'maddr' && param !== 'transport')
    return uri.with({ port: undefined, params: new Map(params) })
  }

  private of(entry: ListenerEntry, remote: string): OwnTexts {
    const known = this.texts.get(entry)
    const { local } = entry.transport
    const isAny = entry.advertised === undefined && (local.address === '0.0.0.0' || local.address === '::')
    if (!isAny) {
      if (known !== undefined) return known as OwnTexts
      const made = this.make(entry, remote)
      this.texts.set(entry, made)
      return made
    }
    // It shows the address that the peer reaches, and finding that out costs more than all the rest.
    let peers = known as Map<string, OwnTexts> | undefined
    if (peers === undefined || peers.size >= peersMax) {
      peers = new Map()
      this.texts.set(entry, peers)
    }
    let texts = peers.get(remote)
    if (texts === undefined) {
      texts = this.make(entry, remote)
      peers.set(remote, texts)
    }
    return texts
  }

  private make(entry: ListenerEntry, remote: string): OwnTexts {
    const { address, port, transport } = this.egress.shownAddress(entry, remote)
    const lower = transport.toLowerCase()
    const isWebSocket = lower.startsWith('ws')
    const sip = SipUri.of({ host: address, port, params: new Map(lower === 'udp' ? [] : [['transport', lower]]) })
    const sips = SipUri.of({
      scheme: 'sips',
      host: address,
      port,
      params: new Map(isWebSocket ? [['transport', 'ws']] : []),
    })
    return { via: `${Via.of({ transport, host: address, port })};branch=`, sip: sip.toString(), sips: sips.toString() }
  }
}
