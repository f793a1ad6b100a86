/** Options of createRelay, checked before anything is opened. */
import { RelayError } from '../errors'
import { defaultRelayLimits, type RelayLimits, workersMax } from '../limits'
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

/** Memory of one worker, in megabytes. */
export interface WorkerLimits {
  readonly maxOldGenerationSizeMb?: number
  readonly maxYoungGenerationSizeMb?: number
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
  /**
   * Worker threads that carry the media, each with its own sockets and its own part of the port range; 0, the default,
   * carries it in this thread.
   */
  readonly workers?: number
  /** Memory limits of each worker, as node:worker_threads has them; a worker that passes one ends, with its sessions. */
  readonly workerLimits?: WorkerLimits
  /** With `workers` 0 only, as `random` and `network`. */
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
  checkWorkers(options)
}

/**
 * The part of the port range that a worker has: even/odd pairs next to each other, as many as the others have or one
 * more. The parts do not overlap, so that workers need not ask each other.
 */
export function portsOfWorker(options: RelayOptions, index: number): { portMin: number; portMax: number } {
  const { portMin, portMax, workers = 0 } = options
  const first = portMin + (portMin % 2)
  const pairs = Math.floor((portMax - first + 1) / 2)
  const before = (at: number): number => Math.floor((pairs * at) / workers)
  return { portMin: first + before(index) * 2, portMax: first + before(index + 1) * 2 - 1 }
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

function checkWorkers(options: RelayOptions): void {
  const { workers = 0, workerLimits = {}, clock, random, network } = options
  if (!Number.isInteger(workers) || workers < 0 || workers > workersMax) {
    refuse(`workers is ${workers}, not a number from 0 to ${workersMax}`)
  }
  for (const [name, value] of Object.entries(workerLimits)) {
    if (!Number.isFinite(value) || value <= 0) refuse(`workerLimits: ${name} is ${value}`)
  }
  if (workers === 0) return
  if (clock !== undefined || random !== undefined || network !== undefined) {
    refuse('clock, random and network are of this thread, and need workers to be 0')
  }
  const { portMin, portMax } = portsOfWorker(options, 0)
  if (portMax < portMin) refuse('portMin to portMax holds fewer even/odd pairs than there are workers')
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
