/**
 * The voice of a demonstration phone: a UDP socket that plays a tone as RTP with G.711 (RFC 3550, RFC 3551) and keeps
 * what it hears.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { SAMPLE_RATE_HZ, SAMPLES_PER_PACKET, toneFrame, toneShare } from './tone'

const HEADER_BYTES = 12
const PACKET_MS = (1000 * SAMPLES_PER_PACKET) / SAMPLE_RATE_HZ

/** What a phone sent and heard. */
export interface VoiceReport {
  readonly sent: number
  readonly received: number
  /** Packets between the first and the last received that never came. */
  readonly lost: number
  /** RFC 3550 §6.4.1, in milliseconds. */
  readonly jitterMs: number
}

/** Plays one tone, hears another. */
export class RtpPhone {
  readonly #socket: Socket
  readonly #ssrc: number
  readonly #heard = new Map<number, Uint8Array>()
  #timer: NodeJS.Timeout | undefined
  #sent = 0
  #first = -1
  #highest = -1
  #jitter = 0
  #lastTransit: number | undefined

  private constructor(socket: Socket, ssrc: number) {
    this.#socket = socket
    this.#ssrc = ssrc
    socket.on('message', (packet) => this.#receive(packet))
  }

  /** Opens a phone's socket on a free port. */
  static async open(address: string, ssrc: number): Promise<RtpPhone> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new RtpPhone(socket, ssrc)
  }

  /** Where it listens. */
  get port(): number {
    return this.#socket.address().port
  }

  /** An SDP offer or answer for this phone (RFC 8866). */
  sdp(direction = 'sendrecv'): string {
    const { address } = this.#socket.address()
    const family = address.includes(':') ? 'IP6' : 'IP4'
    const lines = ['v=0', `o=- ${this.#ssrc} 1 IN ${family} ${address}`, 's=-', `c=IN ${family} ${address}`, 't=0 0']
    lines.push(`m=audio ${this.port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', 'a=ptime:20', `a=${direction}`)
    return `${lines.join('\r\n')}\r\n`
  }

  /** Plays a tone to where the other side's SDP says, for some packets; resolves when the last has been sent. */
  async play(frequencyHz: number, remoteSdp: string, packets: number): Promise<void> {
    const { address, port } = audioAddress(remoteSdp)
    const beganMs = performance.now()
    await new Promise<void>((resolve) => {
      let index = 0
      const tick = () => {
        while (index < packets && performance.now() - beganMs >= index * PACKET_MS) {
          this.#socket.send(this.#packet(frequencyHz, index++), port, address)
          this.#sent++
        }
        if (index >= packets) resolve()
        else this.#timer = setTimeout(tick, Math.max(0, beganMs + index * PACKET_MS - performance.now()))
      }
      tick()
    })
  }

  /** How much of what was heard is that frequency, from 0 to 1. */
  hears(frequencyHz: number): number {
    const payloads = [...this.#heard].sort(([a], [b]) => a - b).map(([, payload]) => payload)
    return toneShare(payloads, frequencyHz)
  }

  /** Counts so far. */
  report(): VoiceReport {
    const received = this.#heard.size
    const expected = this.#first < 0 ? 0 : this.#highest - this.#first + 1
    const jitterMs = (this.#jitter / SAMPLE_RATE_HZ) * 1000
    return { sent: this.#sent, received, lost: expected - received, jitterMs }
  }

  /** Closes the socket. */
  close(): Promise<void> {
    clearTimeout(this.#timer)
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  #packet(frequencyHz: number, index: number): Buffer {
    const packet = Buffer.alloc(HEADER_BYTES + SAMPLES_PER_PACKET)
    packet[0] = 0x80
    // The marker on the first packet; payload type 0 is PCMU.
    packet[1] = index === 0 ? 0x80 : 0
    packet.writeUInt16BE(index & 0xffff, 2)
    packet.writeUInt32BE((index * SAMPLES_PER_PACKET) >>> 0, 4)
    packet.writeUInt32BE(this.#ssrc, 8)
    packet.set(toneFrame(frequencyHz, index), HEADER_BYTES)
    return packet
  }

  #receive(packet: Buffer): void {
    if (packet.length < HEADER_BYTES || packet.readUInt8(0) !== 0x80 || (packet.readUInt8(1) & 0x7f) !== 0) return
    const sequence = packet.readUInt16BE(2)
    if (this.#first < 0) this.#first = sequence
    this.#highest = Math.max(this.#highest, sequence)
    this.#heard.set(sequence, Uint8Array.from(packet.subarray(HEADER_BYTES)))
    const arrival = (performance.now() * SAMPLE_RATE_HZ) / 1000
    const transit = arrival - packet.readUInt32BE(4)
    if (this.#lastTransit !== undefined) this.#jitter += (Math.abs(transit - this.#lastTransit) - this.#jitter) / 16
    this.#lastTransit = transit
  }
}

/** Where SDP says that audio is received. */
export function audioAddress(sdp: string): { readonly address: string; readonly port: number } {
  const address = /^c=IN IP[46] (\S+)/m.exec(sdp)?.[1]
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1])
  if (address === undefined || !(port > 0)) throw new Error('the SDP has no audio')
  return { address, port }
}
