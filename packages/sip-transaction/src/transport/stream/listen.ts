/** Binds the listening socket under every stream transport. */
import { createServer, type Server } from 'node:net'
import type { FlowAddress } from '../../ports'
import { addressFamily } from '../address'
import { bindError } from '../bind-error'

/** Connections that may wait in the kernel to be accepted; a restart of a site brings its phones all at once. */
const backlog = 1_024

/**
 * Listens.
 * @returns the server, and the address with its real port
 * @throws SipTransportError ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE, ADDRESS_FORBIDDEN
 */
export async function listenStream(wanted: FlowAddress): Promise<{ server: Server; local: FlowAddress }> {
  const family = addressFamily(wanted.address)
  if (family === 0) throw bindError({ code: 'EADDRNOTAVAIL' }, wanted)
  const server = createServer({ allowHalfOpen: true })
  try {
    await bind(server, wanted, family === 6)
  } catch (error) {
    throw bindError(error, wanted)
  }
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw bindError(undefined, wanted)
  return { server, local: { transport: wanted.transport, address: bound.address, port: bound.port } }
}

function bind(server: Server, wanted: FlowAddress, ipv6Only: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: wanted.address, port: wanted.port, ipv6Only, backlog, exclusive: true }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}
