/** The relay's interfaces: which one serves a side of a session, with its ports. */
import type { AddressFamily } from '@carillon/sip-parser/sdp'
import { RelayError } from '../errors'
import type { PortPool } from '../relay/port-pool'

/** One local address with its own port range. */
export interface RelayInterface {
  readonly index: number
  readonly name: string
  readonly family: AddressFamily
  /** The address that sockets are bound to. */
  readonly address: string
  /** The address that goes into SDP: the same, unless the relay is behind a one-to-one NAT. */
  readonly advertisedAddress: string
  readonly pool: PortPool
}

/**
 * The first interface with that name and family. Throws RelayError NO_INTERFACE when there is none.
 * An undefined name or family matches any.
 */
export function chooseInterface(
  interfaces: readonly RelayInterface[],
  name: string | undefined,
  family: AddressFamily | undefined,
): RelayInterface {
  const chosen = interfaces.find((one) => (name ?? one.name) === one.name && (family ?? one.family) === one.family)
  if (chosen === undefined) throw new RelayError('NO_INTERFACE', [name, family].filter(Boolean).join(' '))
  return chosen
}

/** The same, but any family of that name rather than none: the relay bridges families. */
export function preferInterface(
  interfaces: readonly RelayInterface[],
  name: string | undefined,
  family: AddressFamily | undefined,
): RelayInterface {
  const preferred = interfaces.find((one) => (name ?? one.name) === one.name && one.family === family)
  return preferred ?? chooseInterface(interfaces, name, undefined)
}
