/** A voice of ours: a socket that sends RTP as G.711 every 20 ms and counts what it hears (RFC 3550, RFC 3551). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { loopback } from './network.ts'

const samples = 160
const frameMs = 20

/** Plain RTP from a sequence number of choice. */
export class Voice {
  sent = 0
  received = 0
  /** The other side does not listen: nothing is sent. */
  isHeld = false
  readonly #socket: Socket
  readonly #firstSequence: number
  #timer: NodeJS.Timeout | undefined
  #version = 0
  /** Of 20 ms, sent or not. */
  #frames = 0

  private constructor(socket: Socket, firstSequence: number) {
    this.#socket = socket
    this.#firstSequence = firstSequence
    socket.on('message', (packet) => {
      if (packet.length === 12 + samples && packet[0] === 0x80) this.received += 1
    })
  }

  static async open(firstSequence: number): Promise<Voice> {
    const socket = createSocket('udp4')
    socket.bind(0, loopback)
    await once(socket, 'listening')
    return new Voice(socket, firstSequence)
  }

  /** True once its sequence numbers have begun anew. */
  get hasWrapped(): boolean {
    return this.#firstSequence + this.sent > 0x1_0000
  }

  /** What it offers or answers; each time a version later. */
  sdp(direction: string): string {
    this.#version += 1
    return `${[
      'v=0',
      `o=- 78 ${this.#version} IN IP4 ${loopback}`,
      's=-',
      `c=IN IP4 ${loopback}`,
      't=0 0',
      `m=audio ${this.#socket.address().port} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      `a=${direction}`,
    ].join('\r\n')}\r\n`
  }

  /** Speaks to where a description says, until it is stopped. */
  play(remoteSdp: Uint8Array | undefined): void {
    const port = Number(/^m=audio (\d+)/m.exec(Buffer.from(remoteSdp ?? []).toString())?.[1])
    const beganMs = performance.now()
    this.#timer = setInterval(() => {
      for (; performance.now() - beganMs >= this.#frames * frameMs; this.#frames += 1) {
        if (!this.isHeld) this.#socket.send(this.#packet(), port, loopback)
      }
    }, frameMs / 2)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async close(): Promise<void> {
    this.stop()
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }

  #packet(): Buffer {
    const packet = Buffer.alloc(12 + samples, 0xff)
    packet[0] = 0x80
    packet[1] = 0
    packet.writeUInt16BE((this.#firstSequence + this.sent) & 0xffff, 2)
    packet.writeUInt32BE(this.#frames * samples, 4)
    packet.writeUInt32BE(0xca11, 8)
    this.sent += 1
    return packet
  }
}
