/**
 * Which connection a message to an address may use: RFC 3261 §18.1.1 (the same address), RFC 5922 §7.3 (the peer has
 * proved to be who is asked for), RFC 5923 §8.2 (a port that the peer has offered as an alias). Pure.
 */
import { canonicalAddress } from '../address'
import { RemoteIndex } from '../remote-index'

/** What the index needs of a connection. */
export interface IndexedConnection {
  readonly remote: { readonly address: string; readonly port: number }
  readonly isOpen: boolean
  readonly isIncoming: boolean
  /** The name that was asked for when we opened it; it is not up before that name has been proved. */
  readonly serverName: string | undefined
  /** What the peer has proved to be. */
  readonly peerIdentities: readonly string[]
}

/** A connection under another port of its peer. */
class Alias<T extends IndexedConnection> {
  constructor(
    readonly remote: { readonly address: string; readonly port: number },
    readonly connection: T,
  ) {}
}

/** The connections of one transport that requests may use. */
export class ConnectionIndex<T extends IndexedConnection> {
  private readonly byRemote = new RemoteIndex<T>()
  private readonly aliases = new RemoteIndex<Alias<T>>()
  private readonly aliasOf = new Map<T, Alias<T>>()
  /** Those that we opened, for one host may stand for several domains, each with a certificate of its own. */
  private readonly byName = new Map<string, T>()

  constructor(private readonly isSecure: boolean) {}

  /**
   * The open connection to that address.
   * @param serverName what the peer of a secure connection must have proved to be; undefined when the user named the
   *   address, and so what came from there
   */
  find(address: string, port: number, serverName: string | undefined): T | undefined {
    const host = canonicalAddress(address)
    const direct = this.byRemote.get(host, port)
    if (!this.isSecure) return direct?.isOpen === true ? direct : undefined
    const named = this.byName.get(keyOf(host, port, serverName ?? host))
    if (named?.isOpen === true) return named
    if (direct?.isOpen === true && (serverName === undefined ? direct.isIncoming : isPeer(direct, serverName))) {
      return direct
    }
    if (serverName === undefined) return undefined
    const aliased = this.aliases.get(host, port)?.connection
    return aliased?.isOpen === true && isPeer(aliased, serverName) ? aliased : undefined
  }

  /** Files a connection. */
  add(connection: T): void {
    this.byRemote.set(connection)
    const { remote, serverName, isIncoming } = connection
    if (this.isSecure && !isIncoming) {
      this.byName.set(keyOf(remote.address, remote.port, serverName ?? remote.address), connection)
    }
  }

  /** Files a connection under one more port as well; a later one takes the place of an earlier. */
  alias(connection: T, port: number): void {
    const address = canonicalAddress(connection.remote.address)
    const before = this.aliasOf.get(connection)
    if (before?.remote.port === port && this.aliases.get(address, port) === before) return
    if (before !== undefined) this.aliases.delete(before)
    const alias = new Alias({ address, port }, connection)
    const displaced = this.aliases.get(address, port)
    if (displaced !== undefined) this.aliasOf.delete(displaced.connection)
    this.aliasOf.set(connection, alias)
    this.aliases.set(alias)
  }

  /** Takes a connection out under every name; another one filed in its place since stays. */
  delete(connection: T): void {
    this.byRemote.delete(connection)
    const { remote, serverName } = connection
    const key = keyOf(remote.address, remote.port, serverName ?? remote.address)
    if (this.byName.get(key) === connection) this.byName.delete(key)
    const alias = this.aliasOf.get(connection)
    if (alias === undefined) return
    this.aliasOf.delete(connection)
    this.aliases.delete(alias)
  }
}

function keyOf(address: string, port: number, name: string): string {
  return `${name.toLowerCase()}|${address}|${port}`
}

/** RFC 5922 §7.2: names are compared whole, without regard to case; no wildcard. */
function isPeer(connection: IndexedConnection, name: string): boolean {
  return connection.peerIdentities.includes(name.toLowerCase())
}
