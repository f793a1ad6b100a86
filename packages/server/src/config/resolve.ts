/**
 * Works out every `auto` of a configuration from the addresses of the machine. Pure.
 */
import { isIP } from 'node:net'
import { AUTO } from './codecs'
import { isWildcard, type ListenAddress } from './listen-address'
import type { MachineAddresses } from './network'
import type { Config } from './schema'

/** An address for media, and the one written into SDP for it where they differ. */
export interface MediaInterface {
  readonly address: string
  readonly advertisedAddress?: string
}

/** Addresses worked out from a configuration. */
export interface EffectiveAddresses {
  /** The realm, and the host part of the users' addresses. */
  readonly domain: string
  /** True when only that domain and the server's own addresses are answered for. */
  readonly isDomainExplicit: boolean
  /** What Via and Contact show, when the operator chose it; otherwise each peer is shown the address nearest to it. */
  readonly advertisedAddress: string | undefined
  /** The host that a phone in the network is told to send to. */
  readonly serverAddress: string
  readonly media: readonly MediaInterface[]
}

/** Works out the addresses that a configuration leaves to the server. */
export function resolveAddresses(config: Config, machine: MachineAddresses): EffectiveAddresses {
  const advertisedAddress = config.advertisedAddress === AUTO ? undefined : config.advertisedAddress
  const first = config.sip.listen[0] as ListenAddress
  const serverAddress = advertisedAddress ?? concrete(first.host, machine)
  const isDomainExplicit = config.domain !== AUTO
  const domain = isDomainExplicit ? config.domain.toLowerCase() : serverAddress.toLowerCase()
  return { domain, isDomainExplicit, advertisedAddress, serverAddress, media: mediaInterfaces(config, machine) }
}

/** A bound address that packets can be told to go to: never the wildcard, which media sockets must not be bound to. */
function concrete(host: string, machine: MachineAddresses): string {
  if (!isWildcard(host)) return host
  return host.includes(':') ? machine.ipv6 : machine.ipv4
}

function mediaInterfaces(config: Config, machine: MachineAddresses): MediaInterface[] {
  const asked = config.media.address
  const hosts = asked.length > 0 ? asked : config.sip.listen.map((item) => item.host)
  const addresses = [...new Set(hosts.map((host) => concrete(host, machine)))]
  const told = config.media.advertisedAddress !== AUTO ? config.media.advertisedAddress : config.advertisedAddress
  return addresses.map((address) =>
    isIP(told) !== 0 && isIP(told) === isIP(address) && told !== address && !isWildcard(told)
      ? { address, advertisedAddress: told }
      : { address },
  )
}
