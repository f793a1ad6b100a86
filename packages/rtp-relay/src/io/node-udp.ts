/** UDP sockets of node:dgram as datagram channels. */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import type { DatagramChannel, DatagramNetwork, DatagramSink } from '../ports'
import { Resting } from './resting'

/**
 * Every address here is a literal. The default look-up would go through a DNS call for each packet all the same, and
 * would make `bind` and `connect` asynchronous.
 */
const literalLookup: NonNullable<SocketOptions['lookup']> = (host, _options, callback) => callback(null, host, 0)

/** Of this thread, whatever relays it has. */
const resting = new Resting()

/** Opens node:dgram sockets. */
export const nodeDatagramNetwork: DatagramNetwork = {
  open(address, port, family, sink) {
    return new Promise((resolve, reject) => {
      const socket = createSocket({
        type: family === 'IP4' ? 'udp4' : 'udp6',
        // Without this an IPv6 wildcard would take the IPv4 port too.
        ...(family === 'IP6' ? { ipv6Only: true } : {}),
        lookup: literalLookup,
      })
      const refuse = (error: Error): void => {
        socket.close()
        reject(error)
      }
      socket.once('error', refuse)
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', refuse)
        resolve(new UdpChannel(socket, sink))
      })
    })
  },
}

class UdpChannel implements DatagramChannel {
  readonly port: number
  isConnected = false
  private isClosed = false
  private closing: Promise<void> | undefined

  constructor(
    private readonly socket: Socket,
    sink: DatagramSink,
  ) {
    this.port = socket.address().port
    socket.on('message', (packet, source) => {
      resting.arrived()
      sink.receive(packet, source.address, source.port)
    })
    // A connected socket reports ICMP errors here, for as long as the peer's port is closed; none of them ends it.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.isClosed) sink.failed(error.code ?? 'unknown')
    })
  }

  get isSending(): boolean {
    return !this.isClosed && this.socket.getSendQueueCount() > 0
  }

  send(packet: Uint8Array, address: string, port: number): void {
    if (this.isClosed) return
    // No callback: it would cost a request object's way through the event loop for each packet.
    if (this.isConnected) this.socket.send(packet)
    else this.socket.send(packet, port, address)
  }

  connect(address: string, port: number): void {
    if (this.isClosed) return
    this.disconnect()
    try {
      this.socket.connect(port, address)
      // A refused connect (no route, wrong family) is told by an event later; the socket knows it now.
      this.socket.remoteAddress()
      this.isConnected = true
    } catch {
      this.isConnected = false
    }
  }

  disconnect(): void {
    if (this.isClosed || !this.isConnected) return
    this.isConnected = false
    try {
      this.socket.disconnect()
    } catch {
      // Not connected after all, which is what was wanted.
    }
  }

  close(): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      this.isClosed = true
      this.socket.close(() => resolve())
    })
    return this.closing
  }
}
