/** A party with a real UDP socket on the loopback, for tests. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** Sends and keeps what it receives. */
export class UdpParty {
  readonly received: Buffer[] = []
  private waiting: { readonly count: number; readonly done: () => void } | undefined

  private constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {
    socket.on('message', (packet) => {
      this.received.push(packet)
      if (this.waiting !== undefined && this.received.length >= this.waiting.count) this.waiting.done()
    })
    socket.on('error', () => undefined)
  }

  /** Opens a socket on a free port of `127.0.0.1` or `::1`. */
  static async open(address: string): Promise<UdpParty> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new UdpParty(socket, address)
  }

  /** The port that the socket is bound to. */
  get port(): number {
    return this.socket.address().port
  }

  /** Sends one datagram; resolves when it is with the kernel. */
  send(packet: Uint8Array, address: string, port: number): Promise<void> {
    return new Promise((resolve) => this.socket.send(packet, port, address, () => resolve()))
  }

  /** Resolves when that many packets have been received in all. */
  async until(count: number): Promise<void> {
    if (this.received.length >= count) return
    await new Promise<void>((done) => {
      this.waiting = { count, done }
    })
    this.waiting = undefined
  }

  /** Closes the socket; resolves when it is closed. */
  async close(): Promise<void> {
    const closed = once(this.socket, 'close')
    this.socket.close()
    await closed
  }
}
