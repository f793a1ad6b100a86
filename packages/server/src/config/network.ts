/**
 * What the configuration wants to know of the machine: the address that it reaches the rest of the world from.
 */
import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'

/** The machine's primary addresses; loopback when it has no other. */
export interface MachineAddresses {
  readonly ipv4: string
  readonly ipv6: string
}

/** Documentation addresses (RFC 5737, RFC 3849): connecting a datagram socket there sends nothing, and shows the route. */
const FAR_AWAY = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const

/**
 * Finds the primary addresses: those that the route to the world starts from, else the first that is not loopback,
 * else loopback. Sends nothing. Never rejects.
 */
export async function machineAddresses(): Promise<MachineAddresses> {
  const [ipv4, ipv6] = await Promise.all([routedAddress('udp4'), routedAddress('udp6')])
  return { ipv4: ipv4 ?? firstExternal('IPv4') ?? '127.0.0.1', ipv6: ipv6 ?? firstExternal('IPv6') ?? '::1' }
}

function routedAddress(type: 'udp4' | 'udp6'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(type)
    const finish = (address: string | undefined) => {
      socket.close()
      resolve(address)
    }
    socket.once('error', () => finish(undefined))
    socket.connect(9, FAR_AWAY[type], () => {
      const { address } = socket.address()
      finish(/^(0\.0\.0\.0|::|127\.|::1$|169\.254\.|fe80:)/i.test(address) ? undefined : address)
    })
  })
}

function firstExternal(family: 'IPv4' | 'IPv6'): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const usable = all.filter((item) => item.family === family && !item.internal)
  return usable.find((item) => !/^(169\.254\.|fe80:)/i.test(item.address))?.address
}
