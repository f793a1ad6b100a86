/** SIP over TCP (RFC 3261 §18): makes listeners and sockets; what happens on them is the stream transport's. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { FlowAddress, Transport, TransportContext, TransportFactory, TransportSink } from '../../ports'
import { addressFamily, isUnspecified } from '../address'
import { bindError } from '../bind-error'
import { type StreamKind, StreamTransport } from '../stream/stream-transport'

/** Connections that may wait in the kernel to be accepted; a restart of a site brings its phones all at once. */
const backlog = 1_024

/** The transport for `tcp://` listen URIs. */
export const tcpTransport: TransportFactory = {
  scheme: 'tcp',
  listen: (address, port, sink, context) => listenTcp({ transport: 'TCP', address, port }, sink, context),
}

const tcp: StreamKind = {
  name: 'TCP',
  isSecure: false,
  connectEvent: 'connect',
  connect: (remote: FlowAddress, local: FlowAddress): Socket =>
    connect({
      host: remote.address,
      port: remote.port,
      allowHalfOpen: true,
      // Replies and firewalls expect the address that the listener is known by.
      ...(isUnspecified(local.address) ? {} : { localAddress: local.address }),
    }),
}

async function listenTcp(wanted: FlowAddress, sink: TransportSink, context: TransportContext): Promise<Transport> {
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
  const local = { transport: 'TCP', address: bound.address, port: bound.port }
  return new StreamTransport(tcp, server, local, sink, context)
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
