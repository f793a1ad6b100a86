/** Options of createRelay, checked before anything is opened. */
import { RelayError } from '../errors'
import { defaultRelayLimits, type RelayLimits } from '../limits'
import type { Clock, DatagramNetwork, Random } from '../ports'
import { canonicalAddress, familyOf } from './address'

/** One local address to relay on. */
export interface InterfaceOptions {
  /** For `direction`; several interfaces may share a name, one for each address family. `default` by default. */
  readonly name?: string
  /** An IP address of this machine, without brackets; `0.0.0.0` or `::` need `advertisedAddress`. */
  readonly address: string
  /** The address for SDP, when peers reach this one by another. Of the same family. */
  readonly advertisedAddress?: string
}

/** Options of createRelay. */
export interface RelayOptions {
  readonly interfaces: readonly InterfaceOptions[]
  /** First port of the range, 1024 or higher. */
  readonly portMin: number
  /** Last port of the range. */
  readonly portMax: number
  readonly limits?: Partial<RelayLimits>
  /** Short for `limits.silenceTimeoutMs`. */
  readonly silenceTimeoutMs?: number
  /** Short for `limits.offerTimeoutMs`. */
  readonly offerTimeoutMs?: number
  readonly clock?: Clock
  readonly random?: Random
  /** Where sockets come from; node:dgram by default. */
  readonly network?: DatagramNetwork
}

const PORT_LOWEST = 1_024
const PORT_HIGHEST = 65_535

/** Throws RelayError INVALID_OPTIONS, with the option's name, when the options cannot work. */
export function checkOptions(options: RelayOptions): void {
  const { interfaces, portMin, portMax } = options
  if (interfaces.length === 0) refuse('interfaces is empty')
  const seen = new Set<string>()
  for (const one of interfaces) {
    checkInterface(one)
    if (seen.has(one.address)) refuse(`interfaces: address ${one.address} appears twice`)
    seen.add(one.address)
  }
  for (const [name, port] of Object.entries({ portMin, portMax })) {
    if (!Number.isInteger(port) || port < PORT_LOWEST || port > PORT_HIGHEST) {
      refuse(`${name} is ${port}, not a port from ${PORT_LOWEST} to ${PORT_HIGHEST}`)
    }
  }
  if (portMin + (portMin % 2) + 1 > portMax) refuse('portMin to portMax holds no even/odd pair')
}

/** Limits with the defaults filled in. Throws RelayError INVALID_OPTIONS for a limit that is no limit. */
export function limitsOf(options: RelayOptions): RelayLimits {
  const { silenceTimeoutMs, offerTimeoutMs } = options
  const limits: RelayLimits = {
    ...defaultRelayLimits,
    ...options.limits,
    ...(silenceTimeoutMs === undefined ? {} : { silenceTimeoutMs }),
    ...(offerTimeoutMs === undefined ? {} : { offerTimeoutMs }),
  }
  for (const [name, value] of Object.entries(limits)) {
    const isPeriod = name.endsWith('Ms') && name !== 'livenessIntervalMs'
    if (!Number.isFinite(value) || value < (isPeriod ? 0 : 1)) refuse(`${name} is ${value}`)
  }
  return limits
}

function checkInterface({ address, advertisedAddress }: InterfaceOptions): void {
  const family = familyOf(address)
  if (family === undefined) refuse(`interfaces: ${address} is not an IP address`)
  if (advertisedAddress === undefined) {
    if (canonicalAddress(address) === '') refuse(`interfaces: ${address} needs an advertisedAddress`)
  } else if (familyOf(advertisedAddress) !== family || canonicalAddress(advertisedAddress) === '') {
    refuse(
      `interfaces: advertisedAddress ${advertisedAddress} is not an address that peers can reach in the family of ${address}`,
    )
  }
}

function refuse(detail: string): never {
  throw new RelayError('INVALID_OPTIONS', detail)
}
