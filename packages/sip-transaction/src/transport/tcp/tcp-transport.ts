/** SIP over TCP (RFC 3261 §18): makes listeners and sockets; what happens on them is the stream transport's. */
import { connect, type Socket } from 'node:net'
import type { FlowAddress, TransportFactory } from '../../ports'
import { isUnspecified } from '../address'
import { listenStream } from '../stream/listen'
import { SipFraming } from '../stream/stream-framing'
import { StreamTransport } from '../stream/stream-transport'

/** The transport for `tcp://` listen URIs. */
export const tcpTransport: TransportFactory = {
  scheme: 'tcp',
  async listen(address, port, sink, context) {
    const { server, local } = await listenStream({ transport: 'TCP', address, port })
    const kind = {
      name: 'TCP',
      isSecure: false,
      connectEvent: 'connect',
      connect: connectTcp,
      framing: () => new SipFraming(context.limits.messageBytesMax),
    }
    return new StreamTransport(kind, server, local, sink, context)
  },
}

/** Opens a TCP connection from the address that a listener is known by, as replies and firewalls expect. */
export function connectTcp(remote: FlowAddress, local: FlowAddress): Socket {
  return connect({
    host: remote.address,
    port: remote.port,
    allowHalfOpen: true,
    ...(isUnspecified(local.address) ? {} : { localAddress: local.address }),
  })
}
