/** Sockets that are none: what a relay sends is counted, and what it is to receive is handed to it. */
import type { DatagramChannel, DatagramNetwork, DatagramSink } from '@carillon/rtp-relay'

class Channel implements DatagramChannel {
  readonly isSending = false
  isConnected = false
  sent = 0
  readonly port: number
  private readonly closed: () => void

  constructor(port: number, closed: () => void) {
    this.port = port
    this.closed = closed
  }

  send(): void {
    this.sent += 1
  }

  connect(): void {
    this.isConnected = true
  }

  disconnect(): void {
    this.isConnected = false
  }

  close(): Promise<void> {
    this.closed()
    return Promise.resolve()
  }
}

/** All of them. */
export class Sockets implements DatagramNetwork {
  private readonly sinks = new Map<number, DatagramSink>()
  private readonly channels = new Map<number, Channel>()

  open(_address: string, port: number, _family: 'IP4' | 'IP6', sink: DatagramSink): Promise<DatagramChannel> {
    const channel = new Channel(port, () => {
      this.sinks.delete(port)
      this.channels.delete(port)
    })
    this.sinks.set(port, sink)
    this.channels.set(port, channel)
    return Promise.resolve(channel)
  }

  /** Who takes what comes to a port. */
  sinkAt(port: number): DatagramSink {
    const sink = this.sinks.get(port)
    if (sink === undefined) throw new Error(`port ${port} is not open`)
    return sink
  }

  /** How many packets have left through a port. */
  sentFrom(port: number): number {
    return this.channels.get(port)?.sent ?? 0
  }

  /** Ports that are open. */
  get openPorts(): number {
    return this.sinks.size
  }
}
